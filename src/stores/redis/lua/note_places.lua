-- Notes how many places a node has. ARGV: node, seconds, whose, how many, whose, how many, …
for i = 3, #ARGV, 2 do
  local key = base .. 'places:' .. ARGV[i]
  if ARGV[i + 1] == '0' then
    call('HDEL', key, ARGV[1])
  else
    call('HSET', key, ARGV[1], ARGV[i + 1])
    call('EXPIRE', key, ARGV[2])
  end
end
return { 'ok' }

-- Takes a place where there is one. ARGV: node, whose, limit, how many the node has, seconds.
local key = base .. 'places:' .. ARGV[2]
local all, mine = tonumber(ARGV[4]), tonumber(ARGV[4])
local fields = call('HGETALL', key)
for i = 1, #fields, 2 do
  if fields[i] ~= ARGV[1] then
    if call('EXISTS', base .. 'node:' .. fields[i]) == 1 then
      all = all + tonumber(fields[i + 1])
    else
      call('HDEL', key, fields[i])
    end
  end
end
if all >= tonumber(ARGV[3]) then
  return { 'full' }
end
call('HSET', key, ARGV[1], text(mine + 1))
call('EXPIRE', key, ARGV[5])
return { 'taken' }

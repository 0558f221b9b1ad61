-- All that the node has is under its new instance: earlier ones are dead. ARGV: instance, earlier ones.
if not holds(ARGV[1]) then
  return { 'lost' }
end
for i = 2, #ARGV do
  if call('ZREM', base .. 'fenced', ARGV[i]) == 1 then
    call('SADD', base .. 'dying', ARGV[i])
  end
end
return { 'ok' }

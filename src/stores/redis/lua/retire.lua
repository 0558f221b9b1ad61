-- The instance writes no more, and what it has stays for a while. ARGV: instance, how long.
if call('ZREM', base .. 'leases', ARGV[1]) == 1 then
  call('ZADD', base .. 'fenced', text(now() + tonumber(ARGV[2])), ARGV[1])
end
return { 'ok' }

-- Renews a lease that has not ended. ARGV: instance, lease.
if not holds(ARGV[1]) then
  return { 'lost' }
end
call('ZADD', base .. 'leases', text(now() + tonumber(ARGV[2])), ARGV[1])
return { 'ok' }

-- Declares instances dead whose time is over. ARGV: lease. Returns those from which is to be taken.
local time, lease = now(), tonumber(ARGV[1])
local checked = tonumber(call('GET', base .. 'checked') or 0)
call('SET', base .. 'checked', text(time))
if time - checked > lease / 2 then
  -- Nobody has looked for long: not the nodes were away, but Redis. Each gets another lease.
  for _, set in ipairs({ 'leases', 'fenced' }) do
    for _, instance in ipairs(call('ZRANGE', base .. set, 0, -1)) do
      call('ZADD', base .. set, 'GT', text(time + lease), instance)
    end
  end
end
for _, set in ipairs({ 'leases', 'fenced' }) do
  for _, instance in ipairs(call('ZRANGEBYSCORE', base .. set, '-inf', text(time))) do
    call('ZREM', base .. set, instance)
    call('SADD', base .. 'dying', instance)
  end
end
return call('SMEMBERS', base .. 'dying')

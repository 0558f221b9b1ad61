-- Takes over what another node should have told. ARGV: after how long, how many.
local time, rows = now(), {}
local late = call('ZRANGEBYSCORE', base .. 'outbox', '-inf', text(time - tonumber(ARGV[1])), 'LIMIT', 0, ARGV[2])
for _, user in ipairs(late) do
  local status, seen = read(user)
  if status == 'offline' then
    call('ZADD', base .. 'outbox', text(time), user)
    rows[#rows + 1] = gone(user, seen, text(time))
  else
    call('ZREM', base .. 'outbox', user)
  end
end
return rows

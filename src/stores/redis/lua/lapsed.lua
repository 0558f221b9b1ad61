-- ARGV: how many. Returns driver and position, two by two.
local rows = {}
local late = call('ZRANGEBYSCORE', base .. 'fresh', '-inf', text(now()), 'LIMIT', 0, ARGV[1])
for _, driver in ipairs(late) do
  local position = call('HGET', base .. 'positions', driver)
  call('ZREM', base .. 'fresh', driver)
  call('HDEL', base .. 'positions', driver)
  if position then
    rows[#rows + 1] = driver
    rows[#rows + 1] = position
  end
end
return rows

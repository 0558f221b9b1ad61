-- ARGV: driver, timestamp, for how long it is fresh, the position.
local known = call('HGET', base .. 'positions', ARGV[1])
if known and tonumber(string.match(known, '^[^ ]+')) > tonumber(ARGV[2]) then
  return { 'stale' }
end
call('HSET', base .. 'positions', ARGV[1], ARGV[2] .. ' ' .. ARGV[4])
call('ZADD', base .. 'fresh', text(now() + tonumber(ARGV[3])), ARGV[1])
return { 'kept' }

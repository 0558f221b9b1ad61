-- ARGV: instance, user, status, at. Returns the presence.
if not holds(ARGV[1]) then
  return { 'lost' }
end
local key = base .. 'user:' .. ARGV[2]
local known = call('HGET', key, 's')
if not known or known == 'offline' then
  return { 'offline' }
end
local version = change(ARGV[4])
call('HSET', key, 's', ARGV[3], 't', ARGV[4], 'v', version)
call('ZADD', base .. 'there', version, ARGV[2])
local status, seen, devices = read(ARGV[2])
return { 'set', status, seen, devices, version }

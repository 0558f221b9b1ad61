-- ARGV: the instance of those who were there, users as user, last seen, version, whether there.
-- Who is known by now is known better.
local ghost = ARGV[1]
if not holds(ghost) then
  return { 'lost' }
end
for _, one in ipairs(cjson.decode(ARGV[2])) do
  local user, at, version, was_there = one[1], text(one[2]), one[3], one[4]
  local key = base .. 'user:' .. user
  if call('EXISTS', key) == 0 then
    call('HSET', key, 's', was_there and 'online' or 'offline', 't', at, 'v', version)
    if was_there then
      call('HSET', key, GHOST, ghost)
      call('SADD', base .. 'devices:' .. ghost, user .. '\n')
    end
    call('ZADD', base .. (was_there and 'there' or 'offline'), version, user)
  end
end
trim()
return { 'ok' }

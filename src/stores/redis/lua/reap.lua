-- Takes some of what a dying instance has: first its devices, while the rooms of those who have
-- gone are known, then its users in rooms. ARGV: instance, how many. Returns what is to be told.
local instance, limit = ARGV[1], ARGV[2]
if call('SISMEMBER', base .. 'dying', instance) == 0 then
  return { 'done' }
end
local rows, at = { 'more' }, text(now())
local devices = call('SPOP', base .. 'devices:' .. instance, limit)
for _, one in ipairs(devices) do
  local user, device = string.match(one, '^([^\n]*)\n(.*)$')
  local stamp = remove(instance, user, device, at)
  if stamp then
    rows[#rows + 1] = gone(user, at, stamp)
  end
end
if #devices > 0 then
  return rows
end
local pairs_left = call('HRANDFIELD', base .. 'pairs:' .. instance, limit, 'WITHVALUES')
for i = 1, #pairs_left, 2 do
  local room, user = string.match(pairs_left[i], '^([^\n]*)\n(.*)$')
  if leave(instance, room, user) then
    rows[#rows + 1] = cjson.encode({ 'left', room, user, pairs_left[i + 1] })
  end
end
if #pairs_left > 0 then
  return rows
end
call('SREM', base .. 'dying', instance)
return { 'done' }

-- Brings what a node has up to date, and returns what is to be told.
-- ARGV: instance, what the node's instances begin with, changes.
local instance, node = ARGV[1], ARGV[2]
if not holds(instance) then
  return { 'lost' }
end
local rows, told = { 'ok' }, {}

-- Whether another node has said that the user is there.
local function is_known(user)
  local fields = call('HGETALL', base .. 'user:' .. user)
  for i = 1, #fields, 2 do
    local is_device = string.sub(fields[i], 1, 1) == 'd'
    if is_device and string.sub(fields[i + 1], 1, #node) ~= node then
      return true
    end
  end
  return false
end

local function device(user, id, at, status, was_told, is_changed)
  -- The ghost of a user who was there is removed by the first device.
  local was_there = was_told or told[user] or is_known(user)
  local known = arrive(instance, user, id, at, status)
  if known == 'offline' or not was_there then
    rows[#rows + 1] = cjson.encode({ 'online', user })
  elseif is_changed then
    local version = change(at)
    local key = base .. 'user:' .. user
    call('HSET', key, 's', status, 't', at, 'v', version)
    call('ZADD', base .. 'there', version, user)
    rows[#rows + 1] = cjson.encode({ 'changed', user })
  end
  told[user] = true
end

for _, one in ipairs(cjson.decode(ARGV[3])) do
  local kind = one[1]
  if kind == 'device' then
    device(one[2], one[3], text(one[4]), one[5], one[6], one[7])
  elseif kind == 'no device' then
    local at = text(one[4])
    local stamp = remove(instance, one[2], one[3], at)
    if stamp then
      rows[#rows + 1] = gone(one[2], at, stamp)
    end
  elseif kind == 'pair' then
    local is_first = enter(instance, one[2], one[3], one[4])
    if is_first and one[5] then
      rows[#rows + 1] = cjson.encode({ 'entered', one[2], one[3], one[4] })
    end
  elseif kind == 'no pair' then
    local name = call('HGET', base .. 'pairs:' .. instance, one[2] .. '\n' .. one[3])
    if leave(instance, one[2], one[3]) then
      rows[#rows + 1] = cjson.encode({ 'left', one[2], one[3], name or one[3] })
    end
  end
end
return rows

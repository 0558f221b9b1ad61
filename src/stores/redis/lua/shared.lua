-- What the scripts share. KEYS[1] is what the name of every key begins with.
--
-- epoch           how many instances there have been
-- run             a name for what Redis knows; another one when it has lost all
-- leases          instances that may write, by when their leases end
-- fenced          instances that may not write any more, by when they are as good as dead
-- dying           instances from which is taken what they still have
-- user:{user}     s: status, t: last seen, v: version, d{device} \n {node}: the device's instance on
--                 that node; a device that has moved is on two until the first knows
-- there, offline  users by version
-- owners          users by device
-- devices:{inst}  the instance's devices, as user \n device
-- in:{room}       the instances of each user in the room, with \n in between
-- rooms:{user}    the user's rooms
-- pairs:{inst}    the instance's users in rooms, as room \n user, with the user's name
-- places:{whose}  how many connections of a user or an address nodes have
-- node:{node}     stands while the node is there
-- outbox          users who went offline, by when, until that is told
--
-- An id has no control characters, so that \n ends one.

local base = KEYS[1]
local call = redis.call
-- The fields of a user that are no devices.
local FIXED = 3
-- What stands for the devices that a user had when Redis lost all it knew: a device without a name,
-- on a node that is called ghost.
local GHOST = 'd\nghost'

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- All the digits of a number.
local function text(number)
  return string.format('%.0f', number)
end

local function holds(instance)
  local ends = call('ZSCORE', base .. 'leases', instance)
  return ends and tonumber(ends) > now()
end

local function change(at)
  local last = tonumber(call('GET', base .. 'version') or 0)
  local version = text(math.max(tonumber(at) * VERSIONS_PER_MS, last + 1))
  call('SET', base .. 'version', version)
  return version
end

-- The field of a device, whichever of its node's instances has it.
local function field(instance, device)
  return 'd' .. device .. '\n' .. string.match(instance, '^(.*)%.%d+$')
end

-- Whether some node has the device.
local function has(key, device)
  local begin = 'd' .. device .. '\n'
  for _, one in ipairs(call('HKEYS', key)) do
    if string.sub(one, 1, #begin) == begin then
      return true
    end
  end
  return false
end

-- Status, last seen, the number of devices, the version; nothing where the user is not known.
local function read(user)
  local key = base .. 'user:' .. user
  local fields = call('HMGET', key, 's', 't', 'v')
  if not fields[1] then
    return nil
  end
  return fields[1], fields[2], text(call('HLEN', key) - FIXED), fields[3]
end

-- What the user's status was, none where the user was not known; and the version of the change,
-- where the user was not there.
local function arrive(instance, user, device, at, status)
  local key = base .. 'user:' .. user
  local known = call('HMGET', key, 's', 't')
  call('HSET', key, field(instance, device), instance)
  call('SADD', base .. 'devices:' .. instance, user .. '\n' .. device)
  call('HSET', base .. 'owners', device, user)
  if known[1] and known[1] ~= 'offline' then
    call('HSET', key, 't', text(math.max(tonumber(known[2]), tonumber(at))))
    call('HDEL', key, GHOST)
    return known[1]
  end
  local version = change(at)
  call('HSET', key, 's', status, 't', at, 'v', version)
  call('ZREM', base .. 'offline', user)
  call('ZREM', base .. 'outbox', user)
  call('ZADD', base .. 'there', version, user)
  return known[1], version
end

-- The oldest of those who have gone is forgotten where there are too many.
local function trim()
  local over = call('ZCARD', base .. 'offline') - MAX_OFFLINE_USERS
  if over > 0 then
    local gone = call('ZPOPMIN', base .. 'offline', math.min(over, 10))
    for i = 1, #gone, 2 do
      call('DEL', base .. 'user:' .. gone[i])
    end
  end
end

-- Removes a device of the instance. Where it was the user's last one, returns when that was, as
-- the outbox says, and the change's version.
local function remove(instance, user, device, at)
  local key = base .. 'user:' .. user
  call('SREM', base .. 'devices:' .. instance, user .. '\n' .. device)
  -- It may be another instance's by now.
  if call('HGET', key, field(instance, device)) ~= instance then
    return nil
  end
  call('HDEL', key, field(instance, device))
  if call('HLEN', key) > FIXED then
    if not has(key, device) then
      call('HDEL', base .. 'owners', device)
    end
    return nil
  end
  call('HDEL', base .. 'owners', device)
  local version = change(at)
  call('HSET', key, 's', 'offline', 't', at, 'v', version)
  call('ZREM', base .. 'there', user)
  call('ZADD', base .. 'offline', version, user)
  trim()
  local stamp = text(now())
  call('ZADD', base .. 'outbox', stamp, user)
  return stamp, version
end

-- Whether no instance had the user in the room.
local function enter(instance, room, user, name)
  local key = base .. 'in:' .. room
  local known = call('HGET', key, user)
  call('HSET', base .. 'pairs:' .. instance, room .. '\n' .. user, name)
  if not known then
    call('HSET', key, user, instance)
    call('SADD', base .. 'rooms:' .. user, room)
    return true
  end
  for one in string.gmatch(known, '[^\n]+') do
    if one == instance then
      return false
    end
  end
  call('HSET', key, user, known .. '\n' .. instance)
  return false
end

-- Whether no instance has the user in the room any more.
local function leave(instance, room, user)
  local key = base .. 'in:' .. room
  local known = call('HGET', key, user)
  call('HDEL', base .. 'pairs:' .. instance, room .. '\n' .. user)
  if not known then
    return false
  end
  local others, was_in = {}, false
  for one in string.gmatch(known, '[^\n]+') do
    if one == instance then
      was_in = true
    else
      others[#others + 1] = one
    end
  end
  if not was_in then
    return false
  end
  if #others > 0 then
    call('HSET', key, user, table.concat(others, '\n'))
    return false
  end
  call('HDEL', key, user)
  call('SREM', base .. 'rooms:' .. user, room)
  return true
end

-- A line about a user who went offline, with the rooms they are in still.
local function gone(user, at, stamp)
  local row = { 'offline', user, at, stamp }
  for _, room in ipairs(call('SMEMBERS', base .. 'rooms:' .. user)) do
    row[#row + 1] = room
  end
  return cjson.encode(row)
end

-- The changes after a version: user, version, status, last seen, devices, five by five.
local function changes(version, limit)
  local found = {}
  for _, set in ipairs({ 'there', 'offline' }) do
    local some = call('ZRANGEBYSCORE', base .. set, '(' .. version, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #some, 2 do
      found[#found + 1] = { some[i], tonumber(some[i + 1]) }
    end
  end
  table.sort(found, function(a, b) return a[2] < b[2] end)
  local rows = {}
  for i = 1, math.min(#found, tonumber(limit)) do
    local user = found[i][1]
    local status, seen, devices = read(user)
    if status then
      for _, value in ipairs({ user, text(found[i][2]), status, seen, devices }) do
        rows[#rows + 1] = value
      end
    end
  end
  return rows
end


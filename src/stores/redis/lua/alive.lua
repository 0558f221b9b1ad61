-- A node says that it is there; whether it was known. ARGV: node, milliseconds.
local key = base .. 'node:' .. ARGV[1]
local was_known = call('EXISTS', key) == 1
call('SET', key, '1', 'PX', ARGV[2])
return { was_known and 'known' or 'new' }

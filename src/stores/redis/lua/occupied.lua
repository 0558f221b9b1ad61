-- Whether anybody is in a room, and what is greater than when that was asked before, over a loss of
-- all that Redis knows, too. ARGV: room.
local count = call('HLEN', base .. 'in:' .. ARGV[1])
return { count > 0 and 'yes' or 'no', change(text(now())) }

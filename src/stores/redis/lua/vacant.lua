-- Whether what the durable store knows has to be restored. ARGV: for how long nobody else does it,
-- who does; who could not may try again at once.
if call('EXISTS', base .. 'generation') == 1 then
  return { 'no' }
end
local key = base .. 'restoring'
local is_mine = call('SET', key, ARGV[2], 'NX', 'PX', ARGV[1]) or call('GET', key) == ARGV[2]
return { is_mine and 'yes' or 'wait' }

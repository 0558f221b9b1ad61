-- Whether what the durable store knows has to be restored. ARGV: for how long nobody else does it.
if call('EXISTS', base .. 'generation') == 1 then
  return { 'no' }
end
local is_mine = call('SET', base .. 'restoring', '1', 'NX', 'PX', ARGV[1])
return { is_mine and 'yes' or 'wait' }

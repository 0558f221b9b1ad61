-- Begins an instance; earlier ones write no more from now on, but are not dead yet.
-- ARGV: node, lease, name for a new run, earlier instances. Returns the instance and the run.
local epoch = call('INCR', base .. 'epoch')
call('SET', base .. 'run', ARGV[3], 'NX')
local instance = ARGV[1] .. '.' .. text(epoch)
local ends = text(now() + tonumber(ARGV[2]))
call('ZADD', base .. 'leases', ends, instance)
for i = 4, #ARGV do
  local had = call('ZREM', base .. 'leases', ARGV[i])
  if had == 1 or call('ZSCORE', base .. 'fenced', ARGV[i]) then
    call('ZADD', base .. 'fenced', ends, ARGV[i])
  end
end
return { instance, call('GET', base .. 'run') }

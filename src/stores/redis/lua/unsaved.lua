-- ARGV: instance, limit, for how long the saving is the instance's task.
call('SET', base .. 'saver', ARGV[1], 'NX', 'PX', ARGV[3])
if call('GET', base .. 'saver') ~= ARGV[1] then
  return {}
end
call('PEXPIRE', base .. 'saver', ARGV[3])
return changes(call('GET', base .. 'saved') or '0', ARGV[2])

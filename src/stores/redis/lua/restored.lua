-- All is restored. ARGV: the newest version of it.
call('SET', base .. 'generation', '1')
call('SET', base .. 'saved', ARGV[1], 'NX')
call('DEL', base .. 'restoring')
return {}

-- ARGV: version.
if tonumber(ARGV[1]) > tonumber(call('GET', base .. 'saved') or 0) then
  call('SET', base .. 'saved', ARGV[1])
end
return {}

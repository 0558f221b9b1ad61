-- It is told that these are offline since then. ARGV: user, stamp, two by two.
for i = 1, #ARGV, 2 do
  if tonumber(call('ZSCORE', base .. 'outbox', ARGV[i]) or -1) == tonumber(ARGV[i + 1]) then
    call('ZREM', base .. 'outbox', ARGV[i])
  end
end
return {}

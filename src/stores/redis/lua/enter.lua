-- ARGV: instance, room, user, name.
if not holds(ARGV[1]) then
  return { 'lost' }
end
return { enter(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) and 'first' or 'another' }

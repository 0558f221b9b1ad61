-- ARGV: instance, room, user.
if not holds(ARGV[1]) then
  return { 'lost' }
end
return { leave(ARGV[1], ARGV[2], ARGV[3]) and 'last' or 'another' }

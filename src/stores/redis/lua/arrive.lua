-- ARGV: instance, user, device, at.
if not holds(ARGV[1]) then
  return { 'lost' }
end
local known = arrive(ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'online')
return { known and known ~= 'offline' and 'was there' or 'came online' }

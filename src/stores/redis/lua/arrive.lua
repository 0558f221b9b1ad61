-- ARGV: instance, user, device, at.
if not holds(ARGV[1]) then
  return { 'lost' }
end
local _, version = arrive(ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'online')
return version and { 'came online', version } or { 'was there' }

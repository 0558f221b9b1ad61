-- ARGV: instance, user, device, at.
if not holds(ARGV[1]) then
  return { 'lost' }
end
local stamp, version = remove(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return stamp and { 'offline', stamp, version } or { 'still there' }

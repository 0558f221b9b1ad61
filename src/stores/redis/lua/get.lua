-- ARGV: users. Returns status, last seen, devices, version of each; nothing known is four empty texts.
local rows = {}
for _, user in ipairs(ARGV) do
  local status, seen, devices, version = read(user)
  rows[#rows + 1] = status or ''
  rows[#rows + 1] = seen or ''
  rows[#rows + 1] = devices or ''
  rows[#rows + 1] = version or ''
end
return rows

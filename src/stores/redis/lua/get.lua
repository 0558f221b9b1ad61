-- ARGV: users. Returns status, last seen, devices of each; nothing known is three empty texts.
local rows = {}
for _, user in ipairs(ARGV) do
  local status, seen, devices = read(user)
  rows[#rows + 1] = status or ''
  rows[#rows + 1] = seen or ''
  rows[#rows + 1] = devices or ''
end
return rows

-- ARGV: version, limit.
local given = math.max(tonumber(call('GET', base .. 'version') or 0), (now() + 1) * VERSIONS_PER_MS)
-- A version that lies ahead of the clock has never been given.
local after = tonumber(ARGV[1]) > given and '0' or ARGV[1]
return changes(after, ARGV[2])

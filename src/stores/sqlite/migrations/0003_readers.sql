-- The greatest position of an entry that retention has taken, 0 while none is gone, and when that
-- entry was written.
ALTER TABLE feeds ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feeds ADD COLUMN trimmed_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX feeds_trimmed ON feeds (trimmed) WHERE trimmed > 0;

-- lost: the newest position when a backend ended the membership; NULL for a member.
ALTER TABLE members ADD COLUMN lost INTEGER;

CREATE INDEX members_user ON members (user, room);

-- The direct messages of a user, whoever they are with.
CREATE TABLE conversations (
    user TEXT NOT NULL,
    feed INTEGER NOT NULL REFERENCES feeds (id),
    PRIMARY KEY (user, feed)
) STRICT, WITHOUT ROWID;

-- A key is direct:{bytes of the first id}:{first id}:{second id}.
WITH direct AS (
    SELECT id, substr(key, 8) AS rest FROM feeds WHERE key LIKE 'direct:%'
), parts AS (
    SELECT id, CAST(rest AS INTEGER) AS low_bytes,
        CAST(substr(rest, instr(rest, ':') + 1) AS BLOB) AS both_ids
    FROM direct
)
INSERT OR IGNORE INTO conversations (user, feed)
SELECT CAST(substr(both_ids, 1, low_bytes) AS TEXT), id FROM parts
UNION ALL
SELECT CAST(substr(both_ids, low_bytes + 2) AS TEXT), id FROM parts;

-- Times are milliseconds since 1970-01-01T00:00:00Z.

-- One row per log. The last seq stands here, not in the entries, so that it survives retention.
CREATE TABLE feeds (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    first_seq INTEGER NOT NULL DEFAULT 1,
    last_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The attachment comes last: what stands before it is read without walking its overflow pages.
CREATE TABLE entries (
    key INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feeds (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    author TEXT NOT NULL,
    author_name TEXT NOT NULL,
    client_id TEXT,
    content TEXT NOT NULL,
    subject TEXT,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER,
    attachment BLOB
) STRICT;

CREATE UNIQUE INDEX entries_place ON entries (feed, seq);
CREATE UNIQUE INDEX entries_client_id ON entries (feed, author, client_id)
    WHERE client_id IS NOT NULL;
-- These two let unread entries be counted by what is to be left out, which is little.
CREATE INDEX entries_own ON entries (feed, author, seq) WHERE deleted_at IS NULL;
CREATE INDEX entries_deleted ON entries (feed, seq) WHERE deleted_at IS NOT NULL;

CREATE TABLE read_cursors (
    feed INTEGER NOT NULL REFERENCES feeds (id),
    user TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (feed, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

-- outcome: 1 succeeded, 0 failed, NULL not settled yet. told: 1 once somebody has heard it.
CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    amount REAL NOT NULL,
    socket TEXT NOT NULL,
    user TEXT,
    created_at INTEGER NOT NULL,
    outcome INTEGER,
    told INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX payments_unsettled ON payments (created_at, id) WHERE outcome IS NULL;
CREATE INDEX payments_untold ON payments (user, created_at, id)
    WHERE outcome IS NOT NULL AND told = 0;

CREATE TABLE stock (
    product TEXT PRIMARY KEY,
    inventory TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: 0 a token by its jti, 1 a token by its digest, 2 a user up to issued_until.
CREATE TABLE revocations (
    kind INTEGER NOT NULL,
    subject TEXT NOT NULL,
    issued_until INTEGER,
    expires_at INTEGER,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_expiry ON revocations (expires_at) WHERE expires_at IS NOT NULL;

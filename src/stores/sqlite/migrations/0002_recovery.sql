-- Of direct messages: the socket that sent it, which is not sent it when it returns.
ALTER TABLE entries ADD COLUMN origin TEXT;

-- Sockets that their clients may want back after a restart. rooms: a JSON list of names.
CREATE TABLE sessions (
    namespace TEXT NOT NULL,
    pid TEXT NOT NULL,
    id TEXT NOT NULL,
    user TEXT,
    rooms TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, pid)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (namespace, user) WHERE user IS NOT NULL;

-- When users were last seen, and who was there when that was stored. Kept for the next start.
CREATE TABLE presence (
    user TEXT PRIMARY KEY,
    last_seen INTEGER NOT NULL,
    there INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

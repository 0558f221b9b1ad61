-- How far the log was planned for offline push, and how many deliveries wait. No row while push has
-- never been switched on.
CREATE TABLE push_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL,
    pending INTEGER NOT NULL DEFAULT 0
) STRICT;

-- p256dh, auth: the browser's keys.
CREATE TABLE push_subscriptions (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    endpoint TEXT NOT NULL UNIQUE,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX push_subscriptions_user ON push_subscriptions (user, created_at, id);

-- subscription: NULL for the webhook. target repeats that by name, for the index.
CREATE TABLE push_deliveries (
    id TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    user TEXT NOT NULL,
    target TEXT NOT NULL,
    subscription TEXT REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX push_deliveries_due ON push_deliveries (target, due_at);
CREATE INDEX push_deliveries_subscription ON push_deliveries (subscription)
    WHERE subscription IS NOT NULL;

CREATE TRIGGER push_deliveries_added AFTER INSERT ON push_deliveries BEGIN
    UPDATE push_state SET pending = pending + 1;
END;
CREATE TRIGGER push_deliveries_removed AFTER DELETE ON push_deliveries BEGIN
    UPDATE push_state SET pending = pending - 1;
END;

-- number counts up: a greater one is newer.
CREATE TABLE push_dead_letters (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    entry TEXT NOT NULL,
    user TEXT NOT NULL,
    target TEXT NOT NULL,
    subscription TEXT REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    attempts INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX push_dead_letters_subscription ON push_dead_letters (subscription)
    WHERE subscription IS NOT NULL;

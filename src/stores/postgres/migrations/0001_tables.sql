-- Times are milliseconds since 1970-01-01T00:00:00Z, unless they are timestamps of this server.
-- Ids are text compared by its bytes; what may hold a NUL, which text cannot, is bytea of UTF-8.

-- The position of the newest entry. Whoever appends locks this row, so that positions have no gap
-- and become visible in their order: who sees one sees all before it.
CREATE TABLE log (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);

INSERT INTO log (position) VALUES (0);

-- One row per feed. The last seq stands here, not in the entries, so that it survives retention.
-- trimmed: the greatest position of an entry that retention has taken, 0 while none is gone;
-- trimmed_at: when that entry was written. Pages have room for the next version of a row.
CREATE TABLE feeds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    first_seq bigint NOT NULL DEFAULT 1,
    last_seq bigint NOT NULL DEFAULT 0,
    trimmed bigint NOT NULL DEFAULT 0,
    trimmed_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE INDEX feeds_trimmed ON feeds (trimmed) WHERE trimmed > 0;

-- No reference to feeds: none is ever removed, and the check would cost each append.
CREATE TABLE entries (
    position bigint PRIMARY KEY,
    feed bigint NOT NULL,
    seq bigint NOT NULL,
    id text COLLATE "C" NOT NULL UNIQUE,
    event bytea NOT NULL,
    author text COLLATE "C" NOT NULL,
    author_name bytea NOT NULL,
    client_id text COLLATE "C",
    content bytea NOT NULL,
    subject bytea,
    created_at bigint NOT NULL,
    edited_at bigint,
    deleted_at bigint,
    origin text COLLATE "C",
    attachment bytea
);

-- Binary is seldom smaller when compressed.
ALTER TABLE entries ALTER COLUMN attachment SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX entries_place ON entries (feed, seq);
CREATE INDEX entries_feed ON entries (feed, position);
CREATE UNIQUE INDEX entries_client_id ON entries (feed, author, client_id)
    WHERE client_id IS NOT NULL;
-- These two let unread entries be counted by what is to be left out, which is little.
CREATE INDEX entries_own ON entries (feed, author, seq) WHERE deleted_at IS NULL;
CREATE INDEX entries_deleted ON entries (feed, seq) WHERE deleted_at IS NOT NULL;

CREATE TABLE read_cursors (
    feed bigint NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (feed, user_id)
);

-- The direct messages of a user, whoever they are with.
CREATE TABLE conversations (
    user_id text COLLATE "C" NOT NULL,
    feed bigint NOT NULL,
    PRIMARY KEY (user_id, feed)
);

-- lost: the newest position when a backend ended the membership; NULL for a member.
CREATE TABLE members (
    room text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    lost bigint,
    PRIMARY KEY (room, user_id)
);

CREATE INDEX members_user ON members (user_id, room);

-- outcome: NULL while not settled. told: whether somebody has heard it.
CREATE TABLE payments (
    id text COLLATE "C" PRIMARY KEY,
    amount double precision NOT NULL,
    socket text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    created_at bigint NOT NULL,
    outcome boolean,
    told boolean NOT NULL DEFAULT false
);

CREATE INDEX payments_unsettled ON payments (created_at, id) WHERE outcome IS NULL;
CREATE INDEX payments_untold ON payments (user_id, created_at, id)
    WHERE outcome IS NOT NULL AND NOT told;

-- inventory: a JSON number, which covers more than numbers here do.
CREATE TABLE stock (
    product text COLLATE "C" PRIMARY KEY,
    inventory text NOT NULL,
    -- How often it was set.
    number bigint NOT NULL DEFAULT 1
);

-- kind: 0 a token by its jti, 1 a token by its digest, 2 a user up to issued_until.
CREATE TABLE revocations (
    kind integer NOT NULL,
    subject bytea NOT NULL,
    issued_until bigint,
    expires_at bigint
);

-- By a digest: a jti may be longer than an index takes.
CREATE UNIQUE INDEX revocations_subject ON revocations (kind, sha256(subject));
CREATE INDEX revocations_expiry ON revocations (expires_at) WHERE expires_at IS NOT NULL;

-- When users were last seen, and who was there when that was stored.
CREATE TABLE presence (
    user_id text COLLATE "C" PRIMARY KEY,
    last_seen bigint NOT NULL,
    there boolean NOT NULL
);

CREATE INDEX presence_last_seen ON presence (last_seen);

-- The runs of nodes, and when each last said that it was alive.
CREATE TABLE owners (
    id text COLLATE "C" PRIMARY KEY,
    alive_at timestamptz NOT NULL
);

-- Sockets that their clients may want back from another run. rooms: a JSON list of names.
CREATE TABLE sessions (
    namespace bytea NOT NULL,
    pid bytea NOT NULL,
    owner text COLLATE "C" NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    rooms text NOT NULL,
    PRIMARY KEY (namespace, pid)
);

CREATE INDEX sessions_user ON sessions (namespace, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_owner ON sessions (owner);

CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    lapses_at timestamptz NOT NULL
);

-- How far the log was planned for offline push. No row while push has never been switched on.
CREATE TABLE push_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);

-- p256dh, auth: the browser's keys.
CREATE TABLE push_subscriptions (
    id text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    endpoint bytea NOT NULL UNIQUE,
    p256dh bytea NOT NULL,
    auth bytea NOT NULL,
    expires_at bigint,
    created_at bigint NOT NULL
);

CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at, id);

-- subscription: NULL for the webhook. target repeats that by name, for the index.
CREATE TABLE push_deliveries (
    id text COLLATE "C" PRIMARY KEY,
    entry text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    subscription text COLLATE "C" REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    attempts bigint NOT NULL DEFAULT 0,
    due_at bigint NOT NULL,
    created_at bigint NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX push_deliveries_due ON push_deliveries (target, due_at, id);
CREATE INDEX push_deliveries_subscription ON push_deliveries (subscription)
    WHERE subscription IS NOT NULL;

-- number counts up: a greater one is newer.
CREATE TABLE push_dead_letters (
    number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    entry text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    subscription text COLLATE "C" REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    attempts bigint NOT NULL,
    last_error bytea NOT NULL,
    created_at bigint NOT NULL,
    failed_at bigint NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX push_dead_letters_subscription ON push_dead_letters (subscription)
    WHERE subscription IS NOT NULL;

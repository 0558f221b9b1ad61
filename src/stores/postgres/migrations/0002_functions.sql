-- What takes several steps is a function, so that it is one statement for a node: one that stops in
-- the middle leaves no transaction open and no row locked.

-- Appends a group of entries in their order; the place of each, and the newest position before.
-- An entry whose feed, author and client id have been there before is not stored, and has the place
-- of the one that is. What is returned is little: the lock stays until it has been sent.
CREATE FUNCTION append_entries(
    given_keys text[], given_lows text[], given_highs text[], given_ids text[],
    given_events bytea[], given_authors text[], given_author_names bytea[],
    given_client_ids text[], given_contents bytea[], given_subjects bytea[],
    given_times bigint[], given_origins text[], given_attachments bytea[],
    OUT newest bigint, OUT seqs bigint[], OUT positions bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    added_ordinals bigint[];
    added integer;
BEGIN
    SELECT position INTO newest FROM log FOR UPDATE;

    -- Each statement from here on sees all that was committed before the lock was got.
    WITH made AS (
        INSERT INTO feeds (key)
        SELECT DISTINCT given.key FROM unnest(given_keys) AS given (key)
        WHERE NOT EXISTS (SELECT FROM feeds WHERE feeds.key = given.key)
        RETURNING id, key
    )
    INSERT INTO conversations (user_id, feed)
    SELECT DISTINCT users.id, made.id
    FROM made
    JOIN unnest(given_keys, given_lows, given_highs) AS given (key, low, high) USING (key)
    CROSS JOIN LATERAL (VALUES (given.low), (given.high)) AS users (id)
    WHERE users.id IS NOT NULL;

    WITH given AS (
        SELECT feeds.id AS feed, feeds.last_seq, one.*, one.client_id IS NOT NULL AND (
            row_number() OVER (
                PARTITION BY feeds.id, one.author, one.client_id ORDER BY one.ordinal
            ) > 1
            OR EXISTS (
                SELECT FROM entries WHERE entries.feed = feeds.id
                    AND entries.author = one.author AND entries.client_id = one.client_id
            )
        ) AS is_known
        FROM unnest(
            given_keys, given_ids, given_events, given_authors, given_author_names,
            given_client_ids, given_contents, given_subjects, given_times, given_origins,
            given_attachments
        ) WITH ORDINALITY AS one (
            key, id, event, author, author_name, client_id, content, subject, created_at, origin,
            attachment, ordinal
        )
        JOIN feeds ON feeds.key = one.key
    ), placed AS (
        SELECT given.*,
            last_seq + row_number() OVER (PARTITION BY feed ORDER BY ordinal) AS seq,
            newest + row_number() OVER (ORDER BY ordinal) AS position
        FROM given WHERE NOT is_known
    ), stored AS (
        INSERT INTO entries (position, feed, seq, id, event, author, author_name, client_id,
            content, subject, created_at, origin, attachment)
        SELECT position, feed, seq, id, event, author, author_name, client_id,
            content, subject, created_at, origin, attachment
        FROM placed
    ), grown AS (
        UPDATE feeds SET last_seq = top.seq
        FROM (SELECT feed, max(seq) AS seq FROM placed GROUP BY feed) AS top
        WHERE feeds.id = top.feed
    )
    SELECT count(*), array_agg(ordinal ORDER BY ordinal), array_agg(seq ORDER BY ordinal),
        array_agg(position ORDER BY ordinal)
    INTO added, added_ordinals, seqs, positions FROM placed;

    IF added > 0 THEN
        UPDATE log SET position = newest + added;
    END IF;
    IF added < cardinality(given_ids) THEN
        SELECT array_agg(seq ORDER BY ordinal), array_agg(position ORDER BY ordinal)
        INTO seqs, positions
        FROM (
            SELECT * FROM unnest(added_ordinals, seqs, positions) AS one (ordinal, seq, position)
            UNION ALL
            SELECT one.ordinal, entries.seq, entries.position
            FROM unnest(given_keys, given_authors, given_client_ids)
                WITH ORDINALITY AS one (key, author, client_id, ordinal)
            JOIN feeds ON feeds.key = one.key
            JOIN entries ON entries.feed = feeds.id AND entries.author = one.author
                AND entries.client_id = one.client_id
            WHERE one.ordinal <> ALL (coalesce(added_ordinals, '{}'))
        ) AS all_of_them;
    END IF;
END
$$;

-- The position before a feed's first entry that was written at that time or later; the greatest one
-- when there is none. Within a feed times rise with seq.
CREATE FUNCTION position_before(sought_feed bigint, first_seq bigint, last_seq bigint, since bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := first_seq;
    high bigint := last_seq + 1;
    -- Most feeds have nothing new, which the last entry tells.
    middle bigint := last_seq;
BEGIN
    WHILE low < high LOOP
        IF (SELECT created_at >= since FROM entries WHERE feed = sought_feed AND seq = middle) THEN
            high := middle;
        ELSE
            low := middle + 1;
        END IF;
        middle := low + (high - low) / 2;
    END LOOP;
    RETURN coalesce(
        (SELECT position - 1 FROM entries WHERE feed = sought_feed AND seq = low),
        9223372036854775807
    );
END
$$;

-- Takes up to so many of the oldest entries that need not be kept: those before surplus, and those
-- written before since. The newest entry of all feeds stays.
CREATE FUNCTION trim_feed(sought_key text, kept bigint, since bigint, most bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    sought_feed bigint;
    last_taken bigint;
    last_position bigint;
    last_time bigint;
    taken bigint;
BEGIN
    SELECT feeds.id, last.seq, last.position, last.created_at
    INTO sought_feed, last_taken, last_position, last_time
    FROM feeds
    CROSS JOIN LATERAL (
        SELECT oldest.*, bool_and(may_go) OVER (ORDER BY oldest.seq) AS goes
        FROM (
            SELECT seq, position, created_at,
                position < (SELECT log.position FROM log) AND (
                    (kept > 0 AND seq <= last_seq - kept) OR coalesce(created_at < since, false)
                ) AS may_go
            FROM entries WHERE feed = feeds.id AND seq >= first_seq ORDER BY seq LIMIT most
        ) AS oldest
    ) AS last
    WHERE feeds.key = sought_key AND goes ORDER BY last.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM entries WHERE feed = sought_feed AND seq <= last_taken;
    GET DIAGNOSTICS taken = ROW_COUNT;
    -- Appends to the feed wait from here on only.
    UPDATE feeds
    SET first_seq = last_taken + 1, trimmed = last_position, trimmed_at = last_time
    WHERE id = sought_feed AND first_seq <= last_taken;
    RETURN taken;
END
$$;

-- Stores a browser's subscription; its id.
CREATE FUNCTION subscribe(
    new_id text, new_user text, new_endpoint bytea, new_p256dh bytea, new_auth bytea,
    new_expires_at bigint, new_created_at bigint, keep bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    -- Who subscribes the same browser at once comes later.
    PERFORM pg_advisory_xact_lock(hashtextextended(encode(new_endpoint, 'hex'), 0));
    -- Its deliveries and dead letters go along: see the references of the tables.
    DELETE FROM push_subscriptions WHERE endpoint = new_endpoint AND user_id <> new_user;
    INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth, expires_at, created_at)
    VALUES (new_id, new_user, new_endpoint, new_p256dh, new_auth, new_expires_at, new_created_at)
    ON CONFLICT (endpoint) DO UPDATE SET
        p256dh = excluded.p256dh, auth = excluded.auth,
        expires_at = excluded.expires_at, created_at = excluded.created_at
    RETURNING id INTO kept;
    DELETE FROM push_subscriptions WHERE id IN (
        SELECT id FROM push_subscriptions WHERE user_id = new_user AND id <> kept
        ORDER BY created_at DESC, id DESC OFFSET greatest(keep - 1, 0));
    RETURN kept;
END
$$;

-- Where planning goes on, and how many deliveries were dropped that have no target any more.
CREATE FUNCTION begin_push(targets text[], OUT planned bigint, OUT dropped bigint)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM push_deliveries WHERE target <> ALL (targets);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    IF cardinality(targets) = 0 THEN
        -- What is posted from now on is not pushed, also when there are targets again.
        DELETE FROM push_state;
        planned := 0;
    ELSE
        INSERT INTO push_state (position) SELECT position FROM log ON CONFLICT DO NOTHING;
        SELECT position INTO planned FROM push_state;
    END IF;
END
$$;

-- Stores the deliveries of entries, and that planning has come so far; how many deliveries. NULL
-- when as many wait as may, and nothing was changed.
CREATE FUNCTION plan_pushes(
    given_entries text[], given_users text[], given_webhooks bytea[], given_messages bytea[],
    planned bigint, max_pending bigint, at bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
BEGIN
    IF cardinality(given_entries) > 0 AND (SELECT count(*) FROM push_deliveries) >= max_pending THEN
        RETURN NULL;
    END IF;
    DELETE FROM push_subscriptions AS old
    USING unnest(given_users, given_messages) AS given (user_id, message)
    WHERE old.user_id = given.user_id AND message IS NOT NULL AND old.expires_at <= at;
    INSERT INTO push_deliveries
        (id, entry, user_id, target, subscription, due_at, created_at, body)
    SELECT given.entry, given.entry, given.user_id, 'webhook', NULL, at, at, webhook
    FROM unnest(given_entries, given_users, given_webhooks) AS given (entry, user_id, webhook)
    WHERE webhook IS NOT NULL
    UNION ALL
    SELECT given.entry || ':' || browser.id, given.entry, given.user_id, 'subscription',
        browser.id, at, at, message
    FROM unnest(given_entries, given_users, given_messages) AS given (entry, user_id, message)
    JOIN push_subscriptions AS browser ON browser.user_id = given.user_id
    WHERE message IS NOT NULL
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    UPDATE push_state SET position = greatest(position, planned);
    RETURN stored;
END
$$;

-- Makes a delivery a dead letter. Of these the newest so many are kept.
CREATE FUNCTION bury_push(
    delivery text, tried bigint, failure bytea, at bigint, keep bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH dead AS (DELETE FROM push_deliveries WHERE id = delivery RETURNING *)
    INSERT INTO push_dead_letters (id, entry, user_id, target, subscription, attempts, last_error,
        created_at, failed_at, body)
    SELECT id, entry, user_id, target, subscription, tried, failure, created_at, at, body
    FROM dead
    ON CONFLICT (id) DO UPDATE SET
        number = excluded.number, attempts = excluded.attempts,
        last_error = excluded.last_error, failed_at = excluded.failed_at, body = excluded.body;
    DELETE FROM push_dead_letters WHERE number <= (
        SELECT number FROM push_dead_letters ORDER BY number DESC OFFSET keep LIMIT 1);
END
$$;

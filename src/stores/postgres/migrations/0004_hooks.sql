-- What webhooks are told. state: '' when the subject has gone. node: by which it is there, where it
-- goes with that node.
CREATE TABLE hook_subjects (
    subject text COLLATE "C" PRIMARY KEY,
    state text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    node text COLLATE "C",
    data text NOT NULL,
    noted_at bigint NOT NULL
);

CREATE INDEX hook_subjects_gone ON hook_subjects (noted_at) WHERE state = '';
CREATE INDEX hook_subjects_node ON hook_subjects (node, subject)
    WHERE node IS NOT NULL AND state <> '';

-- number counts up: of one subject a greater one is newer.
CREATE TABLE hooks (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    data text NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    due_at bigint NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX hooks_subject ON hooks (subject, number);
CREATE INDEX hooks_due ON hooks (due_at, number);

-- Takes note of subjects in this order, and puts what is news into the outbox; how many of these
-- found no place. One node at a time, so that numbers follow versions and none waits for another
-- that waits for it.
CREATE FUNCTION note_hooks(
    given_subjects text[], given_states text[], given_versions bigint[], given_nodes text[],
    given_kinds text[], given_data text[], given_ids text[],
    given_now bigint, given_time_version bigint, max_pending bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    one record;
    known_state text;
    known_version bigint;
    known_node text;
    new_version bigint;
    waiting bigint;
    dropped bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('roomcast hooks'));
    SELECT count(*) INTO waiting FROM hooks;
    FOR one IN
        SELECT * FROM unnest(
            given_subjects, given_states, given_versions, given_nodes, given_kinds, given_data,
            given_ids
        ) WITH ORDINALITY AS given (subject, state, version, node, kind, data, id, ordinal)
        ORDER BY ordinal
    LOOP
        SELECT hook_subjects.state, hook_subjects.version, hook_subjects.node
        INTO known_state, known_version, known_node
        FROM hook_subjects WHERE hook_subjects.subject = one.subject;
        known_state := coalesce(known_state, '');
        known_version := coalesce(known_version, 0);
        CONTINUE WHEN one.version <= known_version;
        CONTINUE WHEN one.state = '' AND one.node <> known_node;
        new_version := coalesce(one.version,
            CASE known_version WHEN 0 THEN given_time_version ELSE known_version + 1 END);
        IF one.kind IS NOT NULL AND one.state <> known_state THEN
            IF waiting >= max_pending THEN
                dropped := dropped + 1;
                CONTINUE;
            END IF;
            waiting := waiting + 1;
            INSERT INTO hooks (id, subject, kind, version, data, due_at, created_at)
            VALUES (one.id, one.subject, one.kind, new_version, one.data, given_now, given_now);
        END IF;
        INSERT INTO hook_subjects (subject, state, version, node, data, noted_at)
        VALUES (one.subject, one.state, new_version,
            CASE WHEN one.state <> '' THEN one.node END, one.data, given_now)
        ON CONFLICT (subject) DO UPDATE SET state = excluded.state, version = excluded.version,
            node = excluded.node, data = excluded.data, noted_at = excluded.noted_at;
    END LOOP;
    RETURN dropped;
END;
$$;

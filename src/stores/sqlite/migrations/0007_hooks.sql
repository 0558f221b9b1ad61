-- What webhooks are told. state: '' when the subject has gone. node: by which it is there, where it
-- goes with that node.
CREATE TABLE hook_subjects (
    subject TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    node TEXT,
    data TEXT NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX hook_subjects_gone ON hook_subjects (noted_at) WHERE state = '';
CREATE INDEX hook_subjects_node ON hook_subjects (node, subject)
    WHERE node IS NOT NULL AND state <> '';

-- number counts up: of one subject a greater one is newer.
CREATE TABLE hooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    data TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX hooks_subject ON hooks (subject, number);
CREATE INDEX hooks_due ON hooks (due_at, number);

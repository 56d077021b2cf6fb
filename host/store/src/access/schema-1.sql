-- Tables of the access manager, version 1. The account is the first column of every primary key.

CREATE TABLE root (
    account  BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    document BLOB    NOT NULL,
    stored   INTEGER NOT NULL,
    PRIMARY KEY (account, version)
) STRICT;

CREATE TABLE deny (
    account  BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    document BLOB    NOT NULL,
    stored   INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;

CREATE TABLE "order" (
    account  BLOB    NOT NULL,
    serial   INTEGER NOT NULL,
    document BLOB    NOT NULL,
    stored   INTEGER NOT NULL,
    PRIMARY KEY (account, serial)
) STRICT;

-- The newest serial of each grant.
CREATE TABLE "grant" (
    account   BLOB    NOT NULL,
    id        INTEGER NOT NULL,
    serial    INTEGER NOT NULL,
    principal BLOB    NOT NULL,
    document  BLOB    NOT NULL,
    stored    INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT;
CREATE INDEX grant_principal ON "grant" (account, principal, id);

-- `state` follows from `disabled` and the versions; it is stored so that lists can be filtered by it.
-- `newest` counts the versions, `current` is the newest one with a certificate or 0, `revision` is the entity tag.
CREATE TABLE "key" (
    account  BLOB    NOT NULL,
    key      TEXT    NOT NULL,
    state    TEXT    NOT NULL DEFAULT 'pending'
             CHECK (state IN ('pending', 'active', 'disabled', 'scheduled', 'destroyed')),
    disabled INTEGER NOT NULL DEFAULT 0,
    newest   INTEGER NOT NULL DEFAULT 0,
    current  INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_state ON "key" (account, state, key);

CREATE TABLE label (
    account BLOB NOT NULL,
    key     TEXT NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (account, key, name),
    FOREIGN KEY (account, key) REFERENCES "key" (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_value ON label (account, name, value, key);

CREATE TABLE key_version (
    account           BLOB    NOT NULL,
    key               TEXT    NOT NULL,
    version           INTEGER NOT NULL,
    status            TEXT    NOT NULL DEFAULT 'pending'
                      CHECK (status IN ('pending', 'active', 'scheduled', 'destroyed')),
    set_id            BLOB,
    suite             INTEGER NOT NULL,
    shared            INTEGER NOT NULL,
    purpose           INTEGER NOT NULL,
    customer_fragment INTEGER NOT NULL,
    t                 INTEGER NOT NULL,
    members           BLOB    NOT NULL,   -- two bytes each, ascending
    imported          INTEGER NOT NULL DEFAULT 0,
    created           INTEGER NOT NULL,
    request           BLOB    NOT NULL,
    request_hash      BLOB    NOT NULL,
    certificate       BLOB,
    destroy_serial    INTEGER,
    destroy_at        INTEGER,
    PRIMARY KEY (account, key, version),
    FOREIGN KEY (account, key) REFERENCES "key" (account, key)
) STRICT;
CREATE UNIQUE INDEX key_version_request ON key_version (account, request_hash);
CREATE INDEX key_version_set ON key_version (account, set_id);
CREATE INDEX key_version_due ON key_version (account, destroy_at) WHERE status = 'scheduled';

-- A complete instance of a fragment set. `transcript` names the ceremony that made it, by what its members saw of it.
CREATE TABLE instance (
    account     BLOB    NOT NULL,
    set_id      BLOB    NOT NULL,
    serial      INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    instance    BLOB    NOT NULL,
    suite       INTEGER NOT NULL,
    t           INTEGER NOT NULL,
    members     BLOB    NOT NULL,
    transcript  BLOB    NOT NULL,
    certificate BLOB    NOT NULL,
    completed   INTEGER NOT NULL,
    settled     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, set_id, serial, epoch, instance)
) STRICT;
CREATE UNIQUE INDEX instance_id ON instance (account, instance);
CREATE INDEX instance_transcript ON instance (account, transcript);

-- A member said that it holds every instance that a ceremony made. It may say so before the certificates are seen here.
CREATE TABLE flip (
    account    BLOB    NOT NULL,
    transcript BLOB    NOT NULL,
    member     INTEGER NOT NULL,
    PRIMARY KEY (account, transcript, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE ceremony_log (
    account  BLOB    NOT NULL,
    sequence INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    message  BLOB    NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT;

-- The Merkle log: its leaves, and the hash of every complete subtree (level 0 are the leaves' hashes).
CREATE TABLE audit_leaf (
    account  BLOB    NOT NULL,
    position INTEGER NOT NULL,
    entry    BLOB    NOT NULL,
    PRIMARY KEY (account, position)
) STRICT;
CREATE TABLE audit_node (
    account  BLOB    NOT NULL,
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (account, level, position)
) STRICT, WITHOUT ROWID;
-- Checkpoints that members were or are asked to cosign.
CREATE TABLE checkpoint (
    account BLOB    NOT NULL,
    size    INTEGER NOT NULL,
    note    TEXT    NOT NULL,
    made    INTEGER NOT NULL,
    PRIMARY KEY (account, size)
) STRICT;
CREATE TABLE cosignature (
    account BLOB    NOT NULL,
    size    INTEGER NOT NULL,
    member  INTEGER NOT NULL,
    line    TEXT    NOT NULL,
    PRIMARY KEY (account, size, member),
    FOREIGN KEY (account, size) REFERENCES checkpoint (account, size) ON DELETE CASCADE
) STRICT;
-- How far each member's own evaluation log was seen.
CREATE TABLE evaluation_head (
    account BLOB    NOT NULL,
    member  INTEGER NOT NULL,
    records INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    PRIMARY KEY (account, member)
) STRICT;

CREATE TABLE idempotency (
    account   BLOB    NOT NULL,
    principal BLOB    NOT NULL,
    key       TEXT    NOT NULL,
    request   BLOB    NOT NULL,
    status    INTEGER NOT NULL,
    answer    BLOB    NOT NULL,
    stored    INTEGER NOT NULL,
    PRIMARY KEY (account, principal, key)
) STRICT;
CREATE INDEX idempotency_stored ON idempotency (stored);

-- The highest time that the access manager has seen while it worked for an account.
CREATE TABLE clock (
    account BLOB    NOT NULL,
    mark    INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- Tables of a fragment manager, version 1. The account is the first column of every primary key.

CREATE TABLE root (
    account  BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    document BLOB    NOT NULL,
    PRIMARY KEY (account, version)
) STRICT;

CREATE TABLE deny (
    account  BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    document BLOB    NOT NULL,
    PRIMARY KEY (account)
) STRICT;

CREATE TABLE "order" (
    account  BLOB    NOT NULL,
    serial   INTEGER NOT NULL,
    document BLOB    NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (account, serial)
) STRICT;

-- High-water mark of the clock. One for each account: an owner's order lowers its own account's mark only.
CREATE TABLE clock (
    account BLOB    NOT NULL,
    mark    INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- Key versions that this manager has certified. `certificate` is the body that it signed, for good.
CREATE TABLE "key" (
    account     BLOB    NOT NULL,
    key         TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    set_id      BLOB    NOT NULL,
    certificate BLOB    NOT NULL,
    destroyed   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, key, version)
) STRICT, WITHOUT ROWID;

-- The evaluation log.
CREATE TABLE record (
    account  BLOB    NOT NULL,
    sequence INTEGER NOT NULL,
    record   BLOB    NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;

-- How far that log has come: hash and time of its last record.
CREATE TABLE chain (
    account BLOB    NOT NULL,
    records INTEGER NOT NULL,
    last    BLOB    NOT NULL,
    time    INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- The last tree of the access manager's audit log that this manager cosigned.
CREATE TABLE witness (
    account BLOB NOT NULL,
    state   BLOB NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- Fragment sets: the create request that a set was made for, and the order that destroyed it.
CREATE TABLE "set" (
    account   BLOB NOT NULL,
    set_id    BLOB NOT NULL,
    origin    BLOB NOT NULL,
    destroyed INTEGER,
    PRIMARY KEY (account, set_id)
) STRICT, WITHOUT ROWID;

-- Instances held: 1 signed, 2 flipped, 3 settled. `fragment` is sealed; it goes with its row, never before it.
CREATE TABLE instance (
    account     BLOB    NOT NULL,
    instance    BLOB    NOT NULL,
    set_id      BLOB    NOT NULL,
    status      INTEGER NOT NULL CHECK (status IN (1, 2, 3)),
    certificate BLOB    NOT NULL,
    fragment    BLOB    NOT NULL,
    PRIMARY KEY (account, instance),
    FOREIGN KEY (account, set_id) REFERENCES "set" (account, set_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX instance_set ON instance (account, set_id);

-- Members' statements that they hold the instances of a ceremony.
CREATE TABLE flip (
    account    BLOB    NOT NULL,
    transcript BLOB    NOT NULL,
    member     INTEGER NOT NULL,
    statement  BLOB    NOT NULL,
    PRIMARY KEY (account, transcript, member)
) STRICT, WITHOUT ROWID;

-- How far the access manager's ceremony log was read.
CREATE TABLE ceremony_log (
    account  BLOB    NOT NULL,
    sequence INTEGER NOT NULL,
    head     BLOB    NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- When a newer instance of a set settled last: how old its fragments are.
CREATE TABLE age (
    account BLOB    NOT NULL,
    set_id  BLOB    NOT NULL,
    settled INTEGER NOT NULL,
    PRIMARY KEY (account, set_id)
) STRICT, WITHOUT ROWID;

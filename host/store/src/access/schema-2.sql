-- Tables of the access manager, version 2: the key chain below root keys. The account is the first column of every
-- primary key.

-- A link of the chain: a tenant (level 2, above it its root key) or a system (level 3, above it its tenant). Links share
-- the name space of keys, and no id is ever used again. Their states aren't stored: they follow from the owner's documents.
CREATE TABLE link (
    account BLOB    NOT NULL,
    link    TEXT    NOT NULL,
    level   INTEGER NOT NULL CHECK (level IN (2, 3)),
    above   TEXT    NOT NULL,
    newest  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (account, link)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_above ON link (account, level, above, link);

-- A version of a link's key, wrapped by the key above (by which version of it, where that is a link); null once destroyed.
CREATE TABLE link_version (
    account       BLOB    NOT NULL,
    link          TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    above_version INTEGER,
    wrapped       BLOB,
    created       INTEGER NOT NULL,
    PRIMARY KEY (account, link, version),
    FOREIGN KEY (account, link) REFERENCES link (account, link)
) STRICT;

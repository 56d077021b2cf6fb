-- Tables of the access manager, version 4: leases on keys of key chains.

-- A process of a holder that may have a key below the root key unwrapped, and until when: so long lasts the last permit that
-- it got to decrypt with the root key. Processes without a name (empty) are one. `acknowledgement` is the signed one that the process gave last.
CREATE TABLE lease (
    account         BLOB    NOT NULL,
    root            TEXT    NOT NULL,
    holder          BLOB    NOT NULL,
    process         BLOB    NOT NULL,
    until           INTEGER NOT NULL,
    acknowledgement BLOB,
    PRIMARY KEY (account, root, holder, process)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_process ON lease (account, holder, process);
CREATE INDEX lease_until ON lease (until);

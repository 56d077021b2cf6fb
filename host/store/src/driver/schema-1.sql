-- Tables of a driver, version 1. The account is the first column of every primary key.

-- The owner's documents: root documents and orders by number, the deny document alone.
CREATE TABLE document (
    account  BLOB    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('root', 'deny', 'order')),
    number   INTEGER NOT NULL,
    document BLOB    NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (account, kind, number)
) STRICT;

-- Answers to jobs, sealed to whoever asked and signed; kept until the job's time is long over.
CREATE TABLE answer (
    account BLOB    NOT NULL,
    job     BLOB    NOT NULL,
    answer  BLOB    NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (account, job)
) STRICT;
CREATE INDEX answer_expires ON answer (account, expires);

-- High-water mark of the clock.
CREATE TABLE clock (
    account BLOB    NOT NULL,
    mark    INTEGER NOT NULL,
    PRIMARY KEY (account)
) STRICT;

-- The PIN that the token refused last, by a keyed hash: it is never tried again, since a few wrong ones lock a token.
CREATE TABLE refused_pin (
    account BLOB NOT NULL,
    name    BLOB NOT NULL,
    PRIMARY KEY (account)
) STRICT;

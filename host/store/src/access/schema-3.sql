-- Tables of the access manager, version 3: keys in HSMs, and jobs for their drivers.

-- The label of the key store in HSMs; NULL for fragments. In an HSM `suite` is the algorithm's number, `request` the signed job,
-- `certificate` the signed wrapped key, and there are neither set nor members.
ALTER TABLE key_version ADD COLUMN store TEXT;

-- The order of rows is the order of the queue. `ticket` says who works on the job, in the encoding of the rules for it;
-- `free_at` follows from it: from when on a driver may lease the job, NULL when it is done.
CREATE TABLE job (
    account    BLOB    NOT NULL,
    job        BLOB    NOT NULL,
    store      TEXT    NOT NULL,
    holder     BLOB    NOT NULL,
    expires    INTEGER NOT NULL,
    submission BLOB    NOT NULL,
    ticket     BLOB    NOT NULL,
    free_at    INTEGER,
    result     BLOB,
    PRIMARY KEY (account, job)
) STRICT;
CREATE INDEX job_free ON job (account, store, free_at) WHERE free_at IS NOT NULL;
CREATE INDEX job_holder ON job (account, holder) WHERE free_at IS NOT NULL;
CREATE INDEX job_expires ON job (expires);

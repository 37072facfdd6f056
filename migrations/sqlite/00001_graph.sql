-- +goose Up

-- Words that elements repeat (kinds, types, roles, attribute names, rules, sources),
-- by number. Number 0 is the empty word and has no row.
CREATE TABLE word (
    n INTEGER PRIMARY KEY,
    s TEXT NOT NULL UNIQUE
);

-- Every entity that lives, and every id that only a relation names. live holds the
-- living contributions; NULL when there are none. Numbers are kept dense: the row of
-- an entity that is gone is deleted and its number used again. Ids are unique; the
-- one process that has the file open checks them in memory.
CREATE TABLE node (
    n    INTEGER PRIMARY KEY,
    id   TEXT NOT NULL,
    live BLOB
);

-- Every relation that lives, between node numbers.
CREATE TABLE edge (
    n         INTEGER PRIMARY KEY,
    origin    INTEGER NOT NULL,
    type      INTEGER NOT NULL,
    target    INTEGER NOT NULL,
    qualifier TEXT    NOT NULL,
    live      BLOB    NOT NULL
);

-- Contributions that were retracted, with the names spelt out: numbers are reused.
-- An entity has type 0 and no far end. Times are nanoseconds since 1970.
CREATE TABLE past (
    n         INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL,
    type      INTEGER NOT NULL,
    far       TEXT    NOT NULL,
    qualifier TEXT    NOT NULL,
    recorded  INTEGER NOT NULL,
    retracted INTEGER NOT NULL,
    said      BLOB    NOT NULL
);
CREATE INDEX past_id ON past (id, type);
CREATE INDEX past_far ON past (far) WHERE type <> 0;

-- Identifiers of the changes that were applied.
CREATE TABLE change (
    id TEXT PRIMARY KEY
) WITHOUT ROWID;

-- The journal. stream and source are words.
CREATE TABLE record (
    n      INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    id     TEXT    NOT NULL,
    source INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    data   BLOB,
    UNIQUE (stream, id)
);
CREATE INDEX record_at ON record (stream, at, id);
CREATE INDEX record_source ON record (source);

-- +goose Down
DROP TABLE record;
DROP TABLE change;
DROP TABLE past;
DROP TABLE edge;
DROP TABLE node;
DROP TABLE word;

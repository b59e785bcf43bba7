-- Rows that wait and keys that ended: what a check holds back, who settled a row and why, what a source no longer has.

-- A landed row that a check holds back: conform puts it into quarantine with this reason instead of taking it.
create table quarantine.held (
    origin text not null,
    load_id text not null,
    landed_row bigint not null,
    reason text not null,
    field text,
    value text,
    primary key (origin, load_id, landed_row)
);

-- by_check: a check held it back. columns: the source's columns that the row was landed with. settled_by, settled_why: who
-- loaded or dropped it, and for what reason.
alter table quarantine.row
    add column by_check boolean not null default false,
    add column columns text[],
    add column settled_by text,
    add column settled_why text;

-- ended: keys that a full snapshot no longer had; no landed row says so, so they are in none of the other counts.
alter table care.load add column ended bigint not null default 0;

-- The newest word on a key was that it is gone: an older version that comes later is not believed again. changed_at is the
-- withdrawal's; a snapshot that lacked the key has none.
create table care.ended (
    origin text not null,
    source_key text not null,
    changed_at timestamptz,
    load_id text not null,
    primary key (origin, source_key)
);

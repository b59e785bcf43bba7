-- The ground everything stands on: schemas, the warehouse clock, customers and their keys, configurations, loads.

create schema if not exists quarantine;

-- The warehouse clock. Production reads the server's own; only a demo pins it, so that a demo's days are its own.
create table care.pinned_clock (
    only_row boolean primary key default true check (only_row),
    at timestamptz not null
);

create function care.clock() returns timestamptz language sql volatile as
$$ select coalesce((select at from care.pinned_clock), clock_timestamp()) $$;

-- A party is a customer as one key space knows it: a number for (key_space, customer_key) that never changes.
create table care.party (
    party_no integer generated always as identity primary key,
    key_space text not null,
    customer_key text not null,
    unique (key_space, customer_key)
);

create table care.customer (
    customer_no integer generated always as identity primary key,
    customer_id text not null unique
);

-- Which customer a party was believed to be, and when: a merge closes rows here and rewrites no fact.
create table care.identity (
    party_no integer not null references care.party,
    customer_no integer not null references care.customer,
    known_from timestamptz not null,
    known_to timestamptz,
    check (known_to is null or known_to >= known_from)
);
create unique index identity_open on care.identity (party_no) where known_to is null;
create index identity_customer on care.identity (customer_no);

-- Every configuration that ever judged or acted, whole and executable, by fingerprint. json, not jsonb: the order of
-- metrics and rules is part of it.
create table care.configuration (
    fingerprint text primary key,
    kind text not null check (kind in ('judgement', 'care')),
    canonical json not null,
    first_used_at timestamptz not null
);

-- What each load of each stream did. Rows landed = new + changed + unchanged + repeated + filtered + quarantined.
create table care.load (
    origin text not null,
    load_id text not null,
    loaded_at timestamptz not null,
    landed bigint not null,
    new bigint not null,
    changed bigint not null,
    unchanged bigint not null,
    repeated bigint not null,
    filtered bigint not null,
    quarantined bigint not null,
    primary key (origin, load_id)
);

-- Rows that could not become facts, with the reason; nothing is silently dropped.
create table quarantine.row (
    row_no bigint generated always as identity primary key,
    origin text not null,
    load_id text not null,
    source_key text,
    place text,
    reason text not null,
    field text,
    value text,
    data jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'loaded', 'dropped')),
    caught_at timestamptz not null,
    settled_at timestamptz
);
create index row_waiting on quarantine.row (origin) where state = 'waiting';

-- What checks found in landed loads, and which loads must not become facts before a person or a later load says so.

-- The verdict on a load of a source. stopped: it waits. released: a person let it through although it had been stopped.
create table care.source_check (
    source text not null,
    load_id text not null,
    state text not null check (state in ('passed', 'stopped', 'released')),
    run_id text not null,
    checked_at timestamptz not null,
    released_by text,
    released_why text,
    released_at timestamptz,
    primary key (source, load_id),
    check ((state = 'released') = (released_at is not null))
);
create index source_check_run on care.source_check (run_id);

-- One check of one load. outcome unknown: it could not be asked, or there is nothing yet to compare with. stops: this is
-- why the source stopped. held: rows that wait in quarantine because of it. samples: some rows that failed, masked by
-- privacy class. message: what was found, by language.
create table care.check_result (
    source text not null,
    load_id text not null,
    stream text not null,
    position smallint not null,
    check_text text not null,
    severity text not null check (severity in ('warn', 'stop')),
    outcome text not null check (outcome in ('passed', 'failed', 'unknown')),
    stops boolean not null,
    evaluated bigint not null,
    unexpected bigint not null,
    held bigint not null,
    samples jsonb not null,
    message jsonb not null,
    primary key (source, load_id, stream, position),
    foreign key (source, load_id) references care.source_check on delete cascade
);

-- The page of a run's results, as HTML that needs nothing else.
create table care.check_report (
    run_id text primary key,
    made_at timestamptz not null,
    html text not null
);

-- Nights and what they judged: metrics, health, hits; tiers; signals.

create table care.night (
    night_no bigint generated always as identity primary key,
    day date not null,
    revision integer not null default 0,
    event_cut timestamptz not null,
    knowledge_cut timestamptz not null,
    judgement text not null references care.configuration,
    care text not null references care.configuration,
    code_version text not null,
    state text not null default 'open' check (state in ('open', 'measured', 'judged', 'applied', 'held', 'sealed')),
    notifies boolean not null default false,
    late_sources text[] not null default '{}',
    opened_at timestamptz not null,
    sealed_at timestamptz,
    unique (day, revision)
);

-- One row a customer and night revision; values stand in the order of the judgement fingerprint's metrics.
create table care.metric_night (
    day date not null,
    revision integer not null,
    customer_no integer not null,
    metrics float8[] not null,
    primary key (day, revision, customer_no)
) partition by range (day);

-- tier: position in the fingerprint's tiers, 0 the best. colour: 0 grey, 1 red, 2 yellow, 3 green. rules: the state of
-- each of the fingerprint's rules: 1 true, 0 clear, 2 neither true nor cleared, -1 unknown. Missing numbers are NaN.
-- Rows have one fixed width, so that they travel as arrays; care.health is the same for people.
create table care.health_night (
    day date not null,
    revision integer not null,
    customer_no integer not null,
    tier smallint not null,
    colour smallint not null check (colour between 0 and 3),
    dormant boolean not null,
    score float8 not null,
    known_share float8 not null,
    dimensions float8[] not null,
    rules smallint[] not null,
    primary key (day, revision, customer_no)
) partition by range (day);

create function care.ensure_partitions(wanted date) returns void language plpgsql as $$
declare
    month date := date_trunc('month', wanted)::date;
    parent text;
begin
    foreach parent in array array['metric_night', 'health_night'] loop
        if to_regclass(format('care.%I', parent || to_char(month, '_YYYY_MM'))) is null then
            execute format('create table care.%I partition of care.%I for values from (%L) to (%L)',
                parent || to_char(month, '_YYYY_MM'), parent, month, (month + interval '1 month')::date);
        end if;
    end loop;
end $$;

create table care.tier_day (
    day date not null,
    tiers text not null,
    event_cut timestamptz not null,
    knowledge_cut timestamptz not null,
    judgement text not null references care.configuration,
    primary key (day, tiers)
);

create table care.customer_tier (
    day date not null,
    tiers text not null,
    customer_no integer not null,
    tier smallint not null,
    value_score float8 not null,
    primary key (day, tiers, customer_no),
    foreign key (day, tiers) references care.tier_day
);

-- The memory of rules: pending until a hit has lasted, open until it has cleared, then closed and kept.
create table care.signal (
    signal_no bigint generated always as identity primary key,
    customer_no integer not null references care.customer,
    rule text not null,
    severity text not null,
    counts_as text not null,
    dimension text not null,
    state text not null check (state in ('pending', 'open', 'closed')),
    true_nights integer not null,
    clear_nights integer not null,
    first_day date not null,
    last_true_day date not null,
    opened_day date,
    closed_day date,
    evidence jsonb not null,
    judgement text not null references care.configuration,
    code_version text not null
);
create unique index signal_live on care.signal (customer_no, rule) where state <> 'closed';

-- The fold's place: nights at or before it are history and move nothing.
create table care.progress (
    only_row boolean primary key default true check (only_row),
    applied_through date
);
insert into care.progress default values;

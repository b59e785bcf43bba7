-- More facts, and more columns of those there are. `care.make_fact` writes the common columns and indexes of a new kind.

create function care.make_fact(fact text, own_columns text, needs_customer boolean default true)
returns void language plpgsql as $$
begin
    execute format($table$
        create table care.%1$I (
            fact_no bigint generated always as identity,
            party_no integer %2$s references care.party,
            origin text not null,
            source_key text not null,
            event_at timestamptz not null,
            event_day date not null,
            known_from timestamptz not null,
            known_to timestamptz,
            known_assumed boolean not null default false,
            row_hash text not null,
            load_id text not null,
            changed_at timestamptz,
            %3$s,
            check (known_to is null or known_to >= known_from)
        )$table$, 'fact_' || fact, case when needs_customer then 'not null' else '' end, own_columns);
    execute format('create unique index %I on care.%I (origin, source_key) where known_to is null',
        'fact_' || fact || '_open', 'fact_' || fact);
    execute format('create index %I on care.%I using brin (event_at) with (pages_per_range = 32)',
        'fact_' || fact || '_event_at', 'fact_' || fact);
    execute format('create index %I on care.%I (party_no, event_at)',
        'fact_' || fact || '_party', 'fact_' || fact);
end $$;

alter table care.fact_customer
    add column credit_code text, add column parent text, add column market text, add column potential numeric;
alter table care.fact_contact_event add column department text, add column reports_to text;
alter table care.fact_contract_event add column kind text;
alter table care.fact_order add column due_on date;
alter table care.fact_interaction
    add column contact text, add column person text, add column campaign text, add column result text,
    add column elapsed bigint, add column summary text, add column reference text, add column line text;
alter table care.fact_survey add column what text, add column comment text, add column line text;
alter table care.fact_usage_day add column core_seconds bigint, add column errors bigint, add column line text;
alter table care.fact_market_event
    add column cost_rise numeric, add column public boolean, add column line text;

select care.make_fact('order_event', 'order_no text not null, what text not null');
select care.make_fact('organisation_link', 'parent text not null, what text not null, share numeric');
select care.make_fact('note',
    'what text not null, severity text, person text, origin_kind text, text text, expires_on date');
select care.make_fact('reasonable_reason',
    'what text not null, starts_on date, ends_on date, covers text, person text, text text');
select care.make_fact('document',
    'what text, title text not null, reference text not null, project text, person text');
select care.make_fact('indicator_value', 'indicator text not null, value numeric not null');
select care.make_fact('fx_rate', 'currency text not null, rate numeric not null', needs_customer => false);

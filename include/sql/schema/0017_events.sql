-- Events between nights: what became known since the last look, and which event raised a signal.

do $$
declare
    fact record;
begin
    for fact in
        select tablename from pg_tables where schemaname = 'care' and tablename like 'fact\_%' order by tablename
    loop
        execute format('create index %I on care.%I using brin (known_from) with (pages_per_range = 32)',
            fact.tablename || '_known_from', fact.tablename);
    end loop;
end $$;

-- Up to when events have been looked at between nights.
alter table care.progress add column events_through timestamptz;

-- The moment from which a load's rows are believed: after every knowledge cut that was taken, by a night or between nights.
create or replace function care.facts_clock() returns timestamptz language sql volatile as
$$ select greatest(
    care.clock(),
    (select max(knowledge_cut) + interval '1 microsecond' from care.night),
    (select events_through + interval '1 microsecond' from care.progress)) $$;

-- fact_key: the event (origin/key) that a signal of an event rule stands for; when it happened, when we knew of it.
alter table care.signal
    add column fact_key text, add column event_at timestamptz, add column known_at timestamptz;

-- What was moved between nights is told whatever the night of its day may tell.
alter table care.warning_event add column between_nights boolean not null default false;

-- From knowing of an event to deciding who hears of it: the first notice of every signal that an event raised.
create view care.notice_delay as
select distinct on (s.signal_no)
    s.signal_no, c.customer_id, s.rule, s.severity, s.fact_key, s.event_at, s.known_at, e.at as raised_at, e.between_nights,
    d.decided_at, d.receiver, d.decided_at - s.known_at as delay
from care.warning_event as e
cross join lateral jsonb_array_elements(e.reasons) as r (reason)
join care.signal as s on s.signal_no = (r.reason ->> 'signal')::bigint
join care.customer as c on c.customer_no = s.customer_no
join care.notice_decision as d on d.subject = 'warning:' || e.warning_no and d.transition = e.transition and d.send
where s.known_at is not null
order by s.signal_no, e.at, d.decided_at, d.receiver;

-- The same views, planned well also before a night is in PostgreSQL's statistics: what is believed to be one row and is a hundred
-- thousand must never stand on the left of a nested loop. So they start from the customers, whose number is known, and an outer
-- join keeps that number in the planner's mind; coalesce() hides from it that the outer join is none. Names are read once.

create or replace view bi.customers as
with newest as (select n.day, n.revision, n.judgement from care.newest_night n order by n.day desc limit 1),
latest as materialized (
    select n.day, n.revision, j.tiers from newest n join care.judgement_names j on j.fingerprint = n.judgement
),
stage as (
    select distinct on (e.customer_no) e.customer_no, e.stage, e.day from care.stage_event e order by e.customer_no, e.day desc
),
tiers as materialized (
    select d.day, d.tiers from care.tier_day d where d.scheme = 'tier' order by d.day desc, d.knowledge_cut desc, d.tiers limit 1
)
select
    latest.day, c.customer_id, m.name, m.industry, m.region, m.country, m.segment, latest.tiers[h.tier + 1] as tier
    , nullif(worth.value_score, 'NaN') as value_score, worth.potential
    , stage.stage, stage.day as stage_since, m.owner as owner_id, nullif(h.score, 'NaN') as score, nullif(100 - h.score, 'NaN') as risk
    , care.colour_name(h.colour) as colour, h.override <> 0 as overridden
    , h.known_share, h.dormant, w.warning_no, w.level as warning_level, w.state as warning_state, w.opened_day as warning_opened
    , w.priority as warning_priority, w.value as value_at_stake
from care.customer c
cross join latest
left join tiers on true
left join care.health_night h on h.day = latest.day and h.revision = latest.revision and h.customer_no = c.customer_no
left join bi.masters() m on m.customer_no = c.customer_no
left join care.customer_tier worth on worth.day = tiers.day and worth.tiers = tiers.tiers and worth.customer_no = c.customer_no
left join stage on stage.customer_no = c.customer_no
left join care.warning w on w.customer_no = c.customer_no and w.closed_at is null
where coalesce(h.revision, -1) >= 0;

create or replace view bi.metrics as
with names as materialized (select k.fingerprint, k.name, k.at, k.unit from care.metric_names k)
select n.day, c.customer_id, k.name as metric, nullif(m.metrics[k.at], 'NaN') as value, k.unit
from care.newest_night n
join names k on k.fingerprint = n.judgement
join care.metric_night m on m.day = n.day and m.revision = n.revision
join care.customer c on c.customer_no = m.customer_no;

create or replace view bi.rules as
with latest as materialized (select n.day, n.revision, n.judgement from care.newest_night n order by n.day desc limit 1),
named as materialized (
    select r.name, r.at from care.rule_names r join latest n on n.judgement = r.fingerprint
),
hits as (
    select k.name as rule
        , count(*) as customers
        , count(*) filter (where h.rules[k.at] = 1) as hits
        , count(*) filter (where h.rules[k.at] = -1) as unknown
    from latest n
    join care.health_night h on h.day = n.day and h.revision = n.revision
    cross join named k
    group by k.name
),
opened as (
    select s.rule
        , count(*) filter (where s.opened_day is not null) as signals
        , count(*) filter (where s.state = 'open') as open_signals
        , count(*) filter (where s.opened_day > n.day - 30) as signals_30d
    from care.signal s
    cross join latest n
    group by s.rule
),
outcome as (
    select o.rule
        , count(*) as warnings
        , count(*) filter (where w.closed_at is null) as warnings_open
        , count(*) filter (where w.closed_at is not null and w.state = 'lost') as lost
        , count(*) filter (where w.closed_at is not null and w.state = 'recovered') as recovered
        , count(*) filter (where w.closed_at is not null and w.state = 'false_alarm') as false_alarms
    from care.opened_on o
    join care.warning w on w.warning_no = o.warning_no
    group by o.rule
)
select
    coalesce(h.rule, o.rule, a.rule) as rule, h.customers, h.hits as hits_last_night, h.unknown as unknown_last_night
    , round(h.hits::numeric / nullif(h.customers, 0), 4) as share_last_night
    , coalesce(o.signals, 0) as signals, coalesce(o.open_signals, 0) as signals_open, coalesce(o.signals_30d, 0) as signals_30d
    , coalesce(a.warnings, 0) as warnings, coalesce(a.warnings_open, 0) as warnings_open, coalesce(a.lost, 0) as lost
    , coalesce(a.recovered, 0) as recovered, coalesce(a.false_alarms, 0) as false_alarms
    , round((a.lost + a.recovered)::numeric / nullif(a.lost + a.recovered + a.false_alarms, 0), 4) as right_share
from hits h
full join opened o on o.rule = h.rule
full join outcome a on a.rule = coalesce(h.rule, o.rule);

create or replace view bi.concentration as
with newest as (select n.day, n.revision, n.judgement from care.newest_night n order by n.day desc limit 1),
latest as materialized (
    select n.day, n.revision, k.at
    from newest n
    join care.metric_names k on k.fingerprint = n.judgement and k.is_money
),
worth as (
    select n.day, c.customer_id, m.customer_no, m.metrics[n.at] as money
    from care.customer c
    cross join latest n
    left join care.metric_night m on m.day = n.day and m.revision = n.revision and m.customer_no = c.customer_no
    where coalesce(nullif(m.metrics[n.at], 'NaN'), 0) > 0
),
ranked as (
    select day, customer_id, money, row_number() over w as place
        , count(*) over () as customers, sum(money) over () as total
        , sum(money) over w as running
    from worth
    window w as (order by money desc, customer_no)
)
select r.day, r.customer_id, r.place, round((100.0 * r.place / r.customers)::numeric, 2) as customers_percent, r.money
    , round((100 * r.money / r.total)::numeric, 4) as money_percent
    , round((100 * r.running / r.total)::numeric, 2) as money_percent_up_to_here
    , r.running - r.money < 0.8 * r.total as brings_80_percent
from ranked r;

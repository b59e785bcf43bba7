-- The same metrics as bench/config/metrics.yaml, as a person would write them by hand for this one firm and these two
-- cuts. The names in braces are filled in: cut, known, day, and d30 to d730 (local midnights, as UTC literals).
create unlogged table bench.result as
with who as materialized (
    select party_no, customer_no from care.identity
    where known_from <= {known} and (known_to is null or known_to > {known})
), master as materialized (
    select w.customer_no, min(f.event_day) as first_day, max(f.profit_rate) as profit_rate
    from care.fact_customer f join who w using (party_no)
    where f.event_at < {cut} and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), orders as materialized (
    select w.customer_no,
        count(*) filter (where f.event_at >= {d30}) as n30,
        count(*) filter (where f.event_at >= {d90} and coalesce(f.kind, 'regular') = 'regular') as n90,
        count(*) filter (where f.event_at >= {d365} and coalesce(f.kind, 'regular') = 'regular') as n365,
        sum(f.amount) filter (where f.event_at >= {d90}) as s90,
        sum(f.amount) filter (where f.event_at >= {d180} and f.event_at < {d90}) as s90_before,
        sum(f.amount) filter (where f.event_at >= {d365}) as s365,
        avg(f.amount) filter (where f.event_at >= {d90} and coalesce(f.kind, 'regular') = 'regular') as a90,
        max(f.event_day) filter (where coalesce(f.kind, 'regular') = 'regular') as last_day
    from care.fact_order f join who w using (party_no)
    where f.event_at >= {d730} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), gaps as materialized (
    select customer_no, count(*) as days, max(event_day) as last_day, sum(gap) as gaps, sum(gap * gap) as squares
    from (
        select customer_no, event_day,
            (event_day - lag(event_day) over (partition by customer_no order by event_day))::bigint as gap
        from (
            select distinct w.customer_no, f.event_day
            from care.fact_order f join who w using (party_no)
            where f.event_at >= {d730} and f.event_at < {cut} and coalesce(f.kind, 'regular') = 'regular'
                and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
        ) d
    ) g
    group by customer_no
), lines as materialized (
    select w.customer_no, count(distinct f.product) as products, sum(f.quantity) as quantity
    from care.fact_order_line f join who w using (party_no)
    where f.event_at >= {d180} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), talks as materialized (
    select w.customer_no,
        count(*) filter (where f.event_at >= {d90} and (f.what <> 'event' or f.attended)) as n90,
        count(*) filter (where f.event_at >= {d180} and f.decision_maker) as decision_maker,
        count(*) filter (where f.event_at >= {d60} and f.tone in ('distant', 'negative')) as distant,
        max(f.event_day) filter (where f.what <> 'event' or f.attended) as last_day
    from care.fact_interaction f join who w using (party_no)
    where f.event_at >= {d365} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), tickets as materialized (
    select w.customer_no, count(*) as n180, count(*) filter (where f.complaint) as complaints180,
        count(*) filter (where f.complaint and f.event_at >= {d90}) as complaints90
    from care.fact_ticket f join who w using (party_no)
    where f.event_at >= {d180} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), resolved as materialized (
    select w.customer_no, avg(f.elapsed) as seconds
    from care.fact_ticket_event f join who w using (party_no)
    where f.event_at >= {d90} and f.event_at < {cut} and f.what = 'resolved'
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), billed as materialized (
    select w.customer_no, sum(f.amount) as amount
    from care.fact_invoice f join who w using (party_no)
    where f.event_at >= {d365} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), paid as materialized (
    select w.customer_no, sum(f.amount) as amount
    from care.fact_payment f join who w using (party_no)
    where f.event_at >= {d365} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), overdue as materialized (
    select i.customer_no, max({day} - i.due_on) as days
    from (
        select w.customer_no, f.invoice_no, f.amount, f.due_on
        from care.fact_invoice f join who w using (party_no)
        where f.event_at >= {d365} and f.event_at < {cut} and f.due_on < {day}
            and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    ) i
    left join (
        select w.customer_no, f.invoice_no, sum(f.amount) as amount
        from care.fact_payment f join who w using (party_no)
        where f.event_at >= {d365} and f.event_at < {cut}
            and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
        group by w.customer_no, f.invoice_no
    ) p using (customer_no, invoice_no)
    where coalesce(p.amount, 0) < i.amount * 0.99
    group by i.customer_no
), surveys as materialized (
    select w.customer_no, avg(f.score) as score
    from care.fact_survey f join who w using (party_no)
    where f.event_at >= {d180} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
), usage as materialized (
    select w.customer_no,
        count(*) filter (where f.event_at >= {d30} and f.logins > 0) as n30,
        count(*) filter (where f.event_at >= {d60} and f.event_at < {d30} and f.logins > 0) as n30_before,
        sum(f.seconds) filter (where f.event_at >= {d90}) as seconds,
        max(f.active_users) as users
    from care.fact_usage_day f join who w using (party_no)
    where f.event_at >= {d365} and f.event_at < {cut}
        and f.known_from <= {known} and (f.known_to is null or f.known_to > {known})
    group by w.customer_no
)
select m.customer_no,
    coalesce(o.n30, 0)::float8 as orders_30d,
    coalesce(o.n90, 0)::float8 as orders_90d,
    coalesce(o.n365, 0)::float8 as orders_365d,
    coalesce(o.s90, 0)::float8 as amount_90d,
    coalesce(o.s365, 0)::float8 as amount_365d,
    case when o.s90_before >= 100 then (100 * (coalesce(o.s90, 0) - o.s90_before) / o.s90_before)::float8 end as amount_change_90d,
    o.a90::float8 as order_value_90d,
    ({day} - o.last_day)::float8 as days_since_order,
    case when g.days >= 4 then g.gaps::float8 / (g.days - 1) end as own_gap,
    case when g.days >= 4 then ({day} - g.last_day)::float8 * (g.days - 1) / g.gaps::float8 end as silence_over_own_gap,
    case when g.days >= 4 then sqrt(greatest(g.squares * (g.days - 1) - g.gaps * g.gaps, 0))::float8 / g.gaps::float8 end
        as gap_irregularity,
    coalesce(l.products, 0)::float8 as products_180d,
    coalesce(l.quantity, 0)::float8 as quantity_180d,
    coalesce(i.n90, 0)::float8 as interactions_90d,
    coalesce(i.decision_maker, 0)::float8 as decision_maker_180d,
    ({day} - i.last_day)::float8 as days_since_interaction,
    coalesce(i.distant, 0)::float8 as distant_talks_60d,
    coalesce(t.n180, 0)::float8 as tickets_180d,
    coalesce(t.complaints90, 0)::float8 as complaints_90d,
    coalesce(t.complaints180, 0)::float8 as complaints_180d,
    t.complaints180::float8 / nullif(t.n180, 0) as complaint_share_180d,
    r.seconds::float8 / 3600 as resolution_hours_90d,
    coalesce(b.amount, 0)::float8 as billed_365d,
    coalesce(p.amount, 0)::float8 as paid_365d,
    case when b.amount >= 100 then coalesce(p.amount, 0)::float8 / b.amount::float8 end as paid_share_365d,
    coalesce(v.days, 0)::float8 as overdue_days,
    s.score::float8 as satisfaction_180d,
    coalesce(u.n30, 0)::float8 as active_days_30d,
    case when u.n30_before >= 2 then 100.0::float8 * (u.n30 - u.n30_before) / u.n30_before end as active_days_change_30d,
    coalesce(u.seconds, 0)::float8 / 3600 as usage_hours_90d,
    u.users::float8 as most_users_365d,
    ({day} - m.first_day)::float8 / 365.25 as years_with_us,
    m.profit_rate::float8 as profit_rate
from master m
left join orders o using (customer_no)
left join gaps g using (customer_no)
left join lines l using (customer_no)
left join talks i using (customer_no)
left join tickets t using (customer_no)
left join resolved r using (customer_no)
left join billed b using (customer_no)
left join paid p using (customer_no)
left join overdue v using (customer_no)
left join surveys s using (customer_no)
left join usage u using (customer_no)

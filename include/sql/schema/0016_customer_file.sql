-- The whole file of a customer: whom it belongs to, whom we know there, and everything that happened, in time order.

-- Customers who went into another one, also before any night saw them apart: they have no key any more.
create or replace view care.absorbed as
select went.customer_no, went.into_no
from (
    select was.customer_no, stands.customer_no as into_no
    from care.identity was
    join care.identity stands on stands.party_no = was.party_no and stands.known_to is null
    where was.known_to is not null
    union
    select p.home_no, i.customer_no
    from care.party p
    join care.identity i on i.party_no = p.party_no and i.known_to is null
) went
where went.customer_no <> went.into_no
    and not exists (select from care.identity i where i.customer_no = went.customer_no and i.known_to is null);

-- Who belongs to whom at a cut, of each customer one parent: what a link says comes before what a master says, the larger
-- share before the smaller, the newer before the older. Whoever would be above himself has no parent (in_circle).
create function care.parents_at(event_cut timestamptz, known timestamptz)
returns table (customer_no integer, parent_no integer, since date, share numeric, source text, in_circle boolean)
language sql stable as $$
with recursive who as (
    select i.party_no, i.customer_no
    from care.identity i
    where i.known_from <= known and (i.known_to is null or i.known_to > known)
),
believed as (
    select f.*
    from care.fact_organisation_link f
    where f.event_at < event_cut and f.known_from <= known and (f.known_to is null or f.known_to > known)
),
newest as (
    select distinct on (f.party_no, f.origin, f.parent) f.party_no, f.origin, f.parent, f.what, f.share, f.event_at, f.event_day
    from believed f
    order by f.party_no, f.origin, f.parent, f.event_at desc, f.fact_no desc
),
said as (
    select n.party_no, n.origin, n.parent, n.event_day as since, n.share, 1 as weight, n.event_at
    from newest n
    where n.what = 'joined'
    union all
    select f.party_no, f.origin, f.parent, f.known_from::date, null, 2, f.known_from
    from care.fact_customer f
    where f.parent is not null and f.event_at < event_cut
        and f.known_from <= known and (f.known_to is null or f.known_to > known)
),
one as (
    select distinct on (w.customer_no) w.customer_no, up.customer_no as parent_no, s.since, s.share, split_part(s.origin, '.', 1) as source
    from said s
    join care.party p on p.party_no = s.party_no
    join who w on w.party_no = s.party_no
    join care.party above on above.key_space = p.key_space and above.customer_key = s.parent
    join who up on up.party_no = above.party_no
    where up.customer_no <> w.customer_no
    order by w.customer_no, s.weight, s.share desc nulls last, s.event_at desc, up.customer_no
),
climb as (
    select o.customer_no, o.parent_no as reached from one o
    union
    select c.customer_no, o.parent_no from climb c join one o on o.customer_no = c.reached where c.reached <> c.customer_no
)
select o.customer_no, o.parent_no, o.since, o.share, o.source,
    o.customer_no in (select c.customer_no from climb c where c.reached = c.customer_no)
from one o
$$;

-- Who belongs to whom now, with the one at the very top; nobody in a circle.
create view care.customer_parent as
with recursive parent as (
    select * from care.parents_at('infinity', 'infinity') where not in_circle
),
climb as (
    select customer_no, parent_no as top_no, 1 as height from parent
    union all
    select c.customer_no, p.parent_no, c.height + 1 from climb c join parent p on p.customer_no = c.top_no
),
top as (
    select distinct on (customer_no) customer_no, top_no, height from climb order by customer_no, height desc
)
select p.customer_no, c.customer_id, p.parent_no, u.customer_id as parent_id, t.top_no, t.height, p.since, p.share, p.source
from parent p
join top t using (customer_no)
join care.customer c using (customer_no)
join care.customer u on u.customer_no = p.parent_no;

-- The contact persons of customers at a cut: of each attribute the newest value that was given; gone since the last `left`.
create function care.contacts_at(event_cut timestamptz, known timestamptz)
returns table (
    customer_no integer, source text, contact text, name text, role text, department text, reports_to text,
    decision_maker boolean, main boolean, since date, changed_on date, left_on date
) language sql stable as $$
select
    i.customer_no
    , split_part(f.origin, '.', 1)
    , f.contact
    , (array_agg(f.name order by f.event_at desc, f.fact_no desc) filter (where f.name is not null))[1]
    , (array_agg(f.role order by f.event_at desc, f.fact_no desc) filter (where f.role is not null))[1]
    , (array_agg(f.department order by f.event_at desc, f.fact_no desc) filter (where f.department is not null))[1]
    , (array_agg(f.reports_to order by f.event_at desc, f.fact_no desc) filter (where f.reports_to is not null))[1]
    , coalesce((array_agg(f.decision_maker order by f.event_at desc, f.fact_no desc)
        filter (where f.decision_maker is not null))[1], false)
    , coalesce((array_agg(f.main order by f.event_at desc, f.fact_no desc) filter (where f.main is not null))[1], false)
    , min(f.event_day)
    , max(f.event_day)
    , case when (array_agg(f.what order by f.event_at desc, f.fact_no desc))[1] = 'left' then max(f.event_day) end
from care.fact_contact_event f
join care.identity i using (party_no)
where f.event_at < event_cut and f.known_from <= known and (f.known_to is null or f.known_to > known)
    and i.known_from <= known and (i.known_to is null or i.known_to > known)
group by i.customer_no, split_part(f.origin, '.', 1), f.contact
$$;

-- Who is there now, and whom each of them reports to.
create view care.contact as
select c.customer_id, n.customer_no, n.source, n.contact, n.name, n.role, n.department, n.decision_maker, n.main, n.since,
    n.changed_on, n.reports_to, up.name as reports_to_name
from care.contacts_at('infinity', 'infinity') n
join care.customer c using (customer_no)
left join care.contacts_at('infinity', 'infinity') up
    on up.customer_no = n.customer_no and up.source = n.source and up.contact = n.reports_to and up.left_on is null
where n.left_on is null;

-- Everything that happened with a customer, as believed now. `personal` holds what people said and their names: show it to
-- nobody who need not see it.
-- (The branches have no condition of their own, so that the planner reaches one customer's rows by the index.)
create view care.timeline as
select c.customer_id, i.customer_no, e.at, e.day, e.kind, e.what, e.text, e.amount, e.currency, e.personal,
    split_part(e.origin, '.', 1) as source, e.origin, e.source_key, e.known_from
from (
    select party_no, origin, source_key, event_at as at, event_day as day, known_from, known_to, 'order' as kind,
        coalesce(kind, 'regular') as what, concat_ws(', ', order_no, line, 'due ' || due_on) as text,
        coalesce(amount, amount_original) as amount, case when amount is null then currency end as currency,
        null::text as personal
    from care.fact_order
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'order', what, order_no, null, null, null
    from care.fact_order_event
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'usage', 'used',
        concat_ws(', ', 'logins ' || logins, 'users ' || active_users, 'seconds ' || seconds, 'core seconds ' || core_seconds,
            'errors ' || errors, line), null, null, null
    from care.fact_usage_day
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'ticket',
        case when complaint then 'complaint opened' else 'opened' end, concat_ws(', ', ticket_no, priority, line), null, null, null
    from care.fact_ticket
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'ticket', what,
        concat_ws(', ', ticket_no, 'after ' || make_interval(secs => elapsed)), null, null, null
    from care.fact_ticket_event
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'contract', what,
        concat_ws(', ', contract, kind, line, 'ends ' || ends_on, 'notice by ' || notice_on),
        coalesce(amount, amount_original), case when amount is null then currency end, null
    from care.fact_contract_event
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to,
        case when what = 'event' or campaign is not null then 'campaign'
            else 'conversation' end,
        what, concat_ws(', ', campaign, channel, direction,
            case when attended then 'came' when invited then 'was invited' end,
            case when decision_maker then 'decision maker' end, 'tone ' || tone, result, line),
        null, null, concat_ws(', ', summary, reference)
    from care.fact_interaction
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'contact', what,
        concat_ws(', ', contact, role, department, case when decision_maker then 'decision maker' end,
            case when main then 'main contact' end), null, null, name
    from care.fact_contact_event
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'invoice', 'issued',
        concat_ws(', ', invoice_no, line, 'due ' || due_on), coalesce(amount, amount_original),
        case when amount is null then currency end, null
    from care.fact_invoice
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'payment', 'paid', invoice_no,
        coalesce(amount, amount_original), case when amount is null then currency end, null
    from care.fact_payment
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'survey', coalesce(what, 'satisfaction'),
        concat_ws(', ', 'score ' || score, line), null, null, comment
    from care.fact_survey
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'note', what,
        concat_ws(', ', origin_kind, severity, 'matters until ' || expires_on), null, null, text
    from care.fact_note
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'reason', what,
        concat_ws(', ', 'from ' || starts_on, 'until ' || ends_on, covers), null, null, text
    from care.fact_reasonable_reason
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'document', coalesce(what, 'other'),
        concat_ws(', ', title, reference, project), null, null, null
    from care.fact_document
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'market', what,
        concat_ws(', ', title, 'cheaper by ' || price_gap || ' %', line), null, null, null
    from care.fact_market_event
    union all
    select party_no, origin, source_key, event_at, event_day, known_from, known_to, 'organisation', what,
        concat_ws(', ', parent, share || ' %'), null, null, null
    from care.fact_organisation_link
) e
join care.identity i on i.party_no = e.party_no and i.known_to is null
join care.customer c on c.customer_no = i.customer_no
where e.known_to is null;

-- What somebody should look at: codes that are none, parents that nobody knows, circles of parents.
create view care.identity_problem as
select 'credit code' as kind, i.customer_no, f.credit_code as value,
    p.key_space || ':' || p.customer_key as key
from care.fact_customer f
join care.party p using (party_no)
join care.identity i on i.party_no = f.party_no and i.known_to is null
where f.known_to is null and f.credit_code is not null and care.credit_code(f.credit_code) is null
union all
select 'unknown parent', i.customer_no, s.parent, p.key_space || ':' || p.customer_key
from (
    select party_no, parent from care.fact_customer where known_to is null and parent is not null
    union
    select party_no, parent from care.fact_organisation_link where known_to is null
) s
join care.party p using (party_no)
join care.identity i on i.party_no = s.party_no and i.known_to is null
where not exists (select from care.party above where above.key_space = p.key_space and above.customer_key = s.parent)
union all
select 'circle of parents', o.customer_no, u.customer_id, c.customer_id
from care.parents_at('infinity', 'infinity') o
join care.customer c using (customer_no)
join care.customer u on u.customer_no = o.parent_no
where o.in_circle;

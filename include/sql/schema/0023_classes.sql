-- Several ways to divide customers stand side by side: tiers by value score, further schemes, RFM classes, segments. Each has
-- its own rows a tier day, under the digest of its definition (the column tiers); tier is the position among classes.
-- Divisions without a value score have NaN. potential: small customers who grow fast.
alter table care.tier_day add column scheme text not null default 'tier';
alter table care.tier_day add column classes text[] not null default '{}';
alter table care.customer_tier add column potential boolean not null default false;

-- The classes of every customer on every tier day, by the definition that was computed last of that day.
create view care.customer_class as
select
    d.day
    , d.scheme
    , c.customer_id
    , d.classes[t.tier + 1] as class
    , t.tier + 1 as place
    , nullif(t.value_score, 'NaN') as value_score
    , t.potential
    , t.customer_no
from (select distinct on (day, scheme) * from care.tier_day order by day, scheme, knowledge_cut desc, tiers) d
join care.customer_tier t using (day, tiers)
join care.customer c using (customer_no);

-- From which class to which customers went in a calendar quarter, from its first tier day to that of the next one; '' on
-- the left: not known before, on the right: not known any more.
create view care.class_transition as
select
    coalesce(a.day, (b.day - interval '3 months')::date) as quarter_begins
    , coalesce(a.scheme, b.scheme) as scheme
    , coalesce(a.class, '') as from_class
    , coalesce(b.class, '') as to_class
    , coalesce(b.place < a.place, false) as upgraded
    , coalesce(b.place > a.place, false) as downgraded
    , count(*) as customers
from (select * from care.customer_class where extract(month from day) in (1, 4, 7, 10)) a
full join (select * from care.customer_class where extract(month from day) in (1, 4, 7, 10)) b
    on b.scheme = a.scheme and b.customer_no = a.customer_no and b.day = (a.day + interval '3 months')::date
where exists (select from care.tier_day d where d.scheme = coalesce(a.scheme, b.scheme)
        and d.day = coalesce((a.day + interval '3 months')::date, b.day))
    and exists (select from care.tier_day d where d.scheme = coalesce(a.scheme, b.scheme)
        and d.day = coalesce(a.day, (b.day - interval '3 months')::date))
group by 1, 2, 3, 4, 5, 6;

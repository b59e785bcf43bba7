-- Machine mail about what is only to be watched: the customer's consent, and to whom a signal's one mail goes.

alter table care.fact_customer add column consent boolean;
alter table care.signal add column mail_to text check (mail_to in ('customer', 'owner'));
create index signal_mails on care.signal (signal_no) where mail_to is not null;

-- The master record, the consent included.
drop view care.customer_master;
drop function care.masters_at(timestamptz, timestamptz, text[]);

create function care.masters_at(event_cut timestamptz, known timestamptz, later_histories text[] default '{}')
returns table (
    customer_no integer
    , name text
    , credit_code text
    , parent text
    , industry text
    , region text
    , country text
    , market text
    , segment text
    , owner text
    , credit_limit numeric
    , profit_rate numeric
    , benchmark boolean
    , consent boolean
    , potential numeric
    , email text
    , phone text
) language sql stable parallel safe as $$
select
    b.customer_no
    , name_of.name
    , credit_code_of.credit_code
    , parent_of.parent
    , industry_of.industry
    , region_of.region
    , country_of.country
    , market_of.market
    , segment_of.segment
    , owner_of.owner
    , credit_limit_of.credit_limit
    , profit_rate_of.profit_rate
    , benchmark_of.benchmark
    , consent_of.consent
    , potential_of.potential
    , email_of.email
    , phone_of.phone
from (
    select
        i.customer_no
        , max(f.fact_no - coalesce(r.name, 16383)::bigint * 281474976710656) filter (where f.name is not null) as name
        , max(f.fact_no - coalesce(r.credit_code, 16383)::bigint * 281474976710656) filter (where f.credit_code is not null) as credit_code
        , max(f.fact_no - coalesce(r.parent, 16383)::bigint * 281474976710656) filter (where f.parent is not null) as parent
        , max(f.fact_no - coalesce(r.industry, 16383)::bigint * 281474976710656) filter (where f.industry is not null) as industry
        , max(f.fact_no - coalesce(r.region, 16383)::bigint * 281474976710656) filter (where f.region is not null) as region
        , max(f.fact_no - coalesce(r.country, 16383)::bigint * 281474976710656) filter (where f.country is not null) as country
        , max(f.fact_no - coalesce(r.market, 16383)::bigint * 281474976710656) filter (where f.market is not null) as market
        , max(f.fact_no - coalesce(r.segment, 16383)::bigint * 281474976710656) filter (where f.segment is not null) as segment
        , max(f.fact_no - coalesce(r.owner, 16383)::bigint * 281474976710656) filter (where f.owner is not null) as owner
        , max(f.fact_no - coalesce(r.credit_limit, 16383)::bigint * 281474976710656) filter (where f.credit_limit is not null) as credit_limit
        , max(f.fact_no - coalesce(r.profit_rate, 16383)::bigint * 281474976710656) filter (where f.profit_rate is not null) as profit_rate
        , max(f.fact_no - coalesce(r.benchmark, 16383)::bigint * 281474976710656) filter (where f.benchmark is not null) as benchmark
        , max(f.fact_no - coalesce(r.consent, 16383)::bigint * 281474976710656) filter (where f.consent is not null) as consent
        , max(f.fact_no - coalesce(r.potential, 16383)::bigint * 281474976710656) filter (where f.potential is not null) as potential
        , max(f.fact_no - coalesce(r.email, 16383)::bigint * 281474976710656) filter (where f.email is not null) as email
        , max(f.fact_no - coalesce(r.phone, 16383)::bigint * 281474976710656) filter (where f.phone is not null) as phone
    from care.fact_customer f
    join care.identity i on i.party_no = f.party_no
    left join (
        select
            p.source
            , max(p.rank) filter (where p.field = 'name') as name
            , max(p.rank) filter (where p.field = 'credit_code') as credit_code
            , max(p.rank) filter (where p.field = 'parent') as parent
            , max(p.rank) filter (where p.field = 'industry') as industry
            , max(p.rank) filter (where p.field = 'region') as region
            , max(p.rank) filter (where p.field = 'country') as country
            , max(p.rank) filter (where p.field = 'market') as market
            , max(p.rank) filter (where p.field = 'segment') as segment
            , max(p.rank) filter (where p.field = 'owner') as owner
            , max(p.rank) filter (where p.field = 'credit_limit') as credit_limit
            , max(p.rank) filter (where p.field = 'profit_rate') as profit_rate
            , max(p.rank) filter (where p.field = 'benchmark') as benchmark
            , max(p.rank) filter (where p.field = 'consent') as consent
            , max(p.rank) filter (where p.field = 'potential') as potential
            , max(p.rank) filter (where p.field = 'email') as email
            , max(p.rank) filter (where p.field = 'phone') as phone
        from care.field_priority p
        where p.known_from <= known and (p.known_to is null or p.known_to > known)
        group by p.source
    ) r on r.source = split_part(f.origin, '.', 1)
    where f.event_at < event_cut and f.known_from <= known and (f.known_to is null or f.known_to > known)
        and i.known_from <= known and (i.known_to is null or i.known_to > known)
        and not (f.known_assumed and f.load_id = any(later_histories))
    group by i.customer_no
) b
left join care.fact_customer name_of on name_of.fact_no = (b.name & 281474976710655)
left join care.fact_customer credit_code_of on credit_code_of.fact_no = (b.credit_code & 281474976710655)
left join care.fact_customer parent_of on parent_of.fact_no = (b.parent & 281474976710655)
left join care.fact_customer industry_of on industry_of.fact_no = (b.industry & 281474976710655)
left join care.fact_customer region_of on region_of.fact_no = (b.region & 281474976710655)
left join care.fact_customer country_of on country_of.fact_no = (b.country & 281474976710655)
left join care.fact_customer market_of on market_of.fact_no = (b.market & 281474976710655)
left join care.fact_customer segment_of on segment_of.fact_no = (b.segment & 281474976710655)
left join care.fact_customer owner_of on owner_of.fact_no = (b.owner & 281474976710655)
left join care.fact_customer credit_limit_of on credit_limit_of.fact_no = (b.credit_limit & 281474976710655)
left join care.fact_customer profit_rate_of on profit_rate_of.fact_no = (b.profit_rate & 281474976710655)
left join care.fact_customer benchmark_of on benchmark_of.fact_no = (b.benchmark & 281474976710655)
left join care.fact_customer consent_of on consent_of.fact_no = (b.consent & 281474976710655)
left join care.fact_customer potential_of on potential_of.fact_no = (b.potential & 281474976710655)
left join care.fact_customer email_of on email_of.fact_no = (b.email & 281474976710655)
left join care.fact_customer phone_of on phone_of.fact_no = (b.phone & 281474976710655) $$;

create view care.customer_master as
select c.customer_id, m.* from care.masters_at('infinity', 'infinity') m join care.customer c using (customer_no);

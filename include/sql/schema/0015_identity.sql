-- Which keys are one customer, and who decides it: codes, links between systems, and people. Nothing here rewrites a fact.

-- "key K1 of this source is key K2 of another one": the landing of an id map.
select care.make_fact('same_customer', 'other_source text not null, other_key text not null');

-- The customer that a key was first given; a key that is parted from others goes back to it.
alter table care.party add column home_no integer references care.customer;
update care.party p set home_no = (
    select i.customer_no from care.identity i where i.party_no = p.party_no order by i.known_from limit 1
);

-- made_at: when this row was written, whatever it says of the past.
alter table care.identity add column made_at timestamptz not null default care.clock();
update care.identity set made_at = known_from;

-- What people decided. merge: party and other belong together, and the customer of party survives. split: party stands
-- apart from whatever codes and links say, until it is merged again.
create table care.identity_ruling (
    ruling_no bigint generated always as identity primary key,
    what text not null check (what in ('merge', 'split')),
    party_no integer not null references care.party,
    other_no integer references care.party,
    ruled_at timestamptz not null,
    by text not null,
    why text not null,
    check ((what = 'merge') = (other_no is not null))
);
create index identity_ruling_party on care.identity_ruling (party_no);

-- Whose value of a customer's field wins, as configured and since when; the smaller rank. '' is the rank of the key space.
create table care.field_priority (
    field text not null,
    source text not null,
    rank integer not null,
    known_from timestamptz not null,
    known_to timestamptz
);
create unique index field_priority_open on care.field_priority (field, source) where known_to is null;

-- A unified social credit code (GB 32100-2015) as it is written properly; null when it is none: wrong length, wrong
-- letters, wrong check digit, or one letter over and over, which somebody typed for want of a code.
create function care.credit_code(value text) returns text language sql immutable parallel safe as
$$ select case when c.code ~ '^[0-9A-HJ-NP-RTUW-Y]{18}$' and c.code !~ '^(.)\1{16}' and right(c.code, 1) = substr(
    '0123456789ABCDEFGHJKLMNPQRTUWXY',
    (31 - (
        select sum((strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(c.code, w.place::integer, 1)) - 1) * w.weight)
        from unnest(array[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]) with ordinality w (weight, place)
    ) % 31)::integer % 31 + 1,
    1
) then c.code end
from (select upper(regexp_replace(normalize(value, nfkc), '[\s-]', '', 'g')) as code offset 0) c $$;

-- A company's name without what is written differently from system to system: width, case, blanks, signs, legal form.
-- Equal ones are worth a look; they prove nothing.
create function care.folded_name(value text) returns text language sql immutable parallel safe as
$$ select nullif(regexp_replace(regexp_replace(
    lower(normalize(value, nfkc)),
    '(股份有限公司|有限责任公司|有限公司|集团公司|总公司|公司|集团|\m(co|company|corp|corporation|inc|incorporated|ltd|limited|llc|plc|gmbh|group)\M)', '', 'g'
), '[^[:alnum:]]', '', 'g'), '') $$;

-- Bring every key to the customer that codes, links and people say; return how many keys moved. Call it under the lock
-- `facts`, with a moment that no night has seen. Of the customers that belong together the one survives that people named,
-- else one that nights have seen, else the one of the first source. Keys that no night has seen move in place: there was
-- no before.
create function care.resolve_identity(moment timestamptz) returns integer language plpgsql as $$
declare
    last_cut constant timestamptz := coalesce((select max(knowledge_cut) from care.night), '-infinity');
    touched bigint;
    moved integer;
begin
    drop table if exists pg_temp.id_apart, pg_temp.id_edge, pg_temp.id_member, pg_temp.id_move;
    create temp table id_apart on commit drop as
    select party_no, max(ruled_at) as since from care.identity_ruling where what = 'split' group by party_no;

    create temp table id_edge on commit drop as
    with code as (
        select distinct f.party_no, care.credit_code(f.credit_code) as code
        from care.fact_customer f
        where f.known_to is null and f.credit_code is not null
            and not exists (select from id_apart a where a.party_no = f.party_no)
    ),
    said as (
        select min(party_no) over (partition by code) as a, party_no as b from code where code is not null
        union
        select f.party_no, p.party_no
        from care.fact_same_customer f
        join care.party p on p.key_space = f.other_source and p.customer_key = f.other_key
        where f.known_to is null
            and not exists (select from id_apart a where a.party_no = f.party_no)
            and not exists (select from id_apart a where a.party_no = p.party_no)
        union
        select r.party_no, r.other_no
        from care.identity_ruling r
        left join id_apart a on a.party_no = r.party_no
        left join id_apart b on b.party_no = r.other_no
        where r.what = 'merge' and r.ruled_at > greatest(a.since, b.since, '-infinity')
    )
    select a, b from said where a <> b
    union
    select b, a from said where a <> b;
    create index on id_edge (a);
    analyze id_edge;

    create temp table id_member on commit drop as
    select
        i.party_no, i.party_no as root, i.customer_no, coalesce(p.home_no, i.customer_no) as home_no
        , i.made_at > last_cut as unseen, r.rank
        , (select max(g.ruling_no) from care.identity_ruling g where g.what = 'merge' and g.party_no = i.party_no) as ruling
    from care.identity i
    join care.party p using (party_no)
    left join care.field_priority r on r.field = '' and r.source = p.key_space and r.known_to is null
    where i.known_to is null
        and (i.customer_no <> p.home_no or exists (select from id_edge e where e.a = i.party_no));
    create index on id_member (party_no);
    analyze id_member;

    loop
        update id_member m
        set root = near.root
        from (
            select e.a as party_no, min(n.root) as root from id_edge e join id_member n on n.party_no = e.b group by e.a
        ) near
        where near.party_no = m.party_no and near.root < m.root;
        get diagnostics touched = row_count;
        exit when touched = 0;
        update id_member m set root = r.root from id_member r where r.party_no = m.root and r.root < m.root;
    end loop;

    create temp table id_move on commit drop as
    select m.party_no, t.customer_no, m.unseen
    from id_member m
    join (
        select distinct on (root) root, home_no as customer_no
        from id_member
        order by root, customer_no = home_no desc, ruling desc nulls last, unseen, rank nulls last, party_no
    ) t using (root)
    where t.customer_no <> m.customer_no;
    get diagnostics moved = row_count;

    update care.identity i
    set customer_no = v.customer_no
    from id_move v
    where i.party_no = v.party_no and i.known_to is null and v.unseen;

    with ended as (
        update care.identity i
        set known_to = greatest(i.known_from, moment)
        from id_move v
        where i.party_no = v.party_no and i.known_to is null and not v.unseen
        returning i.party_no, v.customer_no, i.known_to
    )
    insert into care.identity (party_no, customer_no, known_from)
    select party_no, customer_no, known_to from ended order by party_no;
    return moved;
end $$;

-- The master record of every customer as believed at a cut: of each field the value of the source that comes first in its
-- priority then and has one; of two versions of one source the newer. Columns that a query does not read cost nothing.
create unique index fact_customer_no on care.fact_customer (fact_no);
create index fact_customer_coded on care.fact_customer (party_no) where known_to is null and credit_code is not null;

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
left join care.fact_customer potential_of on potential_of.fact_no = (b.potential & 281474976710655)
left join care.fact_customer email_of on email_of.fact_no = (b.email & 281474976710655)
left join care.fact_customer phone_of on phone_of.fact_no = (b.phone & 281474976710655) $$;

create view care.customer_master as
select c.customer_id, m.* from care.masters_at('infinity', 'infinity') m join care.customer c using (customer_no);

-- Customers who went into another one: they have no key any more.
create view care.absorbed as
select distinct was.customer_no, stands.customer_no as into_no
from care.identity was
join care.identity stands on stands.party_no = was.party_no and stands.known_to is null
where was.known_to is not null and stands.customer_no <> was.customer_no
    and not exists (select from care.identity i where i.customer_no = was.customer_no and i.known_to is null);

alter table care.warning_event drop constraint warning_event_what_check;
alter table care.warning_event add constraint warning_event_what_check check (what in (
    'opened', 'rose', 'fell', 'cleared', 'returned', 'closed', 'acknowledged', 'handed_over', 'changed', 'merged'
));

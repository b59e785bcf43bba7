-- Health as people see it: what a person said for a while, how it moved, groups of companies, and views with words.

-- What a person said of a customer's colour, until the end of a day. The score stays what it is. It counts from the first
-- night after it was said, as a fact would, so that no replay sees what nobody had said yet; the newest one stands.
create table care.health_override (
    override_no bigint generated always as identity primary key,
    customer_no integer not null references care.customer,
    colour smallint not null check (colour between 1 and 3),
    until_day date not null,
    why text not null check (why ~ '\S'),
    by text not null references care.person,
    set_at timestamptz not null,
    ended_at timestamptz,
    ended_by text references care.person,
    check ((ended_at is null) = (ended_by is null))
);
create index health_override_customer on care.health_override (customer_no);

-- The overrides in force at a cut, of each customer the newest.
create function care.overrides_at(event_cut timestamptz, known timestamptz, night date)
returns setof care.health_override language sql stable as $$
select distinct on (o.customer_no) o.*
from care.health_override o
where o.set_at < event_cut and o.set_at <= known and o.until_day >= night
    and not coalesce(o.ended_at < event_cut and o.ended_at <= known, false)
order by o.customer_no, o.set_at desc, o.override_no desc
$$;

-- override: 0 where nobody said anything, else the colour that a person said; colour is then that one.
alter table care.health_night add column override smallint not null default 0;

-- A digest of all that scores are computed by: scores of two nights compare when it is the same.
alter table care.night add column score_definition text;

-- Groups of companies, where health.yaml rolls them up: customer_no stands at the head, members are all below and itself.
create table care.group_night (
    day date not null,
    revision integer not null,
    customer_no integer not null references care.customer,
    members integer not null,
    colour smallint not null check (colour between 0 and 3),
    score float8 not null,
    worst_no integer references care.customer,
    primary key (day, revision, customer_no)
);

create function care.colour_name(colour smallint) returns text language sql immutable parallel safe as
$$ select (array['grey', 'red', 'yellow', 'green'])[colour + 1] $$;

-- The names of a configuration's tiers from the best down, and of its health models in their order.
create view care.judgement_names as
select
    c.fingerprint,
    array(select t.name from json_object_keys(c.canonical -> 'tiers' -> 'cuts') with ordinality t (name, at) order by t.at)
        || (c.canonical -> 'tiers' ->> 'otherwise') as tiers,
    array['default'] || array(
        select m.model ->> 'model'
        from json_array_elements(coalesce(c.canonical -> 'models', '[]')) with ordinality m (model, at)
        order by m.at
    ) as models
from care.configuration c
where c.kind = 'judgement';

-- Every customer on every night, as it was last restated. risk is 100 minus the score; both are null where too little is
-- known to say a number. judgement is the version of the configuration that gave the score.
create view care.health as
select
    n.day, h.customer_no, c.customer_id, nullif(h.score, 'NaN') as score, nullif(100 - h.score, 'NaN') as risk
    , care.colour_name(h.colour) as colour, h.override <> 0 as overridden, j.tiers[h.tier + 1] as tier
    , j.models[h.model + 1] as model, h.known_share, h.dormant, n.judgement, n.code_version, n.revision
from care.newest_night n
join care.health_night h on h.day = n.day and h.revision = n.revision
join care.judgement_names j on j.fingerprint = n.judgement
join care.customer c on c.customer_no = h.customer_no;

-- Name and owner of every customer now. The body is bound when it runs, so that the master record may grow columns.
create function care.names_now() returns table (customer_no integer, name text, owner text) language plpgsql stable as $$
begin
    return query select m.customer_no, m.name, m.owner from care.customer_master m;
end $$;

-- Every customer on the newest night, with the movement of the score against the night 7, 30 and 90 days before (or the
-- nearest one up to six days earlier). There is none across a change of what scores are computed by: see compares_since.
create view care.customer_health as
with latest as (
    select n.day, n.revision, s.score_definition
    from care.newest_night n
    join care.night s on s.night_no = n.night_no
    order by n.day desc
    limit 1
),
past as (
    select w.days, b.day, b.revision
    from latest l
    cross join (values (7), (30), (90)) w (days)
    cross join lateral (
        select n.day, n.revision, s.score_definition
        from care.newest_night n
        join care.night s on s.night_no = n.night_no
        where n.day between l.day - w.days - 6 and l.day - w.days
        order by n.day desc
        limit 1
    ) b
    where b.score_definition = l.score_definition
),
moved as (
    select h.customer_no, p.days, nullif(h.score, 'NaN') as score
    from past p
    join care.health_night h on h.day = p.day and h.revision = p.revision
),
since as (
    select min(n.day) as day
    from care.newest_night n
    where n.day > coalesce((
        select max(o.day)
        from care.newest_night o
        join care.night s on s.night_no = o.night_no
        cross join latest l
        where s.score_definition is distinct from l.score_definition
    ), '-infinity')
)
select
    h.day, h.customer_no, h.customer_id, m.name, m.owner, h.tier, h.model, h.score, h.risk, h.colour
    , (array['灰', '红', '黄', '绿'])[array_position(array['grey', 'red', 'yellow', 'green'], h.colour)] as colour_zh
    , h.overridden, h.known_share, h.dormant
    , round((h.score - w.score)::numeric, 2) as moved_7d
    , round((h.score - mo.score)::numeric, 2) as moved_30d
    , round((h.score - q.score)::numeric, 2) as moved_90d
    , since.day as compares_since, h.judgement, h.code_version, h.revision
from latest
join care.health h on h.day = latest.day
cross join since
left join care.names_now() m on m.customer_no = h.customer_no
left join moved w on w.customer_no = h.customer_no and w.days = 7
left join moved mo on mo.customer_no = h.customer_no and mo.days = 30
left join moved q on q.customer_no = h.customer_no and q.days = 90;

-- Groups of companies on the newest night.
create view care.group_health as
select
    g.day, g.customer_no, c.customer_id, g.members, nullif(g.score, 'NaN') as score, care.colour_name(g.colour) as colour
    , o.colour as own_colour, w.customer_id as worst_customer_id, o.judgement
from care.group_night g
join care.customer c on c.customer_no = g.customer_no
left join care.customer w on w.customer_no = g.worst_no
left join care.health o on o.day = g.day and o.customer_no = g.customer_no
join care.newest_night n on n.day = g.day and n.revision = g.revision
where g.day = (select max(day) from care.newest_night);

-- The stage of a customer's life each night (position in the fingerprint's stages, -1 unknown), and every transition: found
-- by the fold over nights in date order, so that a backfill writes none.
alter table care.health_night add column stage smallint not null default -1;

create table care.stage_event (
    customer_no integer not null references care.customer,
    day date not null,
    stage text not null,
    came_from text,
    judgement text not null references care.configuration,
    primary key (customer_no, day)
);

create view care.customer_stage as
select
    c.customer_id
    , e.stage
    , e.came_from
    , e.day as since
    , lead(e.day) over (partition by e.customer_no order by e.day) as until
    , e.customer_no
from care.stage_event e
join care.customer c using (customer_no);

-- Who was lost, by what `lost` of stages.yaml says: the same day as in reviews and backtests, kept by the fold over nights. Only
-- losses whose day came while we watched are kept, and of silences only those of customers who had been regular.
create table care.loss (
    customer_no integer not null references care.customer,
    last_day date not null,
    lost_day date not null,
    kind text not null check (kind in ('active', 'passive', 'latent')),
    judgement text not null references care.configuration,
    primary key (customer_no, last_day)
);
create index loss_lost_day on care.loss (lost_day);

-- Losses are kept from the first night that was folded on; those before losses_through have been looked for.
alter table care.progress add column losses_from date, add column losses_through date;

-- A warning saw a loss coming when it lived at some time from the last business (of a loss by event: a window before it) on, also
-- when somebody called it a false alarm: the loss says who was right.
create or replace view bi.lead_times as
select c.customer_id, l.lost_day, f.opened_day as first_warning_day, f.warning_no as first_warning_no
    , l.lost_day - f.opened_day as lead_days, f.warning_no is null as missed, l.kind as churn_type
from care.loss l
join care.customer c on c.customer_no = l.customer_no
left join lateral (
    select w.warning_no, w.opened_day
    from care.warning w
    left join care.warning_event e on e.warning_no = w.warning_no and e.transition = w.transition and w.closed_at is not null
    where w.customer_no = l.customer_no and w.opened_day <= l.lost_day and coalesce(e.day, 'infinity') >= l.last_day
    order by w.opened_day, w.warning_no
    limit 1
) f on true;

comment on column bi.lead_times.lost_day is 'day on which the silence was as long as `lost` says, or on which the customer left by what happened | 沉默达到 `lost` 所定时长之日，或流失事件发生之日';
comment on column bi.lead_times.first_warning_day is 'day of the first warning that lived after the last business, also one that was called a false alarm | 末次业务之后仍有效的首次预警日期（含被判为误报的）';
comment on column bi.lead_times.churn_type is 'active (cancelled, complained, too dear), passive (not renewed, went to a rival) or latent (fell silent) | 流失类型：active 主动（取消、投诉、嫌贵），passive 被动（未续约、转向竞品），latent 隐性（沉默）';

-- Read-only views for reports and BI tools, in a schema of their own. They are the promise: tables of `care` may change, these
-- columns stay. Every view and column says in English and Chinese what it is (docs/bi.md is written from that). No personal
-- column is among them. Views read as their owner, so a role that may read them need not see anything else.

create schema bi;
comment on schema bi is 'Read-only views for reports and BI tools | 供报表与 BI 工具使用的只读视图';

create index warning_customer on care.warning (customer_no);
create index signal_customer on care.signal (customer_no);

-- The master record of every customer now. A function that a view calls would run as whoever asks: this one runs as its owner.
create function bi.masters() returns table (
    customer_no integer, name text, industry text, region text, country text, market text, segment text, owner text
) language sql stable security definer set search_path = pg_catalog as $$
select m.customer_no, m.name, m.industry, m.region, m.country, m.market, m.segment, m.owner
from care.masters_at('infinity', 'infinity') m $$;
comment on function bi.masters() is 'The master record of every customer now | 当前客户主数据';

-- The names of a configuration's metrics and rules, by their place in stored rows.
create view care.metric_names as
select c.fingerprint, m.name, m.at, m.metric ->> 'unit' as unit, m.metric -> 'label' as label
    , m.name = c.canonical -> 'tiers' ->> 'money' as is_money
from care.configuration c
cross join lateral json_each(c.canonical -> 'metrics') with ordinality m (name, metric, at)
where c.kind = 'judgement';

create view care.rule_names as
select c.fingerprint, r.name, r.at, r.rule -> 'label' as label, r.rule ->> 'counts_as' as counts_as,
    r.rule ->> 'dimension' as dimension
from care.configuration c
cross join lateral json_each(c.canonical -> 'rules') with ordinality r (name, rule, at)
where c.kind = 'judgement';

create view bi.health_history as
select h.day, h.customer_id, h.score, h.risk, h.colour, h.overridden, h.tier, h.model, h.known_share, h.dormant, h.judgement
from care.health h;

create view bi.customers as
with latest as (select max(day) as day from care.newest_night),
stage as (
    select distinct on (e.customer_no) e.customer_no, e.stage, e.day from care.stage_event e order by e.customer_no, e.day desc
),
worth as (
    select distinct on (t.customer_no) t.customer_no, t.class, t.value_score, t.potential
    from care.customer_class t
    where t.scheme = 'tier' and t.day = (select max(day) from care.customer_class where scheme = 'tier')
    order by t.customer_no
)
select
    h.day, h.customer_id, m.name, m.industry, m.region, m.country, m.segment, h.tier, worth.value_score, worth.potential
    , stage.stage, stage.day as stage_since, m.owner as owner_id, h.score, h.risk, h.colour, h.overridden
    , h.known_share, h.dormant, w.warning_no, w.level as warning_level, w.state as warning_state, w.opened_day as warning_opened
    , w.priority as warning_priority, w.value as value_at_stake
from latest
join care.health h on h.day = latest.day
left join bi.masters() m on m.customer_no = h.customer_no
left join worth on worth.customer_no = h.customer_no
left join stage on stage.customer_no = h.customer_no
left join care.warning w on w.customer_no = h.customer_no and w.closed_at is null;

create view bi.metrics as
select n.day, c.customer_id, k.name as metric, nullif(m.metrics[k.at], 'NaN') as value, k.unit
from care.newest_night n
join care.metric_names k on k.fingerprint = n.judgement
join care.metric_night m on m.day = n.day and m.revision = n.revision
join care.customer c on c.customer_no = m.customer_no;

create view bi.signals as
select s.signal_no, c.customer_id, s.rule, s.severity, s.counts_as, s.dimension, s.state, s.first_day, s.opened_day
    , s.last_true_day, s.closed_day, s.true_nights
from care.signal s
join care.customer c on c.customer_no = s.customer_no;

create view bi.warnings as
with contact as (
    select k.warning_no, min(t.settled_at) filter (where t.step = 'first_call' and t.state = 'done') as first_contact_at
        , count(*) as tasks, count(*) filter (where t.state = 'done') as tasks_done
    from care.care_case k
    join care.care_task t on t.case_no = k.case_no and t.state <> 'superseded'
    group by k.warning_no
)
select
    w.warning_no, c.customer_id, w.level, w.peak_level, w.priority, w.state, w.tier, w.owner_id, w.manager_id
    , w.value as value_at_stake, w.risk, w.opened_day, w.opened_at, contact.first_contact_at, w.planned_at, w.cleared_day
    , w.closed_at
    , case when w.closed_at is not null then w.state end as result
    , w.follows as follows_warning_no, coalesce(contact.tasks, 0) as tasks, coalesce(contact.tasks_done, 0) as tasks_done
    , w.judgement
from care.warning w
join care.customer c on c.customer_no = w.customer_no
left join contact on contact.warning_no = w.warning_no;

create view bi.tasks as
select
    t.task_no, k.warning_no, c.customer_id, t.playbook, t.step, t.role, t.owner_id, t.state, t.created_at, t.due_at
    , t.settled_at
    , case
        when t.state = 'done' then t.settled_at <= t.due_at
        when t.state = 'open' and t.due_at < (select max(opened_at) from care.night) then false
    end as kept
    , t.reminders
from care.care_task t
join care.care_case k on k.case_no = t.case_no
join care.warning w on w.warning_no = k.warning_no
join care.customer c on c.customer_no = w.customer_no;

create view bi.notices as
select d.subject, d.transition, d.receiver as receiver_id, d.send as sent_on, d.reason, d.decided_at, o.kind, o.channel
    , o.state as delivery, o.attempts, o.settled_at
from care.notice_decision d
left join care.outbox o on o.key = d.outbox_key;

-- Which rules a warning was opened on: reasons hold more than that, and only the names leave them.
create view care.opened_on as
select e.warning_no, e.day, r.reason ->> 'rule' as rule
from care.warning_event e
cross join lateral jsonb_array_elements(e.reasons) r (reason)
where e.what = 'opened';

create view bi.rules as
with latest as (select n.day, n.revision, n.judgement from care.newest_night n order by n.day desc limit 1),
hits as (
    select r.name as rule
        , count(*) as customers
        , count(*) filter (where h.rules[r.at] = 1) as hits
        , count(*) filter (where h.rules[r.at] = -1) as unknown
    from latest n
    join care.rule_names r on r.fingerprint = n.judgement
    join care.health_night h on h.day = n.day and h.revision = n.revision
    group by r.name
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

create view bi.alarms_per_owner_week as
with moved as (
    select w.owner_id, date_trunc('week', e.day)::date as week, e.what, e.level, w.warning_no
    from care.warning_event e
    join care.warning w on w.warning_no = e.warning_no
    where e.what in ('opened', 'rose')
),
sent as (
    select o.receiver as owner_id, date_trunc('week', o.created_at)::date as week, count(*) as messages
    from care.outbox o
    where o.state <> 'cancelled'
    group by 1, 2
),
counted as (
    select owner_id, week
        , count(*) filter (where what = 'opened') as opened
        , count(*) filter (where what = 'rose') as rose
        , count(*) filter (where what = 'opened' and level = 1) as opened_level_1
        , count(*) filter (where what = 'opened' and level = 2) as opened_level_2
        , count(*) filter (where what = 'opened' and level = 3) as opened_level_3
    from moved
    group by owner_id, week
)
select
    coalesce(c.week, s.week) as week, coalesce(c.owner_id, s.owner_id) as owner_id
    , coalesce(c.opened, 0) as opened, coalesce(c.rose, 0) as rose, coalesce(c.opened_level_1, 0) as opened_level_1
    , coalesce(c.opened_level_2, 0) as opened_level_2, coalesce(c.opened_level_3, 0) as opened_level_3
    , coalesce(s.messages, 0) as messages
from counted c
full join sent s on s.owner_id = c.owner_id and s.week = c.week;

create view bi.lead_times as
with lost as (
    select customer_no, min(day) as lost_day
    from (
        select e.customer_no, e.day from care.stage_event e where e.stage = 'dormant' and e.came_from is not null
        union all
        select w.customer_no, e.day
        from care.warning w
        join care.warning_event e on e.warning_no = w.warning_no and e.transition = w.transition
        where w.closed_at is not null and w.state = 'lost'
    ) l
    group by customer_no
)
select c.customer_id, l.lost_day, f.opened_day as first_warning_day, f.warning_no as first_warning_no
    , l.lost_day - f.opened_day as lead_days, f.warning_no is null as missed
from lost l
join care.customer c on c.customer_no = l.customer_no
left join lateral (
    select w.warning_no, w.opened_day
    from care.warning w
    where w.customer_no = l.customer_no and w.opened_day <= l.lost_day and w.opened_day > l.lost_day - 365
        and w.state <> 'false_alarm'
    order by w.opened_day, w.warning_no
    limit 1
) f on true;

create view bi.sources as
select split_part(l.origin, '.', 1) as source, l.origin as stream, max(l.loaded_at) as last_loaded_at, max(l.read_at) as read_up_to
    , count(*) as loads, sum(l.landed) as landed, sum(l.new) as new, sum(l.changed) as changed
    , sum(l.quarantined) as quarantined
    , exists (
        select from care.held_source s
        join care.newest_night n on n.night_no = s.night
        where s.source = split_part(l.origin, '.', 1) and n.day = (select max(day) from care.newest_night)
    ) as held_last_night
from care.load l
group by l.origin;

create view bi.loads as
select l.origin as stream, l.load_id, l.loaded_at, l.landed, l.new, l.changed, l.unchanged, l.repeated, l.filtered
    , l.quarantined, l.ended, l.history
from care.load l;

create view bi.quarantine as
select r.origin as stream, r.reason, r.field, r.state, count(*) as rows, min(r.caught_at) as first_caught_at
    , max(r.caught_at) as last_caught_at
from quarantine.row r
group by r.origin, r.reason, r.field, r.state;

create view bi.tier_transitions as
select t.quarter_begins, t.scheme, t.from_class, t.to_class, t.upgraded, t.downgraded, t.customers
    , round(t.customers::numeric / nullif(sum(t.customers) over (partition by t.quarter_begins, t.scheme, t.from_class), 0), 4)
        as share_of_class
from care.class_transition t;

create view bi.concentration as
with newest as (select n.day, n.revision, n.judgement from care.newest_night n order by n.day desc limit 1),
latest as (
    select n.day, n.revision, k.at
    from newest n
    join care.metric_names k on k.fingerprint = n.judgement and k.is_money
),
worth as (
    select n.day, m.customer_no, m.metrics[n.at] as money
    from latest n
    join care.metric_night m on m.day = n.day and m.revision = n.revision
    where m.metrics[n.at] > 0 and m.metrics[n.at] <> 'NaN'
),
ranked as (
    select day, customer_no, money, row_number() over (order by money desc, customer_no) as place
        , count(*) over () as customers, sum(money) over () as total
        , sum(money) over (order by money desc, customer_no) as running
    from worth
)
select r.day, c.customer_id, r.place, round((100.0 * r.place / r.customers)::numeric, 2) as customers_percent, r.money
    , round((100 * r.money / r.total)::numeric, 4) as money_percent
    , round((100 * r.running / r.total)::numeric, 2) as money_percent_up_to_here
    , r.running - r.money < 0.8 * r.total as brings_80_percent
from ranked r
join care.customer c on c.customer_no = r.customer_no;

-- What every view and column is, in English and Chinese.
comment on view bi.health_history is 'Every customer on every night, as it was last restated | 每位客户每一夜的健康度（以最新重述为准）';
comment on column bi.health_history.day is 'the night''s day | 夜间运行对应的日期';
comment on column bi.health_history.customer_id is 'the customer''s id | 客户编号';
comment on column bi.health_history.score is 'health score 0 to 100; empty when too little is known | 健康分 0 至 100；数据不足时为空';
comment on column bi.health_history.risk is 'risk; 100 minus the score of customers, 0 to 1 of warnings | 风险：客户为 100 减健康分，预警为 0 至 1';
comment on column bi.health_history.colour is 'green, yellow, red or grey (too little is known) | 绿、黄、红或灰（数据不足）';
comment on column bi.health_history.overridden is 'a person said the colour | 颜色由人工指定';
comment on column bi.health_history.tier is 'the tier that it was treated as | 客户等级';
comment on column bi.health_history.model is 'the health model that gave the score | 采用的健康模型';
comment on column bi.health_history.known_share is 'share of the model''s weight that is known, 0 to 1 | 已知指标占模型权重的比例';
comment on column bi.health_history.dormant is 'sleeps: scored, not warned about | 休眠：计分但不预警';
comment on column bi.health_history.judgement is 'fingerprint of the configuration that judged | 判定配置的指纹';
comment on view bi.customers is 'Every customer on the newest night: health, tier, stage, owner, open warning | 最近一夜的每位客户：健康度、等级、阶段、负责人、未关闭预警';
comment on column bi.customers.day is 'the night''s day | 夜间运行对应的日期';
comment on column bi.customers.customer_id is 'the customer''s id | 客户编号';
comment on column bi.customers.name is 'the customer''s name | 客户名称';
comment on column bi.customers.industry is 'industry | 行业';
comment on column bi.customers.region is 'sales region | 地区';
comment on column bi.customers.country is 'country | 国家';
comment on column bi.customers.segment is 'segment of the firm''s own making | 客户细分';
comment on column bi.customers.tier is 'the tier that it was treated as | 客户等级';
comment on column bi.customers.value_score is 'value score on the last tier day | 最近评级日的价值分';
comment on column bi.customers.potential is 'a small customer that grows fast | 潜力客户';
comment on column bi.customers.stage is 'stage of the customer''s life | 生命周期阶段';
comment on column bi.customers.stage_since is 'first day of the stage | 进入该阶段的日期';
comment on column bi.customers.owner_id is 'id of the person who answers for it (people.yaml) | 负责人编号（people.yaml）';
comment on column bi.customers.score is 'health score 0 to 100; empty when too little is known | 健康分 0 至 100；数据不足时为空';
comment on column bi.customers.risk is 'risk; 100 minus the score of customers, 0 to 1 of warnings | 风险：客户为 100 减健康分，预警为 0 至 1';
comment on column bi.customers.colour is 'green, yellow, red or grey (too little is known) | 绿、黄、红或灰（数据不足）';
comment on column bi.customers.overridden is 'a person said the colour | 颜色由人工指定';
comment on column bi.customers.known_share is 'share of the model''s weight that is known, 0 to 1 | 已知指标占模型权重的比例';
comment on column bi.customers.dormant is 'sleeps: scored, not warned about | 休眠：计分但不预警';
comment on column bi.customers.warning_no is 'number of the warning | 预警编号';
comment on column bi.customers.warning_level is 'level of the open warning, 1 to 3 | 未关闭预警的级别';
comment on column bi.customers.warning_state is 'state of the open warning | 未关闭预警的状态';
comment on column bi.customers.warning_opened is 'day on which it opened | 预警新建日期';
comment on column bi.customers.warning_priority is 'priority of the open warning | 未关闭预警的优先级';
comment on column bi.customers.value_at_stake is 'money at stake, in the firm''s currency | 涉及金额（本币）';
comment on view bi.metrics is 'Every number of every customer and night, one a row; filter by day | 每位客户每一夜的每个指标，一行一个；请按日期筛选';
comment on column bi.metrics.day is 'the night''s day | 夜间运行对应的日期';
comment on column bi.metrics.customer_id is 'the customer''s id | 客户编号';
comment on column bi.metrics.metric is 'name of the metric | 指标名';
comment on column bi.metrics.value is 'its value; empty when missing | 指标值；缺失时为空';
comment on column bi.metrics.unit is 'unit of the value | 单位';
comment on view bi.signals is 'Conditions that lasted: pending, open and closed | 持续成立的条件：待定、打开与已关闭';
comment on column bi.signals.signal_no is 'number of the signal | 信号编号';
comment on column bi.signals.customer_id is 'the customer''s id | 客户编号';
comment on column bi.signals.rule is 'name of the rule | 规则名';
comment on column bi.signals.severity is 'watch, mild, moderate, severe or critical | 严重程度';
comment on column bi.signals.counts_as is 'the indicator it counts as | 计入的指标项';
comment on column bi.signals.dimension is 'the dimension it belongs to | 所属维度';
comment on column bi.signals.state is 'where it stands | 状态';
comment on column bi.signals.first_day is 'first night on which it was true | 首次成立的夜晚';
comment on column bi.signals.opened_day is 'day on which it opened | 打开（新建）日期';
comment on column bi.signals.last_true_day is 'last night on which it was true | 最近成立的夜晚';
comment on column bi.signals.closed_day is 'day on which it closed | 关闭日期';
comment on column bi.signals.true_nights is 'nights running that it was true | 连续成立的夜数';
comment on view bi.warnings is 'Every warning with its life: opened, first contact, plan, closed, result | 每个预警的全过程：新建、首次联系、方案、关闭、结果';
comment on column bi.warnings.warning_no is 'number of the warning | 预警编号';
comment on column bi.warnings.customer_id is 'the customer''s id | 客户编号';
comment on column bi.warnings.level is 'level now, 0 to 3 | 当前级别';
comment on column bi.warnings.peak_level is 'highest level so far | 最高级别';
comment on column bi.warnings.priority is 'how soon somebody should look | 优先级';
comment on column bi.warnings.state is 'where it stands | 状态';
comment on column bi.warnings.tier is 'the tier that it was treated as | 客户等级';
comment on column bi.warnings.owner_id is 'id of the person who answers for it (people.yaml) | 负责人编号（people.yaml）';
comment on column bi.warnings.manager_id is 'id of the manager who takes part | 参与的管理者编号';
comment on column bi.warnings.value_at_stake is 'money at stake, in the firm''s currency | 涉及金额（本币）';
comment on column bi.warnings.risk is 'risk; 100 minus the score of customers, 0 to 1 of warnings | 风险：客户为 100 减健康分，预警为 0 至 1';
comment on column bi.warnings.opened_day is 'day on which it opened | 打开（新建）日期';
comment on column bi.warnings.opened_at is 'moment of opening | 新建时刻';
comment on column bi.warnings.first_contact_at is 'when the first call was done | 首次联系完成时刻';
comment on column bi.warnings.planned_at is 'when a plan was put on file | 方案归档时刻';
comment on column bi.warnings.cleared_day is 'day on which its signals were gone | 信号消除日期';
comment on column bi.warnings.closed_at is 'moment of closing | 关闭时刻';
comment on column bi.warnings.result is 'what it ended as; empty while it lives | 结果；未关闭时为空';
comment on column bi.warnings.follows_warning_no is 'the warning that it follows within the rest time | 静默期内所承接的预警';
comment on column bi.warnings.tasks is 'its tasks, superseded ones aside | 任务数（不含被取代的）';
comment on column bi.warnings.tasks_done is 'of these done | 已完成的任务数';
comment on column bi.warnings.judgement is 'fingerprint of the configuration that judged | 判定配置的指纹';
comment on view bi.tasks is 'Every care task and whether its promise was kept | 每项关怀任务，以及是否按承诺时间完成';
comment on column bi.tasks.task_no is 'number of the task | 任务编号';
comment on column bi.tasks.warning_no is 'number of the warning | 预警编号';
comment on column bi.tasks.customer_id is 'the customer''s id | 客户编号';
comment on column bi.tasks.playbook is 'playbook that it belongs to | 所属预案';
comment on column bi.tasks.step is 'step of the playbook | 预案步骤';
comment on column bi.tasks.role is 'role that it asks for | 角色';
comment on column bi.tasks.owner_id is 'id of the person who answers for it (people.yaml) | 负责人编号（people.yaml）';
comment on column bi.tasks.state is 'where it stands | 状态';
comment on column bi.tasks.created_at is 'when it was made | 创建时刻';
comment on column bi.tasks.due_at is 'promised until | 承诺完成时刻';
comment on column bi.tasks.settled_at is 'when it was done, or ended otherwise | 完成或结束时刻';
comment on column bi.tasks.kept is 'the promise was kept; false once it is late, empty while open in time or cancelled | 是否按时；逾期为否，未到期或已取消为空';
comment on column bi.tasks.reminders is 'reminders sent | 已发提醒数';
comment on view bi.notices is 'Who was told of what, or was not, with the reason and how delivery went | 通知了谁、没有通知谁、原因以及送达情况';
comment on column bi.notices.subject is 'warning or task that it is about | 所涉预警或任务';
comment on column bi.notices.transition is 'transition of the warning, step of the reminder | 第几次变化或提醒';
comment on column bi.notices.receiver_id is 'id of the person concerned | 接收人编号';
comment on column bi.notices.sent_on is 'whether it was decided to tell | 是否决定通知';
comment on column bi.notices.reason is 'why | 原因';
comment on column bi.notices.decided_at is 'when it was decided | 决定时刻';
comment on column bi.notices.kind is 'kind of message | 消息类型';
comment on column bi.notices.channel is 'channel | 渠道';
comment on column bi.notices.delivery is 'how delivery stands | 送达状态';
comment on column bi.notices.attempts is 'attempts to deliver | 投递次数';
comment on column bi.notices.settled_at is 'when it was done, or ended otherwise | 完成或结束时刻';
comment on view bi.rules is 'Each rule: customers it holds for, signals and warnings it opened, and what became of them | 每条规则：成立的客户数、打开的信号与预警，以及结果';
comment on column bi.rules.rule is 'name of the rule | 规则名';
comment on column bi.rules.customers is 'customers looked at or counted | 客户数';
comment on column bi.rules.hits_last_night is 'customers of whom it was true on the newest night | 最近一夜成立的客户数';
comment on column bi.rules.unknown_last_night is 'of whom it could not be told | 无法判断的客户数';
comment on column bi.rules.share_last_night is 'share of the customers of whom it was true | 成立的客户占比';
comment on column bi.rules.signals is 'signals it ever opened | 累计打开的信号数';
comment on column bi.rules.signals_open is 'signals open now | 当前打开的信号数';
comment on column bi.rules.signals_30d is 'signals opened in the last 30 days | 近 30 天打开的信号数';
comment on column bi.rules.warnings is 'warnings opened on it, alone or with others | 由其参与触发的预警数';
comment on column bi.rules.warnings_open is 'of these open | 其中未关闭的';
comment on column bi.rules.lost is 'of these ended as lost | 其中已流失的';
comment on column bi.rules.recovered is 'of these ended as recovered | 其中已挽回的';
comment on column bi.rules.false_alarms is 'of these ended as false alarm | 其中误报的';
comment on column bi.rules.right_share is 'lost and recovered among those with a clear end; no proof of cause | 流失与挽回在有明确结果者中的占比；不代表因果';
comment on view bi.alarms_per_owner_week is 'New and risen warnings and messages for each owner and week | 每位负责人每周的新增、升级预警数与消息数';
comment on column bi.alarms_per_owner_week.week is 'Monday of the week | 该周周一';
comment on column bi.alarms_per_owner_week.owner_id is 'id of the person who answers for it (people.yaml) | 负责人编号（people.yaml）';
comment on column bi.alarms_per_owner_week.opened is 'warnings opened | 新建预警数';
comment on column bi.alarms_per_owner_week.rose is 'warnings that rose to a higher level | 升级的预警数';
comment on column bi.alarms_per_owner_week.opened_level_1 is 'opened at level 1 | 以 1 级新建';
comment on column bi.alarms_per_owner_week.opened_level_2 is 'opened at level 2 | 以 2 级新建';
comment on column bi.alarms_per_owner_week.opened_level_3 is 'opened at level 3 | 以 3 级新建';
comment on column bi.alarms_per_owner_week.messages is 'messages to that person | 发给该负责人的消息数';
comment on view bi.lead_times is 'Each customer lost while we watched, and how long before the first warning came | 观察期内流失的每位客户，以及首次预警提前的天数';
comment on column bi.lead_times.customer_id is 'the customer''s id | 客户编号';
comment on column bi.lead_times.lost_day is 'day on which it fell asleep, or its warning closed as lost, whichever came first | 进入休眠或预警以流失关闭的日期（取较早者）';
comment on column bi.lead_times.first_warning_day is 'day of the first warning in the year before, false alarms aside | 此前一年内首次预警日期（不含误报）';
comment on column bi.lead_times.first_warning_no is 'number of that warning | 该预警编号';
comment on column bi.lead_times.lead_days is 'days from the first warning to the loss | 首次预警提前的天数';
comment on column bi.lead_times.missed is 'there was no warning | 没有预警（漏报）';
comment on view bi.sources is 'How far each stream has been read, and whether the last night relied on its source | 每个数据流读到何时，最近一夜是否采信其数据源';
comment on column bi.sources.source is 'source | 数据源';
comment on column bi.sources.stream is 'stream of the source | 数据流';
comment on column bi.sources.last_loaded_at is 'last load | 最近加载时刻';
comment on column bi.sources.read_up_to is 'moment up to which the source was read | 已读取到的时刻';
comment on column bi.sources.loads is 'loads so far | 加载次数';
comment on column bi.sources.landed is 'rows landed | 落地行数';
comment on column bi.sources.new is 'new facts | 新增事实数';
comment on column bi.sources.changed is 'corrected facts | 更正事实数';
comment on column bi.sources.quarantined is 'rows put into quarantine | 进入隔离区的行数';
comment on column bi.sources.held_last_night is 'the newest night did not rely on the source | 最近一夜暂停采信该数据源';
comment on view bi.loads is 'What each load of each stream did | 每个数据流每次加载的结果';
comment on column bi.loads.stream is 'stream of the source | 数据流';
comment on column bi.loads.load_id is 'number of the load | 加载编号';
comment on column bi.loads.loaded_at is 'when it was loaded | 加载时刻';
comment on column bi.loads.landed is 'rows landed | 落地行数';
comment on column bi.loads.new is 'new facts | 新增事实数';
comment on column bi.loads.changed is 'corrected facts | 更正事实数';
comment on column bi.loads.unchanged is 'rows that changed nothing | 无变化行数';
comment on column bi.loads.repeated is 'rows repeated within the load | 同批重复行数';
comment on column bi.loads.filtered is 'rows left out by the mapping | 按映射过滤的行数';
comment on column bi.loads.quarantined is 'rows put into quarantine | 进入隔离区的行数';
comment on column bi.loads.ended is 'keys that a snapshot no longer had | 快照中消失的键数';
comment on column bi.loads.history is 'it brought the history | 是否为历史首次加载';
comment on view bi.quarantine is 'How many rows wait, were loaded or were dropped, by reason | 隔离区各原因下等待、已加载、已丢弃的行数';
comment on column bi.quarantine.stream is 'stream of the source | 数据流';
comment on column bi.quarantine.reason is 'why | 原因';
comment on column bi.quarantine.field is 'field that was wrong | 有问题的字段';
comment on column bi.quarantine.state is 'where it stands | 状态';
comment on column bi.quarantine.rows is 'rows | 行数';
comment on column bi.quarantine.first_caught_at is 'first one caught | 最早进入时刻';
comment on column bi.quarantine.last_caught_at is 'last one caught | 最近进入时刻';
comment on view bi.tier_transitions is 'From which class to which customers went in each quarter | 每季度客户在各等级（分类）之间的流动';
comment on column bi.tier_transitions.quarter_begins is 'first day of the quarter | 季度首日';
comment on column bi.tier_transitions.scheme is 'tier, rfm or another division | 分类方案';
comment on column bi.tier_transitions.from_class is 'class at the beginning; empty: not known before | 期初分类；空为此前未知';
comment on column bi.tier_transitions.to_class is 'class at the end; empty: not known any more | 期末分类；空为不再存在';
comment on column bi.tier_transitions.upgraded is 'to a better class | 升级';
comment on column bi.tier_transitions.downgraded is 'to a worse class | 降级';
comment on column bi.tier_transitions.customers is 'customers looked at or counted | 客户数';
comment on column bi.tier_transitions.share_of_class is 'share of those who began in the class | 占期初同类客户的比例';
comment on view bi.concentration is 'How much of the money each customer brings, the largest first | 每位客户带来的金额占比，从大到小';
comment on column bi.concentration.day is 'the night''s day | 夜间运行对应的日期';
comment on column bi.concentration.customer_id is 'the customer''s id | 客户编号';
comment on column bi.concentration.place is 'place by money, 1 the largest | 按金额排名，1 为最大';
comment on column bi.concentration.customers_percent is 'percent of the customers up to here | 累计客户占比（%）';
comment on column bi.concentration.money is 'money in the window of the tier''s money metric | 等级金额指标的数值';
comment on column bi.concentration.money_percent is 'percent of all money | 金额占比（%）';
comment on column bi.concentration.money_percent_up_to_here is 'percent of all money up to here | 累计金额占比（%）';
comment on column bi.concentration.brings_80_percent is 'one of those who bring 80 percent | 属于带来 80% 金额的客户';

-- Who only reads reports. Where this role may not be made, somebody else makes it and grants the same.
do $$
begin
    if not exists (select from pg_roles where rolname = 'care_reader') then
        create role care_reader nologin;
    end if;
exception
    when insufficient_privilege or duplicate_object or unique_violation then null;
end $$;

do $$
begin
    if exists (select from pg_roles where rolname = 'care_reader') then
        grant usage on schema bi to care_reader;
        grant select on all tables in schema bi to care_reader;
        revoke execute on function bi.masters() from public;
        grant execute on function bi.masters() to care_reader;
        alter default privileges in schema bi grant select on tables to care_reader;
    end if;
exception
    when insufficient_privilege then null;
end $$;

-- In a warm-up, and outside a pilot, warnings are recorded and nobody acts: waits says why, live_at when it went live.
alter table care.warning add column live_at timestamptz;
alter table care.warning add column waits text check (waits in ('warm_up', 'pilot'));
update care.warning set live_at = opened_at;
alter table care.warning add check (waits is null or live_at is null);
create index warning_not_live on care.warning (warning_no) where live_at is null and closed_at is null;

alter table care.warning_event drop constraint warning_event_what_check;
alter table care.warning_event add constraint warning_event_what_check check (what in (
    'opened', 'rose', 'fell', 'changed', 'cleared', 'returned', 'closed', 'acknowledged', 'planned', 'handed_over', 'merged',
    'released'
));

-- When a person said that what has been recorded goes live: the backlog of that moment is released day by day.
create table care.go_live (
    at timestamptz primary key,
    by text not null
);

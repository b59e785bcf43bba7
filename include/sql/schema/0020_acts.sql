-- What people do with a warning: a plan, a result, and who of the management takes part at level 3.

alter table care.warning
    add column plan text,
    add column planned_at timestamptz,
    add column planned_by text references care.person,
    add column result_note text,
    add column manager_id text references care.person,
    add constraint warning_recovers_with_a_plan
        check (state <> 'recovered' or peak_level < 2 or plan is not null) not valid;

alter table care.warning_event drop constraint warning_event_what_check;
alter table care.warning_event add constraint warning_event_what_check check (what in (
    'opened', 'rose', 'fell', 'cleared', 'returned', 'closed', 'acknowledged', 'planned', 'handed_over', 'changed', 'merged'
));

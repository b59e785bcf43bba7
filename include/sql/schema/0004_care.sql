-- Warnings and what we do about them: people, warnings, cases, care tasks, notices, the outbox, the audit trail.

create table care.person (
    person_id text primary key,
    name text not null,
    manager_id text references care.person deferrable initially deferred,
    roles text[] not null,
    channels jsonb not null,
    active boolean not null
);

create table care.warning (
    warning_no bigint generated always as identity primary key,
    customer_no integer not null references care.customer,
    state text not null check (state in
        ('open', 'acknowledged', 'plan', 'in_care', 'cleared', 'recovered', 'lost', 'false_alarm', 'expired', 'merged')),
    level integer not null check (level between 0 and 3),
    peak_level integer not null check (peak_level between 1 and 3),
    owner_id text not null references care.person,
    tier text not null,
    value numeric,
    follows bigint references care.warning,
    opened_day date not null,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    cleared_day date,
    closed_at timestamptz,
    transition integer not null,
    reasons jsonb not null,
    judgement text not null references care.configuration,
    code_version text not null
);
create unique index warning_one_open on care.warning (customer_no) where closed_at is null;

create table care.warning_event (
    warning_no bigint not null references care.warning,
    transition integer not null,
    what text not null check (what in ('opened', 'rose', 'fell', 'cleared', 'returned', 'closed', 'acknowledged', 'handed_over', 'changed')),
    at timestamptz not null,
    day date not null,
    level integer not null,
    reasons jsonb not null,
    by text not null,
    primary key (warning_no, transition)
);

create table care.care_case (
    case_no bigint generated always as identity primary key,
    warning_no bigint not null unique references care.warning,
    started_at timestamptz not null,
    level integer not null,
    next_date date,
    closed_at timestamptz
);

-- A playbook that joined a case, as it was when it joined.
create table care.case_playbook (
    case_no bigint not null references care.care_case,
    playbook text not null,
    level integer not null,
    joined_at timestamptz not null,
    escalate_at timestamptz,
    escalated_at timestamptz,
    care text not null references care.configuration,
    copy jsonb not null,
    primary key (case_no, playbook)
);
create index case_playbook_due on care.case_playbook (escalate_at) where escalated_at is null;

create table care.care_task (
    task_no bigint generated always as identity primary key,
    case_no bigint not null references care.care_case,
    playbook text not null,
    step text not null,
    title jsonb not null,
    role text not null,
    owner_id text not null references care.person,
    state text not null default 'open' check (state in ('open', 'done', 'superseded', 'cancelled')),
    due_at timestamptz not null,
    next_step_at timestamptz,
    reminders integer not null default 0,
    created_at timestamptz not null,
    settled_at timestamptz,
    result jsonb,
    unique (case_no, playbook, step)
);
create index care_task_next on care.care_task (next_step_at) where state = 'open';
create index care_task_owner on care.care_task (owner_id) where state = 'open';

-- Why somebody was told of a transition of a warning or a step of a task, or was not: decided exactly once.
create table care.notice_decision (
    subject text not null,
    transition integer not null,
    receiver text not null,
    send boolean not null,
    reason text not null,
    decided_at timestamptz not null,
    outbox_key text,
    primary key (subject, transition, receiver)
);

create table care.outbox (
    key text primary key,
    kind text not null,
    receiver text not null,
    channel text not null,
    message jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'claimed', 'sent', 'failed', 'uncertain')),
    attempts integer not null default 0,
    not_before timestamptz not null,
    claimed_at timestamptz,
    settled_at timestamptz,
    answer text,
    created_at timestamptz not null
);
create index outbox_waiting on care.outbox (not_before) where state in ('waiting', 'claimed');

-- What a quarter's warnings were worth: the numbers and the report as it was read.
create table care.review (
    quarter text primary key,
    first_day date not null,
    end_day date not null,
    event_cut timestamptz not null,
    knowledge_cut timestamptz not null,
    judgement text not null references care.configuration,
    numbers jsonb not null,
    report text not null,
    reviewed_at timestamptz not null
);

create table care.audit (
    audit_no bigint generated always as identity primary key,
    at timestamptz not null,
    by text not null,
    what text not null,
    subject text not null,
    detail jsonb not null
);

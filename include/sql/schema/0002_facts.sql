-- Facts: one table a kind, every row with two times. The columns follow carewatch/spec/facts.py (held together by a test).

create table care.fact_customer (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    name text,
    industry text,
    region text,
    country text,
    segment text,
    owner text,
    credit_limit numeric,
    profit_rate numeric,
    benchmark boolean,
    email text,
    phone text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_customer_open on care.fact_customer (origin, source_key) where known_to is null;
create index fact_customer_event_at on care.fact_customer using brin (event_at) with (pages_per_range = 32);
create index fact_customer_party on care.fact_customer (party_no, event_at);

create table care.fact_contact_event (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    contact text not null,
    what text not null,
    name text,
    role text,
    decision_maker boolean,
    main boolean,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_contact_event_open on care.fact_contact_event (origin, source_key) where known_to is null;
create index fact_contact_event_event_at on care.fact_contact_event using brin (event_at) with (pages_per_range = 32);
create index fact_contact_event_party on care.fact_contact_event (party_no, event_at);

create table care.fact_contract_event (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    contract text not null,
    what text not null,
    ends_on date,
    notice_on date,
    amount numeric,
    amount_original numeric,
    currency text,
    line text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_contract_event_open on care.fact_contract_event (origin, source_key) where known_to is null;
create index fact_contract_event_event_at on care.fact_contract_event using brin (event_at) with (pages_per_range = 32);
create index fact_contract_event_party on care.fact_contract_event (party_no, event_at);

create table care.fact_order (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    order_no text,
    kind text,
    amount numeric,
    amount_original numeric,
    currency text,
    line text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_order_open on care.fact_order (origin, source_key) where known_to is null;
create index fact_order_event_at on care.fact_order using brin (event_at) with (pages_per_range = 32);
create index fact_order_party on care.fact_order (party_no, event_at);

create table care.fact_order_line (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    order_no text,
    kind text,
    product text,
    quantity numeric,
    amount numeric,
    amount_original numeric,
    currency text,
    line text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_order_line_open on care.fact_order_line (origin, source_key) where known_to is null;
create index fact_order_line_event_at on care.fact_order_line using brin (event_at) with (pages_per_range = 32);
create index fact_order_line_party on care.fact_order_line (party_no, event_at);

create table care.fact_interaction (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    what text not null,
    channel text,
    direction text,
    invited boolean,
    attended boolean,
    decision_maker boolean,
    tone text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_interaction_open on care.fact_interaction (origin, source_key) where known_to is null;
create index fact_interaction_event_at on care.fact_interaction using brin (event_at) with (pages_per_range = 32);
create index fact_interaction_party on care.fact_interaction (party_no, event_at);

create table care.fact_ticket (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    ticket_no text not null,
    priority text,
    complaint boolean,
    line text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_ticket_open on care.fact_ticket (origin, source_key) where known_to is null;
create index fact_ticket_event_at on care.fact_ticket using brin (event_at) with (pages_per_range = 32);
create index fact_ticket_party on care.fact_ticket (party_no, event_at);

create table care.fact_ticket_event (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    ticket_no text not null,
    what text not null,
    elapsed bigint,
    complaint boolean,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_ticket_event_open on care.fact_ticket_event (origin, source_key) where known_to is null;
create index fact_ticket_event_event_at on care.fact_ticket_event using brin (event_at) with (pages_per_range = 32);
create index fact_ticket_event_party on care.fact_ticket_event (party_no, event_at);

create table care.fact_survey (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    score numeric not null,
    score_original numeric,
    scale text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_survey_open on care.fact_survey (origin, source_key) where known_to is null;
create index fact_survey_event_at on care.fact_survey using brin (event_at) with (pages_per_range = 32);
create index fact_survey_party on care.fact_survey (party_no, event_at);

create table care.fact_invoice (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    invoice_no text not null,
    amount numeric,
    amount_original numeric,
    currency text,
    due_on date,
    line text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_invoice_open on care.fact_invoice (origin, source_key) where known_to is null;
create index fact_invoice_event_at on care.fact_invoice using brin (event_at) with (pages_per_range = 32);
create index fact_invoice_party on care.fact_invoice (party_no, event_at);

create table care.fact_payment (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    invoice_no text,
    amount numeric,
    amount_original numeric,
    currency text,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_payment_open on care.fact_payment (origin, source_key) where known_to is null;
create index fact_payment_event_at on care.fact_payment using brin (event_at) with (pages_per_range = 32);
create index fact_payment_party on care.fact_payment (party_no, event_at);

create table care.fact_usage_day (
    fact_no bigint generated always as identity,
    party_no integer not null references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    logins bigint,
    active_users bigint,
    seconds bigint,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_usage_day_open on care.fact_usage_day (origin, source_key) where known_to is null;
create index fact_usage_day_event_at on care.fact_usage_day using brin (event_at) with (pages_per_range = 32);
create index fact_usage_day_party on care.fact_usage_day (party_no, event_at);

create table care.fact_market_event (
    fact_no bigint generated always as identity,
    party_no integer references care.party,
    origin text not null,
    source_key text not null,
    event_at timestamptz not null,
    event_day date not null,
    known_from timestamptz not null,
    known_to timestamptz,
    known_assumed boolean not null default false,
    row_hash text not null,
    load_id text not null,
    what text not null,
    industry text,
    country text,
    price_gap numeric,
    title text,
    expires_on date,
    check (known_to is null or known_to >= known_from)
);
create unique index fact_market_event_open on care.fact_market_event (origin, source_key) where known_to is null;
create index fact_market_event_event_at on care.fact_market_event using brin (event_at) with (pages_per_range = 32);
create index fact_market_event_party on care.fact_market_event (party_no, event_at);

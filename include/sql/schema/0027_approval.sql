-- Which judgements the strategic layer has approved. stood_at: when the judgement last came into force; of the approved
-- ones the newest is what a night falls back on.
create table care.configuration_approval (
    fingerprint text primary key references care.configuration,
    state text not null check (state in ('proposed', 'approved', 'rejected')),
    proposed_at timestamptz not null,
    plan text,
    by text,
    at timestamptz,
    why text,
    stood_at timestamptz
);

-- Nights that were held, and which revision of a night to read.

-- What a held night would have done: how many of its customers would have risen, to which levels, by which rules.
create table care.hold (
    night bigint primary key references care.night (night_no),
    at timestamptz not null,
    customers integer not null,
    rising integer not null,
    levels jsonb not null,
    rules jsonb not null
);

-- Each day's night as it was last restated: what trends and pages read.
create view care.newest_night as
select distinct on (day)
    night_no, day, revision, event_cut, knowledge_cut, judgement, care, code_version, notifies, late_sources, opened_at, sealed_at
from care.night
where state = 'sealed'
order by day, revision desc;

-- How soon somebody should look at a warning, and by what warnings of one priority are ordered: risk x value at stake.

alter table care.warning
    add column priority text not null default 'low' check (priority in ('low', 'medium', 'high')),
    add column risk float8 not null default 1 check (risk between 0 and 1);
update care.warning set priority = case level when 3 then 'high' when 2 then 'medium' else 'low' end;
alter table care.warning alter column priority drop default, alter column risk drop default;
alter table care.warning_event add column priority text;

-- A signal that a person dealt with by closing its warning counts for no level up to this day.
alter table care.signal add column settled_until date;

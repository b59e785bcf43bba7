-- Loading: what conform needs beside the facts. Landed values are text; the care.read_* functions read them and answer
-- null, never an error, for what cannot be read. They are stable and not strict so that the planner can inline them.

-- When the source says this version was written: among versions of one key the newest wins, in whatever order they
-- arrive. Null in streams that declare no changed_at: there the later load wins.
do $$
declare
    fact record;
begin
    for fact in
        select tablename from pg_tables where schemaname = 'care' and tablename like 'fact\_%' order by tablename
    loop
        execute format('alter table care.%I add column changed_at timestamptz', fact.tablename);
    end loop;
end $$;

-- read_at: the moment up to which the source had been read. history: the first load that brought rows; what it
-- brought is believed from its own time on, not from the load's.
alter table care.load add column read_at timestamptz;
alter table care.load add column history boolean not null default false;
create index load_loaded_at on care.load (origin, loaded_at desc);

-- The moment from which a load's rows are believed; asked under the lock `facts`. A clock that steps back, or stands
-- still as a demo's does, must not put a fact before a knowledge cut that was already taken.
create function care.facts_clock() returns timestamptz language sql volatile as
$$ select greatest(care.clock(), (select max(knowledge_cut) + interval '1 microsecond' from care.night)) $$;

-- How much of the firm's currency one unit was worth on a day; a day without a rate takes the last one, 31 days at most.
create table care.fx_rate (
    currency text not null,
    day date not null,
    rate numeric not null check (rate > 0),
    primary key (currency, day)
);

create function care.in_firm_currency(amount numeric, currency text, day date, firm_currency text)
returns numeric language sql stable parallel safe as
$$ select case when amount is null or currency is null or upper(currency) = upper(firm_currency) then amount
    else amount * (
        select r.rate from care.fx_rate r
        where r.currency = upper($2) and r.day <= $3 and r.day > $3 - 31
        order by r.day desc limit 1
    ) end $$;

-- A text without the blanks around it, null when nothing is left.
create function care.read_text(value text) returns text language sql stable parallel safe as
$$ select nullif(btrim(value, E' \t\r\n\u00a0\u3000'), '') $$;

create function care.read_odd_number(value text, comma boolean) returns numeric language plpgsql stable parallel safe as $$
declare
    plain text := case when comma then translate(value, ',.', '.,') else value end;
begin
    if plain ~ '^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$' then
        plain := replace(plain, ',', '');
    end if;
    if length(plain) <= 60 and plain ~ '^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$' then
        return trim_scale(plain::numeric);
    end if;
    return null;
end $$;

-- A number: optional sign, digits, a fraction, an exponent; well-formed groups of thousands. `comma` is the decimal sign
-- of the source: then the point groups thousands.
create function care.read_number(value text, comma boolean) returns numeric language sql stable parallel safe as
$$ select case
    when value is null then null
    when not comma and length(value) <= 60 and value ~ '^-?\d+(\.\d+)?$' then trim_scale(value::numeric)
    else care.read_odd_number(btrim(value, E' \t\r\n\u00a0\u3000'), comma) end $$;

create function care.read_flag(value text) returns boolean language sql stable parallel safe as
$$ select case lower(btrim(value))
    when 'true' then true when 't' then true when 'yes' then true when 'y' then true when '1' then true when '是' then true
    when 'false' then false when 'f' then false when 'no' then false when 'n' then false when '0' then false when '否' then false
    end $$;

create function care.read_odd_instant(value text, zone text, dates text) returns timestamptz language plpgsql stable parallel safe as $$
declare
    spaced constant text := replace(value, 'T', ' ');
    date_said constant text := rtrim(translate(split_part(spaced, ' ', 1), '/.年月', '----'), '日');
    time_said constant text := ltrim(substr(spaced, length(split_part(spaced, ' ', 1)) + 1));
    part text[] := string_to_array(date_said, '-');
    day_said date;
begin
    if date_said ~ '^\d{8}$' then
        part := array[left(date_said, 4), substr(date_said, 5, 2), right(date_said, 2)];
    elsif dates <> 'ymd' and date_said ~ '^\d{1,2}-\d{1,2}-\d{4}$' then
        part := case dates when 'dmy' then array[part[3], part[2], part[1]] else array[part[3], part[1], part[2]] end;
    elsif date_said !~ '^\d{4}-\d{1,2}-\d{1,2}$' then
        return null;
    end if;
    if part[1]::integer < 1 or part[2]::integer not between 1 and 12 or part[3]::integer not between 1 and 31 then
        return null;
    end if;
    day_said := make_date(part[1]::integer, part[2]::integer, 1) + (part[3]::integer - 1);
    if extract(month from day_said) <> part[2]::integer then
        return null;
    end if;
    if time_said = '' then
        return day_said::timestamp at time zone zone;
    elsif time_said ~ '^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?$' then
        return (day_said + time_said::time) at time zone zone;
    elsif time_said ~ '^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)? ?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)$' then
        return (to_char(day_said, 'YYYY-MM-DD ') || time_said)::timestamptz;
    end if;
    return null;
end $$;

-- A moment. Without an offset it is a time of `zone`; a date alone is its local midnight. `dates` says in which order
-- year, month and day stand (ymd, dmy, mdy). The first two branches are the common ISO forms, read without PL/pgSQL.
create function care.read_instant(value text, zone text, dates text) returns timestamptz language sql stable parallel safe as
$$ select case
    when value is null then null
    when value ~ '^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?$'
        then value::timestamp at time zone zone
    when value ~ '^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)$'
        then value::timestamptz
    else care.read_odd_instant(btrim(value, E' \t\r\n\u00a0\u3000'), zone, dates) end $$;

-- A day as it stands in the source; of a moment with an offset, its day in `zone`.
create function care.read_day(value text, zone text, dates text) returns date language sql stable parallel safe as
$$ select (care.read_instant(value, zone, dates) at time zone zone)::date $$;

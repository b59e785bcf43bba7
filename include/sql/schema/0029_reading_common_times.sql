-- The common forms of a moment are told by looking their parts up, which costs less than half of a regular expression; and
-- the last days of a month are no longer read the slow way. What is read, and as what, stays the same.
do $do$
declare
    years constant text[] := array(select year::text from generate_series(1900, 2099) year order by 1);
    days constant text[] := array(
        select to_char(day, '-MM-DD') from generate_series(timestamp '2023-01-01', '2023-12-31', '1 day') day order by 1
    );
    hours constant text[] := array(select to_char(hour, 'FM00') from generate_series(0, 23) hour);
    minutes constant text[] := array(select to_char(minute, 'FM00') from generate_series(0, 59) minute);
    date_form constant text :=
        '[1-9]\d{3}-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)';
    time_form constant text := '([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?';
begin
    execute format($function$
create or replace function care.read_instant(value text, zone text, dates text)
returns timestamptz language sql stable parallel safe as
$$ select case
    when value is null then null
    when left(value, 4) = any (%1$L::text[]) and substr(value, 5, 6) = any (%2$L::text[]) and (
        octet_length(value) = 10
        or value like '__________ __:__:__' and substr(value, 12, 2) = any (%3$L::text[])
            and substr(value, 15, 2) = any (%4$L::text[]) and substr(value, 18, 2) = any (%4$L::text[])
    ) then value::timestamp at time zone zone
    when value ~ %5$L then value::timestamp at time zone zone
    when value ~ %6$L then value::timestamptz
    else care.read_odd_instant(btrim(value, E' \t\r\n\u00a0\u3000'), zone, dates) end $$
$function$,
        years, days, hours, minutes,
        '^' || date_form || '([ T]' || time_form || ')?$',
        '^' || date_form || '[ T]' || time_form || '(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)$'
    );
end $do$;

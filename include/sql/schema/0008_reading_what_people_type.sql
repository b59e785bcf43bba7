-- Numbers and times as people type them. The common forms are still read by care.read_number and care.read_instant
-- themselves; only what those do not know comes here.

-- A number with a sign of money (¥, RMB, CNY, 人民币, 元: they say nothing of the currency, whose column does), with 千, 万,
-- 亿 or %, in full width, or in brackets when it is negative. 30% is 30.
create or replace function care.read_odd_number(value text, comma boolean) returns numeric language plpgsql stable parallel safe as $$
declare
    plain text := value;
    said text;
    times numeric := 1;
begin
    if plain ~ '[^0-9.,eE+-]' then
        plain := replace(normalize(plain, nfkc), U&'\2212', '-');
        plain := regexp_replace(plain, '\s*(%|元整?|RMB|CNY)$', '', 'i');
        plain := regexp_replace(plain, '^([(+-]*)\s*(¥|RMB|CNY|人民币)\s*', '\1', 'i');
        if plain ~ '^\(.*\)$' then
            plain := regexp_replace(btrim(plain, '()'), '^(¥|RMB|CNY|人民币)\s*', '', 'i');
            if plain ~ '^[+-]' then
                return null;
            end if;
            times := -1;
        end if;
        said := substring(plain from '\d\s*(千|百万|千万|万亿|万|亿)$');
        if said is not null then
            plain := rtrim(left(plain, -length(said)));
            times := times * case said
                when '千' then 1e3 when '万' then 1e4 when '百万' then 1e6 when '千万' then 1e7 when '亿' then 1e8 else 1e12 end;
        end if;
    end if;
    if comma then
        plain := translate(plain, ',.', '.,');
    end if;
    if plain ~ '^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$' then
        plain := replace(plain, ',', '');
    end if;
    if length(plain) <= 60 and plain ~ '^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$' then
        return trim_scale(plain::numeric * times);
    end if;
    return null;
end $$;

-- A moment in another than the common ISO forms: with / or . or 年月日, 14时30分, as Excel counts days (45909 is
-- 2025-09-09), or a week (2025-W37, 2025年第37周: its Monday). A date without a year is none.
create or replace function care.read_odd_instant(value text, zone text, dates text) returns timestamptz language plpgsql stable parallel safe as $$
declare
    even constant text := case when value ~ '[^ -~年月日]' then normalize(value, nfkc) else value end;
    spaced constant text := regexp_replace(replace(even, 'T', ' '), '日\s*(?=\d)', '日 ');
    date_said constant text := rtrim(translate(split_part(spaced, ' ', 1), '/.年月', '----'), '日');
    time_said text := ltrim(substr(spaced, length(split_part(spaced, ' ', 1)) + 1));
    part text[] := string_to_array(date_said, '-');
    day_said date;
begin
    if even ~ '^\d{5}(\.\d{1,15})?$' then
        if even::numeric not between 10000 and 99999 then
            return null;
        end if;
        return (timestamp '1899-12-30' + round(even::numeric * 86400) * interval '1 second') at time zone zone;
    end if;
    if even ~ '^\d{4}(-?W\d{2}|年?第\d{1,2}周)$' then
        part := regexp_match(even, '^(\d{4})\D*(\d{1,2})周?$');
        if part[1]::integer < 1 or part[2]::integer not between 1 and 53 then
            return null;
        end if;
        day_said := to_date(part[1] || '-' || part[2], 'IYYY-IW');
        if extract(isoyear from day_said) <> part[1]::integer then
            return null;
        end if;
        return day_said::timestamp at time zone zone;
    end if;
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
    if time_said ~ '^\d{1,2}[时点](\d{1,2}分?)?(\d{1,2}秒)?$' then
        part := regexp_match(time_said, '^(\d{1,2})[时点](?:(\d{1,2})分?)?(?:(\d{1,2})秒)?$');
        time_said := part[1] || ':' || lpad(coalesce(part[2], '0'), 2, '0') || ':' || lpad(coalesce(part[3], '0'), 2, '0');
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

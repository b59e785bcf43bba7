-- Exchange rates are facts like others, known from and until a moment; care.fact_fx_rate is their only place.

insert into care.fact_fx_rate (
    origin, source_key, event_at, event_day, known_from, known_assumed, row_hash, load_id, currency, rate
)
select
    'care.fx_rate', currency || '/' || day, day::timestamp at time zone 'UTC', day, care.facts_clock(), true, '', 'migration',
    upper(currency), rate
from care.fx_rate;

create index fact_fx_rate_newest on care.fact_fx_rate (currency, event_day desc, fact_no desc) where known_to is null;

-- An amount in the firm's currency by the rate of the day, or the last one before it, 31 days old at most; null without.
create or replace function care.in_firm_currency(amount numeric, currency text, day date, firm_currency text)
returns numeric language sql stable parallel safe as
$$ select case when amount is null or currency is null or upper(currency) = upper(firm_currency) then amount
    else amount * (
        select r.rate from care.fact_fx_rate r
        where r.currency = upper($2) and r.known_to is null and r.event_day <= $3 and r.event_day >= $3 - 31
        order by r.event_day desc, r.fact_no desc limit 1
    ) end $$;

drop table care.fx_rate;

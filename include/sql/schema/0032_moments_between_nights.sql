-- What a tick raised between nights is computed again as it was: the moment at which the tick looked at events, and the night
-- whose numbers it took beside them; a signal that a night opened has neither. One that went along with a customer who went
-- into another is computed again for the customer whom it was raised for.
alter table care.signal
    add column raised_at timestamptz, add column raised_on bigint references care.night (night_no),
    add column raised_for integer references care.customer (customer_no),
    add check ((raised_at is null) = (raised_on is null));

-- Signals of earlier ticks: the event was news by then, and came after what the night of its day could see.
update care.signal s
set raised_at = news.at, raised_on = news.night_no
from (
    select s.signal_no, greatest(s.known_at, s.event_at + interval '1 microsecond') as at, n.night_no
    from care.signal s
    join lateral (
        select night_no
        from care.night n
        where n.revision = 0 and n.sealed_at <= greatest(s.known_at, s.event_at)
        order by n.day desc limit 1
    ) n on true
    left join care.night own on own.day = s.opened_day and own.revision = 0
    where s.known_at is not null
        and (own.night_no is null or s.event_at >= own.event_cut or s.known_at > own.knowledge_cut)
) news
where news.signal_no = s.signal_no;

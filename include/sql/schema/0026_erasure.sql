-- Erasing a customer: who was erased, under which keys nobody is to come back, and how values lose their meaning.

alter table care.customer add column erased_at timestamptz;
alter table care.party add column erased_at timestamptz;

-- Landed rows that were dropped because their customer is erased; `filtered` counts them too.
alter table care.load add column erased bigint not null default 0;

alter table care.warning drop constraint warning_state_check;
alter table care.warning add constraint warning_state_check check (state in (
    'open', 'acknowledged', 'plan', 'in_care', 'cleared', 'recovered', 'lost', 'false_alarm', 'expired', 'merged', 'erased'
));
alter table care.outbox drop constraint outbox_state_check;
alter table care.outbox add constraint outbox_state_check check (state in (
    'waiting', 'claimed', 'sent', 'failed', 'uncertain', 'cancelled'
));

-- HMAC-SHA256 (RFC 2104) with a secret of this warehouse: its two padded keys.
create table care.erasure_secret (
    only_row boolean primary key default true check (only_row),
    inner_key bytea not null,
    outer_key bytea not null
);

-- The keys under which erased customers were known: enough to know one that comes again, not to read one.
create table care.erased_key (
    digest bytea primary key,
    erased_at timestamptz not null
);

create function care.erasure_digest(key_space text, key text) returns bytea language sql stable strict parallel safe as
$$ select sha256(s.outer_key || sha256(s.inner_key || convert_to(key_space || ':' || key, 'UTF8'))) from care.erasure_secret s $$;

create function care.is_erased(key_space text, key text) returns boolean language sql stable parallel safe as
$$ select exists (select from care.erased_key k where k.digest = care.erasure_digest(key_space, key)) $$;

-- What a value becomes that must go on telling rows apart: a digest under a salt that lives for one transaction only.
create function care.pseudonym(value text) returns text language sql stable strict parallel safe as
$$ select 'erased-' || left(encode(sha256(convert_to(current_setting('care.erasure_salt') || value, 'UTF8')), 'hex'), 24) $$;

-- Evidence without its words: numbers, flags, colour and tier stay.
create function care.without_words(evidence jsonb) returns jsonb language sql immutable parallel safe as
$$ select coalesce(jsonb_object_agg(e.key, e.value) filter (
    where jsonb_typeof(e.value) in ('number', 'boolean', 'null') or e.key in ('colour', 'tier')
), '{}') from jsonb_each(evidence) e $$;

-- The reasons of a warning without words about the customer: which rules, since when, how bad.
create function care.reasons_without_words(reasons jsonb) returns jsonb language sql immutable parallel safe as
$$ select coalesce(jsonb_agg(
    r.value || jsonb_build_object(
        'text', jsonb_build_object('en', 'erased', 'zh-CN', '已删除'),
        'evidence', care.without_words(coalesce(r.value -> 'evidence', '{}'))
    ) order by r.ordinality
), '[]') from jsonb_array_elements(reasons) with ordinality r $$;

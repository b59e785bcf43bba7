"""Answer the question: what is left of a customer who must be forgotten?

Numbers, days and counts under a pseudonym that nobody can trace back: reviews, health and warnings still add up. Everything
that names or describes is emptied, wherever the registry in `store/personal.py` says that it may stand. All of it is one
transaction; the salt behind the pseudonyms ends with it.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from carewatch.spec.facts import FACTS, Erased, Fact
from carewatch.spec.saying import said
from carewatch.spec.sources import TYPED, Sources
from carewatch.store import erased_landing
from carewatch.store.database import Connection
from carewatch.store.live_warnings import end_cases
from carewatch.store.locks import Lock, hold, hold_for

_LEAST: Final = 3
"""Shorter texts are not searched for inside other texts: they stand in too many that mean something else."""
_BLOCK: Final = 64


class NamesTheCustomer(ValueError):
    """The reason given for an erasure would keep what it erases."""


def lock(connection: Connection, sources: Sources) -> None:
    """Wait until nobody checks, conforms, identifies or acts, and keep it so until the transaction ends."""
    hold(connection, Lock.CHECKS)
    landed = connection.execute(
        "select substr(nspname, 5) from pg_namespace where nspname like 'raw\\_%'"
    ).fetchall()
    for name in sorted({*sources.sources, TYPED, *(row[0] for row in landed)}):
        hold_for(connection, Lock.CONFORM, name)
    hold(connection, Lock.FACTS)
    hold(connection, Lock.CARE_STATE)


def erased_before(connection: Connection, customer_id: str) -> datetime | None:
    """Return when a customer was erased, asked by the pseudonym or the id it had; None when it was not."""
    row = connection.execute(
        "select (select erased_at from care.customer where customer_id = %(id)s), "
        "(select k.erased_at from care.erased_key k where k.digest = care.erasure_digest('', %(id)s))",
        {"id": customer_id},
    ).fetchone()
    return None if row is None else row[0] or row[1]


def make_secret(connection: Connection) -> None:
    """Make this warehouse's secret, once: the two padded keys of HMAC-SHA256."""
    key = secrets.token_bytes(_BLOCK)
    connection.execute(
        "insert into care.erasure_secret (inner_key, outer_key) values (%s, %s) on conflict do nothing",
        (bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)),
    )


def erase(
    connection: Connection, sources: Sources, customer_no: int, *, by: str, why: str, day: date
) -> tuple[str, Counter[str]]:
    """Erase a customer, inside a transaction that holds the locks; return the pseudonym and how many rows by table.

    Raises NamesTheCustomer when `why` holds a name or key of it. `day` is the firm's own.
    """
    row = connection.execute("select greatest(care.clock(), care.facts_clock())").fetchone()
    assert row is not None
    values = {"no": customer_no, "by": by, "now": row[0], "day": day}
    _gather(connection, sources, values)
    words = _words(connection)
    if any(re.search(_bounded(word), why, re.IGNORECASE) for word in words):
        raise NamesTheCustomer(
            said("--why names the customer, and is kept; say it without names, keys or addresses")
        )
    make_secret(connection)
    done = erased_landing.blank(connection, sources)
    for table, statement in _STATEMENTS:
        done[table] += connection.execute(statement.encode(), values if "%(" in statement else None).rowcount
    end_cases(connection, values["now"])
    done["care.outbox"] += _rewrite_messages(connection, words)
    done["care.review"] += _rewrite_reviews(connection)
    for fact in FACTS.values():
        done[f"care.fact_{fact.name}"] += connection.execute(_of_fact(fact).encode()).rowcount
    for table, statement in _IDENTITY:
        done[table] += connection.execute(statement.encode(), values if "%(" in statement else None).rowcount
    pseudonym = _pseudonym(connection, customer_no)
    counts = Counter({table: count for table, count in sorted(done.items()) if count})
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, 'erased', %s, %s)",
        (values["now"], by, f"customer:{pseudonym}", Jsonb({"why": why, "rows": counts})),
    )
    return pseudonym, counts


def reports_to_write_again(connection: Connection) -> list[str]:
    """Return the runs whose page of check results names the customer that is being erased."""
    rows = connection.execute(
        "select run_id from care.check_report r where exists (select from erasing_word w where r.html ~ w.pattern) order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def replace_report(connection: Connection, run_id: str, html: str | None) -> None:
    """Put a page in place of a run's, or drop it when nothing is known of the run any more."""
    if html is None:
        connection.execute("delete from care.check_report where run_id = %s", (run_id,))
    else:
        connection.execute("update care.check_report set html = %s where run_id = %s", (html, run_id))


def _gather(connection: Connection, sources: Sources, values: Mapping[str, Any]) -> None:
    """Make the temporary tables of whom and what to erase."""
    connection.execute(
        "select set_config('care.erasure_salt', gen_random_uuid()::text || gen_random_uuid()::text, true)"
    )
    connection.execute(
        "drop table if exists pg_temp.erasing_customer, pg_temp.erasing_party, pg_temp.erasing_key, pg_temp.erasing_word, "
        "pg_temp.erasing_subject, pg_temp.erasing_space, pg_temp.erasing_landed, pg_temp.erasing_quarantined"
    )
    keys = " union all ".join(
        f"select f.origin, f.source_key from {fact.table} f join erasing_party using (party_no)" for fact in FACTS.values()
    )  # fmt: skip
    described = " union ".join(
        f"select btrim(f.{column.name}) from {fact.table} f join erasing_party using (party_no)"
        for fact in FACTS.values()
        for column in fact.columns
        if column.erased is Erased.GONE
    )
    for statement in (
        "create temp table erasing_customer on commit drop as select customer_no, customer_id from care.customer "
        "where customer_no = %(no)s or customer_no in (select customer_no from care.absorbed where into_no = %(no)s)",
        "create temp table erasing_party on commit drop as select p.party_no, p.key_space, p.customer_key from care.party p "
        "join care.identity i using (party_no) where i.known_to is null and i.customer_no = %(no)s",
        f"create temp table erasing_key on commit drop as {keys}",
        "create index on erasing_key (origin, source_key)",
        # A key may be short and stand alone in a cell; what is searched for inside texts has to tell something.
        "create temp table erasing_word on commit drop as select word, length(word) >= "
        f"{_LEAST} as telling, '(^|[^[:alnum:]])' || regexp_replace(word, '([^[:alnum:]])', '\\\\\\1', 'g') "
        "|| '($|[^[:alnum:]])' as pattern from ("
        "select customer_id as word from erasing_customer union select customer_key from erasing_party union "
        f"{described}) w where word <> ''",
        "create temp table erasing_subject on commit drop as "
        "select 'customer:' || customer_id as subject from erasing_customer "
        "union all select 'warning:' || warning_no from care.warning join erasing_customer using (customer_no) "
        "union all select 'signal:' || signal_no from care.signal join erasing_customer using (customer_no) "
        "union all select 'case:' || case_no from care.care_case join care.warning using (warning_no) "
        "join erasing_customer using (customer_no) "
        "union all select 'task:' || task_no from care.care_task join care.care_case using (case_no) "
        "join care.warning using (warning_no) join erasing_customer using (customer_no)",
        "create temp table erasing_space (source text, key_space text) on commit drop",
    ):
        connection.execute(statement.encode(), values if "%(" in statement else None)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into erasing_space values (%s, %s)",
            [(name, source.key_space or name) for name, source in sources.sources.items()],
        )


def _words(connection: Connection) -> list[str]:
    """Return what names or describes the customer, the longest first."""
    rows = connection.execute(
        "select word from erasing_word where telling order by length(word) desc, word"
    ).fetchall()
    return [row[0] for row in rows]


def _bounded(word: str) -> str:
    return rf"(?<!\w){re.escape(word)}(?!\w)"


def _pseudonym(connection: Connection, customer_no: int) -> str:
    row = connection.execute(
        "select customer_id from care.customer where customer_no = %s", (customer_no,)
    ).fetchone()
    assert row is not None
    return str(row[0])


_THEIRS = "customer_no in (select customer_no from erasing_customer)"
_WARNINGS = f"warning_no in (select warning_no from care.warning where {_THEIRS})"
_SPACE = "coalesce((select s.key_space from erasing_space s where s.source = split_part(q.origin, '.', 1)), split_part(q.origin, '.', 1))"
_ANSWER = "'the customer was erased'"
_SAMPLE_NAMES = """
    exists (
        select from (select s.value ->> 'key' as said union all select v.value from jsonb_each_text(s.value -> 'values') v) one
        where one.said in (select word from erasing_word)
            or (r.source || '.' || r.stream, one.said) in (select origin, source_key from erasing_key)
    )
"""
_LINKED = """
    select o.key from care.outbox o
    where o.key in (select d.outbox_key from care.notice_decision d join erasing_subject using (subject))
        or split_part(o.key, '/', 4) in (select subject from erasing_subject)
        or (o.message ->> 'customer_no')::integer in (select customer_no from erasing_customer)
"""
_SAME = "(split_part({0}.key, '/', 1), split_part({0}.key, '/', 2), split_part({0}.key, '/', 4), split_part({0}.key, '/', 5))"
"""A message without its channel."""

_STATEMENTS: Final = (
    (
        "quarantine.row",
        f"""
        with found as (
            select q.row_no from quarantine.row q
            where ({_SPACE}, q.data ->> '_customer') in (select key_space, customer_key from erasing_party)
                or (q.origin, q.source_key) in (select origin, source_key from erasing_key)
                or q.data ->> '_customer' is null and exists (
                    select from erasing_word w
                    where w.telling and concat_ws(' ', q.source_key, q.value, q.data::text) ~ w.pattern
                )
        ),
        emptied as (
            update quarantine.row q
            set source_key = null, place = null, value = null, data = '{{}}',
                settled_at = case when q.state = 'waiting' then %(now)s else q.settled_at end,
                settled_by = case when q.state = 'waiting' then %(by)s else q.settled_by end,
                settled_why = 'erased',
                state = case when q.state = 'waiting' then 'dropped' else q.state end
            from found where q.row_no = found.row_no
            returning q.row_no
        )
        insert into erasing_subject select 'quarantine:' || row_no from emptied
        """,
    ),
    (
        "quarantine.held",
        "delete from quarantine.held h using erasing_landed l "
        "where (h.origin, h.load_id, h.landed_row) = (l.origin, l.load_id, l.landed_row)",
    ),
    (
        "care.check_result",
        f"""
        update care.check_result r
        set samples = (
            select coalesce(jsonb_agg(s.value order by s.ordinality), '[]')
            from jsonb_array_elements(r.samples) with ordinality s where not {_SAMPLE_NAMES}
        )
        where exists (select from jsonb_array_elements(r.samples) s where {_SAMPLE_NAMES})
        """,
    ),
    ("care.signal", f"delete from care.signal where state = 'pending' and {_THEIRS}"),
    (
        "care.signal",
        f"""
        update care.signal
        set evidence = care.without_words(evidence),
            fact_key = split_part(fact_key, '/', 1) || '/' || care.pseudonym(substr(fact_key, length(split_part(fact_key, '/', 1)) + 2)),
            closed_day = case when state = 'closed' then closed_day else %(day)s end, state = 'closed'
        where {_THEIRS}
        """,
    ),
    (
        "care.warning",
        f"""
        update care.warning
        set reasons = care.reasons_without_words(reasons),
            plan = case when plan is not null then 'erased' end,
            result_note = case when result_note is not null then 'erased' end
        where {_THEIRS}
        """,
    ),
    ("care.warning_event", f"update care.warning_event set reasons = care.reasons_without_words(reasons) where {_WARNINGS}"),
    (
        "care.warning_event",
        f"""
        with closed as (
            update care.warning
            set state = 'erased', level = 0, closed_at = %(now)s, changed_at = %(now)s, transition = transition + 1
            where closed_at is null and {_THEIRS}
            returning warning_no, transition, priority, reasons
        )
        insert into care.warning_event (warning_no, transition, what, at, day, level, priority, reasons, by, between_nights)
        select warning_no, transition, 'closed', %(now)s, %(day)s, 0, priority, reasons, %(by)s, true from closed
        """,
    ),
    (
        "care.notice_decision",
        f"""
        insert into care.notice_decision (subject, transition, receiver, send, reason, decided_at)
        select 'warning:' || e.warning_no, e.transition, w.owner_id, false, {_ANSWER}, %(now)s
        from care.warning_event e join care.warning w using (warning_no)
        where w.{_THEIRS} and not exists (
            select from care.notice_decision d where d.subject = 'warning:' || e.warning_no and d.transition = e.transition
        )
        """,
    ),
    (
        "care.care_task",
        "update care.care_task set result = '{\"erased\": true}' where result is not null and case_no in "
        f"(select case_no from care.care_case where {_WARNINGS})",
    ),
    (
        "care.outbox",
        f"""
        update care.outbox o
        set message = jsonb_build_object(
                'erased', true, 'kind', o.message -> 'kind', 'connection', o.message -> 'connection', 'to', o.message -> 'to'),
            answer = case when o.state = 'sent' then null else {_ANSWER} end,
            state = case when o.state = 'sent' then 'sent' else 'cancelled' end
        where o.key in (
            select same.key from care.outbox linked join care.outbox same on {_SAME.format("linked")} = {_SAME.format("same")}
            where linked.key in ({_LINKED})
        ) and not exists (
            select from care.notice_decision d join care.outbox told on told.key = d.outbox_key
            where {_SAME.format("told")} = {_SAME.format("o")} and d.subject not in (select subject from erasing_subject)
        )
        """,
    ),
    (
        "care.audit",
        """
        update care.audit set detail = '{"erased": true}', subject = case when subject like 'customer:%%'
            then 'customer:' || care.pseudonym(substr(subject, 10)) else subject end
        where %(no)s is not null and (
            subject in (select subject from erasing_subject) or exists (
                select from jsonb_each_text(case when jsonb_typeof(detail) = 'object' then detail else '{}' end) said
                where said.value in (select customer_id from erasing_customer)
                    or said.value in (select key_space || ':' || customer_key from erasing_party)
            )
        )
        """,
    ),
    ("care.health_override", f"update care.health_override set why = 'erased' where {_THEIRS}"),
    (
        "care.identity_ruling",
        "update care.identity_ruling set why = 'erased' where party_no in (select party_no from erasing_party) "
        "or other_no in (select party_no from erasing_party)",
    ),
    (
        "care.ended",
        "delete from care.ended where (origin, source_key) in (select origin, source_key from erasing_key)",
    ),
)  # fmt: skip
"""What is emptied, in order: the later ones need what the earlier ones found."""

_IDENTITY: Final = (
    (
        "care.fact_customer",
        "update care.fact_customer f set parent = care.pseudonym(f.parent) from care.party own, erasing_party p "
        "where own.party_no = f.party_no and own.key_space = p.key_space and f.parent = p.customer_key",
    ),
    (
        "care.fact_organisation_link",
        "update care.fact_organisation_link f set parent = care.pseudonym(f.parent) from care.party own, erasing_party p "
        "where own.party_no = f.party_no and own.key_space = p.key_space and f.parent = p.customer_key",
    ),
    (
        "care.fact_same_customer",
        "update care.fact_same_customer f set other_key = care.pseudonym(f.other_key) from erasing_party p "
        "where f.other_source = p.key_space and f.other_key = p.customer_key",
    ),
    (
        "care.erased_key",
        "insert into care.erased_key (digest, erased_at) "
        "select care.erasure_digest(key_space, customer_key), %(now)s from erasing_party union "
        "select care.erasure_digest('', customer_id), %(now)s from erasing_customer on conflict do nothing",
    ),
    (
        # The keys stay together although the codes and links that joined them are gone.
        "care.party",
        "update care.party p set customer_key = care.pseudonym(p.customer_key), erased_at = %(now)s, home_no = %(no)s "
        "from erasing_party e where e.party_no = p.party_no",
    ),
    (
        "care.customer",
        "update care.customer c set customer_id = care.pseudonym(c.customer_id), erased_at = %(now)s "
        "from erasing_customer e where e.customer_no = c.customer_no",
    ),
)  # fmt: skip


def _of_fact(fact: Fact) -> str:
    """Return the statement that takes the words out of a customer's facts of one kind, all versions."""
    sets = ["source_key = care.pseudonym(f.source_key)", "row_hash = ''"]
    for column in fact.columns:
        if column.erased is Erased.GONE:
            sets.append(f"{column.name} = null")
        elif column.erased is Erased.PSEUDONYM:
            sets.append(f"{column.name} = care.pseudonym(f.{column.name})")
    return f"update {fact.table} f set {', '.join(sets)} from erasing_party p where p.party_no = f.party_no"


def _rewrite_messages(connection: Connection, words: Iterable[str]) -> int:
    """Put a pseudonym for the customer's names into messages that tell of others too; return how many."""
    rows = connection.execute(
        f"select key, message from care.outbox where not message ? 'erased' and key in ("
        f"select same.key from care.outbox linked join care.outbox same on {_SAME.format('linked')} = {_SAME.format('same')} "
        f"where linked.key in ({_LINKED}))".encode()
    ).fetchall()
    for key, message in rows:
        told = {
            name: _without(text, words) if name in ("subject", "text") else text
            for name, text in message.items()
        }
        connection.execute("update care.outbox set message = %s where key = %s", (Jsonb(told), key))
    return len(rows)


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        text = re.sub(_bounded(" ".join(word.split())), "(erased)", text)
    return text


def _rewrite_reviews(connection: Connection) -> int:
    """Take the customer's lines out of the reports of reviews; their numbers stay. Return how many changed."""
    ids = [row[0] for row in connection.execute("select customer_id from erasing_customer").fetchall()]
    changed = 0
    for quarter, report in connection.execute("select quarter, report from care.review").fetchall():
        lines = [_review_line(line, ids) for line in report.split("\n")]
        if lines != report.split("\n"):
            changed += 1
            connection.execute(
                "update care.review set report = %s where quarter = %s", ("\n".join(lines), quarter)
            )
    return changed


def _review_line(line: str, ids: list[str]) -> str:
    cells = line.split("|")
    if len(cells) > 2 and cells[1].strip() in ids:
        cells[1] = " (erased) "
        # The last of more than the three cells of a loss says why.
        return "|".join([*cells[:6], " (erased) ", ""] if len(cells) > 6 else cells)
    return line

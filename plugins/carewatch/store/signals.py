"""Answer the question: which signals are live, and what did a night change?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from carewatch.measure.cut import Cut
from carewatch.measure.reads import held_metrics
from carewatch.spec.configuration import ATTRIBUTES, JudgementSpec
from carewatch.spec.rules import Severity
from carewatch.store.arrays import Field, write
from carewatch.store.database import Connection
from carewatch.store.events import events_of
from carewatch.store.metrics import attributes_at
from carewatch.store.nights import Night
from carewatch.warn.fold import Memory, Phase
from carewatch.warn.hits import HEALTH_RED, HEALTH_RULES, RuleBook, State

_CHANGE = (
    Field("customer_no", "integer"),
    Field("rule_no", "small"),
    Field("phase", "small"),
    Field("was", "small"),
    Field("hit", "flag"),
    Field("true_nights", "small"),
    Field("clear_nights", "small"),
    Field("severity", "small"),
    Field("score", "float"),
    Field("colour", "small"),
    Field("tier", "small"),
)


def live_memory(connection: Connection, customers: NDArray[np.int32], book: RuleBook) -> Memory:
    """Return what the fold remembers of these customers and rules (a rule that is gone has no memory)."""
    memory = Memory.empty(len(customers), len(book.names))
    rows = connection.execute(
        "select s.customer_no, r.position - 1, s.state, s.true_nights, s.clear_nights from care.signal s "
        "join unnest(%s::text[]) with ordinality as r(rule, position) using (rule) where s.state <> 'closed'",
        (list(book.names),),
    ).fetchall()
    if rows and len(customers):
        found = np.array([row[0] for row in rows])
        at = np.minimum(np.searchsorted(customers, found), len(customers) - 1)
        fits = customers[at] == found
        rules = np.array([row[1] for row in rows])[fits]
        at = at[fits]
        memory.phase[at, rules] = [
            Phase.OPEN if rows[i][2] == "open" else Phase.PENDING for i in np.flatnonzero(fits)
        ]
        memory.true_nights[at, rules] = [rows[i][3] for i in np.flatnonzero(fits)]
        memory.clear_nights[at, rules] = [rows[i][4] for i in np.flatnonzero(fits)]
    return memory


def counted(
    connection: Connection, customers: NDArray[np.int32], book: RuleBook, memory: Memory, day: date
) -> NDArray[np.int8]:
    """Return the phases that count for the level: a signal that a person settled with a warning rests for a while."""
    rows = connection.execute(
        "select s.customer_no, r.position - 1 from care.signal s "
        "join unnest(%s::text[]) with ordinality as r(rule, position) using (rule) "
        "where s.state = 'open' and s.settled_until >= %s",
        (list(book.names), day),
    ).fetchall()
    return np.where(_at(rows, customers, len(book.names)), np.int8(Phase.NONE), memory.phase)


def store_changes(
    connection: Connection,
    night: Night,
    spec: JudgementSpec,
    book: RuleBook,
    health: Mapping[str, NDArray[Any]],
    before: Memory,
    after: Memory,
    severity: NDArray[np.int8],
    between_nights: Cut | None = None,
) -> None:
    """Write what the night did to signals: new, updated, dropped while pending, closed; evidence is kept at opening.

    `health` is the night's stored judgement; the memories and severities have its customers and the book's rules. What
    is raised between nights has the cut of its own moment, and the numbers of the night before it.
    """
    cut = between_nights or night.cut(spec.firm.zone)
    day = night.day if between_nights is None else between_nights.day
    customers = health["customer_no"]
    touched = (before.phase != Phase.NONE) | (after.phase != Phase.NONE)
    at, rules = np.nonzero(touched)
    connection.execute("drop table if exists pg_temp.change")
    connection.execute(
        "create temp table change (customer_no integer, rule_no smallint, phase smallint, was smallint, hit boolean, "
        "true_nights smallint, clear_nights smallint, severity smallint, score float8, colour smallint, tier smallint) "
        "on commit drop"
    )
    columns = {
        "customer_no": customers[at],
        "rule_no": rules,
        "phase": after.phase[at, rules],
        "was": before.phase[at, rules],
        "hit": health["rules"][at, rules] == State.HIT,
        "true_nights": after.true_nights[at, rules],
        "clear_nights": after.clear_nights[at, rules],
        "severity": severity[at, rules],
        **{name: health[name][at] for name in ("score", "colour", "tier")},
    }
    write(connection, "pg_temp.change", _CHANGE, columns, len(at))
    _make_rule_table(connection, spec, book, held_metrics(spec.metrics, night.held_facts))
    connection.execute("analyze pg_temp.change, pg_temp.rule, pg_temp.rule_evidence")
    parameters = {
        "day": day,
        "judgement": night.judgement,
        "code": night.code_version,
        "raised_at": None if between_nights is None else cut.event_cut,
        "raised_on": None if between_nights is None else night.night_no,
    }
    for statement in _STATEMENTS:
        connection.execute(statement, parameters)
    opened = (after.phase == Phase.OPEN) & (before.phase != Phase.OPEN)
    if opened.any():
        _keep_numbers(connection, night, spec, customers[opened.any(axis=1)])
        _add_attributes(connection, cut, book, customers, opened)
        _add_events(connection, cut, book, customers, opened)
        _mark_mails(connection, book, customers, opened)
    _close_rules_that_are_gone(connection, day, book.names)


def _make_rule_table(
    connection: Connection, spec: JudgementSpec, book: RuleBook, held: Collection[str]
) -> None:
    """Make the table of rules and of the numbers that are evidence for them; a held number is none."""
    metric_order = {name: position for position, name in enumerate(spec.metrics, start=1)}
    rows: list[tuple[int, str, str, str, int | None]] = []
    evidence: list[tuple[int, str, int]] = []
    for number, name in enumerate(book.names):
        if name in HEALTH_RULES:
            # Health counts no indicator; where a severity is shown, a floor has the one that alone makes its level.
            shown = Severity.SEVERE if name == HEALTH_RED else Severity.MILD
            rows.append((number, name, "health", "health", shown.rank))
            continue
        rule = spec.rules[name]
        rows.append((number, name, rule.counts_as, rule.dimension, None))
        evidence += [
            (number, read, metric_order[read])
            for read in sorted(rule.names() | rule.placeholders())
            if read in metric_order and read not in held
        ]
    connection.execute("drop table if exists pg_temp.rule, pg_temp.rule_evidence")
    connection.execute(
        "create temp table rule (rule_no smallint, name text, counts_as text, dimension text, shown smallint) on commit drop"
    )
    connection.execute(
        "create temp table rule_evidence (rule_no smallint, name text, position integer) on commit drop"
    )
    with connection.cursor() as cursor:
        cursor.executemany("insert into rule values (%s, %s, %s, %s, %s)", rows)
        cursor.executemany("insert into rule_evidence values (%s, %s, %s)", evidence)


_SEVERITY = "(array['watch','mild','moderate','severe','critical'])[coalesce(r.shown, c.severity) + 1]"

_STATEMENTS = (
    # Pending that did not last leaves no trace.
    "delete from care.signal s using change c join rule r using (rule_no) "
    "where s.customer_no = c.customer_no and s.rule = r.name and s.state = 'pending' and c.phase = 0",
    f"""
    update care.signal s set
        state = case c.phase when 2 then 'open' when 1 then 'pending' else 'closed' end,
        true_nights = c.true_nights,
        clear_nights = c.clear_nights,
        severity = {_SEVERITY},
        last_true_day = case when c.hit then %(day)s else s.last_true_day end,
        opened_day = case when c.phase = 2 then coalesce(s.opened_day, %(day)s) else s.opened_day end,
        closed_day = case when c.phase = 0 then %(day)s::date end
    from change c join rule r using (rule_no)
    where s.customer_no = c.customer_no and s.rule = r.name and s.state <> 'closed' and c.was <> 0
    """,
    f"""
    insert into care.signal (customer_no, rule, severity, counts_as, dimension, state, true_nights, clear_nights,
        first_day, last_true_day, opened_day, evidence, judgement, code_version, raised_at, raised_on)
    select c.customer_no, r.name, {_SEVERITY}, r.counts_as, r.dimension,
        case c.phase when 2 then 'open' else 'pending' end, c.true_nights, c.clear_nights,
        %(day)s, %(day)s, case when c.phase = 2 then %(day)s::date end, '{{}}', %(judgement)s, %(code)s,
        %(raised_at)s::timestamptz, %(raised_on)s::bigint
    from change c join rule r using (rule_no) where c.was = 0 and c.phase <> 0
    """,
)

_NUMBERS = """
    update care.signal s set evidence = coalesce(e.numbers, '{}') || jsonb_build_object(
        'score', nullif(c.score, 'NaN'), 'colour', (array['grey','red','yellow','green'])[c.colour + 1],
        'tier', (%(tiers)s::text[])[c.tier + 1])
    from change c join rule r using (rule_no) join seen using (customer_no)
    left join lateral (
        select jsonb_object_agg(v.name, nullif(seen.metrics[v.position], 'NaN')) as numbers
        from rule_evidence v where v.rule_no = c.rule_no
    ) e on true
    where s.customer_no = c.customer_no and s.rule = r.name and s.state = 'open' and c.phase = 2 and c.was <> 2
"""


def _keep_numbers(
    connection: Connection, night: Night, spec: JudgementSpec, opening: NDArray[np.int32]
) -> None:
    """Keep the numbers that each rule read on the night its signal opened, health and tier included.

    A new day is not yet in the statistics of the night's table: PostgreSQL expects no row of it and would join a whole
    night to every signal. So the metrics of the few customers are fetched by key first.
    """
    connection.execute("drop table if exists pg_temp.seen")
    connection.execute(
        "create temp table seen on commit drop as select customer_no, metrics from care.metric_night "
        "where day = %s and revision = %s and customer_no = any(%s)",
        (night.day, night.revision, opening.tolist()),
    )
    connection.execute("analyze pg_temp.seen")
    connection.execute(_NUMBERS, {"tiers": list(spec.tiers.names)})


def _add_attributes(
    connection: Connection, cut: Cut, book: RuleBook, customers: NDArray[np.int32], opened: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Add to the evidence of signals that opened the texts of the master record that their rules read."""
    read = [sorted((rule.names() | rule.placeholders()) & set(ATTRIBUTES)) for rule in book.rules.values()]
    reading = [number for number, names in enumerate(read) if names]
    concerned = np.flatnonzero(opened[:, reading].any(axis=1))
    if not len(concerned):
        return
    wanted = sorted({name for names in read for name in names})
    texts = attributes_at(connection, cut, customers[concerned], wanted)
    records = [
        {
            "customer_no": int(customers[row]),
            "rule": book.names[number],
            "texts": {name: texts[name][at] for name in read[number]},
        }
        for at, row in enumerate(concerned)
        for number in reading
        if opened[row, number]
    ]
    connection.execute(
        "update care.signal s set evidence = s.evidence || o.texts "
        "from jsonb_to_recordset(%s) as o(customer_no integer, rule text, texts jsonb) "
        "where s.customer_no = o.customer_no and s.rule = o.rule and s.state = 'open'",
        (Jsonb(records),),
    )


def _add_events(
    connection: Connection, cut: Cut, book: RuleBook, customers: NDArray[np.int32], opened: NDArray[np.bool_]
) -> None:
    """Add to signals that an event opened which event it was, and what it says."""
    found = [
        asdict(event)
        for number, (name, rule) in enumerate(book.rules.items())
        if rule.on == "event" and opened[:, number].any()
        for event in events_of(connection, name, rule, cut, customers[opened[:, number]].tolist())
    ]
    if not found:
        return
    connection.execute(
        "update care.signal s set evidence = s.evidence || e.says, fact_key = e.fact_key, event_at = e.event_at, "
        "known_at = e.known_at from jsonb_to_recordset(%s) as e(customer_no integer, rule text, fact_key text, "
        "event_at timestamptz, known_at timestamptz, says jsonb) "
        "where s.customer_no = e.customer_no and s.rule = e.rule and s.state = 'open'",
        (Jsonb(found, dumps=partial(json.dumps, default=str)),),
    )


def _mark_mails(
    connection: Connection, book: RuleBook, customers: NDArray[np.int32], opened: NDArray[np.bool_]
) -> None:
    """Mark the signals that opened as something to watch and send one machine mail, with whom it goes to."""
    for number, (name, rule) in enumerate(book.rules.items()):
        if rule.mails is not None and opened[:, number].any():
            connection.execute(
                "update care.signal set mail_to = %s where rule = %s and state = 'open' and severity = 'watch' "
                "and customer_no = any(%s)",
                (rule.mails, name, customers[opened[:, number]].tolist()),
            )


def ahead(
    connection: Connection, night: Night, customers: NDArray[np.int32], book: RuleBook
) -> NDArray[np.bool_]:
    """Return which live signals stand for an event that the night cannot see yet: it happened or was known later."""
    rows = connection.execute(
        "select s.customer_no, r.position - 1 from care.signal s "
        "join unnest(%s::text[]) with ordinality as r(rule, position) using (rule) "
        "where s.state <> 'closed' and (s.event_at >= %s or s.known_at > %s)",
        (list(book.names), night.event_cut, night.knowledge_cut),
    ).fetchall()
    return _at(rows, customers, len(book.names))


@dataclass(frozen=True)
class Raised:
    """Where a signal comes from: the customer it was raised for; the moment and the night's number when it was a tick."""

    customer_no: int
    at: datetime | None
    night_no: int | None


def raised(connection: Connection, numbers: Iterable[int]) -> dict[int, Raised]:
    """Return where signals come from, by their numbers."""
    rows = connection.execute(
        "select signal_no, coalesce(raised_for, customer_no), raised_at, raised_on from care.signal "
        "where signal_no = any(%s)",
        (sorted(numbers),),
    ).fetchall()
    return {row[0]: Raised(*row[1:]) for row in rows}


def _at(rows: Sequence[tuple[Any, ...]], customers: NDArray[np.int32], rules: int) -> NDArray[np.bool_]:
    """Return customers x rules, true at the rows (customer number, rule position) of customers who are among them."""
    found = np.zeros((len(customers), rules), dtype=bool)
    for customer, rule in rows:
        at = int(np.searchsorted(customers, customer))
        if at < len(customers) and customers[at] == customer:
            found[at, rule] = True
    return found


def _close_rules_that_are_gone(connection: Connection, day: date, names: Sequence[str]) -> None:
    connection.execute("delete from care.signal where state = 'pending' and rule <> all(%s)", (list(names),))
    connection.execute(
        "update care.signal set state = 'closed', closed_day = %s where state = 'open' and rule <> all(%s)",
        (day, list(names)),
    )

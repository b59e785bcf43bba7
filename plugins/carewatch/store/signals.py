"""Answer the question: which signals are live, and what did a night change?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from carewatch.spec.configuration import ATTRIBUTES, JudgementSpec
from carewatch.spec.rules import Severity
from carewatch.store.arrays import Field, write
from carewatch.store.database import Connection
from carewatch.store.metrics import attributes_at
from carewatch.store.nights import Night
from carewatch.warn.fold import Memory, Phase
from carewatch.warn.hits import HEALTH_RED, HEALTH_RULES, RuleBook

_CHANGE = (
    Field("customer_no", "integer"),
    Field("rule_no", "small"),
    Field("phase", "small"),
    Field("was", "small"),
    Field("hit", "flag"),
    Field("true_nights", "small"),
    Field("clear_nights", "small"),
    Field("severity", "small"),
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


def store_changes(
    connection: Connection,
    night: Night,
    spec: JudgementSpec,
    book: RuleBook,
    customers: NDArray[np.int32],
    before: Memory,
    after: Memory,
    *,
    states: NDArray[np.int16],
    severity: NDArray[np.int8],
) -> None:
    """Write what the night did to signals: new, updated, dropped while pending, closed; evidence is kept at opening."""
    touched = (before.phase != Phase.NONE) | (after.phase != Phase.NONE)
    at, rules = np.nonzero(touched)
    connection.execute("drop table if exists pg_temp.change")
    connection.execute(
        "create temp table change (customer_no integer, rule_no smallint, phase smallint, was smallint, hit boolean, "
        "true_nights smallint, clear_nights smallint, severity smallint) on commit drop"
    )
    columns = {
        "customer_no": customers[at],
        "rule_no": rules,
        "phase": after.phase[at, rules],
        "was": before.phase[at, rules],
        "hit": states[at, rules] == 1,
        "true_nights": after.true_nights[at, rules],
        "clear_nights": after.clear_nights[at, rules],
        "severity": severity[at, rules],
    }
    write(connection, "pg_temp.change", _CHANGE, columns, len(at))
    _make_rule_table(connection, spec, book)
    parameters = {"day": night.day, "revision": night.revision, "judgement": night.judgement, "code": night.code_version,
                  "tiers": list(spec.tiers.names)}  # fmt: skip
    for statement in _STATEMENTS:
        connection.execute(statement, parameters)
    _add_attributes(
        connection, night, spec, book, customers, (after.phase == Phase.OPEN) & (before.phase != Phase.OPEN)
    )
    _close_rules_that_are_gone(connection, night, book.names)


def _make_rule_table(connection: Connection, spec: JudgementSpec, book: RuleBook) -> None:
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
            if read in metric_order
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
        first_day, last_true_day, opened_day, evidence, judgement, code_version)
    select c.customer_no, r.name, {_SEVERITY}, r.counts_as, r.dimension,
        case c.phase when 2 then 'open' else 'pending' end, c.true_nights, c.clear_nights,
        %(day)s, %(day)s, case when c.phase = 2 then %(day)s::date end, '{{}}', %(judgement)s, %(code)s
    from change c join rule r using (rule_no) where c.was = 0 and c.phase <> 0
    """,
    # Evidence: the numbers that the rule read on the night the signal opened, health and tier included.
    """
    update care.signal s set evidence = coalesce(e.numbers, '{}') || jsonb_build_object(
        'score', nullif(h.score, 'NaN'), 'colour', (array['grey','red','yellow','green'])[h.colour + 1],
        'tier', (%(tiers)s::text[])[h.tier + 1])
    from change c join rule r using (rule_no)
    join care.health_night h on h.day = %(day)s and h.revision = %(revision)s and h.customer_no = c.customer_no
    left join lateral (
        select jsonb_object_agg(v.name, nullif(m.metrics[v.position], 'NaN')) as numbers
        from care.metric_night m join rule_evidence v on v.rule_no = c.rule_no
        where m.day = %(day)s and m.revision = %(revision)s and m.customer_no = c.customer_no
    ) e on true
    where s.customer_no = c.customer_no and s.rule = r.name and s.state = 'open' and c.phase = 2 and c.was <> 2
    """,
)


def _add_attributes(
    connection: Connection, night: Night, spec: JudgementSpec, book: RuleBook, customers: NDArray[np.int32],
    opened: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Add to the evidence of signals that opened the texts of the master record that their rules read."""
    for number, (name, rule) in enumerate(book.rules.items()):
        read = sorted((rule.names() | rule.placeholders()) & set(ATTRIBUTES))
        concerned = customers[opened[:, number]]
        if not read or not len(concerned):
            continue
        texts = attributes_at(connection, night.cut(spec.firm.zone), concerned, read)
        with connection.cursor() as cursor:
            cursor.executemany(
                "update care.signal set evidence = evidence || %s where customer_no = %s and rule = %s and state = 'open'",
                [
                    (Jsonb({attribute: texts[attribute][at] for attribute in read}), int(customer), name)
                    for at, customer in enumerate(concerned)
                ],
            )


def _close_rules_that_are_gone(connection: Connection, night: Night, names: Sequence[str]) -> None:
    connection.execute("delete from care.signal where state = 'pending' and rule <> all(%s)", (list(names),))
    connection.execute(
        "update care.signal set state = 'closed', closed_day = %s where state = 'open' and rule <> all(%s)",
        (night.day, list(names)),
    )

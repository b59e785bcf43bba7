"""Answer the question: is what was landed good enough to become facts?

The questions are asked of the landed rows by whoever is given as `ask`; a check of rows that is to stop them puts those
that fail into quarantine, one of a whole load stops its source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from carewatch.measure.volume import LOOK_BACK, monday_to_friday, usual_rows
from carewatch.spec.facts import Kind, Privacy
from carewatch.spec.firm import Firm
from carewatch.spec.privacy import masked, privacy_of
from carewatch.spec.source_check import Known, Newest, RowCount, SourceCheck, SumEquals, UsualRows
from carewatch.spec.source_check_plan import Answer, Question, failing, names_of, question_of_rows
from carewatch.spec.sources import FilesSource, Sources
from carewatch.store import check_results, quarantine, raw
from carewatch.store.check_results import Outcome, Pending, Result
from carewatch.store.check_tables import Subject, providers, seen_column, tables
from carewatch.store.database import Connection
from carewatch.tell import check_words as words

Ask = Callable[[Mapping[str, Sequence[Question]]], Mapping[str, Sequence[Answer]]]
"""Answers questions about tables of the schema `check_tables.SCHEMA`, by the table's name."""
_SAMPLES = 5


@dataclass(frozen=True)
class Verdict:
    """What became of one load of a source, and who answers for it."""

    source: str
    owner: str
    load_id: str
    state: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Asked:
    """A check of one subject: where and what to ask, None where `said` tells already why there is nothing to ask."""

    subject: Subject
    position: int
    check: SourceCheck
    table: str
    question: Question | None
    tell: Callable[[Answer, int], words.Said]


def check_sources(
    connection: Connection,
    sources: Sources,
    *,
    ask: Ask,
    run_id: str,
    now: datetime,
    is_workday: Callable[[date], bool] = monday_to_friday,
) -> list[Verdict]:
    """Check every pending load that has no verdict yet, and the newest of each source again; store what was found.

    The connection commits by itself. The same load checked twice has one set of results, the newer.
    """
    wanted, subjects = _subjects(connection, sources)
    verdicts: list[Verdict] = []
    if not wanted:
        return verdicts
    with tables(connection, subjects, sources.firm):
        asked = [
            one
            for subject in subjects
            for one in _ask_subject(connection, subject, subjects, sources.firm, is_workday)
        ]
        answers = _answers(ask, asked)
        for name, load_id in wanted:
            with connection.transaction():
                for pending in wanted[name, load_id]:
                    quarantine.forget_held(connection, pending.plan.origin, load_id)
                results = [
                    _result(connection, one, answer)
                    for one, answer in zip(asked, answers, strict=True)
                    if (one.subject.plan.source, one.subject.load.load_id) == (name, load_id)
                ]
                state = check_results.save(connection, name, load_id, results, run_id=run_id, now=now)
            verdicts.append(Verdict(name, sources.sources[name].owner, load_id, state, tuple(results)))
    return verdicts


def _subjects(
    connection: Connection, sources: Sources
) -> tuple[dict[tuple[str, str], list[Pending]], list[Subject]]:
    """Return the loads to check, and the subjects they need: with checks, or as what others are compared with."""
    wanted: dict[tuple[str, str], list[Pending]] = {}
    candidates: list[Subject] = []
    for name, source in sources.sources.items():
        waiting = check_results.pending(connection, name, source, sources.firm)
        load_ids = [one.load.load_id for one in waiting] if source.has_checks else []
        chosen = check_results.loads_to_check(connection, name, load_ids)
        for one in waiting:
            load_id = one.load.load_id
            checks: tuple[SourceCheck, ...] = ()
            if load_id in chosen:
                wanted.setdefault((name, load_id), []).append(one)
                landed = raw.count_rows(connection, name, one.feed.name, load_id)
                # An hour without a new file is no load of files.
                checks = (
                    source.checks_of(one.plan.name) if landed or not isinstance(source, FilesSource) else ()
                )
            candidates.append(Subject(source, one.plan, one.feed, one.load, checks, len(candidates)))
    return wanted, [one for one in candidates if one.checks or _is_compared_with(one, candidates)]


def _is_compared_with(subject: Subject, others: Sequence[Subject]) -> bool:
    for other in others:
        for check in other.checks:
            match check.test:
                case SumEquals(_, stream, _):
                    if subject.is_beside(other, stream):
                        return True
                case Known():
                    if providers(check.test, other, [subject]):
                        return True
    return False


def _answers(ask: Ask, asked: Sequence[_Asked]) -> list[Answer]:
    by_table: dict[str, list[Question]] = {}
    for one in asked:
        if one.question is not None:
            by_table.setdefault(one.table, []).append(one.question)
    found = {table: iter(answers) for table, answers in ask(by_table).items()} if by_table else {}
    return [Answer(None) if one.question is None else next(found[one.table]) for one in asked]


def _ask_subject(
    connection: Connection,
    subject: Subject,
    subjects: Sequence[Subject],
    firm: Firm,
    is_workday: Callable[[date], bool],
) -> Iterator[_Asked]:
    facts, rows = subject.facts, subject.rows
    values = subject.values
    for position, check in enumerate(subject.checks):
        match check.test:
            case UsualRows(share):
                day = subject.load.read_at.astimezone(ZoneInfo(firm.time_zone)).date()
                history = check_results.rows_by_day(
                    connection, subject, firm, subject.load.read_at - LOOK_BACK
                )
                usual = usual_rows(history, day, is_workday)
                if usual is None:
                    yield _Asked(subject, position, check, rows, None, lambda *_: words.no_history())
                    continue
                low, high = usual.range(share)

                def tell_usual(
                    answer: Answer, _: int, usual: Any = usual, share: float = share, day: date = day
                ) -> words.Said:
                    return words.usual_found(_whole(answer.observed), usual, share, day)

                yield _Asked(subject, position, check, rows, Question("rows", low=low, high=high), tell_usual)
            case RowCount(low_count, high_count):
                question = Question("rows", low=low_count, high=high_count)
                yield _Asked(
                    subject,
                    position,
                    check,
                    rows,
                    question,
                    lambda a, _: words.count_found(_whole(a.observed)),
                )
            case Newest(column, within):
                yield _newest(connection, subject, position, check, facts, column, within)
            case SumEquals():
                yield _sum(connection, subject, subjects, position, check, facts)
            case _:
                yield _Asked(
                    subject, position, check, facts, question_of_rows(check, values), words.rows_found
                )


def _newest(
    connection: Connection,
    subject: Subject,
    position: int,
    check: SourceCheck,
    table: str,
    column: str,
    within: timedelta,
) -> _Asked:
    value = subject.values[column]
    seen = seen_column(value)
    if not check_results.any_value(connection, table, seen):
        return _Asked(subject, position, check, table, None, lambda *_: words.no_rows())
    oldest = subject.load.read_at - within
    local = oldest.astimezone(ZoneInfo(subject.plan.reading.zone)).date()
    question = Question("newest", (seen,), low=local if value.kind is Kind.DAY else oldest)
    return _Asked(
        subject, position, check, table, question, lambda answer, _: words.newest_found(answer.observed)
    )


def _sum(
    connection: Connection,
    subject: Subject,
    subjects: Sequence[Subject],
    position: int,
    check: SourceCheck,
    table: str,
) -> _Asked:
    test = check.test
    assert isinstance(test, SumEquals)
    other = next((one for one in subjects if one.is_beside(subject, test.stream)), None)
    if other is None:
        return _Asked(subject, position, check, table, None, lambda *_: words.no_rows())
    total = check_results.total(connection, other.facts, other.values[test.other].sql)
    # The next number beyond each edge: a sum that lies on it exactly must not fail for how numbers are stored.
    low = math.nextafter(float(total) - test.within, -math.inf)
    high = math.nextafter(float(total) + test.within, math.inf)
    question = Question("sum", (subject.values[test.column].sql,), low=low, high=high)
    return _Asked(
        subject,
        position,
        check,
        table,
        question,
        lambda answer, _: words.sum_found(answer.observed, float(total)),
    )


def _whole(observed: object) -> int:
    return int(observed) if isinstance(observed, int | float) else 0


def _result(connection: Connection, asked: _Asked, answer: Answer) -> Result:
    check, subject = asked.check, asked.subject
    held, samples = 0, list[dict[str, Any]]()
    if check.judges_rows and answer.passed is not None and answer.unexpected:
        condition = failing(check.test, subject.values)
        names = names_of(check.test)
        columns = [subject.values[name].sql for name in names]
        found = check_results.failed_rows(connection, subject.facts, condition, columns, _SAMPLES)
        samples = [_sample(subject, names, *row) for row in found]
        if check.holds_rows:
            held = check_results.hold_failed(
                connection, subject.facts, condition, columns[0],
                origin=subject.plan.origin, load_id=subject.load.load_id,
                reason=f"fails the check '{check.text}'", field=names[0],
            )  # fmt: skip
    outcome: Outcome = "unknown" if answer.passed is None else "passed" if answer.passed else "failed"
    could_not = asked.question is not None and answer.passed is None
    return Result(
        source=subject.plan.source,
        load_id=subject.load.load_id,
        stream=subject.plan.name,
        position=asked.position,
        check_text=check.text,
        severity=check.severity,
        outcome=outcome,
        stops=(check.can_stop and outcome == "failed") or (check.severity == "stop" and could_not),
        evaluated=answer.evaluated,
        unexpected=answer.unexpected,
        held=held,
        samples=samples,
        message=words.not_asked(answer.error) if could_not else asked.tell(answer, held),
    )


def _sample(
    subject: Subject, names: Sequence[str], key: str | None, place: str, shown: Sequence[str | None]
) -> dict[str, Any]:
    """Return a row that failed as anybody may see it: place, key and values by their privacy class."""
    privacy = privacy_of(subject.plan)
    classes = tuple(Privacy)
    of_key = max(
        (privacy.get(name, Privacy.PERSONAL) for part in subject.plan.key for name, _ in part.reads),
        key=classes.index, default=Privacy.INTERNAL,
    )  # fmt: skip
    values = {
        name: masked(value, privacy.get(name, Privacy.PERSONAL))
        for name, value in zip(names, shown, strict=True)
    }
    return {"key": masked(key, of_key), "place": place or None, "values": values}

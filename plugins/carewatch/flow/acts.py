"""What people do with a warning: acknowledge it, put a plan on file, close it with a result. Guarded, and traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from carewatch.spec.saying import said
from carewatch.store import acts, configurations
from carewatch.store.acts import Act
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold
from carewatch.store.nights import standing_night
from carewatch.warn import acts as guards
from carewatch.warn.acts import Case, NotPossible, Result

_LONG = timedelta(days=36_500)


@contextmanager
def _acting(connection: Connection, warning_no: int, by: str) -> Iterator[Case]:
    """Lock care's state and yield the warning; raise NotPossible for one that is not there and for unknown people."""
    with connection.transaction():
        hold(connection, Lock.CARE_STATE)
        people = acts.active_people(connection)
        if by not in people:
            raise NotPossible(guards.not_active(by, people))
        case = acts.case_of(connection, warning_no)
        if case is None:
            raise NotPossible(said("there is no warning {number}; see: care warning list", number=warning_no))
        yield case


def _act(connection: Connection, warning_no: int, what: str, by: str, now: datetime) -> tuple[Act, int]:
    """Return the act on the firm's own day, and the days of rest of the judgement in force."""
    spec = configurations.judgement(connection, acts.judgement_of(connection, warning_no))
    night = standing_night(connection)
    in_force = spec if night is None else configurations.judgement(connection, night.judgement)
    return Act(warning_no, what, by, now, now.astimezone(spec.firm.zone).date()), in_force.levels.rest


def acknowledge(connection: Connection, warning_no: int, *, by: str, now: datetime) -> str:
    """Record that a person is on it; return the warning's state. Doing it again changes nothing."""
    with _acting(connection, warning_no, by) as case:
        state = guards.acknowledge(case)
        if state != case.state:
            act, _ = _act(connection, warning_no, "acknowledged", by, now)
            acts.acknowledged(connection, act, state)
    return state


def plan(
    connection: Connection,
    warning_no: int,
    *,
    by: str,
    text: str,
    next_date: date | None,
    now: datetime,
) -> str:
    """Put a recovery plan on file; return the warning's state."""
    with _acting(connection, warning_no, by) as case:
        state = guards.plan(case, text)
        act, _ = _act(connection, warning_no, "planned", by, now)
        acts.planned(connection, act, state, text=text.strip(), next_date=next_date)
    return state


def close(
    connection: Connection, warning_no: int, *, by: str, result: Result, note: str, now: datetime
) -> str:
    """Close a warning with its result; return its state.

    What signals the customer still has count for nothing for the days of `rest` in levels.yaml, of a lost customer until
    they have cleared: who has dealt with them is not asked again tomorrow.
    """
    with _acting(connection, warning_no, by) as case:
        state = guards.close(case, result, note)
        act, rest = _act(connection, warning_no, "closed", by, now)
        rests_until = act.day + (_LONG if result == "lost" else timedelta(days=rest))
        acts.closed(connection, act, state, note=note.strip(), rests_until=rests_until)
    return state

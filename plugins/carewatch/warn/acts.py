"""Answer the question: what may a person do with a warning, and in which state is it then?

A warning that peaked at level 2 or 3 does not close without a written plan; one that was a false alarm closes with a note
that says why it was one. A closed warning never opens again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args

from carewatch.spec.document import nearest
from carewatch.spec.saying import said

Result = Literal["recovered", "lost", "false_alarm"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)
"""What a person can say a warning came to; `expired` and `merged` are the system's own."""


class NotPossible(ValueError):
    """The warning does not allow it; the text says why and what to do instead."""


@dataclass(frozen=True)
class Case:
    """What matters of a warning when a person acts on it."""

    warning_no: int
    state: str
    peak_level: int
    has_plan: bool
    is_closed: bool


def not_active(by: str, people: Collection[str]) -> str:
    """Say that nobody who is active has an id, with the one that was probably meant."""
    near = nearest(by, people)
    return said(
        "nobody who is active has the id '{by}' in people.yaml{meant}",
        by=by,
        meant=said("; did you mean {nearest}?", nearest=near) if near else "",
    )


def acknowledge(case: Case) -> str:
    """Return the state after somebody has said that they are on it."""
    _refuse_closed(case)
    if case.state == "cleared":
        raise NotPossible(
            said(
                "warning {number} has cleared and waits for its result: care warning close {number} --result {results}",
                number=case.warning_no,
                results="|".join(RESULTS),
            )
        )
    return "acknowledged" if case.state == "open" else case.state


def plan(case: Case, text: str) -> str:
    """Return the state after a recovery plan was put on file."""
    _refuse_closed(case)
    if not text.strip():
        raise NotPossible(said("the plan is empty; say in a sentence what will be done"))
    return case.state if case.state in ("cleared", "in_care") else "plan"


def close(case: Case, result: Result, note: str) -> str:
    """Return the state of a warning that a person closes with a result."""
    _refuse_closed(case)
    if case.peak_level >= 2 and result == "false_alarm" and not note.strip():
        raise NotPossible(
            said(
                "warning {number} stood at level {level}: say in --note why it was a false alarm",
                number=case.warning_no,
                level=case.peak_level,
            )
        )
    if case.peak_level >= 2 and result != "false_alarm" and not case.has_plan:
        raise NotPossible(
            said(
                "warning {number} stood at level {level} and needs a written plan before it closes: "
                "care warning plan {number} --text '...'",
                number=case.warning_no,
                level=case.peak_level,
            )
        )
    return result


def _refuse_closed(case: Case) -> None:
    if case.is_closed:
        raise NotPossible(
            said(
                "warning {number} is closed ({state}); a closed warning never opens again",
                number=case.warning_no,
                state=said(case.state),
            )
        )

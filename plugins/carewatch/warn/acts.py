"""Answer the question: what may a person do with a warning, and in which state is it then?

A warning that peaked at level 2 or 3 does not close without a written plan; one that was a false alarm closes with a note
that says why it was one. A closed warning never opens again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

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


def acknowledge(case: Case) -> str:
    """Return the state after somebody has said that they are on it."""
    _refuse_closed(case)
    if case.state == "cleared":
        raise NotPossible(
            f"warning {case.warning_no} has cleared and waits for its result: "
            f"care warning close {case.warning_no} --result {'|'.join(RESULTS)}"
        )
    return "acknowledged" if case.state == "open" else case.state


def plan(case: Case, text: str) -> str:
    """Return the state after a recovery plan was put on file."""
    _refuse_closed(case)
    if not text.strip():
        raise NotPossible("the plan is empty; say in a sentence what will be done")
    return case.state if case.state in ("cleared", "in_care") else "plan"


def close(case: Case, result: Result, note: str) -> str:
    """Return the state of a warning that a person closes with a result."""
    _refuse_closed(case)
    if case.peak_level >= 2 and result == "false_alarm" and not note.strip():
        raise NotPossible(
            f"warning {case.warning_no} stood at level {case.peak_level}: say in --note why it was a false alarm"
        )
    if case.peak_level >= 2 and result != "false_alarm" and not case.has_plan:
        raise NotPossible(
            f"warning {case.warning_no} stood at level {case.peak_level} and needs a written plan before it closes: "
            f"care warning plan {case.warning_no} --text '...'"
        )
    return result


def _refuse_closed(case: Case) -> None:
    if case.is_closed:
        raise NotPossible(
            f"warning {case.warning_no} is closed ({case.state}); a closed warning never opens again"
        )

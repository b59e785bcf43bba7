"""Raise service tickets, work on them, and ask for satisfaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from .catalogue import COMPLAINT_SUBJECTS, TICKET_SUBJECTS
from .life import CLOSES_MINUTE, OPENS_MINUTE, Life
from .span import Span
from .staff import AGENTS

ANSWERED_SHARE = 0.35
_PRIORITIES = ("low", "normal", "normal", "normal", "high")
_COMPLAINT_PRIORITIES = ("normal", "high", "high", "urgent")
_STATUS_AFTER = {
    "opened": "open", "first_response": "in_progress", "resolved": "resolved",
    "reopened": "in_progress", "closed": "closed",
}  # fmt: skip


@dataclass(frozen=True)
class _Case:
    day: int
    minute: int
    complaint: bool
    decoy: bool = False


def raise_tickets(life: Life) -> None:
    """Write the customer's tickets with every dated event, and the satisfaction surveys."""
    calm = np.where(life.effects.orders > 0, 1.0, 0.0)
    ordinary = life.happenings(life.profile.ticket_rate, calm)
    cases = [_Case(*when, bool(life.rng.random() < 0.14)) for when in ordinary]
    cases += [_Case(*when, True) for when in life.happenings(1.0, life.effects.complaints)]
    if life.has("service_failure") and life.story is not None:
        first = life.story.first_symptom
        # One complaint is the first symptom by definition; the second makes the failure more than bad luck.
        again = life.span.working_day_near(first + int(life.rng.integers(5, 16)))
        cases += [_Case(day, _any_minute(life), True) for day in (first, again) if day < life.span.days]
    if "good_recovery" in life.decoys:
        cases.append(_Case(life.decoys["good_recovery"], _any_minute(life), True, decoy=True))
    cases.sort(key=lambda case: (case.day, case.minute, case.complaint))
    for number, case in enumerate(cases, start=1):
        _work_on(life, case, ticket_no=f"T{life.profile.code[1:]}-{number:03d}")
    _survey_by_quarter(life)


def _any_minute(life: Life) -> int:
    return int(life.rng.integers(OPENS_MINUTE, CLOSES_MINUTE))


def _work_on(life: Life, case: _Case, *, ticket_no: str) -> None:
    rng = life.rng
    code = life.profile.code
    subjects = COMPLAINT_SUBJECTS if case.complaint else TICKET_SUBJECTS
    subject = subjects[rng.integers(len(subjects))]
    priorities = _COMPLAINT_PRIORITIES if case.complaint else _PRIORITIES
    priority = "urgent" if case.decoy else priorities[rng.integers(len(priorities))]
    line = life.profile.lines[rng.integers(len(life.profile.lines))]
    opened_at = life.span.at(case.day, case.minute)
    course = _course(life, case)
    for number, (event, minute) in enumerate(course, start=1):
        at = life.span.at(case.day, case.minute + minute)
        shown = life.span.at(case.day, case.minute + minute + 2)
        agent = AGENTS[rng.integers(len(AGENTS))]
        life.ledger.put(
            "tickets", shown, ticket_no, code, opened_at, subject, priority, case.complaint, line,
            _STATUS_AFTER[event], at,
        )  # fmt: skip
        event_id = f"{ticket_no}-{number}"
        life.ledger.put(
            "ticket_events", shown, event_id, ticket_no, code, event, at, opened_at, case.complaint, agent, at
        )
    if case.decoy or rng.random() < ANSWERED_SHARE:
        shift = 0.4 if case.decoy else -0.9 if case.complaint else 0.0
        closed = case.day + int(case.minute + course[-1][1]) // 1440
        _survey(life, survey_id=f"V{ticket_no}", ticket_no=ticket_no, day=closed + 1, shift=shift)


def _course(life: Life, case: _Case) -> list[tuple[str, float]]:
    """Return the ticket's events with minutes since it was opened."""
    rng = life.rng
    slowness = 0.3 if case.decoy else float(life.effects.slowness[case.day])
    answered = float(rng.lognormal(np.log(120), 0.8)) * slowness**0.5
    resolved = answered + float(rng.lognormal(np.log(22 * 60), 0.8)) * slowness
    course = [("opened", 0.0), ("first_response", answered), ("resolved", resolved)]
    last = resolved
    if not case.decoy and rng.random() < 0.04 + 0.09 * (slowness - 1):
        reopened = resolved + float(rng.uniform(200, 4000))
        last = reopened + float(rng.lognormal(np.log(30 * 60), 0.6)) * slowness
        course += [("reopened", reopened), ("resolved", last)]
    return [*course, ("closed", last + float(rng.uniform(1000, 5000)))]


def _survey_by_quarter(life: Life) -> None:
    span, code = life.span, life.profile.code
    last = span.days if life.story is None else life.story.churned
    for day in quarterly_survey_days(span):
        if life.profile.first_day + 60 <= day < last and life.rng.random() < 0.4:
            survey_id = f"VQ{code[1:]}-{span.date_of(day):%y%m}"
            _survey(life, survey_id=survey_id, ticket_no=None, day=day, shift=0.0)


def quarterly_survey_days(span: Span) -> list[int]:
    """Return the 12th of each quarter's last month within the period."""
    years = range(span.start.year, span.date_of(span.days).year + 1)
    days = [span.day_of(date(year, month, 12)) for year in years for month in (3, 6, 9, 12)]
    return [day for day in days if 0 <= day < span.days]


def _survey(life: Life, *, survey_id: str, ticket_no: str | None, day: int, shift: float) -> None:
    if day >= life.span.days:
        return
    mean = life.profile.satisfaction + shift + life.effects.satisfaction[day]
    score = int(np.clip(round(mean + life.rng.normal(0, 0.5)), 1, 5))
    at = life.span.at(day, int(life.rng.integers(540, 1200)))
    kind = "ticket" if ticket_no else "quarterly"
    comment = "不满意 not satisfied" if score <= 2 else ""
    life.ledger.put("surveys", at, survey_id, life.profile.code, ticket_no, at, kind, score, "5", comment, at)

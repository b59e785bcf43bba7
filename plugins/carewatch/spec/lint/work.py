"""Steps of playbooks that nobody has time for, or that are due before what they wait for."""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.people import Playbook, Step
from carewatch.spec.saying import said

_ORDER = {"first_call": 0, "plan": 1, "whole": 3}


def find(parts: Parts) -> Iterator[Finding]:
    for name, book in (parts.playbooks or {}).items():
        for step, content in book.steps.items():
            yield from _too_much(name, step, content, parts)
            yield from _too_early(name, step, content, book)


def _too_much(book: str, step: str, content: Step, parts: Parts) -> Iterator[Finding]:
    if parts.people is None:
        return
    active = [person for person in parts.people.people.values() if person.active]
    able = [one for one in active if content.role in one.roles] or active
    capacities = [one.capacity for one in able]
    known = [one for one in capacities if one is not None]
    if len(known) == len(capacities) and max(known) < content.effort:
        what = said(
            "this step takes {effort:g} hours, and nobody who could do it has more than {most:g} a week",
            effort=content.effort, most=max(known),
        )  # fmt: skip
        expected = said("a smaller effort, another role, or a larger capacity in people.yaml")
        loc = ("steps", step, "effort" if "effort" in content.model_fields_set else "role")
        yield Finding.of("playbooks", book, what, expected, loc=loc, at_key=False)


def _too_early(book: str, step: str, content: Step, playbook: Playbook) -> Iterator[Finding]:
    for at, needed in enumerate(content.needs):
        if _before(content.due, playbook.steps[needed].due):
            what = said("this step is due before '{needed}', which it waits for", needed=needed)
            expected = said("a later due here, or an earlier one at '{needed}'", needed=needed)
            yield Finding.of(
                "playbooks", book, what, expected, loc=("steps", step, "needs", at), at_key=False
            )


def _before(due: str | float, other: str | float) -> bool:
    if isinstance(due, str) and isinstance(other, str):
        return _ORDER[due] < _ORDER[other]
    return not isinstance(due, str) and not isinstance(other, str) and due < other

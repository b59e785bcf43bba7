"""Values of every kind of notice, full and sparse, to try templates with before anybody is told anything.

A test holds them against what the night and the clock hand over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_Values = dict[str, Any]
_DUE = "2026-06-30T08:00:00+00:00"
_SHARED: Final[_Values] = {"customer": {"id": "C001", "name": "Customer"}, "warning_no": 1, "level": 2}
_REASON: Final[_Values] = {"text": "the reason", "severity": "mild", "since": "2026-06-01"}
_TASK: Final[_Values] = {"step": "first_call", "title": "Call the customer", "owner": "Owner", "due_at": _DUE}
_WARNING: Final[_Values] = _SHARED | {
    "owner": "Owner",
    "what": "opened",
    "tier": "A",
    "priority": "high",
    "manager": "Manager",
    "value": 1000.0,
    "currency": "CNY",
    "score": 48.5,
    "colour": "red",
    "opened": "2026-06-01",
    "days": 3,
    "earlier": [{"opened": "2026-01-05", "closed": "2026-02-01", "level": 1, "result": "recovered"}],
    "reasons": [_REASON],
    "tasks": [_TASK],
    "recommends": ["the advice"],
}
_SPARSE: Final[_Values] = {
    "manager": None,
    "value": None,
    "score": None,
    "days": 0,
    "earlier": [],
    "reasons": [],
    "tasks": [],
    "recommends": [],
}
_REMINDED: Final[_Values] = _SHARED | {"title": "Call the customer", "due_at": _DUE}
_CASE: Final[_Values] = _SHARED | {
    "called": False,
    "planned": False,
    "next_date_ahead": False,
    "since": _DUE,
    "due_at": _DUE,
    "owner": "Owner",
    "reasons": [_REASON],
}
_CONTROLLED: Final[_Values] = {"called": True, "planned": True, "next_date_ahead": True, "reasons": []}
_LATE: Final[_Values] = {"source": "tickets", "owner": "service", "reason": "last read 2026-06-29 01:15 UTC"}
_HOLD: Final[_Values] = {
    "day": "2026-06-30",
    "customers": 400,
    "rising": 200,
    "levels": [{"level": "2", "customers": 200}],
    "rules": [{"rule": "silent_beyond_own_rhythm", "customers": 190}],
    "sources": [_LATE],
}
_RECORDED: Final[_Values] = {
    "first": "2026-06-22",
    "last": "2026-06-28",
    "recorded": 3,
    "levels": [{"level": 3, "warnings": 1}, {"level": 1, "warnings": 2}],
    "owners": [{"owner": "Owner", "warnings": 3}],
    "warnings": [
        {"customer": _SHARED["customer"], "level": 2, "tier": "A", "owner": "Owner", "reasons": [_REASON]}
    ],
}
_WATCHED: Final[_Values] = {
    "customer": _SHARED["customer"],
    "reason": "the reason",
    "label": "What was seen",
}
_TOLD: Final = ("opened", "rose", "returned", "changed", "handed_over", "released")

_MADE: Final[dict[str, list[_Values]]] = {
    "warning": [*(_WARNING | {"what": what} for what in _TOLD), _WARNING | _SPARSE, _WARNING | {"level": 0}],
    "digest": [
        {"day": "2026-06-30", "warnings": [_WARNING | {"what": what} for what in _TOLD]},
        {"day": "2026-06-30", "warnings": [_WARNING | _SPARSE]},
    ],
    "watch": [{"signals": [_WATCHED]}, {"signals": [_WATCHED, _WATCHED]}],
    "customer": [
        {"customer": _SHARED["customer"], "firm": "The firm", "owner": "Owner", "label": "What was seen"}
    ],
    "reminder": [{"tasks": [_REMINDED]}, {"tasks": [_REMINDED, _REMINDED]}],
    "failure": [{"dag": "care_nightly", "task": "open_night", "at": _DUE}],
    "outage": [_LATE | {"day": "2026-06-30", "facts": ["ticket", "survey"]}],
    "hold": [_HOLD, _HOLD | {"sources": [], "rules": []}],
    "warm_up": [_RECORDED, _RECORDED | {"recorded": 1, "warnings": []}],
    "escalation": [{"cases": [_CASE]}, {"cases": [_CASE | _CONTROLLED, _CASE]}],
}

SAMPLES: Final[Mapping[str, tuple[_Values, ...]]] = {
    kind: tuple(values | {"receiver": "Receiver"} for values in made) for kind, made in _MADE.items()
}
"""By kind; every branch of the shipped templates is taken by one of them."""

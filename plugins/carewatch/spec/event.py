"""Answer the question: which events can a rule wait for, and what of them can it show?

An event is one row of a fact: a contact left, a rival made an offer, somebody wrote a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from carewatch.spec.document import SpecProblem, unknown
from carewatch.spec.duration import Unit, Window
from carewatch.spec.facts import FACTS, Fact, Kind, Privacy
from carewatch.spec.fragment import check_condition
from carewatch.spec.saying import said

DAYS_SINCE_EVENT: Final = "days_since_event"
"""What an event rule may read: the whole days since the newest such event, as the next night counts them."""
LASTS: Final = Window(30, Unit.DAY)
"""How long an event counts unless its rule or the event itself says otherwise."""
SEVERITY: Final = "severity"
"""The column of a fact that says its own severity, such as a note's."""
EXPIRES: Final = "expires_on"
"""The column of a fact that says the last day on which it matters."""
_SHOWN: Final = (Privacy.PUBLIC, Privacy.INTERNAL)


def kinds(fact: Fact) -> Mapping[str, Kind]:
    """Return what `where` may name of a fact."""
    common = {"event_day": Kind.DAY, "source_key": Kind.TEXT}
    return {**common, **{column.name: column.kind for column in fact.columns}}


def shown(fact: Fact) -> Mapping[str, Kind]:
    """Return what a reason text may show of a fact: nothing that is personal."""
    columns = {column.name: column.kind for column in fact.columns if column.privacy in _SHOWN}
    return {"event_day": Kind.DAY, **columns}


def event_problems(fact: str | None, where: str | None, *, market: bool) -> Iterator[SpecProblem]:
    """Yield what is wrong with the event that a rule names."""
    if fact is None:
        what = "a rule 'on: event' needs 'fact'"
        yield SpecProblem(
            what, expected="fact: the kind of event, such as contact_event", at_key=True, loc=("on",)
        )
    elif fact not in FACTS:
        yield unknown("fact", fact, FACTS, loc=("fact",))
    else:
        if market and FACTS[fact].needs_customer:
            what = said("every {fact} belongs to one customer", fact=fact)
            yield SpecProblem(what, expected="concerns: customer", loc=("concerns",))
        if where is not None:
            try:
                check_condition(where, kinds(FACTS[fact]))
            except SpecProblem as problem:
                yield problem.under("where")

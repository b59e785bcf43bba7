"""Answer the question: whose keys are one customer's, and whose word on a customer counts?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from carewatch.spec.facts import FACTS
from carewatch.spec.problems import SpecProblem, nearest
from carewatch.spec.saying import joined, said

if TYPE_CHECKING:
    from carewatch.spec.sources import BaseSource

OTHERWISE: Final = "otherwise"
FIELDS: Final = tuple(column.name for column in FACTS["customer"].columns)
"""What several systems may say of a customer."""


def masters(sources: Mapping[str, BaseSource]) -> list[str]:
    """Return the sources that say something of customers themselves, in the order of the file."""
    return [
        name
        for name, source in sources.items()
        if any(stream.fact == "customer" for stream in source.all_streams().values())
    ]


def ranks(sources: Mapping[str, BaseSource], priority: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return for every field, and for whose name a customer has (''), all sources with a say, the first one first."""
    speaking = masters(sources)
    otherwise = priority.get(OTHERWISE, ())
    result = {}
    for name in ("", *FIELDS):
        first = priority.get(name, otherwise)
        result[name] = list(dict.fromkeys([*first, *otherwise, *speaking]))
    return result


def priority_problems(
    priority: Mapping[str, Sequence[str]], speaking: Sequence[str]
) -> Iterator[SpecProblem]:
    """Yield what is wrong with `priority`: fields and sources that are none, sources named twice."""
    for name, order in priority.items():
        if name not in (OTHERWISE, *FIELDS):
            yield SpecProblem(
                said("a customer has no field '{name}'", name=name),
                expected=said(
                    "{otherwise} or one of {known}", otherwise=OTHERWISE, known=joined(", ", FIELDS)
                ),
                nearest=nearest(name, (OTHERWISE, *FIELDS)),
                loc=("priority", name),
                at_key=True,
            )
        for position, source in enumerate(order):
            loc = ("priority", name, position)
            if source not in speaking:
                yield SpecProblem(
                    said(
                        "'{source}' says nothing about customers: it has no stream with 'fact: customer'",
                        source=source,
                    ),
                    expected=said("one of {known}", known=joined(", ", speaking) or said("none")),
                    nearest=nearest(source, speaking),
                    loc=loc,
                )
            elif source in order[:position]:
                yield SpecProblem(said("'{source}' stands twice in one list", source=source), loc=loc)


def map_problems(sources: Mapping[str, BaseSource]) -> Iterator[SpecProblem]:
    """Yield the id maps that name, as a constant, a source without customer keys of its own."""
    owners = [name for name, source in sources.items() if source.key_space is None]
    for source_name, source in sources.items():
        for stream_name, stream in source.all_streams().items():
            named = stream.columns.get("other_source", "") if stream.fact == "same_customer" else ""
            if not (len(named) > 2 and named[0] == named[-1] == "'"):
                continue
            if named[1:-1] not in owners:
                yield SpecProblem(
                    said("{said} has no customer keys of its own", said=named),
                    expected=said("one of {known}", known=joined(", ", owners)),
                    nearest=nearest(named[1:-1], owners),
                    loc=("sources", source_name, "streams", stream_name, "columns", "other_source"),
                )

"""Answer the question: how is a value shown to somebody who need not see it?

Every column of a fact has a privacy class; a column of a source has the highest class of the facts' columns it serves.
Listings, logs and errors show values through `masked`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from carewatch.spec.facts import Privacy
from carewatch.spec.source_expression import Compiled
from carewatch.spec.stream_plan import StreamPlan

HIDDEN: Final = "•••"
_RANK: Final = tuple(Privacy)
_LONGEST: Final = 60


def masked(value: str | None, privacy: Privacy = Privacy.PERSONAL) -> str | None:
    """Return a value as a listing may show it, on one line and not too long.

    Of a personal value only its shape is left, which shows what is wrong with it: `ann@firm.cn` is `xxx@xxxx.xx`,
    `2025-13-45` is `9999-99-99`. Of a secret nothing is left.
    """
    if value is None:
        return None
    if privacy is Privacy.SECRET:
        return HIDDEN
    shown = " ".join(value.split())
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in shown)
    if privacy is Privacy.PERSONAL:
        shown = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", shown))
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"


def without_values(message: str) -> str:
    """Return what a database says is wrong with a value, its first line alone, of what it quotes only the shape."""
    first = (message.strip().splitlines() or [""])[0]
    first = re.sub(r'"([^"]*)"', lambda quoted: f'"{masked(quoted[1])}"', first)
    return re.sub(r"=\(.*\)", "=(…)", first)


def privacy_of(plan: StreamPlan) -> Mapping[str, Privacy]:
    """Return the class of every name that a message about a stream may use: the source's columns and the fact's.

    A column of the source that serves only as key or time is internal, unless the stream calls it `personal`. What is not
    found here is not known: ask with `.get(name, Privacy.PERSONAL)`.
    """
    found = dict.fromkeys(
        ("key", "customer", "event_at", "changed_at", *plan.reads.columns), Privacy.INTERNAL
    )

    def raise_to(name: str, privacy: Privacy) -> None:
        found[name] = max(found.get(name, privacy), privacy, key=_RANK.index)

    for column in plan.fact.columns:
        raise_to(column.name, column.privacy)
        if column.name in plan.columns:
            for read, _ in plan.columns[column.name].reads:
                raise_to(read, column.privacy)
    for name in plan.stream.personal:
        raise_to(name, Privacy.PERSONAL)
    for name, expressions in _compiled(plan).items():
        if any(read in plan.stream.personal for one in expressions for read, _ in one.reads):
            raise_to(name, Privacy.PERSONAL)
    return found


def _compiled(plan: StreamPlan) -> Mapping[str, Sequence[Compiled]]:
    """Return what each name of the fact is made of."""
    return {
        "key": plan.key,
        "customer": () if plan.customer is None else (plan.customer,),
        **{name: (one,) for name, one in plan.columns.items()},
    }

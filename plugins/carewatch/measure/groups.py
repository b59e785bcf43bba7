"""Answer the question: how healthy is a group of companies, seen through its members?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Numbers
from carewatch.measure.health import Colour
from carewatch.spec.health import Bands


@dataclass(frozen=True)
class Group:
    """One group: who stands at its head, how many belong to it, its score and colour, and its worst member."""

    head: int
    members: int
    score: float
    colour: Colour
    worst: int | None


def members_of(parents: Mapping[int, int]) -> dict[int, list[int]]:
    """Return everybody below each head with the head itself, by number; `parents` has no circle."""
    found: dict[int, list[int]] = {}
    for member in parents:
        above = parents.get(member)
        while above is not None:
            found.setdefault(above, [above]).append(member)
            above = parents.get(above)
    return {head: sorted(members) for head, members in sorted(found.items())}


def roll_up(
    how: Literal["worst", "weighted"],
    groups: Mapping[int, list[int]],
    customers: NDArray[np.int32],
    *,
    score: Numbers,
    colour: NDArray[np.int16],
    money: Numbers,
    dormant: NDArray[np.bool_],
    bands: Bands,
) -> list[Group]:
    """Return the groups' health from their members' own; who sleeps or is not a customer tonight does not count.

    `worst`: the lowest score, and the worst colour that is not grey. `weighted`: the mean of the known scores by the money
    at stake (equal shares when there is none), coloured by the firm's bands. Nothing known is grey.
    """
    place = {int(customer): at for at, customer in enumerate(customers)}
    found = []
    for head, members in groups.items():
        at = np.array([place[one] for one in members if one in place and not dormant[place[one]]], dtype=int)
        if not len(at):
            continue
        known = at[~np.isnan(score[at])]
        worst = int(known[np.argmin(score[known])]) if len(known) else None
        if how == "worst":
            total = np.nan if worst is None else float(score[worst])
            seen = colour[at][colour[at] != Colour.GREY]
            shown = Colour(int(seen.min())) if len(seen) else Colour.GREY
        else:
            total = _mean(score[known], money[known])
            shown = _coloured(total, bands)
        found.append(Group(head, len(at), total, shown, None if worst is None else int(customers[worst])))
    return found


def _mean(score: Numbers, money: Numbers) -> float:
    if not len(score):
        return np.nan
    weight = np.maximum(np.nan_to_num(money), 0.0)
    # shares of the largest, which neither vanish nor overflow
    weight = weight / weight.max() if weight.max() > 0 else np.ones(len(score))
    return round(float((score * weight).sum() / weight.sum()), 2)


def _coloured(score: float, bands: Bands) -> Colour:
    if np.isnan(score):
        return Colour.GREY
    return Colour.GREEN if score >= bands.green else Colour.YELLOW if score >= bands.yellow else Colour.RED

"""Answer the question: can a condition be true or false at all, and does one hold whenever another does?

A condition is taken apart into ways: each way says, for every name it depends on, which values make the condition come
out. Names that are compared with one another are followed by pairs. What takes more ways than anybody writes is not
judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from carewatch.spec.condition.tree import All, Any_, Comparison, Condition, Op, Ref, names

MOST_WAYS: Final = 2000


class TooMany(Exception):
    """A condition with more ways than are looked at."""


@dataclass(frozen=True)
class Domain:
    """Which values a name may have: missing, or known ones between two ends, among `only` and none of `never`."""

    missing: bool = True
    known: bool = True
    low: float = -math.inf
    low_in: bool = False
    high: float = math.inf
    high_in: bool = False
    only: frozenset[float | str] | None = None
    never: frozenset[float | str] = frozenset()

    @property
    def possible(self) -> bool:
        return self.missing or (self.known and self._has_value())

    def _has_value(self) -> bool:
        if self.only is not None:
            return any(self._between(value) for value in self.only - self.never)
        if self.low == self.high:
            return self.low_in and self.high_in and self.low not in self.never
        return self.low < self.high

    def _between(self, value: float | str) -> bool:
        if isinstance(value, str):
            return True
        above = value > self.low or (value == self.low and self.low_in)
        return above and (value < self.high or (value == self.high and self.high_in))

    def meet(self, other: Domain) -> Domain:
        """Return the values that both allow."""
        low = max((self.low, not self.low_in), (other.low, not other.low_in))
        high = min((self.high, self.high_in), (other.high, other.high_in))
        only = (
            self.only if other.only is None else other.only if self.only is None else self.only & other.only
        )
        return Domain(
            self.missing and other.missing, self.known and other.known,
            low[0], not low[1], high[0], high[1], only, self.never | other.never,
        )  # fmt: skip


KNOWN: Final = Domain(missing=False)
_NOT: Final = {
    Op.LT: Op.GE, Op.GE: Op.LT, Op.GT: Op.LE, Op.LE: Op.GT, Op.IS: Op.IS_NOT, Op.IS_NOT: Op.IS, Op.IN: Op.NOT_IN,
    Op.NOT_IN: Op.IN, Op.IS_MISSING: Op.IS_NOT_MISSING, Op.IS_NOT_MISSING: Op.IS_MISSING,
}  # fmt: skip
_ORDERS: Final = {
    Op.LT: frozenset({-1}), Op.LE: frozenset({-1, 0}), Op.GT: frozenset({1}), Op.GE: frozenset({0, 1}),
    Op.IS: frozenset({0}), Op.IS_NOT: frozenset({-1, 1}),
}  # fmt: skip
"""How the left name may stand to the right one: below, equal, above."""
Ground = Callable[[str], Domain]
"""What is known of a name's values before any condition."""


def anything(_: str) -> Domain:
    """Return that nothing is known of a name."""
    return Domain()


@dataclass(frozen=True)
class Way:
    """One way in which a condition comes out: the values of names, and how pairs of names stand to one another."""

    values: Mapping[str, Domain] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], frozenset[int]] = field(default_factory=dict)

    @property
    def possible(self) -> bool:
        return all(domain.possible for domain in self.values.values()) and all(self.pairs.values())

    def meet(self, other: Way) -> Way:
        """Return what both ways allow."""
        values, pairs = dict(self.values), dict(self.pairs)
        for name, domain in other.values.items():
            values[name] = values[name].meet(domain) if name in values else domain
        for pair, orders in other.pairs.items():
            pairs[pair] = pairs[pair] & orders if pair in pairs else orders
        return Way(values, pairs)


def ways(condition: Condition, truth: bool = True, ground: Ground = anything) -> list[Way]:
    """Return the ways in which a condition can be true, or false; raise TooMany."""
    if isinstance(condition, Comparison):
        return [one for one in [_way(condition, truth, ground)] if one.possible]
    inner = truth if isinstance(condition, All | Any_) else not truth
    below = [ways(item, inner, ground) for item in condition.items]
    together = truth if not isinstance(condition, Any_) else not truth
    return reduce(meet, below) if together else _few(way for found in below for way in found)


def meet(one: list[Way], other: list[Way]) -> list[Way]:
    """Return the ways in which both come out; raise TooMany."""
    if len(one) * len(other) > MOST_WAYS * 10:
        raise TooMany
    return _few(way for first in one for second in other if (way := first.meet(second)).possible)


def covers(wide: Condition, narrow: Condition, ground: Ground = anything) -> bool:
    """Return whether the wide condition is true whenever the narrow one is."""
    inside = ways(narrow, True, ground)
    told = all(not way.values.get(name, Domain()).missing for way in inside for name in names(wide))
    return bool(inside) and told and not meet(inside, ways(wide, False, ground))


def _few(found: Iterable[Way]) -> list[Way]:
    listed = []
    for way in found:
        listed.append(way)
        if len(listed) > MOST_WAYS:
            raise TooMany
    return listed


def _way(comparison: Comparison, truth: bool, ground: Ground) -> Way:
    op = comparison.op if truth else _NOT[comparison.op]
    name, value = comparison.name, comparison.value
    if isinstance(value, Ref):
        known = {one: ground(one).meet(KNOWN) for one in (name, value.name)}
        return Way(known, {_pair(name, value.name): _orders(op, name, value.name)})
    return Way({name: ground(name).meet(domain(op, value))})


def _pair(left: str, right: str) -> tuple[str, str]:
    return (left, right) if left <= right else (right, left)


def _orders(op: Op, left: str, right: str) -> frozenset[int]:
    orders = _ORDERS[op]
    if left == right:
        return orders & {0}
    return orders if left < right else frozenset(-one for one in orders)


def domain(op: Op, value: object) -> Domain:
    """Return the values for which `name op value` is true."""
    if op is Op.IS_MISSING:
        return Domain(known=False)
    if op in (Op.IN, Op.IS):
        return Domain(missing=False, only=frozenset(value if isinstance(value, tuple) else (value,)))
    if op in (Op.NOT_IN, Op.IS_NOT):
        return Domain(missing=False, never=frozenset(value if isinstance(value, tuple) else (value,)))
    if isinstance(value, float) and op in (Op.LT, Op.LE):
        return Domain(missing=False, high=value, high_in=op is Op.LE)
    if isinstance(value, float) and op in (Op.GT, Op.GE):
        return Domain(missing=False, low=value, low_in=op is Op.GE)
    return KNOWN

"""Lines of the level table that never decide anything: another line of the same or a higher level holds whenever they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.rules import LEVELS, Level, LevelLine, LevelsFile, Severity
from carewatch.spec.saying import said

_WORST_FIRST = tuple(reversed(LEVELS))
_WORST = tuple(reversed(list(Severity)[1:]))


def find(parts: Parts) -> Iterator[Finding]:
    if parts.levels is None:
        return
    for table, levels in _tables(parts.levels):
        yield from _needless(table, levels)
        yield from _out_of_reach(table, levels, parts)


def _tables(levels: LevelsFile) -> Iterator[tuple[str, Mapping[Level, list[LevelLine]]]]:
    """Yield the level table, and the one of a loose launch, by their keys."""
    yield "levels", levels.levels
    if levels.loose is not None:
        yield "loose", levels.loose


def _needless(table: str, levels: Mapping[Level, list[LevelLine]]) -> Iterator[Finding]:
    before: list[tuple[str, int, LevelLine]] = []
    for level in _WORST_FIRST:
        lines = levels.get(level, [])
        for at, line in enumerate(lines):
            same = [(level, number, other) for number, other in enumerate(lines) if number != at]
            # of two equal lines of a level the second is the needless one
            same = [one for one in same if not _covers(line, one[2]) or one[1] < at]
            for other_level, number, other in (*before, *same):
                if _covers(other, line):
                    yield _covered((table, level, at), other_level, number)
                    break
        before += [(level, at, line) for at, line in enumerate(lines)]


def _covers(wide: LevelLine, narrow: LevelLine) -> bool:
    """Return whether the wide line holds whenever the narrow one does."""
    if wide.health is not None or narrow.health is not None:
        return wide.health == narrow.health or (wide.health, narrow.health) == ("yellow", "red")
    few = _least(narrow)
    dimensions = max(narrow.dimensions, 1)
    return wide.dimensions <= dimensions and all(
        asked <= there for asked, there in zip(wide.at_least(), few, strict=True)
    )


def _least(line: LevelLine) -> tuple[int, int, int, int]:
    """Return how many indicators there are at the least where a line holds: each is in one dimension."""
    mild, *worse = line.at_least()
    return (max(mild, line.dimensions), *worse)  # type: ignore[return-value]


def _covered(loc: tuple[str, str, int], other: str, number: int) -> Finding:
    level = loc[1]
    if level == other:
        what = said(
            "this line changes nothing: line {number} of the level already holds then", number=number + 1
        )
        expected = said("this line left out, or one that asks for less")
        return Finding.of("levels", "levels", what, expected, loc=loc, at_key=False)
    what = said(
        "this line never gives level {level}: line {number} of level {other} holds whenever it does",
        level=level, number=number + 1, other=other,
    )  # fmt: skip
    expected = said("a line that asks for less than level {other} does", other=other)
    return Finding.of("levels", "levels", what, expected, loc=loc, at_key=False, stops=True)


def _out_of_reach(table: str, levels: Mapping[Level, list[LevelLine]], parts: Parts) -> Iterator[Finding]:
    """Yield lines that ask for more indicators of a severity than the rules can ever open."""
    there: dict[str, int] = {}
    for rule in parts.rules.values():
        worst = max(
            [rule.severity, *(one for by in rule.classes().values() for one in by.values())],
            key=lambda one: one.rank,
        )
        # a person's note says its own severity
        rank = Severity.CRITICAL.rank if rule.fact == "note" else worst.rank
        there[rule.counts_as] = max(there.get(rule.counts_as, 0), rank)
    dimensions = {rule.dimension for rule in parts.rules.values()}
    for level, lines in levels.items():
        for at, line in enumerate(lines):
            for severity, asked in zip(_WORST, reversed(line.at_least()), strict=True):
                possible = sum(rank >= severity.rank for rank in there.values())
                if asked > possible:
                    what = said(
                        "this line asks for {asked} indicators that are {severity} or worse, and the rules have {possible}",
                        asked=asked, severity=said(severity.value), possible=possible,
                    )  # fmt: skip
                    expected = said("at most {possible}, or more rules of that severity", possible=possible)
                    yield Finding.of("levels", "levels", what, expected, loc=(table, level, at), at_key=False)
                    break
            else:
                if line.dimensions > len(dimensions):
                    what = said(
                        "this line asks for {asked} dimensions, and the rules have {possible}",
                        asked=line.dimensions, possible=len(dimensions),
                    )  # fmt: skip
                    expected = said(
                        "at most {possible}, or more rules of that severity", possible=len(dimensions)
                    )
                    yield Finding.of("levels", "levels", what, expected, loc=(table, level, at), at_key=False)

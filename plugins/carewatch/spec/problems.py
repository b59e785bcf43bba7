"""Problems in what people wrote: where, what is wrong, what was expected, what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carewatch.spec.saying import Said, in_language, joined, said

Loc = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """A position in a text file; line and column count characters from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing a person has to correct."""

    place: Place
    what: str
    expected: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        return self.in_("en")

    def in_(self, language: str) -> str:
        """Return the problem with its place in one line, in a language."""
        what, expected = in_language(self.what, language), in_language(self.expected or "", language)
        parts = [said("{place}: {what}", place=self.place, what=what)]
        if expected:
            parts.append(said("expected {expected}", expected=expected))
        if self.nearest:
            parts.append(said("did you mean {nearest}?", nearest=self.nearest))
        return in_language(joined("; ", parts), language)

    def __lt__(self, other: Problem) -> bool:
        return (self.place, self.what) < (other.place, other.what)


class SpecError(Exception):
    """Everything that is wrong with the configuration, one line per problem, ordered by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SpecProblem(ValueError):
    """A problem found while judging a value, before its place in the file is known.

    `loc` leads from the judged value down to the part at fault, `at_key` points at that part's key and
    `column_offset` counts characters (from 0) inside that part's text. `more` holds further problems of
    the same value, so that one raise can report all of them.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        nearest: str | None = None,
        column_offset: int = 0,
        loc: Loc = (),
        at_key: bool = False,
        more: Sequence[SpecProblem] = (),
    ) -> None:
        self.what = what
        self.expected = expected
        self.nearest = nearest
        self.column_offset = column_offset
        self.loc = loc
        self.at_key = at_key
        self.more = tuple(more)
        super().__init__("\n".join(one.sentence() for one in self.every()))

    def sentence(self) -> str:
        """Say this problem alone, without its place."""
        expected = f"; expected {self.expected}" if self.expected else ""
        return self.what + expected + (f"; did you mean {self.nearest}?" if self.nearest else "")

    def every(self) -> tuple[SpecProblem, ...]:
        """Return this problem and all that came with it."""
        return (self, *(one for further in self.more for one in further.every()))

    def under(self, *steps: str | int) -> SpecProblem:
        """Return the same problem as seen from a value that holds the judged one below `steps`."""
        return self._copy((*steps, *self.loc), tuple(one.under(*steps) for one in self.more))

    def shifted(self, characters: int) -> SpecProblem:
        """Return the same problem alone, so many characters further right in the judged text."""
        moved = self.with_others(())
        moved.column_offset = max(0, self.column_offset + characters)
        return moved

    def with_others(self, others: Sequence[SpecProblem]) -> SpecProblem:
        """Return this problem alone, carrying the others."""
        return self._copy(self.loc, others)

    def _copy(self, loc: Loc, more: Sequence[SpecProblem]) -> SpecProblem:
        return SpecProblem(
            self.what,
            expected=self.expected,
            nearest=self.nearest,
            column_offset=self.column_offset,
            loc=loc,
            at_key=self.at_key,
            more=more,
        )


def raise_all(problems: Iterable[SpecProblem]) -> None:
    """Raise the first problem carrying all the others; return when there is none."""
    flat = [one.with_others(()) for problem in problems for one in problem.every()]
    if flat:
        raise flat[0].with_others(flat[1:])


def unknown(
    what: str,
    name: str,
    known: Iterable[str],
    *,
    expected: str | None = None,
    loc: Loc = (),
    at_key: bool = False,
    column_offset: int = 0,
) -> SpecProblem:
    """Return the problem of a name that nothing defines, with the nearest one that something does.

    `expected` says where such names are defined; without it and without a near name, all known ones are listed.
    """
    choices = sorted(known)
    near = nearest(name, choices)
    listed = said("one of {choices}", choices=joined(", ", choices)) if choices and not near else None
    return SpecProblem(
        said("unknown {what} '{name}'", what=what if isinstance(what, Said) else said(what), name=name),
        expected=expected or listed,
        nearest=near,
        loc=loc,
        at_key=at_key,
        column_offset=column_offset,
    )


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `word`, or None when none is near; case and `-`, `_`, space are alike."""
    by_fold: dict[str, str] = {}
    for choice in choices:
        by_fold.setdefault(_fold(choice), choice)
    folded = _fold(word)
    if folded in by_fold:
        return by_fold[folded]
    begun = [choice for fold, choice in by_fold.items() if len(folded) > 1 and fold.startswith(folded)]
    if len(begun) == 1:
        return begun[0]
    close = difflib.get_close_matches(folded, by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def _fold(word: str) -> str:
    return word.strip().casefold().replace("-", "_").replace(" ", "_")

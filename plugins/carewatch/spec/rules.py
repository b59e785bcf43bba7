"""Answer the question: what counts as odd, how bad is it, and which level does it add up to?"""

from __future__ import annotations

import string
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import SpecProblem, Strict, Text, nearest


class Severity(StrEnum):
    """How bad a signal is, from a thing to watch to a critical one."""

    WATCH = "watch"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for watch up to 4 for critical."""
        return list(Severity).index(self)


class Example(Strict):
    """Given values, does the rule fire? `fires` is true, false or 'unknown'."""

    given: dict[str, float | str | None]
    fires: bool | Literal["unknown"]


class Rule(Strict):
    """One rule: a condition over tonight's numbers, how long it must hold, what it counts as.

    `holds_for` nights running must be true before the signal opens (1 = at once). It closes when `clears_if` (or, without
    it, the condition being false) was so for `clears_after` nights running. Unknown pauses both counts.
    """

    label: Text
    severity: Severity
    severity_by_tier: dict[str, Severity] = Field(default_factory=dict)
    counts_as: str
    dimension: str
    when: ConditionField
    holds_for: int = Field(default=1, ge=1, le=60)
    clears_if: ConditionField | None = None
    clears_after: int = Field(default=1, ge=1, le=60)
    because: Text
    examples: list[Example] = Field(default_factory=list)

    def names(self) -> frozenset[str]:
        """Return every name that the rule reads."""
        return names(self.when) | (names(self.clears_if) if self.clears_if is not None else frozenset())

    def placeholders(self) -> frozenset[str]:
        """Return the names that the reason text shows."""
        return frozenset(
            field
            for text in self.because.texts()
            for _, field, _, _ in string.Formatter().parse(text)
            if field
        )

    @field_validator("because")
    @classmethod
    def _is_a_template(cls, value: Text) -> Text:
        for text in value.texts():
            try:
                parts = list(string.Formatter().parse(text))
            except ValueError as error:
                raise SpecProblem(
                    f"the reason text has a broken placeholder: {error}", expected="{metric_name}"
                ) from None
            for _, field, _, conversion in parts:
                if field is not None and (not field.isidentifier() or conversion):
                    raise SpecProblem(
                        f"'{{{field}}}' is not a metric's name", expected="{metric_name} or {metric_name:.1f}"
                    )
        return value


class RulesFile(Strict):
    """A file of `config/warnings/`."""

    version: Literal[1]
    rules: dict[str, Rule]


class LevelLine(Strict):
    """One way to reach a level: at least so many indicators of at least that severity, all of them together.

    Counts add up downwards: `{moderate: 1, mild: 2}` is one moderate-or-worse and two more mild-or-worse.
    """

    critical: int = Field(default=0, ge=0)
    severe: int = Field(default=0, ge=0)
    moderate: int = Field(default=0, ge=0)
    mild: int = Field(default=0, ge=0)
    dimensions: int = Field(default=0, ge=0, description="in at least so many dimensions")
    health: Literal["yellow", "red"] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        counted = self.critical + self.severe + self.moderate + self.mild
        if self.health is None and counted == 0:
            raise SpecProblem("this line is always true", expected="a severity with a count, or health")
        if self.health is not None and counted:
            raise SpecProblem("a line is either about health or about indicators", expected="two lines")
        return self

    def at_least(self) -> tuple[int, int, int, int]:
        """Return how many indicators are needed that are mild-, moderate-, severe- or critical-or-worse."""
        critical = self.critical
        severe = critical + self.severe
        moderate = severe + self.moderate
        return (moderate + self.mild, moderate, severe, critical)


SLA = tuple[float, float, float, float]


class Levels(Strict):
    """`levels.yaml`: the level table (first line that holds, from 3 down) and the promises that go with each level.

    `promises[level][tier]` = working hours to the first call, the logged plan, the escalation and the whole.
    `rest`: days in which a new warning follows the closed one. `hold_if_more_than`: percent of customers whose level
    may rise in one night before the night is held.
    """

    version: Literal[1]
    levels: dict[Literal["1", "2", "3"], list[LevelLine]]
    promises: dict[Literal["1", "2", "3"], dict[str, SLA]]
    rest: int = Field(default=30, ge=0)
    hold_if_more_than: float = Field(default=100, gt=0, le=100)

    def lines(self, level: int) -> list[LevelLine]:
        """Return the lines of a level."""
        return next(lines for key, lines in self.levels.items() if int(key) == level)

    @field_validator("levels", "promises", mode="before")
    @classmethod
    def _numbers_are_keys(cls, value: object) -> object:
        return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for level in ("1", "2", "3"):
            if not self.levels.get(level):
                raise SpecProblem(f"level {level} has no line", loc=("levels",))
        for level, tiers in self.promises.items():
            for tier, hours in tiers.items():
                if (
                    any(hour <= 0 for hour in hours)
                    or sorted(hours[:3]) != list(hours[:3])
                    or hours[3] < hours[2]
                ):
                    raise SpecProblem(
                        f"the promises of level {level}, tier {tier} must be positive and not fall",
                        expected="first call <= plan <= escalation <= whole",
                        loc=("promises", level, tier),
                    )
        return self


def unknown_name(name: str, known: frozenset[str] | set[str], where: str) -> SpecProblem:
    """Return the problem of a name that nothing defines."""
    return SpecProblem(
        f"unknown name '{name}' in {where}", expected="a metric or attribute", nearest=nearest(name, known)
    )

"""Answer the question: what counts as odd, how bad is it, and which level does it add up to?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from carewatch.spec.condition import ConditionField, names, parse
from carewatch.spec.document import Name, SpecProblem, Strict, Text, by_name, raise_all
from carewatch.spec.duration import Window
from carewatch.spec.event import DAYS_SINCE_EVENT, LASTS, event_problems
from carewatch.spec.placeholder import Placeholder, by_ids, placeholders
from carewatch.spec.saying import said
from carewatch.spec.vocabulary import NO_WORDS


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


class Priority(StrEnum):
    """How soon somebody should look, from low to high."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low up to 2 for high."""
        return list(Priority).index(self)


REASON: Final = "reason"
"""What `unless` reads of the register of reasonable reasons: the reason in force for the rule's indicator."""
REASONS: Final = ("low_season", "holiday", "stocktaking", "relocation", "agreed_pause", "other")
"""The words of the register."""


def _any_reason(value: object) -> object:
    """Read `unless: reason` as what it means."""
    return f"{REASON} is not missing" if value == REASON else value


_EVENT_HAPPENED: Final = parse(f"{DAYS_SINCE_EVENT} is not missing")


class Example(Strict):
    """Given these values, does the rule fire? A value that is not given is missing."""

    given: dict[str, float | str | None] = Field(description="values by metric or attribute")
    fires: bool | Literal["unknown"] = Field(
        description="true, false or unknown (a value it needs is missing)"
    )


class Rule(Strict):
    """One rule: a condition over tonight's numbers, how long it must hold, what it counts as.

    `holds_for` nights running must be true before the signal opens (1 = at once). It closes when `clears_if` (or, without
    it, the condition being false) was so for `clears_after` nights running. Unknown pauses both counts, and so does an
    excuse: while `unless` is true, or the register of reasonable reasons names the indicator, the rule opens nothing and
    closes nothing. An `unless` that cannot be told excuses nothing.
    """

    label: Text = Field(description="what people see 名称")
    severity: Severity = Field(
        description="how bad it is: watch 关注, mild 轻度, moderate 中度, severe 重度, critical 紧急"
    )
    severity_by_tier: Annotated[dict[str, Severity], AfterValidator(by_name)] = Field(
        default_factory=dict, description="another severity for customers of these tiers, such as {A: severe}"
    )
    severity_by: Annotated[
        dict[str, Annotated[dict[str, Severity], AfterValidator(by_name)]], AfterValidator(by_name)
    ] = Field(
        default_factory=dict,
        description="another severity by class 客户分类, such as {segment: {key: severe}, tier: {A: severe}}; of several "
        "that apply the worst counts",
    )
    priority: Priority | None = Field(
        default=None,
        description="how soon somebody should look 优先级: low 低, medium 中, high 高; the higher of this and what level and "
        "tier give",
    )
    counts_as: str = Field(
        description="the indicator 指标; rules that count as the same one count once, at the worst severity"
    )
    dimension: str = Field(description="the dimension of health.yaml that it belongs to 维度")
    on: Literal["night", "event"] = Field(
        default="night",
        description="night: judged from each night's numbers; event: from one row of a fact, within minutes 触发方式",
    )
    fact: str | None = Field(default=None, description="on: event: the kind of fact (docs/facts.md) 事件类型")
    where: str | None = Field(
        default=None,
        description="on: event: an SQL condition over the fact's columns, such as what = 'left' and main",
    )
    lasts: Window | None = Field(
        default=None,
        description="on: event: how long an event counts 有效期, 30 days unless said; one with expires_on until that day",
    )
    concerns: Literal["customer", "market"] | None = Field(
        default=None,
        description="on: event: customer (events at this very customer, unless said) or market (events of an industry, "
        "country or line, for every customer in it) 影响范围",
    )
    when: ConditionField = Field(
        default=_EVENT_HAPPENED,
        description="the condition 条件: one comparison, or all:, any:, none: with a list; an event rule needs none",
    )
    holds_for: int = Field(
        default=1, ge=1, le=60, description="nights running that it must be true before it counts"
    )
    clears_if: ConditionField | None = Field(
        default=None, description="when it is over; without it, as soon as the condition is false"
    )
    clears_after: int = Field(default=1, ge=1, le=60, description="nights running that this must hold")
    unless: Annotated[ConditionField | None, BeforeValidator(_any_reason)] = Field(
        default=None,
        description="what excuses it 除非: 'reason' (a reasonable reason is on record), 'reason is low_season', or any "
        "condition; while it is true the rule opens and closes nothing",
    )
    mails: Literal["customer", "owner"] | None = Field(
        default=None,
        description="a signal of severity watch sends one machine mail 自动邮件, once: to the customer (who has agreed to it) "
        "or to the owner; nobody gets a task",
    )
    hides: list[str] = Field(
        default_factory=list,
        description="rules that notices leave out while this one is open 通知中隐去; they count all the same",
    )
    because: Text = Field(
        description="the reason that people read 原因; {metric} shows its value, {metric:.0f} without decimals"
    )
    examples: list[Example] = Field(
        default_factory=list, description="what must come out for given values; care check tries each one"
    )

    def names(self) -> frozenset[str]:
        """Return every name that the rule's conditions read."""
        read: frozenset[str] = frozenset()
        for condition in (self.when, self.clears_if, self.unless):
            read |= names(condition) if condition is not None else frozenset()
        return read - {REASON}

    def classes(self) -> dict[str, dict[str, Severity]]:
        """Return the severities by class: what the class is called, and the severity of each of its values."""
        return (
            {"tier": self.severity_by_tier, **self.severity_by} if self.severity_by_tier else self.severity_by
        )

    def shown(self) -> Iterator[tuple[str, Placeholder]]:
        """Yield every placeholder of the reason text with its language ('' when there is one text for all)."""
        for language, text in self.because.entries:
            yield from ((language, one) for one in placeholders(text))

    def placeholders(self) -> frozenset[str]:
        """Return the names that the reason text shows."""
        return frozenset(one.name for _, one in self.shown())

    @property
    def event_lasts(self) -> Window:
        """How long an event of this rule counts."""
        return self.lasts or LASTS

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        raise_all(self._shape_problems())
        return self

    def _shape_problems(self) -> Iterator[SpecProblem]:
        given = self.model_fields_set
        possible = {
            self.severity,
            *(one for by_value in self.classes().values() for one in by_value.values()),
        }
        if self.mails is not None and Severity.WATCH not in possible:
            what = "only a signal of severity watch sends a machine mail, and this rule never has it"
            yield SpecProblem(what, expected="severity: watch", loc=("mails",), at_key=True)
        if self.on == "event":
            yield from event_problems(self.fact, self.where, market=self.concerns == "market")
            for key in ("holds_for", "clears_if", "clears_after"):
                if key in given and getattr(self, key) not in (None, 1):
                    what = said(
                        "a rule 'on: event' takes no '{key}': it is there at once and lasts as long as 'lasts' says",
                        key=key,
                    )
                    yield SpecProblem(what, loc=(key,), at_key=True)
            return
        if "when" not in given:
            yield SpecProblem("missing key 'when'")
        for key in ("fact", "where", "lasts", "concerns"):
            if getattr(self, key) is not None:
                what = said("only a rule 'on: event' takes '{key}'", key=key)
                yield SpecProblem(what, expected="on: event", loc=(key,), at_key=True)

    @model_validator(mode="after")
    def _says_severity_by_tier_once(self) -> Self:
        if self.severity_by_tier and "tier" in self.severity_by:
            what = "the severity by tier stands twice"
            expected = "either severity_by_tier or tier under severity_by"
            raise SpecProblem(what, expected=expected, loc=("severity_by", "tier"), at_key=True)
        return self

    @field_validator("because")
    @classmethod
    def _can_be_filled_in(cls, value: Text, info: ValidationInfo) -> Text:
        words = (info.context or {}).get("vocabulary", NO_WORDS)
        value = Text(tuple((language, by_ids(text, words)) for language, text in value.entries))
        problems = []
        for language, text in value.entries:
            try:
                placeholders(text)
            except SpecProblem as problem:
                problems.append(problem.under(language) if language else problem)
        raise_all(problems)
        return value


class RulesFile(Strict):
    """A file of `config/warnings/`: rules by name, and the names of rules that are taken from the shipped library."""

    version: Literal[1]
    library: list[str] = Field(
        default_factory=list,
        description="rules of the shipped library that are taken over as they are, by name 引用规则库",
    )
    rules: dict[Name, Rule] = Field(default_factory=dict, description="rules of one's own 规则")


class LevelLine(Strict):
    """One way to reach a level: at least so many indicators of at least that severity, all of them together.

    Counts add up downwards: `{moderate: 1, mild: 2}` is one moderate-or-worse and two more mild-or-worse.
    """

    critical: int = Field(default=0, ge=0, description="so many critical indicators 紧急")
    severe: int = Field(default=0, ge=0, description="so many severe or worse 重度")
    moderate: int = Field(default=0, ge=0, description="so many moderate or worse 中度")
    mild: int = Field(default=0, ge=0, description="so many mild or worse 轻度")
    dimensions: int = Field(default=0, ge=0, description="in at least so many dimensions")
    health: Literal["yellow", "red"] | None = Field(
        default=None, description="health has this colour or is worse"
    )

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


Level = Literal["1", "2", "3"]
LEVELS: Final[tuple[Level, ...]] = ("1", "2", "3")
PROMISED = (said("the first call"), said("the plan"), said("the escalation"), said("the whole"))


def _promise(value: object) -> object:
    """Refuse anything but four working hours that do not fall."""
    form = "[first call, plan, escalation, the whole] in working hours, such as [4, 8, 16, 24]"
    if not isinstance(value, list | tuple) or len(value) != len(PROMISED):
        found = said("{count} hours", count=len(value)) if isinstance(value, list | tuple) else f"'{value}'"
        raise SpecProblem(said("{found} where a promise has four", found=found), expected=form)
    problems = []
    latest: tuple[float, str] = (0, said("the start"))
    for number, (hours, promised) in enumerate(zip(value, PROMISED, strict=True)):
        if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= _LONGEST:
            what = said("'{hours}' hours to {promised}", hours=hours, promised=promised)
            problems.append(SpecProblem(what, expected="a number of working hours above 0", loc=(number,)))
            continue
        if hours < latest[0]:
            what = said(
                "{promised} ({hours:g} hours) would be due before {latest} ({latest2:g} hours)",
                promised=promised,
                hours=hours,
                latest=latest[1],
                latest2=latest[0],
            )
            expected = "hours that do not fall from left to right"
            problems.append(SpecProblem(what, expected=expected, loc=(number,)))
        latest = (hours, promised)
    raise_all(problems)
    return value


_LONGEST = 10_000
SLA = Annotated[tuple[float, float, float, float], BeforeValidator(_promise)]


def _text_keys(value: object) -> object:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


class Levels(Strict):
    """The level table: the first line that holds, from level 3 down, gives the level."""

    levels: Annotated[dict[Level, list[LevelLine]], AfterValidator(by_name)] = Field(
        description="the lines of each level 预警级别: 1 yellow, 2 orange, 3 red"
    )
    priority: Annotated[
        dict[Level, Annotated[dict[str, Priority], AfterValidator(by_name)]], AfterValidator(by_name)
    ] = Field(
        default_factory=dict,
        description="how soon somebody should look at a warning, by level and tier 优先级; where nothing is said: level 3 "
        "high, level 2 high for the best tier and medium for the others, level 1 medium for the best and low",
    )
    rest: int = Field(default=30, ge=0, description="days in which a new warning follows the closed one")
    expire_after: int = Field(
        default=90,
        ge=1,
        description="days after which a warning that never rose above level 1 and did not move expires 失效",
    )
    hold_if_more_than: float = Field(
        default=100,
        gt=0,
        le=100,
        description="the night is held when the level of more than this percent of customers would rise",
    )

    def lines(self, level: int) -> list[LevelLine]:
        """Return the lines of a level."""
        return next(lines for key, lines in self.levels.items() if int(key) == level)

    def priority_of(self, level: int, tier: str, best: str) -> Priority:
        """Return how soon somebody should look at a warning of a level and tier; `best` is the best tier."""
        for key, by_tier in self.priority.items():
            if int(key) == level and tier in by_tier:
                return by_tier[tier]
        return list(Priority)[min(level - 1 + (tier == best), Priority.HIGH.rank)]

    @field_validator("levels", "priority", mode="before")
    @classmethod
    def _level_keys(cls, value: object) -> object:
        return _text_keys(value)

    @field_validator("levels")
    @classmethod
    def _every_level_has_lines(cls, value: dict[Level, list[LevelLine]]) -> dict[Level, list[LevelLine]]:
        raise_all(_absent(value, said("has no line")))
        return value


class Strategic(Strict):
    """Customers so large that the strategic layer decides: it hears, approves the way and takes over what is stuck."""

    above: float = Field(
        gt=0, description="money at stake above this, in the firm's currency 战略客户年额门槛"
    )
    role: str = Field(default="executive", description="who decides 战略层角色: a role of people.yaml")


class LevelPromises(Strict):
    """Working hours to the first call, the logged plan, the escalation and the whole, by level and tier."""

    promises: Annotated[dict[Level, dict[str, SLA]], AfterValidator(by_name)] = Field(
        description="by level and tier 承诺工时: [first call, plan on file, escalation, the whole]"
    )
    strategic: Strategic | None = Field(
        default=None, description="whom the strategic layer decides about 战略客户; nobody when not given"
    )

    def deciding_role(self, value: float | None) -> str | None:
        """Return who decides about a customer with so much at stake, None when it is not for the strategic layer."""
        if self.strategic is None or value is None or value <= self.strategic.above:
            return None
        return self.strategic.role

    @field_validator("promises", mode="before")
    @classmethod
    def _level_keys(cls, value: object) -> object:
        return _text_keys(value)

    @field_validator("promises")
    @classmethod
    def _every_level_is_promised(cls, value: dict[Level, dict[str, SLA]]) -> dict[Level, dict[str, SLA]]:
        raise_all(_absent(value, said("has no promise")))
        return value


def _absent(value: Mapping[Level, Any], what: str) -> Iterator[SpecProblem]:
    """Yield the levels that are not there or empty."""
    for level in LEVELS:
        if not value.get(level):
            yield SpecProblem(
                said("level {level} {what}", level=level, what=what),
                expected=said("a key {level}:", level=level),
                loc=(level,),
                at_key=True,
            )


class LevelsFile(Levels, LevelPromises):
    """`levels.yaml`: the level table, and the promises that go with each level."""

    version: Literal[1]
    loose: dict[Level, list[LevelLine]] | None = Field(
        default=None, description="the lines of each level while launch.yaml says 'profile: loose' 宽松起步"
    )

    @field_validator("loose", mode="before")
    @classmethod
    def _loose_level_keys(cls, value: object) -> object:
        return _text_keys(value)

    @field_validator("loose")
    @classmethod
    def _every_loose_level_has_lines(
        cls, value: dict[Level, list[LevelLine]] | None
    ) -> dict[Level, list[LevelLine]] | None:
        raise_all(_absent(value, said("has no line")) if value is not None else ())
        return value

    def table(self, *, loose: bool = False) -> Levels:
        """Return what decides about the level."""
        lines = {"levels": self.loose} if loose and self.loose is not None else {}
        return Levels(**{name: getattr(self, name) for name in Levels.model_fields} | lines)

    def promised(self, tiers: tuple[str, ...]) -> LevelPromises:
        """Return the promises with the tiers in order, the best first; a tier without promise is left out."""
        return LevelPromises(
            strategic=self.strategic,
            promises={
                level: {tier: by_tier[tier] for tier in tiers if tier in by_tier}
                for level, by_tier in self.promises.items()
            },
        )

"""Answer the question: what does the whole configuration say, does it hang together, and what is its fingerprint?

Two fingerprints: `judgement` (what decides how a customer is seen) and `care` (what decides what is done about it).
The canonical form of each is plain JSON, stored once in the warehouse and executable again, so that a past night is
judged by what was in force then, never by what lies on disk now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field

from carewatch.spec.calendar import CalendarSpec, WorkCalendar
from carewatch.spec.document import Strict, by_name
from carewatch.spec.firm import Firm
from carewatch.spec.health import DEFAULT_MODEL, FurtherModel, Health, HealthModel, by_order
from carewatch.spec.launch import Launch
from carewatch.spec.metrics import Metric
from carewatch.spec.people import Notices, People, Playbook
from carewatch.spec.rfm import RFM, Rfm
from carewatch.spec.rules import LevelPromises, Levels, Rule
from carewatch.spec.segments import Segmentation
from carewatch.spec.stages import Stages
from carewatch.spec.tiers import TIER, Tiers

ATTRIBUTES = ("industry", "region", "country", "segment", "owner")
"""Texts of the customer's master record that conditions may name."""
JUDGED = ("score", "colour", "tier")
"""What the night has judged before rules are read."""


_WORDS = {"label", "unit", "better", "owner", "source", "examples"}
"""What a metric says of itself without computing anything by it."""


Scheme = Tiers | Rfm | Segmentation
"""A way to divide customers on a tier day: the first of the month."""


class _Executable(Strict):
    """A configuration that can be stored and run again."""

    kind: ClassVar[str]

    def canonical(self) -> dict[str, Any]:
        """Return the whole configuration as plain JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_canonical(cls, data: dict[str, Any]) -> Self:
        """Return the configuration that `canonical` gave."""
        return cls.model_validate(data)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the canonical form."""
        text = json.dumps(self.canonical(), ensure_ascii=False, sort_keys=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class JudgementSpec(_Executable):
    """What decides how a customer is seen: metrics, health, tiers, stages, rules, levels, the firm's zone and money."""

    kind: ClassVar[str] = "judgement"

    firm: Firm
    metrics: Annotated[dict[str, Metric], AfterValidator(by_name)]
    health: Health
    models: Annotated[list[FurtherModel], AfterValidator(by_order)] = Field(
        default_factory=list, description="further health models, in the order of asking"
    )
    tiers: Tiers
    schemes: Annotated[dict[str, Tiers], AfterValidator(by_name)] = Field(
        default_factory=dict, description="further tiers by the name of their scheme"
    )
    rfm: Rfm | None = None
    segments: Annotated[dict[str, Segmentation], AfterValidator(by_name)] = Field(default_factory=dict)
    stages: Stages
    rules: Annotated[dict[str, Rule], AfterValidator(by_name)]
    levels: Levels
    closed_days: list[str] = Field(
        default_factory=list, description="the calendar's expanded days without work"
    )

    def canonical(self) -> dict[str, Any]:
        """Return the whole configuration as plain JSON, without examples: they judge nobody."""
        without = {"__all__": {"examples"}}
        return self.model_dump(
            mode="json",
            exclude_none=True,
            exclude={"rules": without, "metrics": {"__all__": {"examples", "source"}}},
        )

    @property
    def health_models(self) -> tuple[HealthModel, ...]:
        """Every health model: the one of health.yaml, then the further ones in the order of asking.

        Stored judgements name a model by its position here.
        """
        return (self.health, *self.models)

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names of the health models, in their order."""
        return (DEFAULT_MODEL, *(one.model for one in self.models))

    @property
    def longest_hold(self) -> int:
        """The most nights that a rule or a colour must last before it counts."""
        holds = [rule.holds_for for rule in self.rules.values()]
        return max(holds + [one.hold_nights for one in self.health_models])

    def divisions(self) -> dict[str, Scheme]:
        """Return every way in which customers are divided on a tier day, by name; `tier` first."""
        rfm = {RFM: self.rfm} if self.rfm is not None else {}
        return {TIER: self.tiers, **self.schemes, **rfm, **self.segments}

    def event_rules(self) -> dict[str, Rule]:
        """Return the rules that wait for an event, by name."""
        return {name: rule for name, rule in self.rules.items() if rule.on == "event"}

    @cached_property
    def score_definition(self) -> str:
        """Return the digest of all that scores are computed by: two nights' scores compare when it is the same."""
        names = set().union(
            *(one.reads() for one in self.health_models), *(one.chosen_by() for one in self.models)
        )
        parts = [one.definition() for one in self.health_models]
        parts += [self.metric_hash(name) for name in sorted(names & set(self.metrics))]
        parts += [
            one.model_dump_json(exclude_none=True) for name, one in self.divisions().items() if name in names
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def metric_hash(self, name: str) -> str:
        """Return the digest of what one metric computes, the metrics it is built on included."""
        metric = self.metrics[name]
        parts = [metric.model_dump_json(exclude=_WORDS, exclude_none=True)]
        parts += [self.metric_hash(part) for _, part in metric.parts()]
        parts += self.closed_days if metric.days == "working" else []
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


class CareSpec(_Executable):
    """What decides what is done about a warning: people, playbooks, notices, promises, working hours."""

    kind: ClassVar[str] = "care"

    firm: Firm
    people: People
    playbooks: Annotated[dict[str, Playbook], AfterValidator(by_name)]
    notices: Notices
    levels: LevelPromises
    calendar: CalendarSpec
    launch: Launch = Launch()

    @cached_property
    def work(self) -> WorkCalendar:
        """The working calendar in the firm's time zone."""
        return WorkCalendar(self.calendar, self.firm.zone)

    def playbooks_of(self, level: int, tier: str) -> Iterator[Playbook]:
        """Yield the playbooks for a level and tier, in order of their names."""
        for playbook in self.playbooks.values():
            if playbook.level == level and (not playbook.tiers or tier in playbook.tiers):
                yield playbook


@dataclass(frozen=True)
class Configuration:
    """Everything people wrote for one firm."""

    judgement: JudgementSpec
    care: CareSpec

    @property
    def firm(self) -> Firm:
        return self.judgement.firm

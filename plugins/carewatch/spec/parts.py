"""Answer the question: which parts of a configuration could be read, and which names do they define?

What could not be read has said so already; nothing is held against it, so that one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carewatch.spec.health import FurtherModel, Health
from carewatch.spec.launch import Launch
from carewatch.spec.metrics import Metric
from carewatch.spec.people import Notices, People, Playbook
from carewatch.spec.problems import SpecProblem
from carewatch.spec.rfm import RFM, Rfm
from carewatch.spec.rules import LevelsFile, Rule
from carewatch.spec.segments import Segmentation
from carewatch.spec.stages import STAGE, Stages
from carewatch.spec.tiers import HIGH_POTENTIAL, TIER, YES_NO, Tiers

Found = tuple[str, str, SpecProblem]
"""The kind of file, the name of the thing in it, and what is wrong."""


@dataclass(frozen=True)
class Parts:
    """The sound parts; None where a file has problems of its own.

    `metric_names` are the names of all metrics, those with problems included; None when a file is no YAML at all.
    `playbooks` is None as soon as one playbook has problems; `models_whole` says whether every further health model is
    sound.
    """

    metrics: Mapping[str, Metric]
    metric_names: frozenset[str] | None
    rules: Mapping[str, Rule]
    health: Health | None
    models: Mapping[str, FurtherModel]
    models_whole: bool
    tiers: Tiers | None
    schemes: Mapping[str, Tiers]
    rfm: Rfm | None
    segments: Mapping[str, Segmentation]
    stages: Stages | None
    levels: LevelsFile | None
    launch: Launch | None
    people: People | None
    notices: Notices | None
    playbooks: Mapping[str, Playbook] | None

    @property
    def dimensions(self) -> tuple[str, ...] | None:
        """The dimensions of all health models; None when one of them is broken."""
        if self.health is None or not self.models_whole:
            return None
        every = (self.health, *self.models.values())
        return tuple(dict.fromkeys(name for model in every for name in model.dimensions))

    @property
    def labels(self) -> frozenset[str]:
        """What people call the metrics."""
        return frozenset(text for metric in self.metrics.values() for text in metric.label.texts())

    @property
    def tier_names(self) -> tuple[str, ...] | None:
        """The tiers from the best down."""
        return self.tiers.names if self.tiers is not None else None

    @property
    def classes(self) -> dict[str, tuple[str, ...] | None]:
        """What conditions read of a customer's classes, with the words that each can be (None: not known)."""
        found: dict[str, tuple[str, ...] | None] = {
            name: division.names
            for divisions in (self.schemes, self.segments)
            for name, division in divisions.items()
        }
        if self.rfm is not None:
            found[RFM] = self.rfm.names
        if self.stages is None or self.stages.stages:
            found[STAGE] = tuple(self.stages.stages) if self.stages is not None else None
        return found | {TIER: self.tier_names, HIGH_POTENTIAL: YES_NO}

    @property
    def roles(self) -> frozenset[str] | None:
        """Every role that somebody who is active has, owner and manager included."""
        if self.people is None:
            return None
        active = (person for person in self.people.people.values() if person.active)
        return frozenset({"owner", "manager"} | {role for person in active for role in person.roles})


def named_metrics(parts: Parts) -> frozenset[str]:
    """Return the metrics that anything in a configuration names, with those that they are made of."""
    named: set[str] = set()
    for model in (parts.health, *parts.models.values()):
        named |= model.reads() if model is not None else set()
    for further in parts.models.values():
        named |= further.chosen_by()
    schemes = [*([parts.tiers] if parts.tiers is not None else []), *parts.schemes.values()]
    named = named.union(
        *(scheme.reads() for scheme in schemes), *(one.reads() for one in parts.segments.values())
    )
    named |= {scheme.money for scheme in schemes if scheme.money is not None}
    named |= parts.rfm.reads() if parts.rfm is not None else set()
    named |= parts.stages.reads() if parts.stages is not None else set()
    for rule in parts.rules.values():
        named |= rule.names() | rule.placeholders()
    found: set[str] = set()
    while named := {name for name in named if name in parts.metrics} - found:
        found |= named
        named = {part for name in named for _, part in parts.metrics[name].parts()}
    return frozenset(found)

"""Answer the question: do the files agree with one another, and do the rules do what their examples say?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from carewatch.spec.condition import FALSE, TRUE, Condition, evaluate, mixed_kinds, names, unknown_names
from carewatch.spec.configuration import ATTRIBUTES, JUDGED, CareSpec, JudgementSpec
from carewatch.spec.document import SpecProblem, nearest
from carewatch.spec.metrics import AGGREGATES, Measure

Found = tuple[str, str, SpecProblem]
"""The kind of file, the name of the thing in it, and what is wrong."""

_TEXT_NAMES = frozenset({*ATTRIBUTES, "colour", "tier"})


def _unknown(name: str, known: set[str], *loc: str | int, at_key: bool = False) -> SpecProblem:
    return SpecProblem(
        f"unknown name '{name}'",
        expected="a metric or attribute that is defined",
        nearest=nearest(name, known),
        loc=loc,
        at_key=at_key,
    )


def check_names(judgement: JudgementSpec, care: CareSpec) -> Iterator[Found]:
    """Yield every reference to something that does not exist."""
    yield from _metrics(judgement)
    yield from _scores(judgement)
    yield from _rules(judgement)
    yield from _care(judgement, care)


def _metrics(judgement: JudgementSpec) -> Iterator[Found]:
    known = set(judgement.metrics)
    for name, metric in judgement.metrics.items():
        for key in ("metric", "over"):
            part = getattr(metric, key)
            if part is None:
                continue
            if part not in known:
                yield "metrics", name, _unknown(part, known, key)
                continue
            kind = judgement.metrics[part].kind
            if metric.kind is Measure.CHANGE and kind not in AGGREGATES:
                yield "metrics", name, SpecProblem(
                    f"'{part}' is of kind '{kind}'", expected="a metric that counts or sums over a window", loc=(key,)
                )  # fmt: skip
            elif metric.kind is Measure.RATIO and kind in (Measure.RATIO, Measure.CHANGE, Measure.SQL):
                yield "metrics", name, SpecProblem(
                    f"'{part}' is of kind '{kind}'", expected="a metric read from one fact", loc=(key,)
                )  # fmt: skip


def _scores(judgement: JudgementSpec) -> Iterator[Found]:
    known, tiers = set(judgement.metrics), set(judgement.tiers.names)
    for dimension, content in judgement.health.dimensions.items():
        for name, scored in content.metrics.items():
            at = ("dimensions", dimension, "metrics", name)
            if name not in known:
                yield "health", "health", _unknown(name, known, *at, at_key=True)
            for tier in set(scored.by_tier) - tiers:
                yield "health", "health", _unknown(tier, tiers, *at, "by_tier", tier, at_key=True)
    for name in judgement.tiers.metrics:
        if name not in known:
            yield "tiers", "tiers", _unknown(name, known, "metrics", name, at_key=True)
    if judgement.tiers.money is not None and judgement.tiers.money not in known:
        yield "tiers", "tiers", _unknown(judgement.tiers.money, known, "money")
    if judgement.stages.dormant_when is not None:
        for problem in _condition(judgement.stages.dormant_when, known | set(ATTRIBUTES)):
            yield "stages", "stages", problem.under("dormant_when")


def _condition(condition: Condition, known: set[str]) -> list[SpecProblem]:
    """Return unknown names, and comparisons of a number with a text, at their places in the condition."""
    unknown = unknown_names(condition, known)
    return [*unknown, *mixed_kinds(condition, _TEXT_NAMES)] if not unknown else [*unknown]


def _rules(judgement: JudgementSpec) -> Iterator[Found]:
    metrics, tiers = set(judgement.metrics), set(judgement.tiers.names)
    known = metrics | set(ATTRIBUTES) | set(JUDGED)
    dimension_of: dict[str, tuple[str, str]] = {}
    for rule_name, rule in judgement.rules.items():
        for key, condition in (("when", rule.when), ("clears_if", rule.clears_if)):
            for problem in _condition(condition, known) if condition is not None else ():
                yield "warnings", rule_name, problem.under(key)
        for name in sorted(rule.placeholders() - known):
            yield "warnings", rule_name, _unknown(name, known, "because")
        for tier in sorted(set(rule.severity_by_tier) - tiers):
            yield "warnings", rule_name, _unknown(tier, tiers, "severity_by_tier", tier, at_key=True)
        if rule.dimension not in judgement.health.dimensions:
            yield "warnings", rule_name, SpecProblem(
                f"unknown dimension '{rule.dimension}'", expected="a dimension of health.yaml",
                nearest=nearest(rule.dimension, judgement.health.dimensions), loc=("dimension",),
            )  # fmt: skip
        first, dimension = dimension_of.setdefault(rule.counts_as, (rule_name, rule.dimension))
        if dimension != rule.dimension:
            yield "warnings", rule_name, SpecProblem(
                f"counts as '{rule.counts_as}' like rule '{first}', but in another dimension",
                expected=f"dimension: {dimension}", loc=("dimension",),
            )  # fmt: skip


def _care(judgement: JudgementSpec, care: CareSpec) -> Iterator[Found]:
    tiers = judgement.tiers.names
    for level, promises in care.levels.promises.items():
        for tier in set(promises) ^ set(tiers):
            word = "has no promise at" if tier in tiers else "is not a tier of tiers.yaml, at"
            yield (
                "levels",
                "levels",
                SpecProblem(f"tier {tier} {word} level {level}", loc=("promises", level)),
            )
    roles = {role for person in care.people.people.values() for role in person.roles} | {"owner", "manager"}
    for name, playbook in care.playbooks.items():
        for role, loc in (
            *((step.role, ("steps", key, "role")) for key, step in playbook.steps.items()),
            (playbook.escalate_to, ("escalate_to",)),
        ):
            if role not in roles:
                yield "playbooks", name, SpecProblem(
                    f"nobody has the role '{role}'", expected="a role of people.yaml, owner or manager",
                    nearest=nearest(role, roles), loc=loc,
                )  # fmt: skip
        for tier in set(playbook.tiers) - set(tiers):
            yield "playbooks", name, _unknown(tier, set(tiers), "tiers")
    for level, told in care.notices.tell.items():
        for position, role in enumerate(told):
            if role not in roles:
                yield "notices", "notices", SpecProblem(
                    f"nobody has the role '{role}'", nearest=nearest(role, roles), loc=("tell", level, position)
                )  # fmt: skip
    for person, entry in care.people.people.items():
        for channel in set(entry.channels) - set(care.notices.channels):
            yield "people", "people", SpecProblem(
                f"unknown channel '{channel}'", expected="a channel of notices.yaml",
                nearest=nearest(channel, care.notices.channels), loc=("people", person, "channels", channel), at_key=True,
            )  # fmt: skip


def check_examples(judgement: JudgementSpec) -> Iterator[Found]:
    """Yield every example of a rule that comes out otherwise than it says."""
    for name, rule in judgement.rules.items():
        read = names(rule.when)
        for position, example in enumerate(rule.examples):
            at = ("examples", position)
            for given in sorted(set(example.given) - read):
                yield "warnings", name, _unknown(given, set(read), *at, "given", given, at_key=True)
            columns = {field: _column(field, example.given.get(field)) for field in read}
            result = int(evaluate(rule.when, columns)[0])
            came_out = True if result == TRUE else False if result == FALSE else "unknown"
            if came_out != example.fires:
                words = {True: "it fires", False: "it does not fire", "unknown": "it cannot be told"}
                yield "warnings", name, SpecProblem(
                    f"the example says fires: {str(example.fires).lower()}, but {words[came_out]}", loc=(*at, "fires")
                )  # fmt: skip


def _column(
    name: str, value: float | str | None
) -> np.ndarray[tuple[int], np.dtype[np.object_] | np.dtype[np.float64]]:
    if isinstance(value, str) or name in _TEXT_NAMES:
        return np.array([value], dtype=object)
    return np.array([np.nan if value is None else float(value)])

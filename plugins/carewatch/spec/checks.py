"""Answer the question: do the files agree with one another?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from carewatch.spec.condition import comparisons
from carewatch.spec.configuration import ATTRIBUTES, JUDGED
from carewatch.spec.document import SpecProblem, nearest, unknown
from carewatch.spec.health import DEFAULT_MODEL, HealthModel, ScoredMetric
from carewatch.spec.metric_kinds import SHAPES, Measure
from carewatch.spec.parts import Found, Parts
from carewatch.spec.rfm import RFM
from carewatch.spec.rule_checks import check_condition_names, check_rules
from carewatch.spec.saying import joined, said
from carewatch.spec.stages import DORMANT, STAGE
from carewatch.spec.tiers import HIGH_POTENTIAL


def check_parts(parts: Parts) -> Iterator[Found]:
    """Yield every reference to something that does not exist, and every rule's example that comes out otherwise."""
    yield from _metrics(parts)
    yield from _health(parts)
    yield from _tiers(parts)
    yield from _divisions(parts)
    yield from _stages(parts)
    yield from check_rules(parts)
    yield from _priorities(parts)
    yield from _promises(parts)
    yield from _playbooks(parts)
    yield from _notices(parts)
    yield from _channels(parts)
    yield from _launch(parts)


def _metric(name: str, parts: Parts, *loc: str | int, at_key: bool = False) -> Iterator[SpecProblem]:
    if parts.metric_names is not None and name not in parts.metric_names:
        expected = "a metric of the folder metrics"
        yield unknown("metric", name, parts.metric_names, expected=expected, loc=loc, at_key=at_key)


def _tier(tier: str, parts: Parts, *loc: str | int, at_key: bool = True) -> Iterator[SpecProblem]:
    if parts.tier_names is not None and tier not in parts.tier_names:
        expected = said("a tier of tiers.yaml: {parts}", parts=joined(", ", parts.tier_names))
        yield unknown("tier", tier, parts.tier_names, expected=expected, loc=loc, at_key=at_key)


def _metrics(parts: Parts) -> Iterator[Found]:
    for name, metric in parts.metrics.items():
        if name in (*ATTRIBUTES, *JUDGED, *parts.classes):
            what = said("'{name}' is a name that the system gives", name=name)
            yield "metrics", name, SpecProblem(what, expected="another name", at_key=True)
        for key, part in metric.parts():
            for problem in _metric(part, parts, key):
                yield "metrics", name, problem
            found, fit = parts.metrics.get(part), SHAPES[metric.kind].made_of
            if found is not None and found.kind not in fit:
                what = said(
                    "a {kind} cannot be made of '{part}', which is of kind '{kind2}'",
                    kind=metric.kind,
                    part=part,
                    kind2=found.kind,
                )
                expected = said(
                    "a metric of kind {fit}", fit=joined(", ", (one for one in Measure if one in fit))
                )
                yield "metrics", name, SpecProblem(what, expected=expected, loc=(key,))


def _scored(metrics: Iterable[tuple[str, ScoredMetric]], parts: Parts, *loc: str) -> Iterator[SpecProblem]:
    for name, scored in metrics:
        yield from _metric(name, parts, *loc, name, at_key=True)
        for tier in scored.by_tier:
            yield from _tier(tier, parts, *loc, name, "by_tier", tier)
        for position, entry in enumerate(scored.by):
            for problem in check_condition_names(entry.when, parts, judged=parts.classes):
                yield problem.under(*loc, name, "by", position, "when")


def _health(parts: Parts) -> Iterator[Found]:
    if parts.health is not None:
        yield from (("health", "health", problem) for problem in _model(parts.health, parts))
    orders: dict[int, str] = {}
    for name, model in parts.models.items():
        problems = [*_model(model, parts)]
        problems += [
            one.under("when") for one in check_condition_names(model.when, parts, judged=parts.classes)
        ]
        if name == DEFAULT_MODEL:
            what = said("'{name}' is what the model of health.yaml is called", name=name)
            problems.append(SpecProblem(what, expected="another name", loc=("model",)))
        if model.order in orders:
            what = said(
                "'{other}' has the order {order} as well: which is asked first?",
                other=orders[model.order],
                order=model.order,
            )
            problems.append(SpecProblem(what, expected=said("a number of its own"), loc=("order",)))
        orders.setdefault(model.order, name)
        yield from (("models", name, problem) for problem in problems)


def _model(model: HealthModel, parts: Parts) -> Iterator[SpecProblem]:
    for dimension, content in model.dimensions.items():
        yield from _scored(content.metrics.items(), parts, "dimensions", dimension, "metrics")


def _tiers(parts: Parts) -> Iterator[Found]:
    schemes = {"tiers": parts.tiers} if parts.tiers is not None else {}
    for name, scheme in {**schemes, **parts.schemes}.items():
        problems = [*_scored(scheme.metrics.items(), parts, "metrics")]
        problems += _metric(scheme.money, parts, "money") if scheme.money is not None else ()
        if scheme.potential is not None and name != "tiers":
            what = "who has potential is said once, by the tiers that customers are treated by"
            at = ("potential",)
            problems.append(SpecProblem(what, expected="potential in tiers.yaml", loc=at, at_key=True))
        elif scheme.potential is not None:
            found = check_condition_names(scheme.potential.when, parts, judged=())
            problems += [problem.under("potential", "when") for problem in found]
        yield from (("tiers", name, problem) for problem in problems)


def _divisions(parts: Parts) -> Iterator[Found]:
    """Yield what is wrong with RFM classes and segments, and names that two divisions share."""
    for key, side in parts.rfm.sides.items() if parts.rfm is not None else ():
        for problem in _metric(side.metric, parts, key, "metric"):
            yield "rfm", "rfm", problem
        metric = parts.metrics.get(side.metric)
        if metric is not None and metric.better == "neither":
            what = said("whether more is better of '{metric}' is not said", metric=side.metric)
            expected = "better: higher or lower at the metric"
            yield "rfm", "rfm", SpecProblem(what, expected=expected, loc=(key, "metric"))
    for name, division in parts.segments.items():
        for segment, content in division.segments.items():
            for problem in check_condition_names(content.when, parts, judged=()):
                yield "segments", name, problem.under("segments", segment, "when")
        if division.otherwise in division.segments:
            what = said(
                "segment '{otherwise}' is both a segment and 'otherwise'", otherwise=division.otherwise
            )
            yield "segments", name, SpecProblem(what, expected="a name of its own", loc=("otherwise",))
    taken = (*ATTRIBUTES, *JUDGED, HIGH_POTENTIAL, RFM, STAGE)
    for kind, divisions in (("tiers", parts.schemes), ("segments", parts.segments)):
        for name in divisions:
            twice = kind == "segments" and name in parts.schemes
            if name in taken or twice:
                what = said(
                    "'{name}' is a name that {twice}",
                    name=name,
                    twice=said("a scheme of tiers has") if twice else said("the system gives"),
                )
                at = ("scheme",) if kind == "tiers" else ()
                yield kind, name, SpecProblem(what, expected="another name", loc=at, at_key=kind != "tiers")


def _stages(parts: Parts) -> Iterator[Found]:
    if parts.stages is None:
        return
    problems = [*_metric(parts.stages.silence, parts, "silence")] if parts.stages.silence is not None else []
    if parts.stages.dormant_when is not None:
        found = check_condition_names(parts.stages.dormant_when, parts, judged=())
        problems += [problem.under("dormant_when") for problem in found]
    known = {*parts.classes} - {STAGE}
    for name, stage in parts.stages.stages.items():
        if stage.when is not None:
            found = check_condition_names(stage.when, parts, judged=known)
            problems += [problem.under("stages", name, "when") for problem in found]
        if name == DORMANT and not parts.stages.names():
            what = "nobody is ever dormant: nothing says who is"
            at = ("stages", name)
            problems.append(SpecProblem(what, expected="dormant_when: a condition", loc=at, at_key=True))
    yield from (("stages", "stages", problem) for problem in problems)


def _priorities(parts: Parts) -> Iterator[Found]:
    for level, by_tier in parts.levels.priority.items() if parts.levels is not None else ():
        for tier in by_tier:
            for problem in _tier(tier, parts, "priority", level, tier):
                yield "levels", "levels", problem


def _promises(parts: Parts) -> Iterator[Found]:
    for level, promised in parts.levels.promises.items() if parts.levels is not None else ():
        for tier in promised:
            for problem in _tier(tier, parts, "promises", level, tier):
                yield "levels", "levels", problem
        for tier in parts.tier_names or ():
            at = ("promises", level, tier)
            if tier not in promised:
                what = said("tier {tier} has no promise at level {level}", tier=tier, level=level)
                expected = "[first call, plan, escalation, the whole] in working hours"
                yield "levels", "levels", SpecProblem(what, expected=expected, loc=at, at_key=True)
            elif parts.playbooks is not None and not _answered(parts, int(level), tier):
                what = said(
                    "no playbook answers a warning of level {level}, tier {tier}", level=level, tier=tier
                )
                expected = said("a playbook with 'level: {level}' for this tier", level=level)
                yield "levels", "levels", SpecProblem(what, expected=expected, loc=at, at_key=True)


def _answered(parts: Parts, level: int, tier: str) -> bool:
    books = (parts.playbooks or {}).values()
    return any(book.level == level and (not book.tiers or tier in book.tiers) for book in books)


def _role(role: str, parts: Parts, *loc: str | int) -> Iterator[SpecProblem]:
    if parts.roles is not None and role not in parts.roles:
        what = said("nobody who is active has the role '{role}'", role=role)
        expected = "owner, manager or a role of people.yaml"
        yield SpecProblem(what, expected=expected, nearest=nearest(role, parts.roles), loc=loc)


def _playbooks(parts: Parts) -> Iterator[Found]:
    for name, playbook in (parts.playbooks or {}).items():
        problems = [*_role(playbook.escalate_to, parts, "escalate_to")]
        if playbook.level == 1 and not playbook.recommends:
            what = "a playbook of level 1 recommends nothing: its notice would not say what to do"
            problems.append(
                SpecProblem(what, expected="recommends: with a list of advice", loc=("level",), at_key=True)
            )
        for step, content in playbook.steps.items():
            problems += _role(content.role, parts, "steps", step, "role")
            if content.action == "dial" and parts.notices is not None and parts.notices.dial is None:
                what = "notices.yaml names no channel to dial by"
                expected = "'dial: <channel>' there, a channel of the phone system"
                problems.append(SpecProblem(what, expected=expected, loc=("steps", step, "action")))
        for position, tier in enumerate(playbook.tiers):
            problems += _tier(tier, parts, "tiers", position, at_key=False)
        yield from (("playbooks", name, problem) for problem in problems)


def _notices(parts: Parts) -> Iterator[Found]:
    for level, told in parts.notices.tell.items() if parts.notices is not None else ():
        for position, role in enumerate(told):
            for problem in _role(role, parts, "tell", level, position):
                yield "notices", "notices", problem
    named = parts.notices.to_customers if parts.notices is not None else None
    if parts.notices is not None and named is not None and named not in parts.notices.channels:
        expected = "a channel of notices.yaml"
        yield (
            "notices",
            "notices",
            unknown("channel", named, parts.notices.channels, expected=expected, loc=("to_customers",)),
        )
    for position, role in enumerate(parts.notices.tell_high if parts.notices is not None else ()):
        for problem in _role(role, parts, "tell_high", position):
            yield "notices", "notices", problem


def _launch(parts: Parts) -> Iterator[Found]:
    """Yield what is wrong with how the firm begins, and with whom the strategic layer decides about."""
    strategic = parts.levels.strategic if parts.levels is not None else None
    if strategic is not None:
        for problem in _role(strategic.role, parts, "strategic", "role"):
            yield "levels", "levels", problem
    launch = parts.launch
    if launch is None:
        return
    for position, role in enumerate(launch.operations):
        for problem in _role(role, parts, "operations", position):
            yield "launch", "launch", problem
    if launch.profile == "loose" and parts.levels is not None and parts.levels.loose is None:
        what = "levels.yaml has no loose level table"
        yield "launch", "launch", SpecProblem(what, expected="loose: with lines there", loc=("profile",))
    if launch.pilot is not None:
        problems = [*check_condition_names(launch.pilot, parts, judged=("tier",))]
        problems += [
            SpecProblem(
                said(
                    "a pilot is chosen by attributes and tier, and '{name}' is neither", name=comparison.name
                ),
                expected=said("one of {attributes}", attributes=joined(", ", (*ATTRIBUTES, "tier"))),
                loc=loc,
                column_offset=comparison.column,
            )
            for loc, comparison in comparisons(launch.pilot)
            if comparison.name in (parts.metric_names or ())
        ]
        yield from (("launch", "launch", problem.under("pilot")) for problem in problems)


def _channels(parts: Parts) -> Iterator[Found]:
    if parts.people is None or parts.notices is None:
        return
    known, expected = parts.notices.channels, "a channel of notices.yaml"
    for person, entry in parts.people.people.items():
        for channel in entry.channels:
            if channel not in known:
                loc = ("people", person, "channels", channel)
                problem = unknown("channel", channel, known, expected=expected, loc=loc, at_key=True)
                yield "people", "people", problem

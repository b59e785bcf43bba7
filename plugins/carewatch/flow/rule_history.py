"""Look at what past nights say of the rules: which were never true, and which were true for most customers."""

from __future__ import annotations

from typing import Final

from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.document import Problem, SpecProblem
from carewatch.spec.loading import Reading
from carewatch.spec.saying import said
from carewatch.store import configurations
from carewatch.store.database import Connection
from carewatch.store.rule_states import RuleStates, newest_nights, rule_states

MOST: Final = 0.5
"""A rule that is true for more than this share of customers tells nobody apart."""
_ASKED: Final = {"on", "fact", "where", "lasts", "concerns", "when", "unless"}


def rule_notes(connection: Connection, reading: Reading, nights: int) -> list[Problem]:
    """Return what the newest nights say against rules, at their places; only nights on which a rule asked the same count."""
    spec = reading.configuration.judgement
    counted: dict[str, RuleStates] = {}
    seen: dict[str, int] = {}
    for fingerprint, numbers in newest_nights(connection, nights).items():
        then = configurations.judgement(connection, fingerprint)
        for name, states in rule_states(connection, numbers, [*then.rules]).items():
            if name in spec.rules and _asks_the_same(name, spec, then):
                counted[name] = counted[name] + states if name in counted else states
                seen[name] = seen.get(name, 0) + len(numbers)
    found = {name: _against(states, seen[name]) for name, states in counted.items() if states.customers}
    return sorted(
        placed
        for name, problem in found.items()
        if problem is not None
        for placed in reading.shelf.placed("warnings", name, problem)
    )


def _asks_the_same(name: str, spec: JudgementSpec, then: JudgementSpec) -> bool:
    now, before = spec.rules[name], then.rules[name]
    if now.model_dump(include=_ASKED) != before.model_dump(include=_ASKED):
        return False
    metrics = [one for one in now.names() if one in spec.metrics]
    return all(one in then.metrics and spec.metric_hash(one) == then.metric_hash(one) for one in metrics)


def _against(states: RuleStates, nights: int) -> SpecProblem | None:
    share = states.hit / states.customers
    if share > MOST:
        what = said(
            "on the last {nights} nights this was true for {share:.0%} of the customers: it tells nobody apart",
            nights=nights, share=share,
        )  # fmt: skip
        return SpecProblem(
            what, expected=said("a stricter threshold, or a weight in the health model"), at_key=True
        )
    if states.told == 0:
        what = said(
            "on the last {nights} nights this could not be told for anybody: its values are missing",
            nights=nights,
        )
        return SpecProblem(
            what, expected=said("a source that brings them, or the rule left out"), at_key=True
        )
    if states.true == 0:
        what = said("on the last {nights} nights this was true for nobody", nights=nights)
        return SpecProblem(
            what, expected=said("a weaker threshold, or patience when it is rare"), at_key=True
        )
    return None

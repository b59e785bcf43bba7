"""Answer the question: what does a playbook say, and who does what by when?"""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.people import Playbook, Step
from carewatch.spec.plain.words import Words

_PROMISES = ("first_call", "plan", "escalation", "whole")


def playbook_sentences(book: Playbook, words: Words) -> Iterator[str]:
    """Yield the sentences of a playbook."""
    tiers = _tiers(book, words)
    yield words.say(
        "Answers warnings of level {level}, for tiers {tiers}.", level=book.level, tiers=words.list(tiers)
    )
    for advice in book.recommends:
        yield words.say("Advises: {advice}", advice=words.text(advice))
    for step in book.steps.values():
        yield words.say(
            "- {role}: {title}, {due}.", role=words.role(step.role), title=words.text(step.title), due=_due(step, book, words)
        )  # fmt: skip
        if step.needs:
            yield words.say(
                "  - after: {steps}",
                steps=words.list(words.text(book.steps[one].title) for one in step.needs),
            )
        if step.guide is not None:
            yield words.say("  - how: {guide}", guide=words.text(step.guide))
        if step.action == "dial":
            yield words.say("  - the phone system dials")
        for question in step.asks:
            yield words.say("  - asks: {question}", question=words.text(question))
    yield words.say(
        "What is not under control goes to {role}, {due}.",
        role=words.role(book.escalate_to), due=_promised("escalation", book, words),
    )  # fmt: skip


def _tiers(book: Playbook, words: Words) -> list[str]:
    return [
        tier for tier in words.configuration.judgement.tiers.names if not book.tiers or tier in book.tiers
    ]


def _due(step: Step, book: Playbook, words: Words) -> str:
    if not isinstance(step.due, str):
        return words.say("within {hours:g} working hours", hours=step.due)
    return _promised(step.due, book, words)


def _promised(promise: str, book: Playbook, words: Words) -> str:
    """Return what is promised, once where it is the same for every tier."""
    at = _PROMISES.index(promise)
    promises = words.configuration.care.levels.promises
    by_tier = next(tiers for level, tiers in promises.items() if int(level) == book.level)
    hours = {tier: by_tier[tier][at] for tier in _tiers(book, words) if tier in by_tier}
    if len({*hours.values()}) == 1:
        return words.say("within {hours:g} working hours", hours=next(iter(hours.values())))
    each = [words.say("{hours:g} for tier {tier}", hours=value, tier=tier) for tier, value in hours.items()]
    return words.say("within working hours: {each}", each=words.list(each))

"""Answer the question: what does a rule say?"""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.plain.where import rows_that_count
from carewatch.spec.plain.words import Words
from carewatch.spec.rules import Rule


def rule_sentences(name: str, rule: Rule, words: Words) -> Iterator[str]:
    """Yield the sentences of a rule."""
    rules = words.configuration.judgement.rules
    if rule.on == "event":
        lasts = words.window(rule.event_lasts)
        yield words.say(
            "Fires as soon as it is known, from {fact}, and counts for {lasts}.",
            fact=words.fact(rule.fact or ""),
            lasts=lasts,
        )
        if rule.where is not None and rule.fact is not None:
            yield rows_that_count(rule.fact, rule.where, words)
        if rule.concerns == "market":
            yield words.say("One event concerns every customer of its industry, country or line.")
    if "when" in rule.model_fields_set:
        when = words.condition(rule.when)
        if rule.holds_for > 1:
            yield words.say("Fires when {when}, {nights} nights running.", when=when, nights=rule.holds_for)
        else:
            yield words.say("Fires when {when}.", when=when)
    if rule.unless is not None:
        yield words.say("Not while {excuse}.", excuse=words.condition(rule.unless))
    if rule.on == "night":
        over = (
            words.condition(rule.clears_if)
            if rule.clears_if is not None
            else words.word("this no longer holds")
        )
        if rule.clears_after > 1:
            yield words.say(
                "Is over when {over}, {nights} nights running.", over=over, nights=rule.clears_after
            )
        else:
            yield words.say("Is over when {over}.", over=over)
    yield from _severity(rule, words)
    same = [
        words.text(other.label)
        for key, other in rules.items()
        if other.counts_as == rule.counts_as and key != name
    ]
    dimension = words.dimension(rule.dimension)
    if same:
        yield words.say(
            "Belongs to {dimension}, and counts once together with: {rules}.",
            dimension=dimension,
            rules=words.list(same),
        )
    else:
        yield words.say("Belongs to {dimension}, and counts on its own.", dimension=dimension)
    if rule.priority is not None:
        yield words.say("Its priority is at least {priority}.", priority=words.word(rule.priority.value))
    if rule.hides:
        hidden = words.list(words.text(rules[one].label) for one in rule.hides if one in rules)
        yield words.say("While it is open, notices leave out: {rules}.", rules=hidden)
    if rule.mails is not None:
        receiver = words.word("the customer") if rule.mails == "customer" else words.role("owner")
        yield words.say("Sends one mail by itself to {receiver}.", receiver=receiver)
    yield words.say("People read: {text}", text=words.quote(rule.because))


def _severity(rule: Rule, words: Words) -> Iterator[str]:
    yield words.say("Its severity is {severity}.", severity=words.word(rule.severity.value))
    for name, by_value in rule.classes().items():
        for value, severity in by_value.items():
            yield words.say(
                "Where {name} is {value}, it is {severity}.",
                name=words.name(name), value=words.value(name, value), severity=words.word(severity.value),
            )  # fmt: skip

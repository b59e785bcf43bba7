"""Answer the question: how does a whole configuration read, and what is said of one thing in it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carewatch.spec.configuration import Configuration
from carewatch.spec.fact_names import Language
from carewatch.spec.plain.metric import metric_sentences
from carewatch.spec.plain.model import model_sentences
from carewatch.spec.plain.playbook import playbook_sentences
from carewatch.spec.plain.rule import rule_sentences
from carewatch.spec.plain.words import Words
from carewatch.spec.saying import said

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh-CN")


@dataclass(frozen=True)
class Sentences:
    """What is said of one thing: its kind, its id, what people call it, and the sentences."""

    kind: str
    name: str
    label: str
    lines: tuple[str, ...]

    def markdown(self) -> str:
        """Return a section with one item a sentence; those that begin with a dash stand below the one before."""
        items = [f"  {line}" if line.lstrip().startswith("- ") else f"- {line}" for line in self.lines]
        return "\n".join([f"### {self.label}", "", *items])


def _titles() -> dict[str, str]:
    return {
        "model": said("Health: how a customer is scored"),
        "rule": said("Rules: what is odd"),
        "playbook": said("Playbooks: what is done"),
        "metric": said("Metrics: what is counted"),
    }


def sentences(configuration: Configuration, language: Language) -> Iterator[Sentences]:
    """Yield everything that a configuration says: models, rules, playbooks, metrics."""
    words = Words(configuration, language)
    judgement = configuration.judgement
    for name, model in zip(judgement.model_names, judgement.health_models, strict=True):
        yield Sentences("model", name, words.text(model.label), tuple(model_sentences(model, words)))
    for name, rule in judgement.rules.items():
        yield Sentences("rule", name, words.text(rule.label), tuple(rule_sentences(name, rule, words)))
    for name, book in configuration.care.playbooks.items():
        yield Sentences("playbook", name, words.text(book.label), tuple(playbook_sentences(book, words)))
    for name, metric in judgement.metrics.items():
        yield Sentences("metric", name, words.text(metric.label), tuple(metric_sentences(metric, words)))


def named(configuration: Configuration, name: str, language: Language) -> list[Sentences]:
    """Return what is said of the things that have this id, or this label in either language."""
    ids = {
        (one.kind, one.name)
        for spoken in LANGUAGES
        for one in sentences(configuration, spoken)
        if name.strip().casefold() in (one.name.casefold(), one.label.casefold())
    }
    return [one for one in sentences(configuration, language) if (one.kind, one.name) in ids]


def everything(configuration: Configuration, language: Language) -> str:
    """Return a whole configuration as a readable document."""
    words = Words(configuration, language)
    parts = [f"# {words.text(configuration.firm.name)}"]
    listed = [*sentences(configuration, language)]
    for kind, title in _titles().items():
        parts.append(f"## {words.word(title)}")
        parts += [one.markdown() for one in listed if one.kind == kind]
    return "\n\n".join(parts) + "\n"

"""Answer the question: which id do people mean when they write a thing by its name?

Every metric, dimension, role, severity, colour and attribute may be written by its id or by its label in either
language. What is stored is always the id, so that the two have one fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import joined, said

FIXED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "severity": {
        "watch": ("关注",),
        "mild": ("轻度",),
        "moderate": ("中度",),
        "severe": ("重度",),
        "critical": ("紧急",),
    },
    "colour": {
        "green": ("绿", "绿色", "健康"),
        "yellow": ("黄", "黄色"),
        "red": ("红", "红色"),
        "grey": ("灰", "灰色", "数据不足", "gray"),
    },
    "name": {
        "industry": ("行业",),
        "region": ("地区", "区域", "大区"),
        "country": ("国家",),
        "segment": ("细分", "客户细分"),
        "owner": ("负责人",),
        "score": ("健康分", "健康度得分", "health score"),
        "colour": ("健康度", "健康颜色", "color", "health"),
        "tier": ("客户等级", "等级"),
        "rfm": ("RFM", "RFM分类", "客户价值分类"),
        "stage": ("生命周期", "生命周期阶段", "阶段"),
        "high_potential": ("潜力客户", "高潜力"),
    },
    "role": {"owner": ("负责人",), "manager": ("上级", "主管")},
}
"""What the system's own words may be called beside their ids."""

_VALUES: Final = {"colour": "colour"}
"""Names whose values have words of their own, with the kind of these words."""


def fold(word: str) -> str:
    """Return a word as it is compared: without the blanks around it, in one case."""
    return " ".join(word.split()).casefold()


@dataclass(frozen=True)
class Vocabulary:
    """Ids by the words people use, for each kind of thing; `units` holds the unit that a name is counted in.

    A word that two things share means neither of them: whoever writes it is told both ids.
    """

    words: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, kind: str, word: str) -> str | None:
        """Return the id that a word means, None when it means none; raise SpecProblem when it means several."""
        found = self.words.get(kind, {}).get(fold(word), ())
        if len(found) > 1:
            what = said(
                "'{word}' is what {found} are both called", word=word.strip(), found=joined(" and ", found)
            )
            raise SpecProblem(what, expected="the id of one of them")
        return found[0] if found else None

    def name_at(self, text: str, at: int) -> Iterator[tuple[str, int]]:
        """Yield the names that a comparison may begin with at a position, the longest first: the word and its end."""
        for length in self._lengths:
            word = text[at : at + length]
            if len(word) == length and fold(word) in self.words.get("name", {}):
                yield word, at + length

    def value_of(self, name: str, word: str) -> str:
        """Return the value that a word stands for when it is compared with `name`."""
        kind = _VALUES.get(name, _class_kind(name))
        return (self.id_of(kind, word) if kind is not None else None) or word

    @property
    def _lengths(self) -> list[int]:
        return sorted({len(word) for word in self.words.get("name", {})}, reverse=True)


def _class_kind(name: str) -> str:
    """Return the kind of the words for the classes of a division of customers."""
    return f"class of {name}"


NO_WORDS: Final = Vocabulary()
"""Ids only: how a stored configuration is read."""


def vocabulary(
    *,
    metrics: Iterable[Mapping[str, Any]],
    dimensions: Iterable[Mapping[str, Any]],
    roles: Mapping[str, Any],
    classes: Mapping[str, Iterable[Mapping[str, Any]]] = MappingProxyType({}),
    divisions: Iterable[Mapping[str, Any]] = (),
) -> Vocabulary:
    """Return the words of a configuration from the raw data of its files; what is broken in them is passed over.

    `classes` are the classes of each division of customers, `divisions` those that have a label and segments of their own.
    """
    words: dict[str, dict[str, list[str]]] = {kind: {} for kind in (*FIXED, "metric", "dimension")}

    def call(kind: str, thing: str, names: Iterable[str]) -> None:
        for name in names:
            known = words.setdefault(kind, {}).setdefault(fold(name), [])
            if thing not in known:
                known.append(thing)

    units: dict[str, str] = {}
    for metric, content in _things(metrics):
        for kind in ("metric", "name"):
            call(kind, metric, _labels(content))
        if isinstance(content.get("unit"), str):
            units[metric] = content["unit"]
    for dimension, content in _things(dimensions):
        call("dimension", dimension, _labels(content))
    for name, found in classes.items():
        for one, content in _things(found):
            call(_class_kind(name), one, _labels(content))
    for name, content in _things(divisions):
        call("name", name, _labels(content))
        inner = content.get("segments")
        for one, segment in _things([inner] if isinstance(inner, dict) else []):
            call(_class_kind(name), one, _labels(segment))
        if isinstance(content.get("otherwise"), str):
            call(_class_kind(name), content["otherwise"], _labels({"label": content.get("otherwise_label")}))
    for role, label in roles.items():
        call("role", role, _labels({"label": label}))
    for kind, fixed in FIXED.items():
        for thing, names in fixed.items():
            call(kind, thing, names)
    return Vocabulary(
        {kind: {word: tuple(found) for word, found in named.items()} for kind, named in words.items()}, units
    )


def _things(files: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for file in files:
        for name, content in file.items():
            if isinstance(content, dict):
                yield name, content


def _labels(content: Mapping[str, Any]) -> list[str]:
    label = content.get("label")
    written = label.values() if isinstance(label, dict) else [label]
    return [one for one in written if isinstance(one, str) and one.strip()]

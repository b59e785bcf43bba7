"""Replacing words by ids in a document's nodes, so that every id stands where its word was written."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Steps
from dataclasses import replace
from typing import Literal

from carewatch.spec.document.nodes import Mapping, Mark, Node, Scalar, Sequence
from carewatch.spec.problems import SpecProblem

What = Literal["keys", "value"]
Pattern = tuple[str, What, str]
"""A path such as `rules.*.severity` (`*` is any key or item), what of it is a name, and the kind of thing named."""
Find = Callable[[str, str], str | None]
"""Return the id that a word of a kind means, None when it means none; raise SpecProblem when it means several."""
Report = Callable[[Mark, SpecProblem], None]


def renamed(node: Node, patterns: Steps[Pattern], find: Find, report: Report) -> Node:
    """Return the node with the words at the patterns' paths replaced by ids; what means several things is reported."""
    here = [(tuple(path.split(".")), what, kind) for path, what, kind in patterns]
    return _Renaming(find, report).node(node, here)


Open = list[tuple[tuple[str, ...], What, str]]


class _Renaming:
    def __init__(self, find: Find, report: Report) -> None:
        self.find, self.report = find, report

    def node(self, node: Node, open_: Open) -> Node:
        if isinstance(node, Scalar):
            kinds = [kind for path, what, kind in open_ if not path and what == "value"]
            return self.scalar(node, kinds[0]) if kinds else node
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.node(item, _step(open_, None)) for item in node.items))
        return self.mapping(node, open_)

    def mapping(self, node: Mapping, open_: Open) -> Mapping:
        kinds = [kind for path, what, kind in open_ if not path and what == "keys"]
        result = Mapping({}, {}, node.start)
        for name, value in node.values.items():
            key = self.scalar(node.keys[name], kinds[0]) if kinds else node.keys[name]
            # Both the id and a word for it: neither is taken, the second is an unknown key as it stands.
            if key.text in result.keys or (key.text != name and key.text in node.keys):
                key = node.keys[name]
            result.keys[key.text] = key
            result.values[key.text] = self.node(value, _step(open_, name))
        return result

    def scalar(self, scalar: Scalar, kind: str) -> Scalar:
        if not isinstance(scalar.value, str):
            return scalar
        try:
            found = self.find(kind, scalar.text)
        except SpecProblem as problem:
            self.report(scalar.start, problem)
            return scalar
        return scalar if found is None else replace(scalar, value=found, text=found)


def _step(open_: Open, name: str | None) -> Open:
    """Return the patterns that go on below a key (None: below an item)."""
    return [(path[1:], what, kind) for path, what, kind in open_ if path and path[0] in ("*", name)]

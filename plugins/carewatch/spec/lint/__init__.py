"""Answer the question: what in a readable configuration is probably not what its writers meant?

Every module of this package but those that begin with `_` is one finding: its docstring says what it is about, its
`find` yields what it found. A new finding is a new module.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts

__all__ = ["Finding", "findings"]


class _Finder(Protocol):
    def find(self, parts: Parts) -> Iterator[Finding]: ...


@cache
def _finders() -> tuple[_Finder, ...]:
    found = sorted(one.name for one in iter_modules(__path__) if not one.name.startswith("_"))
    return tuple(cast(_Finder, import_module(f"{__name__}.{name}")) for name in found)


def findings(parts: Parts) -> Iterator[Finding]:
    """Yield what every finder finds in parts that are all sound."""
    for finder in _finders():
        yield from finder.find(parts)

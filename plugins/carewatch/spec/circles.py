"""Answer the question: does anything come before itself?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def circles(follows: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield each circle once, from where it is first entered around to that name again.

    `follows` leads from a name to those it depends on; names that are not in the mapping depend on nothing. Of circles
    that share a name, only the first one met is yielded.
    """
    done: set[str] = set()
    for start in follows:
        yield from _from(start, follows, [], done)


def _from(
    name: str, follows: Mapping[str, Sequence[str]], path: list[str], done: set[str]
) -> Iterator[list[str]]:
    if name in path:
        yield [*path[path.index(name) :], name]
    elif name not in done:
        for following in follows.get(name, ()):
            yield from _from(following, follows, [*path, name], done)
        done.add(name)

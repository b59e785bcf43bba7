"""The law: whatever a person writes into a configuration file, the answer is a configuration or a list of problems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.config.files import ROOT

from carewatch.spec.document import SpecError, read_document, reading
from carewatch.spec.loading import load

FILES = sorted(
    path.relative_to(folder).as_posix() if folder.name == "config" else f"playbooks/{path.name}"
    for folder in (ROOT / "config", ROOT / "include" / "playbooks")
    for path in folder.rglob("*.yaml")
    if path.name != "sources.yaml"
)
ODD: tuple[Any, ...] = (
    None, [], {}, "", "x", -1, True, 1e300, [1, 2], {"a": 1}, {"1": 2, "0": 3}, {"en": None}, "tier > 3", "tier is A",
    {"all": ["tier is A", "colour < 3"]}, "{tier:.1f} {a!r} {}", "select 1", "2026-13-01", "99:99-12:00", "score",
)  # fmt: skip
PIECES = (*":{}[]'\"\t\n-#&*!%@`，：｛|>?= ", "\x00", "null", "\n- ")
FOREIGN = ("pydantic", "Input should", "object at", "Traceback", "validator")


@pytest.fixture(scope="module", autouse=True)
def each_text_is_parsed_once() -> Iterator[None]:
    """Most files are the same every time; documents are never changed once read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "parse_document", cache(reading.parse_document))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the shipped configuration, playbooks included; a test restores what it changes."""
    made = tmp_path_factory.mktemp("any") / "config"
    shutil.copytree(ROOT / "config", made)
    shutil.copytree(ROOT / "include" / "playbooks", made / "playbooks")
    return made


def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every part of a document but the whole."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in inner:
        yield (*path, step)
        yield from paths(value, (*path, step))


@st.composite
def other_texts(draw: st.DrawFn, path: Path) -> str:
    """Draw the text of a file with one part of its data replaced or gone, or with some characters slipped in."""
    text = path.read_text(encoding="utf-8")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        return text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 5)) :]
    data = json.loads(json.dumps(read_document(path).data))
    *above, last = draw(st.sampled_from(list(paths(data))))
    holder = data
    for step in above:
        holder = holder[step]
    if draw(st.integers(0, 3)):
        holder[last] = draw(st.sampled_from(ODD))
    else:
        del holder[last]
    return json.dumps(data, ensure_ascii=False)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_an_edit_gives_a_configuration_or_problems_in_plain_words(folder: Path, data: st.DataObject) -> None:
    path = folder / data.draw(st.sampled_from(FILES))
    before = path.read_bytes()
    path.write_text(data.draw(other_texts(path)), encoding="utf-8")
    try:
        load(folder)
    except SpecError as error:
        assert error.problems
        for problem in error.problems:
            assert not any(word in str(problem) for word in FOREIGN)
            assert problem.place.line >= 1 and problem.place.column >= 1
    finally:
        path.write_bytes(before)

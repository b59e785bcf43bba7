"""Broken configurations: the whole output of `care check`, line by line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from carewatch.cli import main
from carewatch.spec import lint, loading, saying
from carewatch.spec.document import reading
from carewatch.spec.problems import SpecError

ROOT = Path(__file__).resolve().parents[2]
BROKEN = sorted((Path(__file__).parent / "broken").iterdir())
CHINESE = sorted(path.parent for path in (Path(__file__).parent / "broken").glob("*/expect.zh-CN.txt"))
NOTED = sorted((Path(__file__).parent / "noted").iterdir())
NOT_COPIED = ("expect.txt", "expect.zh-CN.txt", "missing.txt")


@pytest.fixture(scope="module", autouse=True)
def each_text_is_parsed_once() -> Iterator[None]:
    """Most files are the same in every case; documents are never changed once read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "parse_document", cache(reading.parse_document))
        yield


def lay_out(case: Path, folder: Path) -> Path:
    """Make a configuration folder: the shipped one, the case's files over it, what `missing.txt` names taken away."""
    shutil.copytree(ROOT / "config", folder)
    shutil.copytree(case, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    missing = case / "missing.txt"
    for name in missing.read_text().split() if missing.exists() else ():
        (folder / name).unlink()
    return folder


@pytest.mark.req("S153")
@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_every_problem_is_said_in_plain_words_at_its_place(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    code = main(["check", "config"])
    said = capsys.readouterr()
    expected = (case / "expect.txt").read_text(encoding="utf-8").splitlines()
    count = len(expected)
    assert said.err.splitlines() == [*expected, f"{count} problem{'s' if count > 1 else ''}"]
    assert (said.out, code) == ("", 1)


@pytest.mark.req("D14")
@pytest.mark.parametrize("case", CHINESE, ids=lambda case: case.name)
def test_problems_are_said_in_chinese_as_well(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "config", "--language", "zh-CN"]) == 1
    expected = (case / "expect.zh-CN.txt").read_text(encoding="utf-8").splitlines()
    assert capsys.readouterr().err.splitlines() == [*expected, f"{len(expected)} 个问题"]


def notes_of(case: Path, language: str, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], int]:
    """Return what a strict check notes of the case's own files, and its code."""
    code = main(["check", "config", "--strict", "--language", language])
    said = capsys.readouterr()
    assert said.err == ""
    own = tuple(f"config/{path.relative_to(case).as_posix()}:" for path in case.rglob("*.yaml"))
    begin = {"en": "note: ", "zh-CN": "提示："}[language]
    notes = [line.removeprefix(begin) for line in said.out.splitlines() if line.startswith(begin)]
    return [line for line in notes if line.startswith(own)], code


@pytest.mark.req("D14", "S23")
@pytest.mark.parametrize("case", NOTED, ids=lambda case: case.name)
def test_what_is_probably_not_meant_is_noted_in_both_languages_with_what_to_write(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    for language, name in (("en", "expect.txt"), ("zh-CN", "expect.zh-CN.txt")):
        notes, code = notes_of(case, language, capsys)
        assert notes == (case / name).read_text(encoding="utf-8").splitlines()
        assert code == 1, "--strict refuses notes"
    assert main(["check", "config"]) == 0
    capsys.readouterr()


@pytest.mark.req("D14")
def test_every_finding_has_a_case(tmp_path: Path) -> None:
    """Each finder of the lint finds something in the catalogue of bad configurations."""
    found = set()
    for case in (*CHINESE, *NOTED):
        folder = lay_out(case, tmp_path / case.name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loading, "findings", lambda parts: ())
            try:
                parts = loading.read(folder).parts
            except SpecError:  # what does not load is not for the lint to find
                continue
        found |= {finder.__name__ for finder in lint._finders() if any(finder.find(parts))}
    assert found == {finder.__name__ for finder in lint._finders()}


@pytest.mark.req("S153")
@pytest.mark.parametrize("name", ["stricter", "warning", "metrics_of_next_year", "draft"])
def test_a_draft_below_the_configuration_never_stops_it_whatever_its_name(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    lay_out(BROKEN[0], folder / name)
    assert main(["check", str(folder)]) == 0, capsys.readouterr().err
    assert main(["check", str(folder / name)]) == 1, "the draft itself is broken"


def test_json_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = next(case for case in BROKEN if case.name.endswith("two_broken_files"))
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    code = main(["check", "config", "--json"])
    said = capsys.readouterr()
    data = json.loads(said.out)
    lines = []
    for one in data["problems"]:
        line = f"{one['file']}:{one['line']}:{one['column']}: {one['what']}"
        line += f"; expected {one['expected']}" if one["expected"] else ""
        line += f"; did you mean {one['nearest']}?" if one["nearest"] else ""
        lines.append(line)
    assert lines == (case / "expect.txt").read_text(encoding="utf-8").splitlines()
    assert (data["notes"], data["configurations"], said.err, code) == ([], [], "", 1)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (False, "pack:1:1: there is no such folder; expected a configuration folder"),
        (
            True,
            "pack:1:1: there is no configuration in this folder; "
            "expected firm.yaml, health.yaml, tiers.yaml, stages.yaml",
        ),
    ],
)
def test_a_folder_that_is_no_configuration_is_one_problem(
    made: bool,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if made:
        (tmp_path / "pack").mkdir()
    assert main(["check", "pack"]) == 1
    assert capsys.readouterr().err.splitlines() == [expected, "1 problem"]


def test_other_commands_refuse_a_broken_configuration_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = BROKEN[0]
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--day", "2026-06-30", "--config", "config"]) == 2
    assert capsys.readouterr().err == (case / "expect.txt").read_text(encoding="utf-8")


@pytest.mark.req("D14")
def test_a_command_that_is_asked_in_chinese_refuses_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CHINESE[0]
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    assert main(["describe", "unhappy", "--config", "config", "--language", "zh-CN"]) == 2
    assert capsys.readouterr().err == (case / "expect.zh-CN.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Subject\n{% include 'other' %}\n", ":2:1: a notice template may not contain "),
        ("Subject\n{{ customer.name | shout }}\n", ":2:1: unknown filter 'shout'"),
        ("Subject\n{{ customer.name \n", ":2:1: unexpected end of template"),
        (
            "Subject\n\n{{ custommer.name }}\n",
            ":3:4: no notice of this kind has a value 'custommer'; expected one of",
        ),
        (
            "Subject\n{{ customer.nme }}\n",
            ":2:13: no notice of this kind has a value 'nme'; expected one of ",
        ),
        (
            "Subject\n{% if what == 'returned' %}{{ level.wrong }}{% endif %}\n",
            ":2:37: no notice of this kind",
        ),
    ],
)
def test_a_notice_template_is_checked_too(
    text: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder in ("config", "include"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    template = Path("include", "templates", "notices", "en", "warning.txt.j2")
    (tmp_path / template).write_text(text, encoding="utf-8")
    monkeypatch.setenv("CARE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    first, count = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{template}{expected}")
    assert count == "1 problem"


def test_a_template_that_is_not_there_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("config", "include"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    template = Path("include", "templates", "notices", "zh-CN", "reminder.txt.j2")
    (tmp_path / template).unlink()
    monkeypatch.setenv("CARE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{template}:1:1: this file is missing; expected a file reminder.txt.j2 here",
        "1 problem",
    ]


def english_left(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return a set that fills with every sentence, and every word of ours, that is asked for and has no Chinese."""
    left: set[str] = set()
    again = saying._again

    def watched(text: str, known: Mapping[str, str]) -> str:
        own = text.template if isinstance(text, saying.Said) else text
        sentence = isinstance(text, saying.Said) or re.search(r"[a-z]{2} [a-z]{2}", own)
        if own not in known and not isinstance(text, saying.Joined) and sentence:
            left.add(own)
        return again(text, known)

    monkeypatch.setattr(saying, "_again", watched)
    return left


@pytest.mark.req("D14")
@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_every_problem_is_said_in_chinese_too(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay_out(case, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    left = english_left(monkeypatch)
    assert main(["check", "config", "--language", "zh-CN"]) == 1
    assert left == set()
    told = capsys.readouterr().err.splitlines()[:-1]
    places = [
        line.split(": ", 1)[0] for line in (case / "expect.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert [line.split("：", 1)[0] for line in told] == places
    for line in told:
        what = line.split("：", 1)[1].split("；")[0]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in what), line

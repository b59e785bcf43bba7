"""The shipped configuration and every example: sound, noted plainly, and fingerprinted by what they judge."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.config.files import FOLDERS_OF_CONFIGURATION, ROOT

from carewatch.cli import main
from carewatch.spec.document import SpecError
from carewatch.spec.loading import load, read
from carewatch.spec.rule_checks import check_rules
from carewatch.spec.rules import Example

LINE = re.compile(
    r"\S+: [0-9]+ metrics, [0-9]+ rules, [0-9]+ playbooks, [0-9]+ people; judgement [0-9a-f]{12}, care [0-9a-f]{12}"
)


_JUSTIFIED = (
    "the make-up workdays of",  # nobody has announced them yet
    "nothing reads these metrics",  # a library to choose from
    "the health model scores",  # small examples
)
"""What may be noted of the shipped configurations, and why it stands."""


@pytest.mark.parametrize("folder", FOLDERS_OF_CONFIGURATION, ids=lambda folder: folder.name)
def test_what_is_shipped_is_sound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    code = main(["check", str(folder.relative_to(ROOT))])
    said = capsys.readouterr()
    assert (said.err, code) == ("", 0)
    lines = [line for line in said.out.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1
    noted = [line.split(": ", 2)[2] for line in said.out.splitlines() if line.startswith("note: ")]
    assert [text for text in noted if not text.startswith(_JUSTIFIED)] == []
    assert LINE.fullmatch(lines[0])
    assert lines[0].startswith(f"{folder.relative_to(ROOT)}: ")


def test_several_folders_are_checked_in_one_go_and_json_counts_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names = [str(folder.relative_to(ROOT)) for folder in FOLDERS_OF_CONFIGURATION]
    assert main(["check", "--json", *names]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["problems"] == []
    assert [one["folder"] for one in data["configurations"]] == names


def test_years_without_announced_holidays_are_a_note_and_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    (folder / "calendar.yaml").write_text(
        "version: 1\ncountry: CN\nyears: [2025, 2060]\nhours: {mon-fri: ['09:00-18:00']}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", "config"]) == 0
    said = capsys.readouterr()
    note = said.out.splitlines()[0]
    assert re.fullmatch(
        r"note: config/calendar.yaml:3:8: the make-up workdays of 20[0-9]{2} to 2060 are not announced yet, "
        r"so working hours then are a guess: update the package holidays once they are, "
        r"or write the days under closed: and open:",
        note,
    )
    assert said.err == ""


@pytest.mark.req("S79")
def test_every_shipped_rule_is_tried_on_both_sides_by_its_own_examples() -> None:
    for name, rule in load(ROOT / "config").judgement.rules.items():
        if rule.on != "event":
            assert {example.fires for example in rule.examples} >= {True, False}, name


@pytest.mark.req("S79")
def test_every_example_of_every_shipped_rule_is_tried() -> None:
    """Each example, said the other way round, is a problem at its place."""
    parts = read(ROOT / "config").parts
    other = {True: False, False: True, "unknown": True}
    turned = {
        name: rule.model_copy(
            update={"examples": [one.model_copy(update={"fires": other[one.fires]}) for one in rule.examples]}
        )
        for name, rule in parts.rules.items()
    }
    found = sorted((name, problem.loc) for _, name, problem in check_rules(replace(parts, rules=turned)))
    assert found == sorted(
        (name, ("examples", position, "fires"))
        for name, rule in parts.rules.items()
        for position in range(len(rule.examples))
    )


@pytest.mark.req("S79")
@pytest.mark.parametrize(("reason", "fires"), [("low_season", False), (None, True)])
def test_an_example_may_try_the_excuse_of_a_rule(reason: str | None, fires: bool) -> None:
    parts = read(ROOT / "config").parts
    rule = parts.rules["inquiries_fell_silent"]
    given = next(one.given for one in rule.examples if one.fires is True)
    tried = {
        says: rule.model_copy(update={"examples": [Example(given={**given, "reason": reason}, fires=says)]})
        for says in (True, False)
    }
    problems = {says: [*check_rules(replace(parts, rules={"one": tried[says]}))] for says in tried}
    assert {says for says in tried if not problems[says]} == {fires}


@pytest.mark.req("S79")
def test_a_rule_that_no_longer_does_what_its_example_says_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    path = folder / "warnings" / "service_finance.yaml"
    written = path.read_text(encoding="utf-8")
    assert written.count("when: overdue_days > 60") == 1
    path.write_text(written.replace("when: overdue_days > 60", "when: overdue_days > 61"), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(folder)
    assert any(
        "the example says fires: true, but it does not fire" in problem.what
        for problem in caught.value.problems
    )

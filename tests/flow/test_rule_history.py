"""What past nights say against rules: never true, never told, true for most."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.firm import FILES, MONDAY, TinyFirm

from carewatch.flow.rule_history import rule_notes
from carewatch.spec.loading import read

NEXT = MONDAY + timedelta(days=1)


def said(firm: TinyFirm, folder: Path, nights: int = 28) -> dict[str, str]:
    """Return what is noted of each rule."""
    found = rule_notes(firm.connection, read(folder), nights)
    lines = (folder / "warnings" / "dials.yaml").read_text(encoding="utf-8").splitlines()
    return {lines[one.place.line - 1].strip(" :"): one.what for one in found}


@pytest.mark.req("D14")
def test_rules_are_noted_by_what_the_nights_say_of_them(firm: TinyFirm, tmp_path: Path) -> None:
    for name in "ABCD":
        firm.customer(name)
    for day, odd in ((MONDAY, "AB"), (NEXT, "ABC")):
        for name in "ABCD":
            firm.dial(name, day, quiet=int(name in odd), strain=0, mood=90)
        firm.night(day)
    found = said(firm, tmp_path / "config")
    assert found == {
        "quiet": "on the last 2 nights this was true for 62% of the customers: it tells nobody apart",
        "strain": "on the last 2 nights this was true for nobody",
        "halt": "on the last 2 nights this could not be told for anybody: its values are missing",
    }
    # the half is not most, and one hit is not never
    firm.dial("A", NEXT + timedelta(days=1), quiet=1, strain=1, halt=0, mood=90)
    firm.dial("B", NEXT + timedelta(days=1), quiet=1, strain=0, halt=0, mood=90)
    firm.calm(NEXT + timedelta(days=1), "C", "D")
    firm.night(NEXT + timedelta(days=1))
    assert said(firm, tmp_path / "config", nights=1) == {
        "halt": "on the last 1 nights this was true for nobody"
    }


@pytest.mark.req("D14")
def test_nights_on_which_a_rule_asked_something_else_say_nothing_of_it(
    firm: TinyFirm, tmp_path: Path
) -> None:
    firm.customer("A")
    firm.dial("A", MONDAY, quiet=0, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    rules = tmp_path / "config" / "warnings" / "dials.yaml"
    rules.write_text(
        FILES["warnings/dials.yaml"].replace("when: strain >= 1", "when: strain >= 2"), encoding="utf-8"
    )
    assert set(said(firm, tmp_path / "config")) == {"quiet", "halt"}

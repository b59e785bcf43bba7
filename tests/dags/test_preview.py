"""A draft of the configuration goes through the whole Dag: checked, planned, and mailed to a server that really takes it."""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from tests.dags.running import Dags, Ran
from tests.dags.test_night import night
from tests.dags.town import FILES as TOWN
from tests.dags.town import Town, day
from tests.firm import FILES as FIRM

FILES = {**FIRM, **TOWN}
DIALS = FILES["warnings/dials.yaml"]
STRICTER = DIALS.replace("severity: mild", "severity: severe")
BROKEN = {
    "warnings/dials.yaml": DIALS.replace("when: strain >= 1", "when: strian >= 1"),
    "health.yaml": FILES["health.yaml"].replace("{green: 70", "{gren: 70"),
}
MISTAKES = (("warnings/dials.yaml", "strian", "strain"), ("health.yaml", "gren", "green"))


def draft(town: Town, name: str, files: Mapping[str, str]) -> None:
    """Write a draft below the configuration: all of it, some of the files as given."""
    for file, text in {**FILES, **files}.items():
        path = town.folder / "config" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def asked(dags: Dags, town: Town, minute: int, **params: str) -> Ran:
    """Trigger the Dag as a person does, at a minute of the first day's morning."""
    return dags.run("care_preview", town.at(1, 9 + minute / 60), scheduled=False, **params)


def letters(town: Town) -> list[EmailMessage]:
    paths = sorted((town.folder / "mail").glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def said(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return part.get_content()


@pytest.mark.req("D2", "D14", "S153")
def test_drafts_are_answered_by_mail_and_what_was_said_comes_true(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1, C1="quiet", C2="quiet", C4="quiet")
    town.at(1, 2)
    town.firm.night(day(1))
    town.firm.connection.execute("truncate care.outbox, care.notice_decision")
    draft(town, "stricter", {"warnings/dials.yaml": STRICTER})
    draft(town, "broken", BROKEN)
    draft(town, "same", {})
    stored = town.firm.dump("warning", "signal", "night", "configuration", "configuration_approval")

    for minute, (folder, person) in enumerate(
        (("stricter", "ann"), ("broken", "ann"), ("broken", "lin"), ("same", "bob"))
    ):
        ran = asked(dags, town, minute, folder=folder, person=person)
        assert (ran.state, ran.by_state()) == ("success", {"success": 2})
    assert town.firm.dump(*stored) == stored, "asking changes nothing"
    stricter, wrong, chinese, same = letters(town)

    assert (stricter["To"], stricter["Auto-Submitted"]) == ("ann@tiny.example", "auto-generated")
    assert stricter["Subject"] == f"What the draft {town.folder}/config/stricter would change"
    text, page = said(stricter, "plain"), said(stricter, "html")
    assert "Nothing in the draft stops it." in text and "--all" not in text + page
    moved = {name for name in ("C1", "C2", "C3", "C4", "C5", "C6") if f">{name}<" in page}
    assert moved == {"C1", "C2", "C4"} and ">1 -&gt; 2<" in page
    assert all(f"  {name} " in text for name in moved)

    for letter, subject, hint in (
        (wrong, f"Problems in the draft {town.folder}/config/broken: 2", "did you mean"),
        (chinese, f"草稿 {town.folder}/config/broken 有 2 个问题", "是否想写"),
    ):
        assert letter["Subject"] == subject
        for kind in ("plain", "html"):
            for file, wrote, meant in MISTAKES:
                place = f"broken/{file}:{at(BROKEN[file], wrote)}"
                [line] = [one for one in said(letter, kind).splitlines() if place in one]
                assert f"{hint} {meant}" in line
    assert "nobody changes colour or level" in said(same, "plain")

    town.dials(2, C1="quiet", C2="quiet", C4="quiet")
    (town.folder / "config" / "warnings" / "dials.yaml").write_text(STRICTER, encoding="utf-8")
    assert night(dags, town, 2).state == "success"
    risen = "select customer_id from care.warning join care.customer using (customer_no) where level = 2"
    assert {name for (name,) in town.firm.rows(risen)} == moved, "the list is what then happens"


def at(text: str, word: str) -> str:
    """Return line and column of a word."""
    before = text[: text.index(word)].split("\n")
    return f"{len(before)}:{len(before[-1]) + 1}"

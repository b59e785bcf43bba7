"""Business people ask what a draft would change, and the answer comes by mail."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.dags.running import ROOT
from tests.firm import FILES, MONDAY, TinyFirm, configure

STRICTER = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: severe")

UNTRIED = """
  loud:
    label: loud
    severity: watch
    counts_as: loud
    dimension: use
    when: quiet >= 9
    because: {en: "it is loud"}"""


@pytest.fixture
def asked(firm: TinyFirm, shared_warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyFirm:
    """Return the firm after a night on which a customer is a little odd, with Airflow told of its things."""
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    monkeypatch.setenv("CARE_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(ROOT)
    firm.customer("K1")
    firm.dial("K1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    firm.connection.execute("truncate care.outbox, care.notice_decision")
    return firm


def draft(folder: Path, rules: str) -> None:
    """Write a draft below the configuration: all of it, with other rules."""
    configure(folder / "config" / "draft")
    shutil.copy(ROOT / "config" / "sources.yaml", folder / "config" / "draft")
    (folder / "config" / "draft" / "warnings" / "dials.yaml").write_text(rules, encoding="utf-8")


def preview(folder: str, person: str, now: str = "2026-06-01T09:00:00+08:00") -> str:
    from operators.preview_draft import PreviewDraftOperator

    operator = PreviewDraftOperator(task_id="preview_draft")
    params = {"folder": folder, "person": person, "now": now}
    operator.render_template_fields({"params": params, "dag_run": SimpleNamespace()})
    return operator.execute({})


def messages(firm: TinyFirm) -> list[dict[str, Any]]:
    return [message for (message,) in firm.rows("select message from care.outbox order by key")]


@pytest.mark.req("D14", "S153")
def test_the_effect_of_a_draft_is_mailed_once_to_who_asked(asked: TinyFirm, tmp_path: Path) -> None:
    draft(tmp_path, STRICTER)
    before = asked.dump("warning", "night", "configuration")
    assert preview("draft", "ann") == preview("draft", "ann"), "a retry asks nothing new"
    [message] = messages(asked)
    assert (message["kind"], message["to"], message["connection"]) == (
        "preview",
        "ann@tiny.example",
        "care_mail",
    )
    assert "would change" in message["subject"]
    assert "Nothing in the draft stops it." in message["text"]
    assert ": 1 -> 2" in message["text"] and "K1" in message["text"]
    assert ">1 -&gt; 2<" in message["html"] and ">K1<" in message["html"]
    assert asked.dump("warning", "night", "configuration") == before
    preview("draft", "ann", now="2026-06-01T10:00:00+08:00")
    assert len(messages(asked)) == 2, "who asks again is answered again"


@pytest.mark.req("D14")
def test_notes_of_the_edit_come_before_its_effect_and_what_was_noted_before_after_it(
    asked: TinyFirm, tmp_path: Path
) -> None:
    more = FILES["warnings/dials.yaml"].replace("rules:", "rules:" + UNTRIED, 1)
    draft(tmp_path, more)
    preview("draft", "ann")
    [message] = messages(asked)
    text = message["text"]
    lines = [f"warnings/dials.yaml:{line}:3: the rule has no example" for line in (3, 10)]
    own, known = (text.index(line) for line in lines)
    effect, before = (
        text.index("nobody changes colour"),
        text.index("The present configuration has these notes as well"),
    )
    assert own < effect < before < known, "the first thing read is about the edit"
    assert text.count("the rule has no example") == message["html"].count("the rule has no example") == 4


@pytest.mark.req("D14", "S153")
def test_mistakes_of_a_draft_are_the_content_of_the_mail_in_the_readers_language(
    asked: TinyFirm, tmp_path: Path
) -> None:
    contradiction = "when: {all: [quiet > 5, quiet < 3]}"
    broken = FILES["warnings/dials.yaml"].replace("when: quiet >= 1", contradiction)
    draft(tmp_path, broken)
    preview("draft", "lin")
    [message] = messages(asked)
    assert "有 1 个问题" in message["subject"]
    assert "“quiet > 5”与“quiet < 3”不可能同时成立" in message["text"]


@pytest.mark.req("D14")
@pytest.mark.parametrize(
    ("folder", "person", "said"),
    [
        ("nowhere", "ann", "there is no draft 'nowhere' below "),
        ("../..", "ann", "there is no draft '../..' below "),
        ("/etc", "ann", "there is no draft '/etc' below "),
        (".", "zoe", "nobody active in people.yaml has the id 'zoe'"),
        (".", "mum", "'mum' has no channel in people.yaml"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(asked: TinyFirm, folder: str, person: str, said: str) -> None:
    with pytest.raises(AirflowFailException, match=said.replace(".", r"\.")):
        preview(folder, person)
    assert messages(asked) == []

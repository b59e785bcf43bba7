"""What people see of a firm whose every personal value is marked: listings, pages, errors and logs show none of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.privacy.marked import Marked, key, town

from care_sources.connection import SourceError
from care_sources.landing import _cause
from carewatch.cli import main
from carewatch.spec.privacy import without_values
from carewatch.store.database import connect, refusal

PERSONAL = ("mail", "phone", "person", "comment", "note", "summary", "recording", "raw", "unread")
"""Marks of columns that are personal, those of rows and lines that could not be read among them."""


@pytest.fixture(scope="module")
def given(module_warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    with connect(module_warehouse, autocommit=True) as connection:
        folder = tmp_path_factory.mktemp("firm") / "config"
        logged: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.DEBUG)
        try:
            made = town(connection, folder)
        finally:
            logging.getLogger().setLevel(level)
            logging.getLogger().removeHandler(handler)
        assert not _leaks(made, "\n".join(logged))
        yield made


def _leaks(given: Marked, text: str) -> list[str]:
    return [what for what in PERSONAL if given.marks[what] in text]


COMMANDS = (
    "quarantine list --source sales", "quarantine list --source sales --json", "quarantine show {rows}",
    "quarantine show {rows} --json", "checks --run r1", "checks --run r1 --json", "checks --language zh-CN",
    "timeline {key}", "timeline {key} --json",
    "timeline {key} --language zh-CN", "explain {key} --all", "explain {key} --json", "identity show {key}",
    "identity show {key} --json", "identity suggest", "identity problems", "outbox list --all", "warning list", "warning show {warning}",
    "warning show {warning} --json", "erase {key} --why x --dry-run", "why {key} --from 2026-06-01 --to 2026-06-02",
)  # fmt: skip


@pytest.mark.req("D19")
@pytest.mark.parametrize("command", COMMANDS)
def test_no_listing_shows_a_personal_value(
    given: Marked, module_warehouse: str, tmp_path: Path, command: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CARE_DB", module_warehouse)
    rows = [str(no) for (no,) in given.firm.rows("select row_no from quarantine.row order by 1")]
    number = given.firm.facts.customers["marked"]
    [(warning,)] = given.firm.rows("select max(warning_no) from care.warning where customer_no = %s", number)
    parts = command.format(key=key(given), rows=" ".join(rows), warning=warning).split()
    if parts[0] in ("quarantine", "checks", "erase"):
        parts += ["--config", str(given.folder)]
    code = main(parts)
    shown = capsys.readouterr()
    assert code in (0, 1) and shown.out.strip(), (code, shown.err)
    assert not _leaks(given, shown.out + shown.err)


@pytest.mark.req("D19")
def test_pages_and_messages_hold_no_personal_value(given: Marked) -> None:
    seen = given.found()
    for column in (
        "care.check_report.html", "care.check_result.samples", "care.outbox.message", "care.notice_decision.reason", "care.review.report",
        "care.signal.evidence", "care.warning.reasons", "care.warning_event.reasons", "care.audit.subject",
    ):  # fmt: skip
        assert not seen.get(column, set()) & {*PERSONAL}, column


@pytest.mark.req("D19")
def test_what_the_warehouse_says_of_a_value_does_not_repeat_it(
    given: Marked, module_warehouse: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = given.marks["mail"]
    for statement in (
        "select %s::numeric",
        "insert into care.party (key_space, customer_key) select 'a', %s from generate_series(1, 2)",
        "insert into care.person (person_id, name, roles, channels, active) values ('x', %s, null, '{}', true)",
    ):
        with pytest.raises((psycopg.DataError, psycopg.IntegrityError)) as raised:
            given.connection.execute(statement.encode(), (mark,))
        assert mark in str(raised.value) and mark not in refusal(raised.value)

    def refused(*_: object, **__: object) -> int:
        given.connection.execute("select %s::numeric", (mark,))
        return 0

    monkeypatch.setenv("CARE_DB", module_warehouse)
    monkeypatch.setattr("carewatch.commands.timeline_command.run", refused)
    assert main(["timeline", "x"]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith("the warehouse refused a value: invalid input syntax for type numeric")
        and mark not in said
    )


@pytest.mark.req("D19")
@pytest.mark.parametrize("code", ["sqlstate", "pgcode"])
def test_the_loader_does_not_repeat_a_value_that_the_warehouse_refuses(code: str) -> None:
    refused = ValueError('invalid input syntax for type json: "ann@b.cn"')
    setattr(refused, code, "22P02")
    wrapped = RuntimeError(f"load failed: {refused}")
    wrapped.__cause__ = refused
    found = _cause(wrapped)
    assert isinstance(found, SourceError) and 'json: "xxx@x.xx"' in str(found)
    other = RuntimeError("the disk is full")
    assert _cause(other) is other


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            'invalid input syntax for type date: "ann@b.cn"\nLINE 1: x',
            'invalid input syntax for type date: "xxx@x.xx"',
        ),
        ("Key (mail)=(ann@b.cn) already exists.", "Key (mail)=(…) already exists."),
        ("", ""),
    ],
)
def test_values_are_taken_out_of_what_a_database_says(said: str, shown: str) -> None:
    assert without_values(said) == shown

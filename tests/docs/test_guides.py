"""The guides: what they show works, what they quote is said, what they link to is there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from carewatch.cli import COMMANDS, parser
from carewatch.spec.loading import load
from carewatch.store.database import connect
from carewatch.store.migrations import migrate

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?<![\w/])care (?=[a-z]+)[^`;|\n]+")
PLACEHOLDERS = {"CUSTOMER": "C001", "KEY": "digest/am01", "FOLDER": "data", "$day": "2026-06-01"}


def blocks(language: str) -> list[str]:
    return [
        found["text"]
        for guide in GUIDES
        for found in BLOCK.finditer(guide.read_text(encoding="utf-8"))
        if found["language"] == language
    ]


def commands(guide: Path) -> list[str]:
    """Return every command that the guide writes as code; code within a line may be broken over two."""
    text = guide.read_text(encoding="utf-8")
    inline = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", BLOCK.sub("", text))]
    code = [*inline, *(found["text"] for found in BLOCK.finditer(text))]
    return [said for span in code for said in COMMAND.findall(span)]


def test_there_is_a_guide_for_each_reader() -> None:
    assert {guide.stem for guide in GUIDES} >= {
        "business-operations",
        "business-operations.zh-CN",
        "connect",
        "connect.zh-CN",
        "engineer",
        "engineer.zh-CN",
        "management",
        "management.zh-CN",
        "facts",
    }


@pytest.mark.parametrize(
    "chinese", [ROOT / "README.zh-CN.md", *(ROOT / "docs").glob("*.zh-CN.md")], ids=lambda page: page.name
)
def test_a_chinese_page_has_every_section_of_the_english_one(chinese: Path) -> None:
    english = chinese.with_name(chinese.name.replace(".zh-CN", ""))
    assert shape(chinese) == shape(english)
    assert f"]({chinese.name})" in english.read_text(encoding="utf-8"), "who reads Chinese is led there"
    assert f"]({english.name})" in chinese.read_text(encoding="utf-8")


def shape(page: Path) -> dict[str, object]:
    """Return the depths of a page's headings, and how many rows of tables and blocks of code it has."""
    text = page.read_text(encoding="utf-8")
    prose = BLOCK.sub("", text)
    return {
        "headings": [len(mark) for mark in re.findall(r"^(#+) ", prose, re.M)],
        "rows of tables": len(re.findall(r"^\|", prose, re.M)),
        "blocks": len(BLOCK.findall(text)),
    }


@pytest.mark.parametrize("text", [text for text in blocks("yaml") if text.startswith("# config/")])
def test_a_file_that_is_shown_can_be_used_as_it_is(text: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
    load(tmp_path / "config")


def test_what_care_check_is_quoted_with_is_what_it_says() -> None:
    said = {
        line
        for expected in (ROOT / "tests" / "config" / "broken").glob("*/expect*.txt")
        for line in expected.read_text(encoding="utf-8").splitlines()
    }
    quoted = [line for text in blocks("console") for line in text.splitlines()]
    assert quoted
    assert [line for line in quoted if line not in said] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_command_exists_with_its_options(guide: Path) -> None:
    for command in commands(guide):
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
        if len(words) == 1:
            assert words[0] in COMMANDS
        else:
            parser().parse_args(words)


def test_every_query_runs(database: str) -> None:
    with connect(database, autocommit=True) as connection:
        migrate(connection)
        for query in blocks("sql"):
            connection.execute(query.encode())


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_link_leads_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", guide.read_text(encoding="utf-8")):
        assert "://" in target or (guide.parent / target).exists(), target

"""Sentences composed in English are said again in the reader's language."""

from __future__ import annotations

import ast
import copy
import pickle
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from carewatch.spec import saying
from carewatch.spec.saying import in_language, joined, said

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
CATALOGUE = PLUGINS.parent / "include" / "locale" / "zh_CN" / "LC_MESSAGES" / "carewatch.po"
WORDS = {
    "{name} is {count} too long": "{name}长出{count}",
    "a rule": "规则",
    "; expected {what}": "；应为{what}",
    ", ": "、",
}


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setattr(saying, "_catalogue", lambda language: WORDS if language == "zh-CN" else {})


def test_a_sentence_is_plain_english_text_until_it_is_asked_for_in_another_language(chinese):
    sentence = said("{name} is {count} too long", name="Name", count=3)
    assert sentence == "Name is 3 too long"
    assert in_language(sentence, "en") == sentence
    assert in_language(sentence, "zh-CN") == "Name长出3"


def test_what_is_said_inside_a_sentence_is_said_too_and_somebodys_own_word_stays(chinese):
    outer = said("; expected {what}", what=said("{name} is {count} too long", name=said("a rule"), count=1))
    assert in_language(outer, "zh-CN") == "；应为规则长出1"
    assert in_language(said("; expected {what}", what="a rule"), "zh-CN") == "；应为a rule"


def test_words_are_joined_by_the_languages_own_separator(chinese):
    words = joined(", ", [said("a rule"), "a rule", "{b}"])
    assert words == "a rule, a rule, {b}"
    assert in_language(words, "zh-CN") == "规则、a rule、{b}"
    assert in_language(said("; expected {what}", what=words), "zh-CN") == "；应为规则、a rule、{b}"


def test_text_without_template_is_looked_up_as_it_stands_and_what_nobody_translated_stays(chinese):
    assert in_language("a rule", "zh-CN") == "规则"
    assert in_language("{not a template", "zh-CN") == "{not a template"
    assert in_language(said("{a} of {b}", a=1, b=2), "zh-CN") == "1 of 2"


def test_a_sentence_can_be_copied_and_stored(chinese):
    sentence = said("{name} is {count} too long", name=joined(", ", ["a", "b"]), count=3)
    for again in (copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):  # noqa: S301
        assert in_language(again, "zh-CN") == "a、b长出3"


def _constants() -> Iterator[tuple[str, bool]]:
    """Yield every text in the code, and whether it is what `said` or `joined` is called with."""
    for path in sorted(
        path for room in ("carewatch", "care_demo") for path in (PLUGINS / room).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, False
            if (
                isinstance(node, ast.Call)
                and _says(node.func)
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.args[0].value, True


def _says(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id in ("said", "joined")
    return isinstance(called, ast.Attribute) and called.attr in ("say", "word")


def test_every_sentence_of_the_code_is_in_the_catalogue_and_nothing_else_is():
    with CATALOGUE.open("rb") as file:
        translated = {one.id: one for one in read_po(file) if one.id}
    constants = [*_constants()]
    missing = {
        text for text, is_said in constants if is_said and text.strip(" ,;:") and text not in translated
    }
    assert not missing
    assert not {*translated} - {text for text, _ in constants}, "the code no longer says these"
    for message in translated.values():
        assert message.string and not message.fuzzy, message.id
        assert _fields(message.string) == _fields(message.id), message.id


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}

"""One vocabulary: every fact, column and word has a name in both languages, and every name leads back to what it names."""

from __future__ import annotations

import pytest

from carewatch.spec import fact_names as names
from carewatch.spec.facts import FACTS
from carewatch.spec.source_words import WORDS

LANGUAGES: tuple[names.Language, ...] = ("en", "zh-CN")
EVERY_COLUMN = [
    (fact.name, column)
    for fact in FACTS.values()
    for column in (*names.COMMON_NAMES, *(one.name for one in fact.columns))
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_heading_leads_back_to_its_column(language: names.Language) -> None:
    for fact, column in EVERY_COLUMN:
        heading = names.column_label(fact, column, language)
        assert names.columns_by_heading(fact)[names.fold(heading)] == column, (fact, heading)
        assert names.column_help(fact, column, language), (fact, column)
        assert any("一" <= letter <= "鿿" for letter in heading) == (language == "zh-CN"), heading


def test_a_name_of_the_registry_is_a_heading_unless_another_column_is_labelled_so() -> None:
    for fact, column in EVERY_COLUMN:
        found = names.columns_by_heading(fact)[names.fold(column)]
        assert found == column or names.fold(names.column_label(fact, found, "en")) == names.fold(column)


@pytest.mark.parametrize(
    ("fact", "heading", "column"),
    [
        ("order", "  金额（元） ", "amount"),
        ("order", "订单金额*", "amount"),
        ("order", "Order_Date", "event_at"),
        ("customer", "合作日期", "event_at"),
        ("customer", "业务员", "owner"),
        ("interaction", "ＤＵＲＡＴＩＯＮ", "elapsed"),
        ("invoice", "到期日", "due_on"),
        ("contract_event", "到期日", "ends_on"),
        ("note", "风险标签", "what"),
        ("indicator_value", "Week", "event_at"),
    ],
)
def test_headings_as_people_write_them(fact: str, heading: str, column: str) -> None:
    assert names.columns_by_heading(fact)[names.fold(heading)] == column


def test_titles_lead_back_to_their_facts() -> None:
    titles = names.facts_by_title()
    for fact in FACTS:
        for language in LANGUAGES:
            assert titles[names.fold(names.fact_label(fact, language))] == fact


def test_every_word_of_a_closed_set_can_be_written_in_both_languages() -> None:
    for (fact, column), words in WORDS.items():
        spelt = names.spellings(fact, column)
        for word in words:
            for language in LANGUAGES:
                assert spelt[names.fold(names.word_label(word, language))] == word
        assert names.choices(fact, column, "zh-CN") == tuple(
            names.word_label(word, "zh-CN") for word in words
        )
    assert names.spellings("note", "what")["价格"] == "price"
    assert names.choices("interaction", "decision_maker", "zh-CN") == ("是", "否")

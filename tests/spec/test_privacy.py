"""Values of personal and secret columns are never shown as they are."""

from __future__ import annotations

import pytest
from tests.store.landed import FIRM, sources

from carewatch.spec.facts import FACTS, Erased, Kind, Privacy
from carewatch.spec.privacy import HIDDEN, masked, privacy_of
from carewatch.spec.sources import plans


@pytest.mark.parametrize(
    ("value", "privacy", "shown"),
    [
        ("ann@firm.cn", Privacy.PERSONAL, "xxx@xxxx.xx"),
        ("张伟 +86 139", Privacy.PERSONAL, "xx +99 999"),
        ("Été_١", Privacy.PERSONAL, "xxx_9"),
        ("abc", Privacy.SECRET, HIDDEN),
        ("12,3O0.00", Privacy.INTERNAL, "12,3O0.00"),
        ("a\n\tb\x1b[31m", Privacy.PUBLIC, "a b\ufffd[31m"),
        ("7" * 61, Privacy.PUBLIC, "7" * 60 + "…"),
        (None, Privacy.SECRET, None),
    ],
)
def test_a_value_is_shown_as_its_class_allows(value: str | None, privacy: Privacy, shown: str | None) -> None:
    assert masked(value, privacy) == shown


def test_a_stream_may_call_more_of_its_columns_personal() -> None:
    text = """
    customers: master
    streams:
      customers:
        from: customers
        fact: customer
        key: code
        event_at: since
        columns: {name: "coalesce(title, name)", segment: kind}
        personal: [code, name]
    """
    (plan,) = plans("sales", sources(sales=text)["sales"], FIRM)
    found = privacy_of(plan)
    assert {name for name, privacy in found.items() if privacy is Privacy.PERSONAL} >= {"key", "code", "name"}
    assert found["title"] is found["segment"] is Privacy.INTERNAL
    with pytest.raises(AssertionError, match=r"no expression reads 'nam'; did you mean name\?"):
        sources(sales=text.replace("[code, name]", "[nam]"))


def test_a_column_of_the_source_has_the_highest_class_of_what_it_serves() -> None:
    text = """
    customers: master
    streams:
      customers:
        from: customers
        fact: customer
        key: code
        event_at: since
        columns: {name: name, email: "coalesce(mail, name)", segment: name}
    """
    (plan,) = plans("sales", sources(sales=text)["sales"], FIRM)
    found = privacy_of(plan)
    personal = {name for name, privacy in found.items() if privacy is Privacy.PERSONAL}
    assert personal == {"email", "mail", "name", "phone"}
    assert found["code"] is found["since"] is found["segment"] is Privacy.INTERNAL


@pytest.mark.req("D19")
def test_nothing_personal_of_a_fact_outlives_erasure_and_only_texts_become_pseudonyms() -> None:
    for fact in FACTS.values():
        for column in fact.columns:
            where = f"{fact.name}.{column.name}"
            if column.privacy in (Privacy.PERSONAL, Privacy.SECRET):
                assert column.erased is Erased.GONE, where
            if column.erased is Erased.GONE:
                assert not column.required, where
            if column.erased is Erased.PSEUDONYM:
                assert column.kind is Kind.TEXT, where
    kept = {column.name for fact in FACTS.values() for column in fact.columns
            if column.kind is Kind.TEXT and column.erased is Erased.KEPT}  # fmt: skip
    assert kept == {
        "campaign", "channel", "country", "covers", "currency", "direction", "indicator", "industry", "kind", "line", "market",
        "origin_kind", "other_source", "owner", "person", "priority", "product", "region", "result", "scale", "segment",
        "severity", "tone", "what",
    }, "a text that stays must name nobody: say so here, on purpose"  # fmt: skip

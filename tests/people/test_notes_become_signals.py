"""What somebody wrote down is a signal on the next night, as severe as it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.facts_given import GivenFacts

from carewatch.flow.import_sheets import Given, import_sheets
from carewatch.flow.night import judge, measure, open_night
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.spec.typed import recognise
from carewatch.store import embedded
from carewatch.store.database import Connection, connect
from carewatch.store.health import health_of_night
from carewatch.store.migrations import migrate
from carewatch.store.nights import night_of
from carewatch.warn.hits import State, rule_book

CONFIG = Path(__file__).resolve().parents[2] / "config"
NIGHT = date(2026, 6, 10)
RULES = ("risk_noted", "risk_noted_mild", "risk_noted_moderate", "risk_noted_severe", "risk_noted_critical")


@pytest.fixture
def warehouse(warehouse_server: str) -> Iterator[Connection]:
    dsn = embedded.create_database(warehouse_server, f"test_notes_{datetime.now():%H%M%S%f}")
    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
        yield connection
    embedded.drop_database(warehouse_server, dsn.rpartition("/")[2].partition("?")[0])


@pytest.fixture
def hits(warehouse: Connection) -> Callable[..., dict[str, dict[str, str]]]:
    """Return a function: type rows of notes, run the night, tell by customer which rules of notes say hit or clear."""
    configuration, sources = load(CONFIG), load_sources(CONFIG)
    zone = configuration.firm.zone

    def at(day: date, hour: int) -> datetime:
        return datetime(day.year, day.month, day.day, hour, tzinfo=zone)

    def run(rows: list[list[str | None]]) -> dict[str, dict[str, str]]:
        facts = GivenFacts(warehouse, zone)
        for key in dict.fromkeys(str(row[0]) for row in rows):
            facts.known(key)
            warehouse.execute("insert into care.party (key_space, customer_key) values ('sales', %s)", (key,))
            warehouse.execute(
                "insert into care.identity (party_no, customer_no, known_from) select party_no, %s, '2000-01-01' "
                "from care.party where key_space = 'sales' and customer_key = %s",
                (facts.customer(key), key),
            )
        sheet = recognise("备注", ["客户编号", "日期", "风险标签", "严重程度", "有效期至"])
        assert sheet is not None
        warehouse.execute(
            "insert into care.pinned_clock (at) values (%s)", (at(NIGHT - timedelta(days=1), 18),)
        )
        [told] = import_sheets(
            warehouse, sources.firm, sources.sources, [Given(sheet, list(enumerate(rows, start=2)))],
            file="n.xlsx", digest="0" * 8, by=None, language="zh-CN", load_id="1790000000.1", now=at(NIGHT, 0),
        )  # fmt: skip
        assert told.refused == ()
        warehouse.execute("update care.pinned_clock set at = %s", (at(NIGHT, 2),))
        open_night(warehouse, configuration, NIGHT, now=at(NIGHT, 2))
        measure(warehouse, NIGHT)
        judge(warehouse, NIGHT)
        spec = configuration.judgement
        health = health_of_night(warehouse, night_of(warehouse, NIGHT), spec)
        order = rule_book(spec.rules, spec.health).names
        names = {number: name for name, number in facts.customers.items()}
        return {
            names[number]: {rule: State(states[order.index(rule)]).name for rule in RULES}
            for number, states in zip(health["customer_no"].tolist(), health["rules"].tolist(), strict=True)
        }

    return run


def worst(states: dict[str, str]) -> str | None:
    """Return the gravest rule that is hit; every milder one is hit as well."""
    hit = [rule for rule in RULES if states[rule] == "HIT"]
    assert hit == list(RULES[: len(hit)])
    assert all(states[rule] == "CLEAR" for rule in RULES[len(hit) :])
    return hit[-1] if hit else None


@pytest.mark.req("S7")
def test_a_note_with_a_risk_tag_is_a_signal_on_the_next_night(
    hits: Callable[..., dict[str, dict[str, str]]],
) -> None:
    told = hits(
        [
            ["critical", "2026-06-09", "价格", "紧急", None],
            ["severe", "2026-06-09", "竞品", None, None],
            ["moderate", "2026-06-09", "服务", None, None],
            ["mild", "2026-06-09", "需求", None, None],
            ["watch", "2026-06-09", "竞品", "关注", None],
            ["chance", "2026-06-09", "商机", "紧急", None],
            ["worst", "2026-06-08", "价格", "轻度", None],
            ["worst", "2026-06-09", "质量", "重度", None],
            ["last-day", "2026-05-11", "价格", None, None],
            ["past", "2026-05-10", "价格", None, None],
            ["until-today", "2026-01-10", "价格", None, "2026-06-10"],
            ["until-yesterday", "2026-06-08", "价格", None, "2026-06-09"],
        ]
    )
    assert {customer: worst(states) for customer, states in told.items()} == {
        "critical": "risk_noted_critical",
        "severe": "risk_noted_severe",
        "moderate": "risk_noted_moderate",
        "mild": "risk_noted_mild",
        "watch": "risk_noted",
        "chance": None,
        "worst": "risk_noted_severe",
        "last-day": "risk_noted_moderate",
        "past": None,
        "until-today": "risk_noted_moderate",
        "until-yesterday": None,
    }

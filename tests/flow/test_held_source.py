"""A source that is late when a night opens: what lives on it is held, its age is shown, and it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest
from tests.firm import FILES, MONDAY, ROOT, TinyFirm, changed

from carewatch.commands.explain_text import explain_lines
from carewatch.flow.explain import explain
from carewatch.spec.sources import BaseSource, load_sources
from carewatch.store.nights import held_sources, night_of

_SOURCE = """
  {name}:
    label: {name}
    owner: {owner}
    kind: database
    connection: care_{name}
    customers: derived
    every: 1 hour
    fresh_within: 26 hours
    streams: {{rows: {{from: rows, fact: {fact}, key: no, customer: code, event_at: at, columns: {{{columns}}}}}}}
"""
SOURCES = (
    "version: 1\nsources:"
    + _SOURCE.format(name="meter", owner="the engine room", fact="usage_day", columns="logins: logins")
    + _SOURCE.format(name="polls", owner="marketing", fact="survey", columns="score: score")
)
SLOW = changed(
    "warnings/dials.yaml", ("when: strain >= 1", "when: strain >= 1\n    holds_for: 3\n    clears_after: 2")
)
_SILENCE = """
  silence:
    label: Silence
    severity: severe
    counts_as: silence
    dimension: use
    when: days_used < 1
    because: "no use"
"""
_DAYS = "  days_used: {label: Days, kind: count, fact: usage_day, window: 1 day, owner: tests}\n"
MakeFirm = Callable[..., TinyFirm]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def read(firm: TinyFirm, number: int, *sources: str, hour: float = 1) -> None:
    """Let sources have been read before the night of a day."""
    for source in sources:
        firm.rows(
            "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, "
            "quarantined, read_at) values (%s, %s, %s, 1, 1, 0, 0, 0, 0, 0, %s) returning 1",
            f"{source}.rows", f"{number}", *[firm.moment(day(number), hour)] * 2,
        )  # fmt: skip


def live(firm: TinyFirm, number: int, *sources: str, **dials: float) -> None:
    """Run a night of customer C1 whose dials are such, after these sources were read."""
    read(firm, number, *sources)
    firm.dial("C1", day(number), **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, **dials})
    firm.night(day(number))


def signals(firm: TinyFirm) -> dict[str, tuple[str, int, int]]:
    return {
        rule: (state, true, clear)
        for rule, state, true, clear in firm.rows(
            "select rule, state, true_nights, clear_nights from care.signal where state <> 'closed'"
        )
    }


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, BaseSource]:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "firm.yaml").write_text(FILES["firm.yaml"], encoding="utf-8")
    (folder / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    return load_sources(folder).sources


@pytest.fixture
def fed(make_firm: MakeFirm, sources: Mapping[str, BaseSource]) -> TinyFirm:
    """Return the firm of one customer, fed by two sources, whose strain must last three nights and be gone for two."""
    firm = make_firm(SLOW)
    firm.sources = sources
    firm.customer("C1")
    return firm


@pytest.mark.req("D9", "S8")
def test_a_night_stores_what_it_holds_and_explains_it_with_its_age(fed: TinyFirm) -> None:
    live(fed, 1, "meter", "polls")
    live(fed, 2, "meter", "polls")
    for number in (3, 4):
        live(fed, number, "polls", quiet=1, mood=20)
    assert fed.rows("select late_sources from care.night order by day") == [([],), ([],), ([],), (["meter"],)]
    [held] = held_sources(fed.connection, night_of(fed.connection, day(4)))
    assert (held.source, held.owner, held.facts) == ("meter", "the engine room", ["customer", "usage_day"])
    assert held.known_until == fed.moment(day(2), 1)
    explained = explain(fed.connection, "C1", day(4))
    assert explained.equals_stored
    assert [one["reason"]["en"] for one in explained.held] == ["last read 2026-06-01 17:00 UTC"]
    assert {one["rule"]: one["state"] for one in explained.rules}["quiet"] == "unknown"
    text = "\n".join(explain_lines(explained, "en"))
    assert (
        "source held: meter (customers, usage), last read 2026-06-01 17:00 UTC; ask the engine room" in text
    )
    assert explain(fed.connection, "C1", day(3)).held == []


@pytest.mark.req("D9")
def test_a_held_scored_number_is_said_to_be_held(fed: TinyFirm) -> None:
    live(fed, 1, "meter")
    explained = explain(fed.connection, "C1")
    assert (explained.colour, explained.score) == ("grey", None)
    assert [(one["metric"], one["why"]["kind"]) for one in explained.unknown] == [("mood", "held")]
    assert "mood: polls is held; ask " in "\n".join(explain_lines(explained, "en"))


@pytest.mark.req("D9")
def test_counts_wait_while_a_source_is_late_and_go_on_when_it_returns(fed: TinyFirm) -> None:
    for number in (1, 2):
        live(fed, number, "meter", "polls", strain=1)
    assert signals(fed)["strain"] == ("pending", 2, 0)
    live(fed, 3, "polls", strain=1)
    assert signals(fed)["strain"] == ("open", 3, 0), "read a day ago is still in time"
    for number in (4, 5, 6, 7):
        live(fed, number, "polls")
        assert signals(fed)["strain"] == ("open", 3, 0), "neither fires nor clears"
    live(fed, 8, "meter", "polls")
    assert signals(fed)["strain"] == ("open", 0, 1)
    live(fed, 9, "meter", "polls")
    assert "strain" not in signals(fed)


@pytest.mark.req("D9")
@pytest.mark.parametrize("guarded", [True, False])
def test_a_dead_feed_makes_no_warning_though_a_count_of_nothing_would(
    make_firm: MakeFirm, sources: Mapping[str, BaseSource], guarded: bool
) -> None:
    """Silence of the feed looks like silence of every customer: who does not look at the feed warns of all of them."""
    rules = {**changed("warnings/dials.yaml"), **changed("metrics/dials.yaml")}
    rules["warnings/dials.yaml"] += _SILENCE
    rules["metrics/dials.yaml"] += _DAYS
    firm = make_firm(rules)
    firm.sources = sources if guarded else {}
    firm.customer("C1")
    for number in (1, 2):
        live(firm, number, "meter", "polls")
    for number in (4, 5):
        read(firm, number, "polls")
        firm.dial("C1", day(number), mood=90)
        firm.night(day(number))
    assert firm.rows("select level from care.warning") == ([] if guarded else [(2,)])


def told(firm: TinyFirm) -> list[tuple[str, str]]:
    return firm.rows("select key, message ->> 'text' from care.outbox order by created_at, key")


@pytest.mark.req("D9", "S8")
def test_an_outage_tells_the_engineers_when_it_begins_and_once(fed: TinyFirm) -> None:
    live(fed, 1, "meter", "polls")
    for number in (3, 4, 5):
        live(fed, number, "polls")
        fed.night(day(number))
        fed.tick(fed.moment(day(number), 12))
    [(key, text)] = told(fed)
    assert key == "outage/engineers/mail/source:meter:2026-06-03"
    assert "meter: last read 2026-05-31 17:00 UTC. the engine room answers for it." in text
    assert fed.rows("select distinct receiver from care.notice_decision") == [("engineers",)]
    live(fed, 6, "meter", "polls")
    live(fed, 7, "meter", "polls")
    assert len(told(fed)) == 1
    live(fed, 9, "polls")
    assert [key for key, _ in told(fed)][1:] == ["outage/engineers/mail/source:meter:2026-06-09"], (
        "another outage"
    )


def test_a_past_night_tells_nobody_of_an_outage(fed: TinyFirm) -> None:
    fed.dial("C1", day(1), quiet=0, strain=0, halt=0, mood=90)
    fed.night(day(1), now=fed.moment(day(9)))
    assert told(fed) == []
    assert fed.rows("select distinct send, reason from care.notice_decision") == [
        (False, "the night lies in the past: nobody is told")
    ]


def test_a_chinese_engineer_reads_chinese(make_firm: MakeFirm, sources: Mapping[str, BaseSource]) -> None:
    notices = (ROOT / "config" / "notices.yaml").read_text(encoding="utf-8")
    named = notices.replace("to: data-engineering@huaxing.example", "to: data@tiny.example, language: zh-CN")
    firm = make_firm({"notices.yaml": named})
    firm.sources = sources
    firm.customer("C1")
    live(firm, 1, "meter")
    [(_, text)] = told(firm)
    assert "polls：从未加载。负责方：marketing。" in text

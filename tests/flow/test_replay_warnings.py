"""Every stored warning comes out of its facts again: its signals, its reasons and its level."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.firm import MONDAY, TinyFirm, changed, configure, empty

from carewatch import __version__
from carewatch.cli import main
from carewatch.flow.overrides import override
from carewatch.flow.replay_warnings import Replayed, replay_warnings
from carewatch.store.rulings import merge, split

NAMES = ("K1", "K2", "K3")
REASONS_SET = "update care.warning_event set reasons = jsonb_set(reasons, {})"
EVENTS = """
version: 1
rules:
  left:
    label: Left
    severity: severe
    severity_by_tier: {A: critical}
    counts_as: left
    dimension: use
    on: event
    fact: contact_event
    where: "what = 'left'"
    lasts: 20 days
    because: "The {role} left {days_since_event} days ago, quiet is {quiet}, {owner} answers."
  noted:
    label: Noted
    severity: mild
    counts_as: noted
    dimension: use
    on: event
    fact: note
    when: strain >= 1
    because: "{what} noted at {strain}, {colour} {score}."
"""


def differences(found: list[Replayed]) -> list[str]:
    return [line for one in found for line in one.differences]


@pytest.fixture
def lived(firm: TinyFirm) -> TinyFirm:
    """Return a firm with three nights: warnings that open, rise, fall, clear and close."""
    for at, name in enumerate(NAMES):
        firm.customer(name, tier="ABC"[at], sales=100)
    story = {
        "K1": ({"quiet": 1}, {"quiet": 1, "halt": 1}, {"quiet": 0}),
        "K2": ({"strain": 1, "mood": 40}, {"strain": 1, "mood": 40}, {"strain": 1, "mood": 95}),
        "K3": ({"quiet": 1}, {"quiet": 0}, {"halt": 2}),
    }
    for night in range(3):
        for name, dials in story.items():
            day = MONDAY + timedelta(days=night)
            firm.dial(name, day, **({"quiet": 0, "strain": 0, "halt": 0, "mood": 90} | dials[night]))
        firm.night(MONDAY + timedelta(days=night))
    return firm


@pytest.fixture
def waiting(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    """Return a firm whose rules wait for events as well."""
    return make_firm({"warnings/events.yaml": EVENTS})


@pytest.mark.req("D3")
def test_every_warning_comes_out_the_same(lived: TinyFirm) -> None:
    found = replay_warnings(lived.connection)
    assert [one.customer_id for one in found] == ["K1", "K2", "K3", "K3"]
    assert differences(found) == []
    assert sum(one.transitions for one in found) >= 6 and sum(one.signals for one in found) >= 5
    assert replay_warnings(lived.connection, [2]) == [found[1]], "one alone is recomputed like all together"


@pytest.mark.req("D3")
@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("update care.warning_event set level = 1 where level = 2", "add up to level 2, stored is 1"),
        (
            REASONS_SET.format("'{0,evidence,quiet}', '7'") + """ where reasons @> '[{"rule": "quiet"}]'""",
            "opened on quiet = 7, recomputed is 1",
        ),
        (
            REASONS_SET.format("""'{0,text,en}', '"all is well"'""")
            + " where jsonb_array_length(reasons) > 0",
            "stored is {'en': 'all is well'",
        ),
        ("update care.fact_usage_day set logins = 0 where logins = 1", "rule quiet is clear"),
        (
            "update care.warning_event set reasons = reasons - 0 where jsonb_array_length(reasons) > 1 and level = 2",
            "its signals add up to level",
        ),
        (
            REASONS_SET.format("""'{0,severity}', '"moderate"'""")
            + """ where reasons->0->>'rule' = 'quiet'""",
            "rule quiet is mild on 2026-06-0",
        ),
        (
            "update care.configuration set canonical = replace(canonical::text, '\"mild\": 1', '\"mild\": 2')::json",
            "its signals add up to level 0, stored is 1",
        ),
    ],
)
def test_what_was_changed_afterwards_is_noticed(lived: TinyFirm, tampering: str, said: str) -> None:
    with lived.connection.transaction(force_rollback=True):
        assert lived.connection.execute(tampering.encode()).rowcount > 0
        assert any(said in line for line in differences(replay_warnings(lived.connection)))


@pytest.mark.req("D3")
def test_a_warning_names_the_configuration_and_code_it_is_computed_by_whatever_is_configured_later(
    lived: TinyFirm, tmp_path: Path
) -> None:
    first = lived.configuration.judgement.fingerprint
    named = {(first, __version__)}
    for table in ("warning", "signal"):
        assert set(lived.rows(f"select judgement, code_version from care.{table}")) == named
    stricter = changed(
        "warnings/dials.yaml", ("severity: mild", "severity: severe"), ("quiet >= 1", "quiet >= 2")
    )
    lived.configuration = configure(tmp_path / "stricter", stricter)
    thursday = MONDAY + timedelta(days=3)
    for name in NAMES:
        lived.dial(name, thursday, quiet=2, strain=0, halt=0, mood=90)
    lived.night(thursday)
    second = lived.configuration.judgement.fingerprint
    assert lived.rows("select distinct judgement from care.signal where opened_day = %s", thursday) == [
        (second,)
    ]
    assert second != first and differences(replay_warnings(lived.connection)) == []


def leaves(firm: TinyFirm, name: str, at: datetime, role: str = "buyer") -> None:
    firm.facts.add("contact_event", name, at, contact="p1", what="left", main=True, role=role)


@pytest.mark.req("D3")
def test_what_a_tick_raised_comes_out_as_the_tick_saw_it(waiting: TinyFirm) -> None:
    firm = waiting
    for name, tier in (("K1", "A"), ("K2", "C")):
        firm.customer(name, tier=tier)
    for number in range(2):
        night = MONDAY + timedelta(days=number)
        firm.dial("K1", night, quiet=1 + number, strain=number, halt=0, mood=60)
        firm.dial("K2", night, quiet=0, strain=number, halt=0, mood=90)
    firm.night(MONDAY)
    noon = firm.moment(MONDAY, 12)
    # a colour that was said since the night is not what the tick went by
    said_at, until = noon - timedelta(hours=1), MONDAY + timedelta(days=1)
    override(firm.connection, "K1", "red", until=until, why="seen", by="bob", now=said_at, today=MONDAY)
    leaves(firm, "K1", noon)
    firm.facts.add("note", "K2", noon, what="unhappy")
    assert firm.tick(noon + timedelta(minutes=5)).raised_early == 1, "K2 is not strained on Monday"
    leaves(firm, "K1", noon + timedelta(minutes=10), role="owner")
    firm.night(MONDAY + timedelta(days=1))
    leaves(firm, "K2", firm.moment(MONDAY + timedelta(days=1), 9))
    assert firm.tick(firm.moment(MONDAY + timedelta(days=1), 9.5)).raised_early == 1
    by_tick = "select rule, raised_at is not null from care.signal where opened_day is not null order by customer_no, rule"
    assert firm.rows(by_tick) == [
        ("health_yellow", False), ("left", True), ("quiet", False), ("strain", False),
        ("left", True), ("noted", False), ("strain", False),
    ]  # fmt: skip
    found = replay_warnings(firm.connection)
    assert differences(found) == []
    assert [(one.transitions, one.signals) for one in found] == [(2, 2), (2, 3)]
    assert [replay_warnings(firm.connection, [one.warning_no]) for one in found] == [[one] for one in found]
    for tampering, said in (
        ("delete from care.fact_contact_event where role = 'buyer'", "rule left is clear on 2026-06-01"),
        ("update care.fact_contact_event set role = 'boss'", "rule left was opened on role = buyer, recomputed is boss"),
        ("update care.signal set raised_at = raised_at + interval '1 day'", "recomputed is owner"),
        ("update care.fact_usage_day set logins = 7", "rule left was opened on quiet = 1, recomputed is 7"),
        ("update care.fact_note set what = 'calm'", "rule noted was opened on what = unhappy, recomputed is calm"),
    ):  # fmt: skip
        with firm.connection.transaction(force_rollback=True):
            firm.connection.execute(tampering.encode())
            assert any(said in line for line in differences(replay_warnings(firm.connection))), tampering


@pytest.mark.req("D3")
@pytest.mark.parametrize(
    ("one", "other"), [("quiet", "halt"), ("halt", "quiet"), ("quiet", "quiet"), ("mood", "halt")]
)
def test_what_went_along_with_a_merged_customer_comes_out_as_its_own_night_saw_it(
    firm: TinyFirm, one: str, other: str
) -> None:
    for name, dial in (("K1", one), ("K2", other)):
        firm.customer(name)
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    firm.clock_at(firm.moment(MONDAY, 9))
    merge(firm.connection, "K1", "K2", by="ann", why="the same firm")
    firm.tick(firm.moment(MONDAY, 10))
    assert differences(replay_warnings(firm.connection)) == []
    tuesday = MONDAY + timedelta(days=1)
    firm.dial("K2", tuesday, quiet=1, strain=1, halt=1, mood=20)
    firm.night(tuesday)
    assert differences(replay_warnings(firm.connection)) == []
    split(firm.connection, "given:K2", by="bob", why="two branches")
    assert differences(replay_warnings(firm.connection)) == []


dials = st.tuples(*(st.integers(0, 2) for _ in range(3)), st.sampled_from((35, 60, 90)))
by_day = st.sampled_from((None, None, "leaves", "noted", "red", "green"))


@pytest.mark.req("D3")
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(dials, by_day), min_size=4, max_size=4), st.sampled_from("ABC"))
def test_any_history_replays(
    waiting: TinyFirm, days: list[tuple[tuple[int, int, int, int], str | None]], tier: str
) -> None:
    empty(waiting.connection)
    alone = TinyFirm(waiting.connection, waiting.configuration)
    alone.customer("K1", tier=tier, sales=100)
    for number, ((quiet, strain, halt, mood), happens) in enumerate(days):
        day = MONDAY + timedelta(days=number)
        alone.dial("K1", day, quiet=quiet, strain=strain, halt=halt, mood=mood)
        alone.night(day)
        happen(alone, happens, day)
    assert differences(replay_warnings(alone.connection)) == []


def happen(firm: TinyFirm, what: str | None, day: date) -> None:
    """Let something happen between two nights, and let the clock see it."""
    noon = firm.moment(day, 12)
    firm.clock_at(noon)
    if what == "leaves":
        leaves(firm, "K1", noon)
    elif what == "noted":
        firm.facts.add("note", "K1", noon, what="unhappy", severity="severe")
    elif what is not None:
        until = day + timedelta(days=2)
        override(firm.connection, "K1", what, until=until, why="seen", by="bob", now=noon, today=day)
    firm.tick(firm.moment(day, 12.5))


def test_the_command_says_so(
    lived: TinyFirm,
    shared_warehouse: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    assert main(["replay"]) == 0
    assert "all come out the same" in capsys.readouterr().out
    assert main(["replay", "99"]) == 2
    assert "there is no warning 99" in capsys.readouterr().err
    lived.connection.execute("update care.warning_event set level = 1 where level = 2")
    assert main(["replay"]) == 1
    assert "DIFFERENTLY" in capsys.readouterr().out

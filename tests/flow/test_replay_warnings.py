"""Every stored warning comes out of its facts again: its signals, its reasons and its level."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.firm import MONDAY, TinyFirm, empty

from carewatch.cli import main
from carewatch.flow.replay_warnings import Replayed, replay_warnings

NAMES = ("K1", "K2", "K3")
REASONS_SET = "update care.warning_event set reasons = jsonb_set(reasons, {})"


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
    ],
)
def test_what_was_changed_afterwards_is_noticed(lived: TinyFirm, tampering: str, said: str) -> None:
    with lived.connection.transaction(force_rollback=True):
        assert lived.connection.execute(tampering.encode()).rowcount > 0
        assert any(said in line for line in differences(replay_warnings(lived.connection)))


@pytest.mark.req("D3")
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(*(st.integers(0, 2) for _ in range(3)), st.sampled_from((35, 60, 90))),
        min_size=4,
        max_size=4,
    )
)
def test_any_history_replays(firm: TinyFirm, days: list[tuple[int, int, int, int]]) -> None:
    empty(firm.connection)
    alone = TinyFirm(firm.connection, firm.configuration)
    alone.customer("K1", tier="B", sales=100)
    for number, (quiet, strain, halt, mood) in enumerate(days):
        day = MONDAY + timedelta(days=number)
        alone.dial("K1", day, quiet=quiet, strain=strain, halt=halt, mood=mood)
        alone.night(day)
    assert differences(replay_warnings(alone.connection)) == []


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

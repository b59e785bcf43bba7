"""Who was lost, when, and was it seen coming: by silence and by an event, on both sides of the window."""

from __future__ import annotations

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.flow.review import write_report
from carewatch.learn.outcomes import Events, Loss, losses, lost_within, was_regular
from carewatch.learn.review import review, verdict
from carewatch.measure.cut import Cut

WINDOW = 30
DAY = date(2026, 3, 1)
END = date(2026, 12, 31)


def happened(*days: date, are_losses: bool) -> Events:
    return Events(np.ones(len(days), np.int32), np.array(sorted(days), "datetime64[D]"), are_losses)


def of_customer(events: Events, day: date = DAY) -> bool:
    return bool(lost_within(events, np.array([1], np.int32), day, WINDOW)[0])


@pytest.mark.parametrize(
    ("days_later", "in_window"), [(-1, False), (0, True), (WINDOW - 1, True), (WINDOW, False)]
)
def test_an_event_in_the_window_is_a_loss_or_staying(days_later: int, in_window: bool) -> None:
    event = DAY + timedelta(days=days_later)
    assert of_customer(happened(event, are_losses=True)) is in_window
    assert of_customer(happened(event, are_losses=False)) is not in_window


def test_without_any_event_only_silence_loses() -> None:
    assert of_customer(happened(are_losses=False))
    assert not of_customer(happened(are_losses=True))


def test_each_event_is_a_loss_on_its_own_day() -> None:
    days = (DAY, DAY + timedelta(days=5), END)
    events = happened(*days, are_losses=True)
    found = losses(events, DAY, END, WINDOW, data_end=END)
    assert [loss.lost for loss in found] == [*days[:2]], "[first, end): the last day is outside"
    assert [loss.last for loss in found] == [day - timedelta(days=WINDOW) for day in days[:2]]
    assert all(was_regular(events, loss) for loss in found)


def test_silence_is_a_loss_once_it_reaches_the_window_inside_the_data() -> None:
    events = happened(DAY, DAY + timedelta(days=WINDOW), are_losses=False)
    lost = DAY + timedelta(days=2 * WINDOW)
    found = losses(events, DAY, END, WINDOW, data_end=END)
    assert found == [Loss(1, DAY + timedelta(days=WINDOW), lost)], (
        "an event on the last day of the window is none"
    )
    assert losses(events, DAY, END, WINDOW, data_end=lost - timedelta(days=1)) == []
    assert not was_regular(events, found[0]), "two days of business are too few"


@pytest.mark.parametrize("treated", [False, True])
@pytest.mark.parametrize(
    ("days_later", "closed", "by_event", "by_silence"),
    [
        (0, False, "right", "kept"),
        (WINDOW - 1, False, "right", "kept"),
        (WINDOW, False, "open", "open"),
        (-1, True, "kept", "right"),
        (WINDOW, True, "kept", "right"),
    ],
)
def test_a_day_in_the_window_settles_a_warning_and_its_absence_needs_a_closed_window(
    days_later: int, closed: bool, by_event: str, by_silence: str, treated: bool
) -> None:
    days = np.array([DAY + timedelta(days=days_later)], "datetime64[D]")
    data_end = DAY + timedelta(days=WINDOW if closed else WINDOW - 1)
    kept = {"kept": "treated_and_kept" if treated else "false_alarm"}
    for are_losses, expected in ((True, by_event), (False, by_silence)):
        found = verdict(DAY, days, window=WINDOW, treated=treated, data_end=data_end, are_losses=are_losses)
        assert found == kept.get(expected, expected)


@given(st.lists(st.integers(-100, 300), max_size=8), st.integers(1, 90))
def test_what_is_a_loss_by_event_is_none_by_silence(offsets: list[int], window: int) -> None:
    """Law: of the same days the two meanings say the opposite, for every customer and window."""
    days = [DAY + timedelta(days=offset) for offset in offsets]
    one = np.array([1], np.int32)
    by_event = lost_within(happened(*days, are_losses=True), one, DAY, window)
    by_silence = lost_within(happened(*days, are_losses=False), one, DAY, window)
    assert (by_event == ~by_silence).all()
    assert by_event[0] == any(0 <= offset < window for offset in offsets)


def test_the_review_of_a_firm_with_contracts_says_how_it_judged() -> None:
    """One warning came before a cancellation, one before none; a second customer cancelled without a warning."""
    cancelled = DAY + timedelta(days=20)
    events = Events(np.array([1, 2], np.int32), np.array([cancelled, cancelled], "datetime64[D]"), True)
    reasons = [{"text": {"en": "Silent.", "zh-CN": "没有订单。"}}]
    common = {"tier": "B", "peak_level": 2, "treated": False, "denied": False, "reasons": reasons}
    done = review(
        first=DAY, end=date(2026, 6, 1), window=WINDOW, data_end=END,
        warned=[
            {"customer_no": number, "customer_id": f"K{number}", "opened_day": DAY, **common} for number in (1, 3)
        ],
        events=events, losses=losses(events, DAY, date(2026, 6, 1), WINDOW, END),
        warnings_of={1: [(DAY, None)], 2: [(cancelled - timedelta(days=40), cancelled - timedelta(days=31))]},
        ids={1: "K1", 2: "K2", 3: "K3"}, erased={},
    )  # fmt: skip
    assert [episode.verdict for episode in done.episodes] == ["right", "false_alarm"]
    assert (done.caught, [one.customer_id for one in done.missed]) == (1, ["K2"])
    cut = Cut.at(END, ZoneInfo("UTC"))
    report = write_report(done, "abc", cut, "en")
    assert "A customer counts as lost on the day of the event" in report
    assert "| Precision: warned customers who were lost | 50 % | 1 of 2 | 9-91 % |" in report
    assert f"| K3 | {DAY} | 2 | B | - | Silent. |" in report
    assert f"| K2 | {cancelled - timedelta(days=WINDOW)} | {cancelled} |" in report
    chinese = write_report(done, "abc", cut, "zh-CN")
    assert "| 准确率：被预警的客户中流失的 | 50% | 2 个中有 1 个 | 9-91% |" in chinese
    assert "以上有比例的依据不足 30 个个案" in chinese
    assert f"| K3 | {DAY} | 2 | B | - | 没有订单。 |" in chinese
    numbers, lines = re.compile(r"[0-9]+"), (report.splitlines(), chinese.splitlines())
    assert [len(numbers.findall(line)) for line in lines[0]] == [
        len(numbers.findall(line)) for line in lines[1]
    ]

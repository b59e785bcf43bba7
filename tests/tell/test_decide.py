"""Who hears of what, when, and under which key."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.people import Notices
from carewatch.tell.decide import alone, decide, may_notify, not_before, outbox_key

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 6, 10)


def notices(**changes: object) -> Notices:
    plain = {
        "version": 1,
        "channels": {"mail": {"connection": "care_mail", "label": "Mail"}},
        "tell": {1: ["owner"]},
    }
    return Notices.model_validate(plain | changes)


@pytest.mark.parametrize(
    ("what", "notifies", "has_channel", "send", "reason"),
    [
        ("opened", True, True, True, "a warning opened at level 2"),
        ("rose", True, True, True, "the warning rose to level 2"),
        ("returned", True, True, True, "the warning came back at level 2"),
        ("handed_over", True, True, True, "the customer was handed over"),
        ("fell", True, True, False, "the level fell: nobody has to act"),
        ("cleared", True, True, False, "the signals cleared: the case waits for its result"),
        ("closed", True, True, False, "the warning closed"),
        ("acknowledged", True, True, False, "somebody is on it: nobody has to act"),
        ("opened", False, True, False, "the night lies in the past: nobody is told"),
        ("opened", True, False, False, "the receiver has no channel in people.yaml"),
        ("opened", False, False, False, "the night lies in the past: nobody is told"),
        ("closed", False, False, False, "the warning closed"),
    ],
)
def test_every_decision_has_its_reason(
    what: str, notifies: bool, has_channel: bool, send: bool, reason: str
) -> None:
    decision = decide(what, 2, notifies=notifies, has_channel=has_channel)
    assert (decision.send, decision.reason) == (send, reason)


@pytest.mark.req("D21")
@pytest.mark.parametrize(
    ("day", "newest", "backfill", "tells"),
    [
        (TODAY, True, False, True),
        (TODAY - timedelta(days=1), True, False, True),
        (TODAY - timedelta(days=2), True, False, False),
        (TODAY - timedelta(days=30), True, False, False),
        (TODAY, False, False, False),
        (TODAY - timedelta(days=1), False, False, False),
        (TODAY, True, True, False),
        (TODAY - timedelta(days=1), True, True, False),
    ],
)
def test_only_the_newest_night_of_today_or_yesterday_tells_and_a_backfill_never(
    day: date, newest: bool, backfill: bool, tells: bool
) -> None:
    assert may_notify(day, TODAY, newest=newest, backfill=backfill) is tells


def test_alone_from_a_level_on() -> None:
    assert [alone(notices(alone_from=2), level) for level in (0, 1, 2, 3)] == [False, False, True, True]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "out"),
    [
        ("2026-06-10T19:59:59", "2026-06-10T19:59:59"),
        ("2026-06-10T20:00:00", "2026-06-11T08:00:00"),
        ("2026-06-10T23:59:59", "2026-06-11T08:00:00"),
        ("2026-06-11T00:00:00", "2026-06-11T08:00:00"),
        ("2026-06-11T02:00:07.5", "2026-06-11T08:00:00"),
        ("2026-06-11T07:59:59.999999", "2026-06-11T08:00:00"),
        ("2026-06-11T08:00:00", "2026-06-11T08:00:00"),
    ],
)
def test_quiet_hours_over_midnight_are_half_open(at: str, out: str) -> None:
    quiet = notices(quiet_hours=["20:00", "08:00"])
    assert not_before(quiet, local(at), ZONE) == local(out)
    assert not_before(quiet, local(at).astimezone(UTC), ZONE) == local(out), "whatever the zone of the clock"
    assert not_before(quiet, local(at), ZONE, urgent=True) == local(at)
    assert not_before(notices(), local(at), ZONE) == local(at)


@pytest.mark.parametrize(
    ("at", "out"),
    [("11:59", "11:59"), ("12:00", "13:30"), ("13:29", "13:30"), ("13:30", "13:30"), ("23:00", "23:00")],
)
def test_quiet_hours_within_a_day(at: str, out: str) -> None:
    quiet = notices(quiet_hours=["12:00", "13:30"])
    assert not_before(quiet, local(f"2026-06-10T{at}"), ZONE) == local(f"2026-06-10T{out}")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    st.times().map(lambda t: f"{t:%H:%M}"),
    st.times().map(lambda t: f"{t:%H:%M}"),
)
def test_a_notice_is_never_early_never_quiet_and_waits_less_than_a_day(
    at: datetime, begin: str, end: str
) -> None:
    quiet = notices(quiet_hours=[begin, end])
    out = not_before(quiet, at.replace(tzinfo=ZONE), ZONE)
    assert timedelta() <= out - at.replace(tzinfo=ZONE) < timedelta(days=1)
    assert not_before(quiet, out, ZONE) == out


def test_a_key_names_what_is_told_and_no_run_text_or_clock() -> None:
    assert outbox_key("warning", "ann", "mail", "warning:7", 2) == "warning/ann/mail/warning:7/2"
    assert outbox_key("warning", "ann", "mail", "warning:7", 0) == "warning/ann/mail/warning:7/0"
    assert outbox_key("digest", "ann", "mail", "2026-06-10") == "digest/ann/mail/2026-06-10"
    assert list(inspect.signature(outbox_key).parameters) == [
        "kind", "receiver", "channel", "subject", "transition",
    ]  # fmt: skip

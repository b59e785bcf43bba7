"""The warehouse reads text as values, and answers null, never an error, for what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Connection = psycopg.Connection[Any]


def read(connection: Connection, call: str, *values: object) -> Any:
    row = connection.execute(f"select care.{call}", values).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1", "1", "1"),
        ("-1.50", "-1.5", None),
        ("+.5", "0.5", None),
        ("5.", "5", None),
        (" 7 \u3000", "7", "7"),
        ("1,234.56", "1234.56", None),
        ("1.234,56", None, "1234.56"),
        ("1,23", None, "1.23"),
        ("12,5", None, "12.5"),
        ("1,234,567", "1234567", None),
        ("1e5", "100000", "100000"),
        ("1e999", None, None),
        ("9" * 60, "9" * 60, "9" * 60),
        ("9" * 61, None, None),
        ("12,3O0.00", None, None),
        ("NaN", None, None),
        ("Infinity", None, None),
        ("1_000", None, None),
        ("壹万元", None, None),
        ("１２", "12", "12"),
        ("86万元", "860000", "860000"),
        ("1.2亿", "120000000", None),
        ("1,2 亿元", None, "120000000"),
        ("3千万", "30000000", "30000000"),
        ("5 百万", "5000000", "5000000"),
        ("2千", "2000", "2000"),
        ("¥1,200.50", "1200.5", None),
        ("￥ 1,200.50", "1200.5", None),
        ("-¥1,200", "-1200", "-1.2"),
        ("人民币 300 元整", "300", "300"),
        ("1200 RMB", "1200", "1200"),
        ("(1,234)", "-1234", "-1.234"),
        ("（1,234.50）", "-1234.5", None),
        ("(¥86万)", "-860000", "-860000"),
        ("30%", "30", "30"),
        ("-2.5 ％", "-2.5", None),
        ("−7", "-7", "-7"),
        ("(-5)", None, None),
        ("(5", None, None),
        ("万", None, None),
        ("万元", None, None),
        ("3万5千", None, None),
        ("$1,200", None, None),
        ("€5", None, None),
        ("1200 USD", None, None),
        ("30%%", None, None),
        ("约 86 万元", None, None),
        ("86万元左右", None, None),
        ("()", None, None),
        ("¥", None, None),
        ("%", None, None),
        (".", None, None),
        ("-", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_numbers(connection: Connection, text: str | None, point: str | None, comma: str | None) -> None:
    found = [read(connection, "read_number(%s, %s)::text", text, sign) for sign in (False, True)]
    assert found == [point, comma]


MIDNIGHT = datetime(2024, 1, 4, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2024-01-05", "ymd", MIDNIGHT),
        ("2024-1-5", "ymd", MIDNIGHT),
        ("2024/1/5", "ymd", MIDNIGHT),
        ("2024.01.05", "ymd", MIDNIGHT),
        ("2024年1月5日", "ymd", MIDNIGHT),
        ("20240105", "ymd", MIDNIGHT),
        ("05/01/2024", "ymd", None),
        ("05/01/2024", "dmy", MIDNIGHT),
        ("5.1.2024", "dmy", MIDNIGHT),
        ("01/05/2024", "mdy", MIDNIGHT),
        ("2024-01-05", "dmy", MIDNIGHT),
        ("2024-01-05 09:30", "ymd", datetime(2024, 1, 5, 1, 30, tzinfo=UTC)),
        ("2024-01-05T9:30:05.25", "ymd", datetime(2024, 1, 5, 1, 30, 5, 250000, tzinfo=UTC)),
        ("2024-01-31T09:30:00Z", "ymd", datetime(2024, 1, 31, 9, 30, tzinfo=UTC)),
        ("2024-01-05 09:30:00 +0100", "ymd", datetime(2024, 1, 5, 8, 30, tzinfo=UTC)),
        ("2024-01-05 09:30:00-03", "ymd", datetime(2024, 1, 5, 12, 30, tzinfo=UTC)),
        ("2024-02-29", "ymd", datetime(2024, 2, 28, 16, tzinfo=UTC)),
        ("2023-02-29", "ymd", None),
        ("2024-04-31", "ymd", None),
        ("2024-13-01", "ymd", None),
        ("0000-00-00", "ymd", None),
        ("2024-01-05 25:00", "ymd", None),
        ("2024-01-05 24:00", "ymd", None),
        ("2024-01-05 09:61", "ymd", None),
        ("2026-13-45T25:00:00+08:00", "ymd", None),
        ("30.13.2026", "dmy", None),
        ("2025年9月9日", "ymd", datetime(2025, 9, 8, 16, tzinfo=UTC)),
        ("２０２５年９月９日", "ymd", datetime(2025, 9, 8, 16, tzinfo=UTC)),
        ("2025/9/9", "ymd", datetime(2025, 9, 8, 16, tzinfo=UTC)),
        ("2025年9月9日 14:30", "ymd", datetime(2025, 9, 9, 6, 30, tzinfo=UTC)),
        ("2025年9月9日14时30分", "ymd", datetime(2025, 9, 9, 6, 30, tzinfo=UTC)),
        ("2025年9月9日 9点", "ymd", datetime(2025, 9, 9, 1, tzinfo=UTC)),
        ("2025年9月9日25时", "ymd", None),
        ("45909", "ymd", datetime(2025, 9, 8, 16, tzinfo=UTC)),
        ("45909.604166666664", "ymd", datetime(2025, 9, 9, 6, 30, tzinfo=UTC)),
        ("09999", "ymd", None),
        ("459090", "ymd", None),
        ("2025-W37", "ymd", datetime(2025, 9, 7, 16, tzinfo=UTC)),
        ("2025W37", "ymd", datetime(2025, 9, 7, 16, tzinfo=UTC)),
        ("2025年第37周", "ymd", datetime(2025, 9, 7, 16, tzinfo=UTC)),
        ("2026-W53", "ymd", datetime(2026, 12, 27, 16, tzinfo=UTC)),
        ("2025-W53", "ymd", None),
        ("2025-W00", "ymd", None),
        ("9月9日", "ymd", None),
        ("9/9", "ymd", None),
        ("2025年9月", "ymd", None),
        ("now", "ymd", None),
        ("today", "ymd", None),
        ("infinity", "ymd", None),
        ("昨天", "ymd", None),
        ("", "ymd", None),
        (None, "ymd", None),
    ],
)
def test_moments(connection: Connection, text: str | None, order: str, moment: datetime | None) -> None:
    assert read(connection, "read_instant(%s, 'Asia/Shanghai', %s)", text, order) == moment


def test_a_day_stands_as_written_but_a_moment_has_the_day_of_the_zone(connection: Connection) -> None:
    days = [
        read(connection, "read_day(%s, 'Asia/Shanghai', 'ymd')::text", text)
        for text in ("2024-01-05", "2024-01-05 23:59", "2024-01-05T20:00:00Z")
    ]
    assert days == ["2024-01-05", "2024-01-05", "2024-01-06"]


@pytest.mark.parametrize(
    ("text", "flag"),
    [("true", True), ("T", True), ("Yes", True), ("1", True), ("是", True), ("false", False), ("N", False), ("0", False),
     ("否", False), (" no ", False), ("maybe", None), ("2", None), ("", None), (None, None)],
)  # fmt: skip
def test_flags(connection: Connection, text: str | None, flag: bool | None) -> None:
    assert read(connection, "read_flag(%s)", text) is flag


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(
        alphabet=st.sampled_from("0123456789-/.:+ TZeE,年月日O万亿千元¥()%（W第周时分−"), max_size=26
    ),
    order=st.sampled_from(["ymd", "dmy", "mdy"]),
)
def test_no_text_makes_reading_fail(connection: Connection, text: str, order: str) -> None:
    read(connection, "read_number(%s, false)", text)
    read(connection, "read_number(%s, true)", text)
    read(connection, "read_instant(%s, 'America/New_York', %s)", text, order)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moment=st.datetimes(
        min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
    ),
    number=st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4
    ),
)
def test_what_python_writes_is_read_back(connection: Connection, moment: datetime, number: Decimal) -> None:
    assert read(connection, "read_instant(%s, 'Asia/Shanghai', 'ymd')", moment.isoformat()) == moment
    assert read(connection, "read_number(%s, false)", format(number, "f")) == number


def test_every_day_there_is_and_none_else(connection: Connection) -> None:
    """The common forms are told by looking parts up: every part, right and wrong, is asked for."""
    dates = [
        (year, month, day) for year in (1900, 2023, 2024, 2100) for month in range(14) for day in range(33)
    ]
    texts, expected = [], []
    for year, month, day in dates:
        try:
            moment = datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            moment = None
        texts += [f"{year:04}-{month:02}-{day:02}", f"{year:04}-{month:02}-{day:02} 09:30:15"]
        expected += [moment, moment and moment.replace(hour=9, minute=30, second=15)]
    for part, end in (("hour", 24), ("minute", 60), ("second", 60)):
        for number in range(100):
            said = {"hour": 1, "minute": 2, "second": 3, part: number}
            texts.append("2024-01-05 {hour:02}:{minute:02}:{second:02}".format(**said))
            expected.append(datetime(2024, 1, 5, **said, tzinfo=UTC) if number < end else None)
    texts += [
        "2024-01-05 0a:00:00",
        "2024-01-05 00:0a:00",
        "2024-01-05 00:00:0a",
        "2024-01-05 00.00.00",
        "20a4-01-05",
    ]
    expected += [None] * 5
    found = connection.execute(
        "select care.read_instant(t, 'UTC', 'ymd') from unnest(%s::text[]) with ordinality u (t, n) order by n",
        (texts,),
    ).fetchall()
    assert dict(zip(texts, [row[0] for row in found], strict=True)) == dict(zip(texts, expected, strict=True))

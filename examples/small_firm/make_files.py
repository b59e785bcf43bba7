"""Write the sheets that a small firm would have: customers, orders and typed weekly indicators of thirty weeks.

python examples/small_firm/make_files.py FOLDER [--until 2026-06-29]

Of 24 customers four fade (K06, K12, K18, K24: orders and satisfaction fall in the last weeks) and one stops (K07); the
others go up and down. Nothing is random.
"""

from __future__ import annotations

import argparse
import csv
from datetime import date, timedelta
from pathlib import Path

WEEKS = 30
CUSTOMERS = 24
FADING = (6, 12, 18, 24)
STOPPED = 7
_SWING = (1.00, 1.05, 0.97, 1.02)
_MOOD = (4.2, 4.3, 4.1, 4.4)


def purchases(number: int, week: int) -> float:
    """Return what a customer buys in a week (0 to WEEKS - 1)."""
    usual = 4000.0 + 1500 * (number % 8)
    if number == STOPPED and week >= WEEKS - 7:
        return 0.0
    faded = max(0, week - (WEEKS - 6)) if number in FADING else 0
    swing = _SWING[(week + number) % 4] if not faded else 1.0
    return round(usual * swing * (1 - 0.12 * faded), 2)


def satisfaction(number: int, week: int) -> float:
    """Return how satisfied a customer is in a week."""
    faded = max(0, week - (WEEKS - 5)) if number in FADING else 0
    return round(_MOOD[(week + number) % 4] if not faded else 4.0 - 0.3 * faded, 1)


def write(folder: Path, until: date) -> None:
    """Write the three files; the newest week is the one before the night of `until`, which is a Monday."""
    folder.mkdir(parents=True, exist_ok=True)
    mondays = [until - timedelta(weeks=WEEKS - week) for week in range(WEEKS)]
    numbers = range(1, CUSTOMERS + 1)
    _csv(
        folder / "customers.csv",
        ("客户编号", "名称", "行业", "客户经理", "电话", "合作开始日"),
        [
            (f"K{number:02}", f"客户{number:02}", "机械" if number % 2 else "电子", "", "", "2024年3月1日")
            for number in numbers
        ],
    )
    _csv(
        folder / "orders.csv",
        ("订单号", "客户编号", "下单日期", "订单金额"),
        [
            (
                f"{monday:%y%m%d}-{number:02}",
                f"K{number:02}",
                f"{monday + timedelta(days=2):%Y/%m/%d}",
                f"¥{amount:,.2f}",
            )
            for monday, week in zip(mondays, range(WEEKS), strict=True)
            for number in numbers
            if (amount := purchases(number, week))
        ],
    )
    _csv(
        folder / "indicators.csv",
        ("客户编号", "周", "指标", "数值"),
        [
            (f"K{number:02}", f"{monday:%G}-W{monday:%V}", name, value)
            for monday, week in zip(mondays, range(WEEKS), strict=True)
            for number in numbers
            for name, value in (
                ("采购额", purchases(number, week)),
                ("拜访次数", (week + number) % 3),
                ("满意度", satisfaction(number, week)),
            )
        ],
    )  # fmt: skip


def _csv(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 6, 29))
    chosen = parser.parse_args()
    write(chosen.folder, chosen.until)

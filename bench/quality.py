"""Answer the question: does the shipped wholesale model rank customers who leave better than simple methods do?

    python bench/quality.py FOLDER        the folder with the invoice lines of Online Retail II

Loads the pack `examples/online_retail` into a scratch warehouse, replays monthly days with only what was known then, and
compares on active customers (three order days in a year, the last at most 90 days ago):

- lapse: no order in the next 90 days, days 2010-12-01 to 2011-09-01;
- own rhythm: no order within three times the own mean gap, 45 to 180 days, days to 2011-06-01; over all and in the
  quarter of the customers who bought most in the year before.

Nothing is learned from labels. Figures are means over the days; intervals resample customers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from carewatch.commands.console import Progress
from carewatch.commands.loading import load_files
from carewatch.commands.try_command import scratch_warehouse
from carewatch.flow.backtest import replay
from carewatch.learn.outcomes import Events, active, lost_within
from carewatch.learn.purchases import Histories, expected, fit
from carewatch.learn.ranking import average_precision, top_lift
from carewatch.measure.cut import Cut
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.store import nights, outcomes
from carewatch.store.database import Connection, connect
from carewatch.store.migrations import migrate

PACK = Path(__file__).resolve().parents[1] / "examples" / "online_retail"
FIRST, LAST, LAST_OF_OWN = date(2010, 12, 1), date(2011, 9, 1), date(2011, 6, 1)
LAPSE_DAYS, FLAGGED = 90, 0.2
DRAWS = 500

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Day:
    """The active customers of one day: what each method thinks of their risk, and what became of them."""

    customers: NDArray[np.int32]
    risk: Mapping[str, Numbers]
    lapse: Flags
    own: Flags | None
    top: Flags


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=DRAWS, help="customer resamples for the intervals")
    chosen = parser.parse_args(arguments)
    progress = Progress()
    with scratch_warehouse() as dsn, connect(dsn, autocommit=True) as connection:
        migrate(connection)
        load_files(
            connection, load_sources(PACK), dsn=dsn, folder=chosen.folder.resolve(), now=datetime.now(UTC), progress=progress
        )  # fmt: skip
        days = _days(connection, progress)
    progress.done()
    print("\n".join(_table(days, chosen.draws)))
    return 0


def _days(connection: Connection, progress: Progress) -> list[Day]:
    spec = load(PACK).judgement
    far = Cut.at(date(2012, 1, 1), spec.firm.zone, nights.knowledge_now(connection))
    events = Events(*outcomes.event_days(connection, spec, far))
    sales = _sales(connection)
    found = []
    for replayed in replay(connection, spec, FIRST, LAST, "month", progress):
        busy = active(events, replayed.customers, replayed.day)
        customers = replayed.customers[busy]
        columns = {name: values[busy] for name, values in replayed.judged.columns.items()}
        own = None
        if replayed.day <= LAST_OF_OWN:
            windows = np.clip(np.ceil(3 * columns["own_gap"]), 45, 180).astype(int)
            own = np.array(
                [lost_within(events, customers[at : at + 1], replayed.day, int(days))[0] for at, days in enumerate(windows)]
            )  # fmt: skip
        value = columns["net_sales_365d"]
        found.append(
            Day(
                customers,
                _risks(
                    replayed.day, 100 - replayed.judged.scores.score[busy], columns, events, customers, sales
                ),
                lost_within(events, customers, replayed.day, LAPSE_DAYS),
                own,
                value >= np.quantile(value, 0.75),
            )
        )
    return found


def _sales(connection: Connection) -> dict[str, NDArray[np.generic]]:
    rows = connection.execute(
        "select i.customer_no, f.event_day, sum(f.amount)::float8 from care.fact_order f join care.identity i using (party_no) "
        "where f.known_to is null and i.known_to is null group by 1, 2"
    ).fetchall()
    return {
        "customer": np.array([row[0] for row in rows], dtype=np.int32),
        "day": np.array([row[1] for row in rows], dtype="datetime64[D]"),
        "amount": np.array([row[2] or 0.0 for row in rows]),
    }


def _risks(
    day: date, shipped: Numbers, columns: Mapping[str, Numbers], events: Events, customers: NDArray[np.int32],
    sales: Mapping[str, NDArray[np.generic]],
) -> dict[str, Numbers]:  # fmt: skip
    recency, frequency = columns["days_since_order"], columns["order_days_365d"]
    return {
        "shipped model": np.nan_to_num(shipped, nan=50.0),
        "BG/NBD, expected orders": -_expected(day, events, customers),
        "RFM by ranks": _rank(recency) - _rank(frequency) - _rank(columns["net_sales_365d"]),
        "recency": recency.astype(float),
        "silence over own gap": np.nan_to_num(columns["silence_over_own_gap"], nan=0.0),
        "hand-set drop rules": _drops(day, customers, sales),
        "random": np.random.default_rng(day.toordinal()).random(len(customers)),
    }


def _rank(values: Numbers) -> Numbers:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place] / len(values)


def _expected(day: date, events: Events, customers: NDArray[np.int32]) -> Numbers:
    """Fit to everybody seen so far, expect for the active ones; purchase days alone."""
    end = np.datetime64(day, "D")
    seen = events.days < end
    keys, first_at, counts = np.unique(events.customers[seen], return_index=True, return_counts=True)
    days = events.days[seen]
    first, last = days[first_at], days[first_at + counts - 1]
    histories = Histories(
        (counts - 1).astype(float), (last - first).astype(float), (end - first).astype(float)
    )
    return expected(fit(histories), histories, LAPSE_DAYS)[np.searchsorted(keys, customers)]


def _drops(day: date, customers: NDArray[np.int32], sales: Mapping[str, NDArray[np.generic]]) -> Numbers:
    """Points for month-on-month and quarter-on-quarter drops of sales and of order days, as people set them by hand."""
    end = np.datetime64(day, "D")

    def total(start: int, stop: int, *, days: bool = False) -> Numbers:
        within = (sales["day"] >= end - start) & (sales["day"] < end - stop)
        weights = None if days else sales["amount"][within].astype(float)
        return np.bincount(sales["customer"][within], weights, minlength=int(customers.max()) + 1)[
            customers
        ].astype(float)

    def down(now: Numbers, before: Numbers, share: float) -> Numbers:
        return ((before > 0) & (now <= (1 - share) * before)).astype(float)

    months = [total(30 * (at + 1), 30 * at) for at in range(3)]
    quarters = total(90, 0), total(180, 90)
    frequency = total(90, 0, days=True), total(180, 90, days=True)
    return (
        3 * down(months[0], months[1], 0.3) * down(months[1], months[2], 0.3)
        + 2 * down(*quarters, 0.3)
        + 2 * down(*frequency, 0.5)
        + (total(60, 0) <= 0)
    )


def _table(days: list[Day], draws: int) -> list[str]:
    own = [day for day in days if day.own is not None]
    measures: list[tuple[str, list[Day], Callable[[Day, str, NDArray[np.intp]], float]]] = [
        ("lapse PR-AUC", days, lambda day, how, rows: average_precision(day.lapse[rows], day.risk[how][rows])),
        ("lapse lift @10 %", days, lambda day, how, rows: top_lift(day.lapse[rows], day.risk[how][rows])),
        ("own PR-AUC", own, lambda day, how, rows: average_precision(_own(day)[rows], day.risk[how][rows])),
        ("own, top quarter ROC-AUC", own, lambda day, how, rows: _roc(_own(day), day.risk[how], rows[day.top[rows]])),
    ]  # fmt: skip
    base = np.mean([day.lapse.mean() for day in days]), np.mean([_own(day).mean() for day in own])
    lines = [
        f"{sum(len(day.customers) for day in days):,} active customer-days on {len(days)} days "
        f"({FIRST} to {LAST}), {len({*np.concatenate([day.customers for day in days]).tolist()}):,} customers",
        f"base rates, means over days: lapse {base[0]:.3f}, own rhythm {base[1]:.3f} ({sum(len(day.customers) for day in own):,} rows)",
        "",
        "| method | " + " | ".join(f"{name} [95 %]" for name, _, _ in measures) + " | newly flagged per 100 and month at 20 % |",
        "|---" * (len(measures) + 2) + "|",
    ]  # fmt: skip
    for how in days[0].risk:
        cells = [_interval(on, how, measure, draws) for _, on, measure in measures]
        lines.append(f"| {how} | {' | '.join(cells)} | {_newly_flagged(days, how):.1f} |")
    return lines


def _own(day: Day) -> Flags:
    assert day.own is not None
    return day.own


def _roc(lost: Flags, risk: Numbers, rows: NDArray[np.intp]) -> float:
    """Return the chance that one who left ranks above one who stayed, ties half."""
    left, stayed = np.sort(risk[rows][lost[rows]]), np.sort(risk[rows][~lost[rows]])
    if not len(left) or not len(stayed):
        return float("nan")
    below, up_to = np.searchsorted(stayed, left, "left"), np.searchsorted(stayed, left, "right")
    return float((below + up_to).sum() / 2 / len(left) / len(stayed))


def _interval(
    days: list[Day], how: str, measure: Callable[[Day, str, NDArray[np.intp]], float], draws: int
) -> str:
    point = np.nanmean([measure(day, how, np.arange(len(day.customers))) for day in days])
    random = np.random.default_rng(0)
    everybody = np.unique(np.concatenate([day.customers for day in days]))
    places = [np.searchsorted(everybody, day.customers) for day in days]
    drawn = []
    for _ in range(draws):
        times = np.bincount(random.integers(0, len(everybody), len(everybody)), minlength=len(everybody))
        rows = [np.repeat(np.arange(len(place)), times[place]) for place in places]
        drawn.append(np.nanmean([measure(day, how, mine) for day, mine in zip(days, rows, strict=True)]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{point:.3f} [{low:.3f}, {high:.3f}]"


def _newly_flagged(days: list[Day], how: str) -> float:
    """Return how many of 100 active customers are flagged who were not flagged a month before."""
    rates, before = [], None
    for day in days:
        size = round(FLAGGED * len(day.customers))
        flagged = {*day.customers[np.argsort(-day.risk[how], kind="stable")[:size]].tolist()}
        if before is not None:
            rates.append(100 * len(flagged - before) / len(day.customers))
        before = flagged
    return float(np.mean(rates))


if __name__ == "__main__":
    sys.exit(main())

"""On the demo firm every planted cause of leaving is named ahead, and seasons and holidays ring no more than any week."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np
import pytest
from tests.scenarios.planted import NAMES_IT, Seen, loaded, weeks_of

from care_demo.firm import simulate
from carewatch.store import embedded
from carewatch.store.database import connect

FIRST, LAST = date(2025, 10, 6), date(2026, 6, 29)
FESTIVAL = (date(2026, 2, 15), date(2026, 3, 9))
SEASON_KNOWN = 485
"""Days after which a customer's own past year tells its season: a year, and the quarter before it."""
HALF_A_WEEK_A_YEAR = 0.01
DRAWS = 400


@pytest.fixture(scope="module")
def seen(module_warehouse: str) -> Iterator[dict[str, Seen]]:
    firm = simulate(customers=240)
    sales = f"{module_warehouse}_sales"
    try:
        with (
            connect(module_warehouse, autocommit=True) as connection,
            loaded(firm, module_warehouse, connection),
        ):
            yield weeks_of(connection, firm, FIRST, LAST)
    finally:
        embedded.drop_database(sales, sales.rsplit("/", 1)[1])


@pytest.mark.slow
@pytest.mark.req("D20", "S83")
def test_each_planted_cause_is_warned_of_by_reasons_that_name_it(
    seen: dict[str, Seen], record_property: Callable[[str, object], None]
) -> None:
    counts: dict[str, list[int]] = {cause: [0, 0] for cause in NAMES_IT}
    for one in seen.values():
        truth = one.truth
        if truth.cause is None or truth.first_symptom_on < FIRST or truth.churned_at > LAST:  # type: ignore[operator]
            continue
        counts[truth.cause][0] += 1
        last = truth.churned_at + timedelta(days=7)  # type: ignore[operator]
        counts[truth.cause][1] += one.warned_as(NAMES_IT[truth.cause], truth.first_symptom_on, last)  # type: ignore[arg-type]
    record_property("named", counts)
    assert all(planted > 0 for planted, _ in counts.values()), counts
    assert all(named >= 0.75 * planted for planted, named in counts.values()), counts
    assert sum(named for _, named in counts.values()) >= 0.9 * sum(
        planted for planted, _ in counts.values()
    ), counts


def rate(people: list[Seen], first: date, last: date, at_least: int = 1, age: float = 0) -> float:
    """Return the share of weeks with such a level, of customers who had been ones for so many days."""
    weeks = [
        level >= at_least
        for one in people
        for week, level in one.levels.items()
        if first <= week <= last and (one.age[week] >= age or not age)
    ]
    return float(np.mean(weeks))


def lowest_difference(people: list[Seen], others: list[Seen], of: Callable[[list[Seen]], float]) -> float:
    """Return the lower end of the 95 % interval of a difference of rates, customers resampled."""
    random = np.random.default_rng(3)

    def drawn(group: list[Seen]) -> list[Seen]:
        return [group[at] for at in random.integers(0, len(group), len(group))]

    return float(np.quantile([of(drawn(people)) - of(drawn(others)) for _ in range(DRAWS)], 0.025))


@pytest.mark.slow
@pytest.mark.req("D10")
def test_holidays_and_seasons_ring_no_more_than_the_base_rate(
    seen: dict[str, Seen], record_property: Callable[[str, object], None]
) -> None:
    stay = [one for one in seen.values() if one.truth.cause is None and one.levels]
    seasonal = [one for one in stay if one.truth.seasonal]
    others = [one for one in stay if not one.truth.seasonal]
    during = rate(stay, *FESTIVAL)
    otherwise = (rate(stay, FIRST, FESTIVAL[0] - timedelta(days=1)) + rate(stay, FESTIVAL[1], LAST)) / 2
    rates = {
        "festival": during,
        "other weeks": otherwise,
        "seasonal": rate(seasonal, FIRST, LAST),
        "others": rate(others, FIRST, LAST),
        "seasonal, season known": rate(seasonal, FIRST, LAST, age=SEASON_KNOWN),
        "others, as old": rate(others, FIRST, LAST, age=SEASON_KNOWN),
    }
    record_property("rates", rates)
    assert during <= otherwise, rates
    assert rates["seasonal, season known"] <= rates["others, as old"] + HALF_A_WEEK_A_YEAR, rates
    assert lowest_difference(seasonal, others, lambda group: rate(group, FIRST, LAST)) <= 0, rates
    assert lowest_difference(seasonal, others, lambda group: rate(group, FIRST, LAST, 2)) <= 0, rates

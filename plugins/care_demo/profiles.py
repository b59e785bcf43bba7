"""Draw the customers: who they are and how they behave when nothing is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from . import catalogue as world
from .span import Span
from .staff import managers_of

SEASONAL_SHARE = 0.14
NEWCOMER_SHARE = 0.32
SEASONAL_DEPTH = 0.86
MEDIAN_YEARLY = 480_000
_SEASONAL_PEAKS = (1, 4, 9, 12)

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Profile:
    """One customer's nature.

    `first_day` is the day number of the first possible order, `since` that of the first deal.
    `gap_days` is the mean gap between regular orders, `regularity` the gamma shape of those gaps (high is
    regular), `yearly` the sales per year in CNY, `profit_rate` percent of sales; other rates are per month.
    """

    code: str
    name: str
    city: str
    industry: str
    region: str
    segment: str
    end_market: str
    manager_id: str
    first_day: int
    since: int
    gap_days: float
    regularity: float
    yearly: float
    growth: float
    amount_noise: float
    peak_month: int
    seasonal: bool
    lines: tuple[str, ...]
    terms_days: int
    pay_delay: float
    call_rate: float
    inquiry_rate: float
    ticket_rate: float
    spare_rate: float
    attendance: float
    satisfaction: float
    warmth: float
    profit_rate: float
    benchmark: bool
    has_contract: bool

    @property
    def season_depth(self) -> float:
        return SEASONAL_DEPTH if self.seasonal else 0.12


def pick(rng: np.random.Generator, options: tuple[tuple[Choice, float], ...]) -> Choice:
    """Choose one option by weight."""
    point = rng.random() * sum(weight for _, weight in options)
    for option, weight in options:
        point -= weight
        if point < 0:
            return option
    return options[-1][0]


def draw_profile(rng: np.random.Generator, *, number: int, name_pair: int, span: Span) -> Profile:
    """Draw customer number `number` (from 1) from its own random stream."""
    industry = pick(rng, tuple((name, entry.weight) for name, entry in world.INDUSTRIES.items()))
    region = pick(rng, tuple((name, weight) for name, (weight, _) in world.REGIONS.items()))
    cities = world.REGIONS[region][1]
    city = cities[rng.integers(len(cities))]
    managers = managers_of(region)
    yearly = float(np.clip(rng.lognormal(np.log(MEDIAN_YEARLY), 1.2), 30_000, 15_000_000))
    seasonal = bool(rng.random() < SEASONAL_SHARE)
    gap = 31.0 * float(rng.lognormal(0.0, 0.32)) * (yearly / MEDIAN_YEARLY) ** -0.1
    newcomer = rng.random() < NEWCOMER_SHARE
    first_day = int(rng.integers(20, span.days - 20)) if newcomer else 0
    line_count = int(rng.integers(1, 4))
    lines = tuple(world.PRODUCT_LINES[i] for i in rng.permutation(len(world.PRODUCT_LINES))[:line_count])
    return Profile(
        code=f"C{number:04d}",
        name=world.company_name(
            name_pair, city=city, industry=world.INDUSTRIES[industry], in_english=bool(rng.random() < 0.35)
        ),
        city=city[0],
        industry=industry,
        region=region,
        segment=pick(rng, world.SEGMENTS),
        end_market=pick(rng, world.END_MARKETS),
        manager_id=managers[rng.integers(len(managers))],
        first_day=first_day,
        since=first_day if newcomer else -int(rng.integers(60, 3000)),
        gap_days=float(np.clip(gap * (0.55 if seasonal else 1.0), 8, 42)),
        regularity=float(np.clip(rng.lognormal(np.log(6), 0.6), 3, 24)),
        yearly=yearly,
        growth=float(rng.normal(0.6, 0.1) if rng.random() < 0.05 else rng.normal(0.03, 0.10)),
        amount_noise=float(rng.uniform(0.12, 0.38)),
        peak_month=_SEASONAL_PEAKS[rng.integers(4)] if seasonal else world.INDUSTRIES[industry].peak_month,
        seasonal=seasonal,
        lines=lines,
        terms_days=(30, 45, 60)[rng.integers(3)],
        pay_delay=float(rng.normal(3, 5)),
        call_rate=float(np.clip(rng.lognormal(np.log(1.3), 0.4), 0.4, 4)),
        inquiry_rate=float(np.clip(rng.lognormal(np.log(1.1), 0.7), 0.2, 12)),
        ticket_rate=float(np.clip(rng.lognormal(np.log(0.22), 0.5), 0.05, 1.0)),
        spare_rate=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.4 else 0.0,
        attendance=float(rng.beta(4, 3)),
        satisfaction=float(np.clip(rng.normal(4.3, 0.3), 3.4, 5)),
        warmth=float(rng.beta(4, 5)),
        profit_rate=round(float(np.clip(rng.normal(19, 6), 4, 38)), 1),
        benchmark=bool(yearly > 2_000_000 and rng.random() < 0.5),
        has_contract=bool(rng.random() < (0.85 if yearly > 1_000_000 else 0.5)),
    )

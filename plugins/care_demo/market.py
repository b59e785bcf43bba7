"""Let competitors, customs and lawmakers act: on one customer, or on a part of the market."""

from __future__ import annotations

import numpy as np

from .catalogue import COMPETITORS, INDUSTRIES, PRODUCT_LINES
from .life import Ledger, Life
from .span import Span

OFFER_LASTS_DAYS = 90
_BACKGROUND = (
    # (share of the days up to today, kind, end market, price gap or cost rise in percent, title)
    (0.10, "competitor", None, 15.0, "same product, cheaper 同类产品降价"),
    (0.28, "policy", None, 20.0, "new inspection rules raise cost 新检验规定"),
    (0.45, "policy", "US", 20.0, "tariff on imports 加征关税"),
    (0.62, "competitor", "VN", 16.0, "rival opens a local plant"),
    (0.80, "policy", "DE", 12.0, "anti-dumping duty 反倾销税"),
    (0.97, "competitor", "US", 15.5, "rival price list 竞品调价"),
)


def tempt(life: Life) -> None:
    """Write the competitor offers one customer gets: the planted cause, or an offer it turns down."""
    if life.has("price_competitor") and life.story is not None:
        story = life.story
        _offer(life, day=story.first_symptom, number=1, title="offer at this customer 竞品报价")
        midway = story.first_symptom + (story.last_order - story.first_symptom) * 2 // 5
        if life.rng.random() < 0.5:
            _offer(life, day=midway, number=2, title="trial order at the rival 试用竞品")
    if "offer_rejected" in life.decoys:
        _offer(life, day=life.decoys["offer_rejected"], number=1, title="offer at this customer 竞品报价")


def _offer(life: Life, *, day: int, number: int, title: str) -> None:
    span, rng, profile = life.span, life.rng, life.profile
    gap = round(float(rng.uniform(6, 22)), 1)
    competitor = COMPETITORS[rng.integers(len(COMPETITORS))]
    minute = int(rng.integers(540, 900))
    lag = float(rng.uniform(30, 900))
    if day >= span.days:
        return
    shown = span.at(day, minute + lag)
    life.ledger.put(
        "market_events", shown, f"M{profile.code[1:]}-{number}", profile.code, None, None, "competitor",
        title, competitor, profile.lines[0], gap, span.at(day, minute),
        span.date_of(day + OFFER_LASTS_DAYS), shown,
    )  # fmt: skip


def move_market(rng: np.random.Generator, *, span: Span, ledger: Ledger) -> None:
    """Write the few events that touch a whole industry, each limited to one end market where it names one."""
    industries = tuple(INDUSTRIES)
    for number, (share, kind, end_market, gap, title) in enumerate(_BACKGROUND, start=1):
        day = span.working_day_near(int(share * span.today))
        shown = span.at(day, 600 + float(rng.uniform(60, 2000)))
        competitor = COMPETITORS[rng.integers(len(COMPETITORS))] if kind == "competitor" else None
        ledger.put(
            "market_events", shown, f"M-{number:03d}", None, industries[rng.integers(len(industries))],
            end_market, kind, title, competitor, PRODUCT_LINES[rng.integers(len(PRODUCT_LINES))], gap,
            span.at(day, 600), span.date_of(day + OFFER_LASTS_DAYS), shown,
        )  # fmt: skip

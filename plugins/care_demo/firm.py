"""Simulate the demo firm: the whole history of its customers, and the truth about who leaves and why."""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np

from .activities import record_activities
from .billing import bill_orders
from .catalogue import NAME_PAIRS
from .contacts import introduce_contacts
from .contracts import keep_contract
from .dirt import plant_dirt
from .life import Ledger, Life
from .market import move_market, tempt
from .model import Decoy, Firm, Table, Truth
from .orders import place_orders
from .profiles import Profile, draw_profile
from .span import FIRM_ZONE, Span, make_span, money
from .stories import Story, effects_of, plan_decoys, plan_stories
from .tickets import raise_tickets

FEWEST_CUSTOMERS = 20


def simulate(
    *,
    seed: int = 20260630,
    customers: int = 400,
    start: date = date(2024, 1, 1),
    end: date = date(2026, 7, 31),
) -> Firm:
    """Simulate the firm from `start` to `end`, both firm-local days included.

    Pure: equal arguments give equal firms. Every customer draws from its own random stream. Instants are
    aware UTC datetimes, dates are firm-local, amounts are CNY. Raises ValueError for a period shorter than
    a year or fewer than 20 customers.
    """
    if customers < FEWEST_CUSTOMERS:
        raise ValueError(f"the demo firm needs at least {FEWEST_CUSTOMERS} customers, got {customers}")
    span = make_span(start, end)
    firm_stream, market_stream, dirt_stream, *streams = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(customers + 3)
    )
    pairs = firm_stream.permutation(max(NAME_PAIRS, customers))
    profiles = [
        draw_profile(rng, number=n + 1, name_pair=int(pairs[n]), span=span) for n, rng in enumerate(streams)
    ]
    stories = plan_stories(firm_stream, profiles=profiles, span=span)
    ledger = Ledger()
    truth = [
        _live(profile, rng=rng, story=stories.get(profile.code), span=span, ledger=ledger)
        for profile, rng in zip(profiles, streams, strict=True)
    ]
    move_market(market_stream, span=span, ledger=ledger)
    _forget_after_end(ledger, span)
    dirt, doubled = plant_dirt(dirt_stream, ledger=ledger, span=span)
    tables = {
        name: Table(name, tuple(sorted(rows, key=lambda v: v.visible_at)), frozenset(doubled.get(name, ())))
        for name, rows in ledger.rows.items()
    }
    return Firm(seed, start, end, span.date_of(span.today), tables, tuple(truth), tuple(dirt))


def _live(
    profile: Profile, *, rng: np.random.Generator, story: Story | None, span: Span, ledger: Ledger
) -> Truth:
    decoys = {} if story else plan_decoys(rng, profile=profile, span=span)
    life = Life(profile, story, decoys, effects_of(story, span), span, rng, ledger)
    _register(life)
    contacts = introduce_contacts(life)
    orders = place_orders(life)
    record_activities(life, contacts)
    keep_contract(life)
    raise_tickets(life)
    bill_orders(life, orders)
    tempt(life)
    return Truth(
        customer_code=profile.code,
        cause=story.cause if story else None,
        first_symptom_on=span.date_of(story.first_symptom) if story else None,
        last_order_on=span.date_of(story.last_order) if story else None,
        churned_at=span.date_of(story.churned) if story else None,
        seasonal=profile.seasonal,
        decoys=tuple(Decoy(kind, span.date_of(day)) for kind, day in decoys.items()),
    )


def _register(life: Life) -> None:
    profile, span = life.profile, life.span
    limit = money(max(20_000, round(profile.yearly * float(life.rng.uniform(0.2, 0.4)), -4)))
    shown = span.at(profile.since, 8 * 60)
    life.ledger.put(
        "customers", shown, profile.code, profile.name, profile.industry, profile.region, profile.city,
        profile.segment, profile.end_market, profile.manager_id, limit, profile.terms_days,
        span.date_of(profile.since), profile.benchmark, profile.profit_rate,
        f"office@{profile.code.lower()}.example.com", f"+86 100 {int(profile.code[1:]):04d} 0000", shown,
    )  # fmt: skip


def _forget_after_end(ledger: Ledger, span: Span) -> None:
    """Drop what the source systems would only have shown after the last simulated night's export."""
    last_day = span.date_of(span.days)
    cut = datetime.combine(last_day, time(2), FIRM_ZONE)
    for name, rows in ledger.rows.items():
        ledger.rows[name] = [version for version in rows if version.visible_at <= cut]

"""Try a configuration on a firm's own past: what would it have warned of, and how does that compare with what happened?"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.flow.backtest import Every, Progress, Replayed, predictions, replay
from carewatch.learn.outcomes import Caught, Events, active, caught, losses, lost_within, was_regular, wilson
from carewatch.learn.ranking import average_precision, top_lift
from carewatch.measure.cut import Cut
from carewatch.spec.configuration import JudgementSpec
from carewatch.store import nights, outcomes
from carewatch.store.database import Connection


@dataclass(frozen=True)
class TrialDay:
    """One as-of day: the active customers, how many of them were lost, and how well risk ranked them.

    `lost` counts active customers who are lost in the window from the day on; rank figures are NaN where the window
    reaches past the data or nobody was lost.
    """

    day: date
    customers: int
    active: int
    warned: int
    lost: int
    judged: bool
    precision_recall: float
    lift: float


@dataclass(frozen=True)
class Trial:
    """What a configuration would have warned of, and what happened.

    `losses` are regular customers whose last business and whose day of loss both fall into the period; by event, those
    who were active on the as-of day before. `money` is the most that a customer was worth on any of the days.
    """

    window: int
    by_event: bool
    data_end: date
    days: tuple[TrialDay, ...]
    losses: tuple[Caught, ...]
    money: dict[int, float]
    ids: dict[int, str]
    rows: list[tuple[str, ...]]

    def summary(self) -> dict[str, Any]:
        """Return the trial in numbers."""
        judged = [day for day in self.days if day.judged and day.lost]
        seen = [one.days_ahead for one in self.losses if one.days_ahead is not None]
        low, high = wilson(len(seen), len(self.losses))
        return {
            "window_days": self.window,
            "data_end": self.data_end.isoformat(),
            "as_of_days": len(self.days),
            "judged_days": len(judged),
            "active_customer_days": sum(day.active for day in judged),
            "base_rate": sum(d.lost for d in judged) / sum(d.active for d in judged) if judged else None,
            "pr_auc": mean(day.precision_recall for day in judged) if judged else None,
            "top_decile_lift": mean(day.lift for day in judged) if judged else None,
            "lost": len(self.losses),
            "warned_ahead": len(seen),
            "missed": len(self.losses) - len(seen),
            "recall_interval": [low, high],
            "median_days_ahead": median(seen) if seen else None,
            "money_lost": sum(self.money.get(one.loss.customer, 0.0) for one in self.losses),
            "money_warned_ahead": sum(
                self.money.get(one.loss.customer, 0.0) for one in self.losses if one.first_warned is not None
            ),
        }


def run_trial(
    connection: Connection, spec: JudgementSpec, first: date, last: date, every: Every, progress: Progress
) -> Trial:
    """Replay the days and compare with what the data say happened; nothing is stored."""
    lost_means = spec.stages.lost
    end = outcomes.last_fact_day(connection, lost_means) or last
    window = lost_means.within.max_days()
    far = end + timedelta(days=1)
    known = Cut.at(far, spec.firm.zone, nights.knowledge_now(connection))
    events = Events(*outcomes.event_days(connection, spec, known), are_losses=lost_means.by_event)
    ids = outcomes.customer_ids(connection)
    days: list[TrialDay] = []
    rows: list[tuple[str, ...]] = []
    warned: dict[int, dict[date, bool]] = {}
    money: dict[int, float] = {}
    at_risk: dict[date, set[int]] = {}
    for replayed in replay(connection, spec, first, last, every, progress):
        busy = _active(replayed, events)
        at_risk[replayed.day] = set(replayed.customers[busy].tolist())
        days.append(_judge(replayed, events, busy, window, end))
        rows += predictions(replayed, ids)
        for customer, level in zip(replayed.customers.tolist(), replayed.level.tolist(), strict=True):
            warned.setdefault(customer, {})[replayed.day] = level > 0
        _remember_most(money, replayed, spec)
    as_of = [day.day for day in days]
    lost = losses(events, first, last + timedelta(days=1), window, end)
    if lost_means.by_event:
        lost = [loss for loss in lost if loss.customer in at_risk[as_of[bisect_right(as_of, loss.lost) - 1]]]
    else:
        lost = [loss for loss in lost if loss.last >= first and was_regular(events, loss)]
    found = tuple(caught(loss, warned.get(loss.customer, {}), as_of) for loss in lost)
    return Trial(window, lost_means.by_event, end, tuple(days), found, money, ids, rows)


def _remember_most(money: dict[int, float], replayed: Replayed, spec: JudgementSpec) -> None:
    if spec.tiers.money is None:
        return
    worth = np.nan_to_num(replayed.judged.columns[spec.tiers.money])
    for customer, value in zip(replayed.customers.tolist(), worth.tolist(), strict=True):
        money[customer] = max(money.get(customer, 0.0), value)


def _active(replayed: Replayed, events: Events) -> NDArray[np.bool_]:
    """Return who can be lost: those who do business, or, where a loss is an event of its own, those who are not dormant."""
    if events.are_losses:
        return ~replayed.judged.dormant
    return active(events, replayed.customers, replayed.day)


def _judge(replayed: Replayed, events: Events, busy: NDArray[np.bool_], window: int, end: date) -> TrialDay:
    lost = lost_within(events, replayed.customers, replayed.day, window) & busy
    risk = 100 - np.nan_to_num(replayed.judged.scores.score[busy], nan=50.0)
    judged = replayed.day + timedelta(days=window) <= end + timedelta(days=1)
    return TrialDay(
        day=replayed.day,
        customers=len(replayed.customers),
        active=int(busy.sum()),
        warned=int((replayed.level[busy] > 0).sum()),
        lost=int(lost.sum()),
        judged=judged,
        precision_recall=average_precision(lost[busy], risk) if judged else float("nan"),
        lift=top_lift(lost[busy], risk) if judged else float("nan"),
    )


def most_at_stake(trial: Trial, *, warned: bool) -> list[Caught]:
    """Return the losses that were warned of ahead (or those that were missed), the most money first."""
    chosen = [one for one in trial.losses if (one.first_warned is not None) is warned]
    return sorted(chosen, key=lambda one: (-trial.money.get(one.loss.customer, 0.0), one.loss.customer))

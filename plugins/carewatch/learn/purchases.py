"""Answer the question: how many purchases are still to be expected of each customer, without knowing who left?

The BG/NBD model of Fader, Hardie and Lee ("Counting Your Customers" the Easy Way, Marketing Science 24(2), 2005): while
a customer is there, purchases come at a rate of its own (gamma: r, alpha); after each one it leaves with a chance of
its own (beta: a, b). It learns from purchase days alone, so it ranks customers before anybody was seen to leave.
Times are in days; alpha has their unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Histories:
    """What is seen of each customer: `repeats` purchase days after the first, `last` and `age` in days since the first."""

    repeats: Numbers
    last: Numbers
    age: Numbers


@dataclass(frozen=True)
class Habits:
    """The fitted parameters: purchase rates vary as gamma(r, alpha), chances to leave as beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


class NoFit(ValueError):
    """The histories do not determine the parameters."""


def log_likelihood(habits: Habits, seen: Histories) -> float:
    """Return the logarithm of the chance of the histories (equation 6 of the paper)."""
    from scipy.special import gammaln

    r, alpha, a, b = habits.r, habits.alpha, habits.a, habits.b
    x = seen.repeats
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stay = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    there = -(r + x) * np.log(alpha + seen.age)
    gone = np.where(
        x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + seen.last), -np.inf
    )
    return float(np.sum(rate + stay + np.logaddexp(there, gone)))


def fit(seen: Histories) -> Habits:
    """Return the most likely parameters; raise NoFit without repeat purchases or where the search does not settle."""
    from scipy.optimize import minimize

    if len(seen.repeats) < 20 or not (seen.repeats > 0).any():
        raise NoFit("at least 20 customers are needed, some of them with a second purchase day")
    # In units of the mean age the four numbers are near one another, and the search is stable.
    unit = float(np.mean(seen.age)) or 1.0
    scaled = Histories(seen.repeats, seen.last / unit, seen.age / unit)

    def badness(logs: Numbers) -> float:
        value = -log_likelihood(Habits(*np.exp(np.clip(logs, -12, 12))), scaled) / len(seen.repeats)
        return value if np.isfinite(value) else 1e9

    starts = ((0.0, 0.0, 0.0, 0.5), (-1.0, -1.5, -0.5, 1.0))
    found = min(
        (
            minimize(badness, np.array(start), method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-7, "fatol": 1e-10})
            for start in starts
        ),
        key=lambda one: float(one.fun),
    )  # fmt: skip
    if not found.success:
        raise NoFit("the search for the parameters did not settle; take a longer history")
    r, alpha, a, b = np.exp(found.x)
    return Habits(float(r), float(alpha) * unit, float(a), float(b))


def alive(habits: Habits, seen: Histories) -> Numbers:
    """Return the chance that each customer is still there; 1 for one without a repeat purchase, as the model has it."""
    r, alpha, a, b = habits.r, habits.alpha, habits.a, habits.b
    x = seen.repeats
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + seen.age) / (alpha + seen.last)) ** (r + x)
    return np.where(x > 0, 1 / (1 + odds), 1.0)


def expected(habits: Habits, seen: Histories, within: float) -> Numbers:
    """Return how many purchase days each customer will have in the next `within` days (equation 10 of the paper).

    The hypergeometric function is taken after Euler's transformation, where its series is short.
    """
    from scipy.special import hyp2f1

    r, alpha, a, b = habits.r, habits.alpha, habits.a, habits.b
    x = seen.repeats
    z = within / (alpha + seen.age + within)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
    many = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
    return np.asarray(many * alive(habits, seen))

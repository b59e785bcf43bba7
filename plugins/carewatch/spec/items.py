"""Answer the question: which facts are about things that stay open for a while, and what ends each of them?

A ticket is open until it is resolved, an order until it is delivered, a bill until it is paid, a contract, trial, course
or project until it is over. What happened to them are dated rows, so that every past night sees them as they stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Items:
    """How the rows of a fact and of the fact that follows them up make things that open and end.

    `key` names the thing in both facts; `opens` says which rows of the fact open it (all unless said), `ends` and
    `reopens` which rows of `events` do that. `paid`: the follow-ups bring amounts, and it ends when they add up.
    `dates` are the fact's days that somebody waits for, the usual one first; `over_after` is the one after which it is
    over by itself.
    """

    key: str
    events: str
    ends: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    reopens: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    over_after: str | None = None
    amount: bool = False
    paid: bool = False


ITEMS: Final = {
    "contract_event": Items(
        "contract", "contract_event", ("cancelled", "ended"), ("signed", "renewed"),
        dates=("ends_on", "notice_on"), over_after="ends_on", amount=True,
    ),
    "invoice": Items("invoice_no", "payment", dates=("due_on",), amount=True, paid=True),
    "order": Items("order_no", "order_event", ("delivered", "cancelled"), dates=("due_on",), amount=True),
    "ticket": Items("ticket_no", "ticket_event", ("resolved", "closed"), reopens=("reopened",)),
}  # fmt: skip
"""The facts whose rows open something."""

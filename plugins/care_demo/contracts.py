"""Sign, renew and cancel a customer's yearly frame contract."""

from __future__ import annotations

from .life import Life
from .span import money

NOTICE_DAYS = 30
YEAR_DAYS = 365


def keep_contract(life: Life) -> None:
    """Write the frame contract and its dated events, when the customer has one.

    A customer who has decided to leave cancels when notice is still possible and otherwise lets the
    contract end without a renewal.
    """
    profile, span, rng = life.profile, life.span, life.rng
    if not profile.has_contract:
        return
    starts = max(profile.since, -int(rng.integers(5, 300))) if profile.since < 0 else profile.first_day + 45
    contract = _Contract(life, starts=starts, signed=starts - int(rng.integers(2, 15)))
    ends = starts + YEAR_DAYS
    contract.tell("signed", contract.signed, ends, "")
    leaves = None if life.story is None else life.story.churned
    while ends < span.days + 120:
        renewal = ends - int(rng.integers(5, 55))
        if leaves is not None and leaves <= renewal:
            if leaves < ends - NOTICE_DAYS:
                contract.tell("cancelled", leaves + int(rng.integers(1, 8)), ends, "customer gave notice")
            contract.tell("ended", ends + 1, ends, "")
            return
        ends += YEAR_DAYS
        contract.tell("renewed", renewal, ends, "")


class _Contract:
    def __init__(self, life: Life, *, starts: int, signed: int) -> None:
        self.life, self.starts, self.signed = life, starts, signed
        self.number = f"FC{life.profile.code[1:]}"
        self.value = money(round(life.profile.yearly * 0.8, -3))
        self.events = 0

    def tell(self, event: str, day: int, ends: int, note: str) -> None:
        """Write one dated event and the contract as it stands afterwards, unless it lies after the period."""
        span, code = self.life.span, self.life.profile.code
        if day >= span.days:
            return
        self.events += 1
        at = span.at(day, 660)
        shown = span.at(day, 660 + float(self.life.rng.uniform(20, 1500)))
        notice = span.date_of(ends - NOTICE_DAYS)
        put = self.life.ledger.put
        put(
            "contracts", shown, self.number, code, self.life.profile.lines[0], self.value, "CNY",
            span.date_of(self.signed), span.date_of(self.starts), span.date_of(ends), notice, shown,
        )  # fmt: skip
        event_id = f"{self.number}-{self.events}"
        put(
            "contract_events", shown, event_id, self.number, code, event, at, span.date_of(ends), notice,
            self.life.profile.lines[0], self.value, "CNY", note, shown,
        )  # fmt: skip

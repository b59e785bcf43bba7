"""Begin gently: record without telling, tell a pilot, and let what was recorded go live within everybody's capacity."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from carewatch.care.backlog import Recorded, due, schedule
from carewatch.care.owners import in_role
from carewatch.flow.notify import customer_values, post, told_reasons
from carewatch.measure.cut import Cut
from carewatch.spec.condition import TRUE, evaluate, names
from carewatch.spec.configuration import CareSpec
from carewatch.spec.saying import said
from carewatch.store import launch
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.metrics import attributes_at

_MOST_LISTED: Final = 20


class NotLive(LookupError):
    """The configuration says that the firm is not live yet."""


def settle(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Say of every new warning whether it is live, and release what is due of the backlog; return how many that are."""
    fresh = launch.unsettled(connection)
    today = now.astimezone(care.firm.zone).date()
    if not care.launch.is_live(today):
        launch.let_wait(connection, fresh, "warm_up")
        return 0
    inside = in_pilot(connection, care, {one.customer_no: one.tier for one in fresh}, now)
    launch.bring_live(connection, [one for one in fresh if one.customer_no in inside], now)
    launch.let_wait(connection, [one for one in fresh if one.customer_no not in inside], "pilot")
    going = _due(connection, care, now)
    if going:
        launch.release(connection, going, now, today)
    return len(going)


def in_pilot(
    connection: Connection, care: CareSpec, tiers: Mapping[int, str | None], now: datetime
) -> frozenset[int]:
    """Return which of these customers (with their tiers) are in the pilot: everybody when there is none."""
    pilot = care.launch.pilot
    if pilot is None or not tiers:
        return frozenset(tiers)
    customers = np.array(sorted(tiers), dtype=np.int32)
    cut = Cut(now.astimezone(care.firm.zone).date(), now, now, care.firm.zone)
    columns: dict[str, Any] = dict(attributes_at(connection, cut, customers, sorted(names(pilot))))
    columns["tier"] = np.array([tiers[int(one)] for one in customers], dtype=object)
    return frozenset(customers[evaluate(pilot, columns) == TRUE].tolist())


def _due(connection: Connection, care: CareSpec, now: datetime) -> list[Recorded]:
    since = launch.said(connection)
    if since is None:
        return []
    waiting = _waiting(connection, care, since, now)
    out = _by_owner(launch.released(connection, since)) if waiting else {}
    day, today = since.astimezone(care.firm.zone).date(), now.astimezone(care.firm.zone).date()
    span = (day + timedelta(days=ahead) for ahead in range((today - day).days + 1))
    days = sum(care.work.is_workday(one) for one in span)
    found = []
    for owner, theirs in waiting.items():
        found += due(care, owner, theirs, out.get(owner, ()), days)
    return found


def _waiting(
    connection: Connection, care: CareSpec, until: datetime, now: datetime
) -> dict[str, list[Recorded]]:
    """Return what is to be released of each owner, the worst first."""
    found = launch.backlog(connection, until)
    inside = in_pilot(connection, care, {one.customer_no: one.tier for one in found}, now)
    return _by_owner([one for one in found if one.customer_no in inside])


def _by_owner(found: Sequence[Recorded]) -> dict[str, list[Recorded]]:
    result: dict[str, list[Recorded]] = defaultdict(list)
    for one in found:
        result[one.owner_id].append(one)
    return dict(result)


def say_go(connection: Connection, care: CareSpec, by: str, now: datetime) -> None:
    """Record that the backlog of this moment goes live; raise NotLive while the configuration says otherwise."""
    if not care.launch.is_live(now.astimezone(care.firm.zone).date()):
        raise NotLive(said("launch.yaml still says warm_up, or a later live_from: change it first"))
    launch.say(connection, by, now)


def preview(connection: Connection, care: CareSpec, now: datetime) -> dict[str, tuple[int, list[int]]]:
    """Return by owner how many warnings wait, and how many would go live on each working day from now on."""
    waiting = _waiting(connection, care, now, now)
    return {owner: (len(theirs), schedule(care, owner, theirs)) for owner, theirs in sorted(waiting.items())}


def tell_recorded(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Tell business operations once a week what the week before would have brought; return how many are told."""
    today = now.astimezone(care.firm.zone).date()
    monday = today - timedelta(days=today.weekday())
    subject = f"warm_up:{monday}"
    found = launch.recorded_between(connection, monday - timedelta(days=7), monday)
    if not found or launch.told(connection, subject):
        return 0
    fallback = care.people.fallback
    receivers = dict.fromkeys(in_role(care.people, role, fallback) for role in care.launch.operations)
    seen = warnings.masters(connection, sorted({one["customer_no"] for one in found}), now)
    people = care.people.people
    owners = Counter(one["owner_id"] for one in found)
    values = {
        "first": monday - timedelta(days=7),
        "last": monday - timedelta(days=1),
        "recorded": len(found),
        "levels": [
            {"level": level, "warnings": count}
            for level, count in sorted(Counter(one["peak_level"] for one in found).items(), reverse=True)
        ],
        "owners": [
            {"owner": people[owner].name if owner in people else owner, "warnings": count}
            for owner, count in owners.most_common()
        ],
        "warnings": [
            {
                "customer": customer_values(seen[one["customer_no"]]),
                "level": one["level"],
                "tier": one["tier"],
                "owner": people[one["owner_id"]].name if one["owner_id"] in people else one["owner_id"],
                "reasons": told_reasons(one["reasons"]),
            }
            for one in found
            if one["open"]
        ][:_MOST_LISTED],
    }
    for receiver in receivers or [fallback]:
        post(
            connection, care, now,
            kind="warm_up", subjects=[(subject, 0)], receiver=receiver,
            reason="what would have been told had it been live", values=values, urgent=False,
        )  # fmt: skip
    return len(receivers or [fallback])

"""Start the playbooks of a level: each becomes part of its warning's case, with tasks, owners and due times."""

from __future__ import annotations

from datetime import datetime

from carewatch.care.plan import plan
from carewatch.spec.configuration import CareSpec
from carewatch.store import cases
from carewatch.store.database import Connection


def start_playbooks(connection: Connection, care: CareSpec, level: int, now: datetime) -> int:
    """Start what the level's warnings lack; return how many tasks were made. Doing it again makes none."""
    plans = [
        (
            warning,
            playbook,
            plan(care, playbook, tier=warning.tier, owner=warning.owner_id, now=now, value=warning.value),
        )
        for warning in cases.startable(connection, level)
        for playbook in care.playbooks_of(level, warning.tier)
    ]
    return cases.store_plans(connection, plans, care=care.fingerprint, now=now)

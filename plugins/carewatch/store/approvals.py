"""Answer the question: which judgements were proposed, approved or rejected, by whom, and which one stands?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from carewatch.store.database import Connection

_COLUMNS = "fingerprint, state, proposed_at, by, at, why, plan"


@dataclass(frozen=True)
class Approval:
    """One judgement's way to approval."""

    fingerprint: str
    state: str
    proposed_at: datetime
    by: str | None
    at: datetime | None
    why: str | None
    plan: str | None


def approval_of(connection: Connection, fingerprint: str) -> Approval | None:
    """Return what was decided of a judgement; None when it was never proposed."""
    row = connection.execute(
        f"select {_COLUMNS} from care.configuration_approval where fingerprint = %s", (fingerprint,)
    ).fetchone()
    return None if row is None else Approval(*row)


def listing(connection: Connection) -> list[Approval]:
    """Return every proposal, the newest first."""
    rows = connection.execute(
        f"select {_COLUMNS} from care.configuration_approval order by proposed_at desc, fingerprint"
    ).fetchall()
    return [Approval(*row) for row in rows]


def standing(connection: Connection) -> str | None:
    """Return the approved judgement that stands; None before the first approval."""
    row = connection.execute(
        "select fingerprint from care.configuration_approval where state = 'approved' "
        "order by stood_at desc, fingerprint limit 1"
    ).fetchone()
    return row[0] if row else None


def propose(connection: Connection, fingerprint: str, now: datetime) -> None:
    """Write down that a judgement waits for approval; what was decided of it before stays."""
    connection.execute(
        "insert into care.configuration_approval (fingerprint, state, proposed_at) values (%s, 'proposed', %s) "
        "on conflict do nothing",
        (fingerprint, now),
    )


def explain(connection: Connection, fingerprint: str, plan: str) -> None:
    """Keep what a proposal would change, as people read it."""
    connection.execute(
        "update care.configuration_approval set plan = %s where fingerprint = %s", (plan, fingerprint)
    )


def settle(
    connection: Connection, fingerprint: str, *, approved: bool, by: str, why: str, now: datetime
) -> bool:
    """Approve or reject a judgement; return whether that changed anything. An approved one stands from then on."""
    state = "approved" if approved else "rejected"
    done = connection.execute(
        "update care.configuration_approval set state = %(state)s, by = %(by)s, at = %(now)s, why = %(why)s, "
        "stood_at = case when %(approved)s then %(now)s else stood_at end "
        "where fingerprint = %(fingerprint)s and state <> %(state)s",
        {"state": state, "by": by, "now": now, "why": why, "approved": approved, "fingerprint": fingerprint},
    )
    return done.rowcount == 1


def stand(connection: Connection, fingerprint: str, now: datetime) -> None:
    """Write down that an approved judgement has come into force again."""
    connection.execute(
        "update care.configuration_approval set stood_at = %s where fingerprint = %s and state = 'approved'",
        (now, fingerprint),
    )


def audit(
    connection: Connection, fingerprint: str, *, approved: bool, by: str, why: str, now: datetime
) -> None:
    """Write down who decided."""
    what = "configuration_approved" if approved else "configuration_rejected"
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, %s, %s, %s)",
        (now, by, what, f"judgement:{fingerprint}", Jsonb({"why": why})),
    )

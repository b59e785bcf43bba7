"""Answer the question: which signals are due their one machine mail, and where does it go?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from carewatch.store.database import Connection


@dataclass(frozen=True)
class Watched:
    """A signal that is only watched and sends one mail, of which nobody has decided yet."""

    signal_no: int
    customer_no: int
    rule: str
    mail_to: str
    evidence: dict[str, Any]
    judgement: str
    notifies: bool


def undecided(connection: Connection) -> list[Watched]:
    """Return the signals whose mail nobody has decided on; what opened in a night is told when that night may notify.

    What an event opened between nights is told always.
    """
    rows = connection.execute(
        "select s.signal_no, s.customer_no, s.rule, s.mail_to, s.evidence, s.judgement, "
        "coalesce((select n.notifies from care.night n where n.day = s.opened_day and n.revision = 0), true) "
        "from care.signal s where s.mail_to is not null and s.state = 'open' and not exists "
        "(select from care.notice_decision d where d.subject = 'signal:' || s.signal_no) order by s.signal_no"
    ).fetchall()
    return [Watched(*row) for row in rows]


def address(connection: Connection, customer_no: int) -> tuple[str | None, bool]:
    """Return a customer's address for machine mail and whether it has agreed to it, as believed now."""
    row = connection.execute(
        "select (select f.email from care.identity i join care.fact_customer f using (party_no) "
        "where i.customer_no = %(no)s and i.known_to is null and f.known_to is null and f.email is not null "
        "order by f.fact_no desc limit 1), "
        "coalesce((select bool_and(f.consent) from care.identity i join care.fact_customer f using (party_no) "
        "where i.customer_no = %(no)s and i.known_to is null and f.known_to is null and f.consent is not null), false)",
        {"no": customer_no},
    ).fetchone()
    return (row[0], row[1]) if row else (None, False)

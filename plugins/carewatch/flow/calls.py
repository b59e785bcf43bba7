"""Calls: close the first call of a case when the customer was reached; ask the phone system to dial.

The number of a customer is in no row of the outbox: it is looked up when the request leaves the house, and what the other side
says of it is kept without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from carewatch.flow.watched import CUSTOMER_MAIL, with_address
from carewatch.spec.configuration import CareSpec
from carewatch.spec.privacy import masked
from carewatch.store import calls, notices
from carewatch.store import live_warnings as warnings
from carewatch.store.calls import DialTask
from carewatch.store.database import Connection
from carewatch.store.notices import Decided, Message
from carewatch.store.outbox import Claimed
from carewatch.tell.decide import outbox_key
from carewatch.tell.delivery import Doubtful, Refused

DIAL = "dial"
"""The kind of an outbox row that asks the phone system to call a customer."""
HIDDEN_NUMBER = "***"


def request_dials(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Decide once for every task with `action: dial` whether the phone system is asked; return the requests.

    A request waits for working hours: nobody is called at two in the morning.
    """
    waiting = calls.undialled(connection)
    if not waiting:
        return 0
    seen = warnings.masters(connection, sorted({task.customer_no for task in waiting}), now)
    decisions, messages = [], []
    for task in waiting:
        refusal = _refusal(care, task)
        message = None if refusal else _message(care, task, seen[task.customer_no].customer_id, now)
        messages += [message] if message else []
        decisions.append(
            Decided(f"{DIAL}:{task.task_no}", 0, task.owner_id, message is not None, refusal or "the step asks for a call",
                    message.key if message else None)
        )  # fmt: skip
    notices.store(connection, decisions, messages, now=now)
    return len(messages)


def _refusal(care: CareSpec, task: DialTask) -> str | None:
    if care.notices.dial is None:
        return "notices.yaml names no channel to dial by"
    if not task.notifies:
        return "the night lies in the past: nobody is called"
    return None if task.has_number else "no telephone number of the customer is known"


def _message(care: CareSpec, task: DialTask, customer_id: str, now: datetime) -> Message:
    channel = care.notices.dial
    assert channel is not None
    return Message(
        key=outbox_key(DIAL, task.owner_id, channel, f"task:{task.task_no}"),
        kind=DIAL,
        receiver=task.owner_id,
        channel=channel,
        body={
            "connection": care.notices.channels[channel].connection,
            "to": "",
            "kind": DIAL,
            "task": task.task_no,
            "customer": customer_id,
            "person": task.owner_id,
            "title": task.title,
            "number": HIDDEN_NUMBER,
        },
        not_before=care.work.next_open(now),
    )


def send_claimed(connection: Connection, claimed: Claimed, send: Callable[[dict[str, Any]], str]) -> str:
    """Send a message as it leaves the house; return the answer, or raise Refused or Doubtful, without what the row does not hold.

    Mail servers repeat the address that they refuse, and answers are kept and listed.
    """
    message = delivered_body(connection, claimed)
    looked_up = [str(value) for name, value in message.items() if claimed.message.get(name) != value]

    def kept(said: str) -> str:
        for value in looked_up:
            said = re.sub(re.escape(value), lambda found: masked(found[0]) or "", said, flags=re.IGNORECASE)
        return said

    try:
        return kept(send(message))
    except Refused as refused:
        raise Refused(kept(str(refused))) from None
    except Doubtful as doubtful:
        raise Doubtful(kept(str(doubtful))) from None


def delivered_body(connection: Connection, claimed: Claimed) -> dict[str, Any]:
    """Return the message as it leaves the house, a dial request with the number and a mail to a customer with the address.

    Raise Refused when there is none.
    """
    if claimed.kind == CUSTOMER_MAIL:
        return with_address(connection, claimed.message)
    if claimed.kind != DIAL:
        return claimed.message
    number = calls.number_to_dial(connection, claimed.message["task"])
    if number is None:
        raise Refused("the task is no longer open, or the customer has no number")
    return claimed.message | {"number": number}

"""The outbox on a real database and real receivers: nothing is sent twice, nothing is lost, and doubt is listed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.channels.servers import Hook, post_office, web

import care_channels
from care_channels import Way
from carewatch.flow.deliver import Delivered, deliver
from carewatch.store import outbox
from carewatch.store.database import Connection, connect
from carewatch.store.migrations import migrate
from carewatch.store.outbox import Claimed
from carewatch.tell.delivery import Doubtful, Refused

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MESSAGE = {"kind": "warning", "subject": "红色预警：上海宏远", "text": "健康度 31.5\n"}
PLUGINS = Path(care_channels.__file__).resolve().parents[1]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database) as opened:
        migrate(opened)
        yield opened


def put(connection: Connection, *keys: str, not_before: datetime = NOW) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.outbox (key, kind, receiver, channel, message, not_before, created_at) "
            "values (%s, 'warning', 'li.wei', 'chat', %s, %s, %s)",
            [(key, Jsonb(MESSAGE), not_before, NOW) for key in keys],
        )


def states(connection: Connection) -> dict[str, str]:
    with connection.transaction():
        return dict(connection.execute("select key, state from care.outbox order by key").fetchall())


def listed(connection: Connection, *which: str) -> list[str]:
    with connection.transaction():
        return [row[0] for row in outbox.listing(connection, list(which))]


def answer_of(connection: Connection, key: str) -> str:
    with connection.transaction():
        (answer,) = connection.execute("select answer from care.outbox where key = %s", [key]).fetchone() or (
            "",
        )
    return str(answer)


def run(
    connection: Connection, send: Callable[[Claimed], str], at: datetime = NOW, **options: object
) -> Delivered:
    return deliver(connection, send, clock=lambda: at, most_attempts=3, **options)  # type: ignore[arg-type]


def sent_to(hook: Hook) -> Callable[[Claimed], str]:
    way = Way("http", "127.0.0.1", hook.port, password="secret", extra={"timeout": 10})
    return lambda claimed: care_channels.send(way, key=claimed.key, to="sales", message=claimed.message)


def arrived(hook: Hook) -> Counter[str]:
    return Counter(json.loads(body)["key"] for _, _, body in hook.asked)


def never(claimed: Claimed) -> str:
    raise AssertionError(f"{claimed.key} was sent")


def test_what_is_due_is_sent_once_and_its_answer_kept(connection: Connection) -> None:
    put(connection, "a", "b")
    put(connection, "later", not_before=NOW + SECOND)
    with web((200, "taken")) as hook:
        assert run(connection, sent_to(hook)) == Delivered(sent=2)
        assert run(connection, sent_to(hook)) == Delivered()
        assert run(connection, sent_to(hook), NOW + SECOND) == Delivered(sent=1)
    assert arrived(hook) == {"a": 1, "b": 1, "later": 1}
    assert set(states(connection).values()) == {"sent"}
    assert answer_of(connection, "a") == "200 taken"


def test_a_letter_goes_from_the_outbox_to_a_mailbox(connection: Connection) -> None:
    put(connection, "a")
    extra = {"from_email": "care@firm.example", "disable_ssl": True, "disable_tls": True}
    with post_office() as (inbox, port):
        way = Way("smtp", "127.0.0.1", port, extra=extra)
        done = run(
            connection,
            lambda claimed: care_channels.send(
                way, key=claimed.key, to="li@firm.example", message=claimed.message
            ),
        )
    assert done == Delivered(sent=1)
    assert [letter["Subject"] for letter in inbox.letters] == [MESSAGE["subject"]]


@pytest.mark.req("D21")
def test_a_refused_message_is_tried_again_after_a_pause_and_delivered_once(connection: Connection) -> None:
    put(connection, "a")
    pause = timedelta(minutes=2)
    with web((500, "broken"), (200, "ok")) as hook:
        send = sent_to(hook)
        assert run(connection, send) == Delivered(retried=1)
        assert answer_of(connection, "a") == "500 broken"
        assert run(connection, send, NOW + pause - SECOND) == Delivered()
        assert run(connection, send, NOW + pause) == Delivered(sent=1)
        assert run(connection, send, NOW + timedelta(days=1)) == Delivered()
    assert arrived(hook) == {"a": 2}


def test_a_message_refused_too_often_fails_and_is_listed_until_somebody_resends_it(
    connection: Connection,
) -> None:
    put(connection, "a")
    with web((404, "no such room")) as hook:
        done = [run(connection, sent_to(hook), NOW + timedelta(hours=hour)) for hour in range(4)]
    assert done == [Delivered(retried=1), Delivered(retried=1), Delivered(failed=1), Delivered()]
    assert listed(connection, "failed", "uncertain") == ["a"]
    assert outbox.resend(connection, "a", now=NOW)
    with web() as hook:
        assert run(connection, sent_to(hook)) == Delivered(sent=1)
    assert not outbox.resend(connection, "a", now=NOW)


@pytest.mark.req("D21")
def test_a_message_that_may_have_arrived_is_never_sent_again_by_itself(connection: Connection) -> None:
    put(connection, "a")
    with web() as hook:
        hook.may_answer.clear()
        way = Way("http", "127.0.0.1", hook.port, extra={"timeout": 0.3})
        done = run(
            connection,
            lambda claimed: care_channels.send(way, key=claimed.key, to="", message=claimed.message),
        )
    assert done == Delivered(uncertain=1)
    assert run(connection, never, NOW + timedelta(days=9)) == Delivered()
    assert listed(connection, "uncertain") == ["a"]
    assert arrived(hook) == {"a": 1}


@pytest.mark.req("D21")
@pytest.mark.parametrize("fault", [KeyError("bug"), KeyboardInterrupt(), SystemExit(1)])
def test_a_fault_in_the_sender_doubles_nothing_and_spoils_one_message(
    connection: Connection, fault: BaseException
) -> None:
    put(connection, "a", "b")

    def broken(claimed: Claimed) -> str:
        raise fault

    with pytest.raises(type(fault)):
        run(connection, broken)
    assert states(connection) == {"a": "uncertain", "b": "waiting"}
    assert type(fault).__name__ in answer_of(connection, "a")
    with web() as hook:
        assert run(connection, sent_to(hook), NOW + timedelta(hours=1)) == Delivered(sent=1)
    assert arrived(hook) == {"b": 1}


@pytest.mark.req("D21")
def test_a_database_lost_while_sending_doubles_nothing(connection: Connection, database: str) -> None:
    put(connection, "a")

    def lose_the_database(claimed: Claimed) -> str:
        with psycopg.connect(database) as other:
            other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        return "taken"

    with pytest.raises(psycopg.OperationalError):
        run(connection, lose_the_database)
    with connect(database) as again:
        assert states(again) == {"a": "claimed"}
        assert run(again, never, NOW + outbox.CLAIM_LASTS + SECOND) == Delivered()
        assert states(again) == {"a": "uncertain"}


def test_inside_a_transaction_nothing_is_sent(connection: Connection) -> None:
    put(connection, "a")
    with connection.transaction(), pytest.raises(ValueError, match="outside of a transaction"):
        run(connection, never)
    assert states(connection) == {"a": "waiting"}


def test_an_odd_answer_is_kept_as_far_as_it_can_be(connection: Connection) -> None:
    put(connection, "a", "b", "c")
    odd = "taken\0\udc80" + "x" * 1000

    def answers(claimed: Claimed) -> str:
        if claimed.key == "a":
            return odd
        raise Refused(odd) if claimed.key == "b" else Doubtful(odd)

    assert run(connection, answers) == Delivered(sent=1, retried=1, uncertain=1)
    assert all(answer_of(connection, key).startswith("taken??x") for key in "abc")


def test_a_round_ends_by_number_and_by_time(connection: Connection) -> None:
    put(connection, "a", "b", "c", "d")
    assert run(connection, lambda claimed: "ok", limit=1) == Delivered(sent=1)
    times = iter([NOW, NOW, NOW, NOW + 5 * SECOND, NOW, NOW + 6 * SECOND])
    done = deliver(
        connection, lambda claimed: "ok", clock=lambda: next(times), most_attempts=1, lasts=5 * SECOND
    )
    assert done == Delivered(sent=2)
    assert list(states(connection).values()).count("waiting") == 1


@pytest.mark.req("D21")
def test_two_deliverers_at_once_never_send_a_message_twice(connection: Connection, database: str) -> None:
    keys = [f"message {number}" for number in range(60)]
    put(connection, *keys)
    both_hold_one = threading.Barrier(2, timeout=20)

    with web() as hook:

        def deliver_all() -> Delivered:
            send, first = sent_to(hook), [True]

            def meet_then_send(claimed: Claimed) -> str:
                if first:
                    first.clear()
                    both_hold_one.wait()
                return send(claimed)

            with connect(database) as own:
                return run(own, meet_then_send)

        with ThreadPoolExecutor(2) as pool:
            done = [ended.result() for ended in [pool.submit(deliver_all) for _ in range(2)]]

    assert arrived(hook) == dict.fromkeys(keys, 1)
    assert sum(one.sent for one in done) == len(keys)
    assert all(one.sent > 0 for one in done)


KILLED = """
import sys, time
from datetime import datetime
from care_channels import Way, send
from carewatch.flow.deliver import deliver
from carewatch.store.database import connect

dsn, port, now = sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
way = Way("http", "127.0.0.1", port, extra={"timeout": 60})

def slow(claimed):
    print("claimed", flush=True)
    return send(way, key=claimed.key, to="", message=claimed.message) if port else time.sleep(60)

deliver(connect(dsn), slow, clock=lambda: now, most_attempts=3)
"""


@pytest.mark.req("D21")
@pytest.mark.parametrize("already_sent", [False, True])
def test_a_killed_sender_leaves_its_message_listed_and_a_resend_sends_it_once(
    connection: Connection, database: str, already_sent: bool
) -> None:
    put(connection, "a")
    with web() as hook:
        hook.may_answer.clear()
        command = [
            sys.executable,
            "-c",
            KILLED,
            database,
            str(hook.port if already_sent else 0),
            NOW.isoformat(),
        ]
        environment = {**os.environ, "PYTHONPATH": str(PLUGINS), "NO_PROXY": "127.0.0.1"}
        sender = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert sender.stdout is not None and sender.stdout.readline() == "claimed\n"
            assert not already_sent or hook.was_asked.wait(20)
        finally:
            sender.kill()
            sender.communicate()

    expired = NOW + outbox.CLAIM_LASTS
    assert run(connection, never, expired) == Delivered()
    assert states(connection) == {"a": "claimed"}
    assert run(connection, never, expired + SECOND) == Delivered()
    assert listed(connection, "uncertain") == ["a"]
    assert run(connection, never, expired + timedelta(days=1)) == Delivered()

    assert outbox.resend(connection, "a", now=expired)
    with web() as after:
        assert run(connection, sent_to(after), expired) == Delivered(sent=1)
        assert run(connection, sent_to(after), expired + timedelta(days=1)) == Delivered()
    assert arrived(hook) == ({"a": 1} if already_sent else {})
    assert arrived(after) == {"a": 1}
    assert listed(connection, "uncertain", "failed") == []

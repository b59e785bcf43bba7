"""`care demo` as a new user runs it: from the first start to the reset, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import psycopg
import pytest

from care_demo import ticket_process
from care_demo.firm import simulate
from care_demo.staff import STAFF
from carewatch.store import embedded

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("config", "dags", "include", "plugins")
FIRST_NIGHTS = [date(2026, 6, 28), date(2026, 6, 29), date(2026, 6, 30)]
TOMORROW = date(2026, 7, 1)


@dataclass(frozen=True)
class Home:
    """An installation whose `.care` is its own and whose other parts are those of this checkout."""

    folder: Path

    @property
    def demo(self) -> Path:
        return self.folder / ".care" / "demo"

    @property
    def warehouse(self) -> Path:
        return self.folder / ".care" / "warehouse"

    def care(self, *words: str) -> str:
        """Run `care demo` behind a proxy that is down; return what it printed."""
        foreign = ("AIRFLOW", "_AIRFLOW", "CARE", "PYTEST", "NO_PROXY", "no_proxy")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
        ran = subprocess.run(
            [sys.executable, "-m", "carewatch.cli", "demo", *words],
            env={**kept, **proxy, "CARE_HOME": str(self.folder), "PYTHONPATH": str(ROOT / "plugins")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def rows(self, query: str) -> list[tuple[object, ...]]:
        status = embedded.status(self.warehouse)
        assert status is not None
        with psycopg.connect(status.dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def dump(self) -> dict[object, list[tuple[object, ...]]]:
        """Return every row of the warehouse as text, landings included."""
        tables = self.rows(
            "select format('%I.%I', relnamespace::regnamespace, relname) from pg_class where relkind = 'r' "
            "and relnamespace::regnamespace::text ~ '^(care|quarantine|raw_.*)$'"
        )
        return {name: self.rows(f"select t::text from {name} t order by 1") for (name,) in tables}

    def arrived(self) -> Counter[str]:
        """Return how often the message of each key arrived."""
        letters = [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in (self.demo / "mail").glob("*.eml")
        ]
        chat = (self.demo / "chat.jsonl").read_text(encoding="utf-8").splitlines()
        return Counter(
            [letter["X-Carewatch-Key"] for letter in letters] + [json.loads(line)["key"] for line in chat]
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    for name in PARTS:
        (tmp_path / name).symlink_to(ROOT / name)
    made = Home(tmp_path)
    yield made
    made.care("reset")


def personal_values() -> set[str]:
    """Return names, addresses and numbers of the firm's customers, of their contacts and of its own people."""
    firm = simulate()
    found = {value for person in STAFF for value in (person.name, f"{person.id}@huaxing.example")}
    for table in (firm.tables["customers"], firm.tables["contacts"]):
        places = [table.columns.index(column) for column in ("name", "email", "phone")]
        found |= {str(version.values[at]).strip() for version in table.versions for at in places}
    return found - {""}


@pytest.mark.slow
@pytest.mark.req("S1", "D19")
def test_the_demo_lives_three_days_then_one_more_and_leaves_nothing_behind(home: Home) -> None:
    shown = home.care()
    for line in (
        "Customers on the night of 2026-06-30",
        "Open warnings: ",
        "Open care tasks: ",
        "Messages: ",
        "What next",
    ):
        assert line in shown
    nights = "select day, state, notifies, late_sources from care.night order by day"
    assert home.rows(nights) == [(night, "sealed", True, []) for night in FIRST_NIGHTS]
    levels = dict(home.rows("select level, count(*) from care.warning where closed_at is null group by 1"))
    assert {1, 2, 3} <= levels.keys()
    origins = {row[0] for row in home.rows("select split_part(origin, '.', 1) from care.load where new > 0")}
    assert origins == {"sales", "tickets", "finance"}
    homeless = (
        "select count(*) from care.party p where 1 <> "
        "(select count(*) from care.identity i where i.party_no = p.party_no and i.known_to is null)"
    )
    assert home.rows(homeless) == [(0,)], "every row belongs to one customer"
    sent = Counter(str(key) for (key,) in home.rows("select key from care.outbox where state = 'sent'"))
    assert sent and home.arrived() == sent, "what was sent arrived, once"

    left = home.dump()
    again = home.care()
    assert "running its last day again changed nothing." in again
    assert home.dump() == left and home.arrived() == sent

    home.care("next-day")
    assert home.rows(nights)[3:] == [(TOMORROW, "sealed", True, [])]
    grown = home.dump()
    assert set(left["care.warning_event"]) <= set(grown["care.warning_event"])
    assert set(left["care.notice_decision"]) < set(grown["care.notice_decision"])
    assert set(home.arrived().values()) == {1}

    log = (home.demo / "airflow.log").read_text(encoding="utf-8")
    for task in ("load_masters", "conform_others", "advance_warnings", "decide_notices", "deliver_outbox"):
        assert f"end task task_id={task}" in log, "tasks have told what they do"
    values = personal_values()
    assert len(values) > 1000
    assert [value for value in values if value in log] == [], "no log names a person or a customer"
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+|\+86[ \d]{8,}", log) == []

    assert home.care("stop") == "the demo is stopped\n"
    status = embedded.status(home.warehouse)
    assert status is not None and not status.running
    assert not ticket_process.stop(home.demo / "tickets"), "the ticket service is down already"
    assert home.care("reset") == "the demo is removed\n"
    assert not status.data.exists()
    assert sorted(path.name for path in home.folder.iterdir()) == list(PARTS)

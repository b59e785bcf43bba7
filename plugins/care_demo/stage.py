"""Set the stage of the demo: the folders, the embedded warehouse, the firm's systems, Airflow's settings.

Everything lies in one private folder; nothing outside it is touched and no port is opened to other machines.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from care_demo.model import Firm
from care_demo.receivers import Receivers
from care_demo.span import FIRM_ZONE

HISTORY_ENDS_BEFORE = 2
"""How many days before its today the demo begins to live day by day."""


@dataclass(frozen=True)
class Stage:
    """Where the demo's things are."""

    folder: Path
    project: Path
    dsn: str

    @property
    def sales_dsn(self) -> str:
        parts = urlsplit(self.dsn)
        return urlunsplit(parts._replace(path="/demo_sales"))

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    def reached(self) -> date | None:
        """Return the day up to which the demo has lived, None before its first."""
        if not self.state_file.exists():
            return None
        return date.fromisoformat(json.loads(self.state_file.read_text(encoding="utf-8"))["day"])

    def reach(self, day: date) -> None:
        """Remember that the demo has lived through a day."""
        self.state_file.write_text(json.dumps({"day": day.isoformat()}), encoding="utf-8")


def days_to_live(firm: Firm, reached: date | None, *, next_day: bool) -> list[date]:
    """Return the days to run: the last days of history at first, one more on demand, else the reached day again."""
    if reached is None:
        return [firm.today - timedelta(days=back) for back in range(HISTORY_ENDS_BEFORE, -1, -1)]
    return [reached + timedelta(days=1)] if next_day else [reached]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a firm-local moment."""
    return datetime.combine(day, time(hour, minute), FIRM_ZONE)


def password_file(folder: Path) -> tuple[Path, str]:
    """Return the file with the demo user's password and the password, made once."""
    path = folder / "passwords.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps({"admin": secrets.token_urlsafe(9)}), encoding="utf-8")
    return path, json.loads(path.read_text(encoding="utf-8"))["admin"]


def environment(
    stage: Stage, *, ticket_url: str, ticket_token: str, receivers: Receivers, chat_secret: str
) -> dict[str, str]:
    """Return the environment in which Airflow runs the demo: private home, our folders, the connections."""
    connections: Mapping[str, Any] = {
        "CARE_SALES": stage.sales_dsn,
        "CARE_TICKETS": {"conn_type": "http", "host": ticket_url, "password": ticket_token},
        "CARE_FINANCE": {"conn_type": "fs", "extra": {"path": str(stage.folder / "finance")}},
        "CARE_MAIL": {
            "conn_type": "smtp", "host": "127.0.0.1", "port": receivers.mail_port,
            "extra": {"disable_tls": True, "disable_ssl": True, "from_email": "carewatch@huaxing.example"},
        },
        "CARE_CHAT": {
            "conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": receivers.chat_port, "password": chat_secret,
            "extra": {"success_field": "errcode", "success_value": 0},
        },
    }  # fmt: skip
    airflow = stage.folder / "airflow"
    return {
        "AIRFLOW_HOME": str(airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(stage.project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(stage.project / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(stage.folder)[0]),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "CARE_DB": stage.dsn,
        "CARE_HOME": str(stage.project),
        "GX_ANALYTICS_ENABLED": "false",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        **{
            f"AIRFLOW_CONN_{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in connections.items()
        },
    }


def apply(variables: Mapping[str, str]) -> None:
    """Set the environment of this process; it must happen before anything imports Airflow."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW"))]:
        del os.environ[name]
    os.environ.update(variables)

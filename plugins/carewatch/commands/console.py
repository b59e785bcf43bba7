"""What the commands share: the configuration, the warehouse, days, and words on the screen."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from carewatch import paths
from carewatch.spec.configuration import Configuration
from carewatch.spec.document import LANGUAGES
from carewatch.spec.fact_names import Language
from carewatch.spec.firm import Firm
from carewatch.spec.loading import load
from carewatch.spec.saying import in_language
from carewatch.spec.sources import BaseSource, load_sources
from carewatch.store import configurations
from carewatch.store.database import Connection, configured_dsn, connect
from carewatch.store.nights import newest_care


class Mistake(Exception):
    """Something the user asked for that cannot be; the text says what to do."""


def day(text: str) -> date:
    """Return the day that an argument names."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a day; expected YYYY-MM-DD such as 2026-06-30"
        ) from None


def config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config", type=Path, default=None, metavar="FOLDER", help="configuration folder (default: config/)"
    )


def json_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def by_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--by`: who asks, for the audit trail; the user of this machine unless said."""
    parser.add_argument(
        "--by", default=getpass.getuser(), metavar="PERSON", help="who asks (default: your login)"
    )


def language_argument(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add `--language`; without a default `speak` or `warehouse` settles on the firm's where nobody said one."""
    kept = default or "the firm's"
    parser.add_argument("--language", choices=LANGUAGES, default=default, help=f"default: {kept}")


def speak(chosen: argparse.Namespace, firm: Firm) -> Language:
    """Return the language that was asked for, else the firm's; mistakes are said in it from now on."""
    language: Language = chosen.language or firm.language
    chosen.language = language
    return language


def tell(chosen: argparse.Namespace, sentence: str) -> None:
    """Print a sentence in the language that `speak` has settled on."""
    print(in_language(sentence, chosen.language))


def configuration(chosen: argparse.Namespace) -> Configuration:
    """Return the configuration that the arguments name."""
    return load(chosen.config or paths.config())


def configured_sources(chosen: argparse.Namespace) -> Mapping[str, BaseSource]:
    """Return the sources of the configuration that the arguments name; none where it has no sources.yaml."""
    folder = chosen.config or paths.config()
    return load_sources(folder).sources if (folder / "sources.yaml").exists() else {}


def _airflow_connection(conn_id: str) -> str:
    try:
        from airflow.sdk import BaseHook
    except ImportError:
        raise Mistake(
            f"Airflow is not installed here; set CARE_DB instead of its connection {conn_id}"
        ) from None
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return str(BaseHook.get_connection(conn_id).get_uri())
    except AirflowNotFoundException:
        raise Mistake(
            f"no warehouse is configured: set CARE_DB=postgresql://user:password@host:5432/database or the Airflow "
            f"connection {conn_id}; `care demo` starts an embedded one"
        ) from None


def dsn() -> str:
    """Return the warehouse's URI; the demo's embedded one when it is up and nothing else is configured."""
    from carewatch.store import embedded

    state = paths.home() / ".care" / "warehouse"
    if (
        "CARE_DB" not in _environment()
        and "AIRFLOW_CONN_CARE_DB" not in _environment()
        and embedded.status(state) is not None
    ):
        return embedded.start(state)
    return configured_dsn(_airflow_connection)


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)


def warehouse(chosen: argparse.Namespace | None = None) -> Connection:
    """Open the configured warehouse.

    `chosen` settles on the language of the firm whose night was opened last, where nobody said one.
    """
    connection = connect(dsn(), autocommit=True)
    if chosen is not None and chosen.language is None:
        care = newest_care(connection)
        chosen.language = "en" if care is None else configurations.care(connection, care).firm.language
    return connection


def print_json(value: Any) -> None:
    """Print JSON with Chinese as it is."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


class Progress:
    """Lines on standard error that say how far a long work is; on a terminal one line that is written over."""

    def __init__(self, language: str = "en") -> None:
        self._language = language
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._open = False

    def __call__(self, text: str) -> None:
        line = f"{time.monotonic() - self._start:6.1f} s  {in_language(text, self._language)}"
        if self._terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
            self._open = True
        else:
            print(line, file=sys.stderr, flush=True)

    def done(self) -> None:
        """End the line that is written over."""
        if self._open:
            print(file=sys.stderr)
            self._open = False

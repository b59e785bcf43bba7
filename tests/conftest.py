"""Give every test run a place of its own: a private Airflow home and an embedded warehouse, later removed.

The variables are set while this file is imported, before anything can import Airflow.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNS = Path(tempfile.gettempdir()) / f"carewatch-tests-{os.getuid()}"
RUN_VARIABLE = "CAREWATCH_TEST_RUN"
SERVER_VARIABLE = "CARE_TEST_DB"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
FAST_NOT_SAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
}


def _private_environment(run: Path) -> None:
    """Hide the caller's Airflow and warehouse from the tests and point Airflow at this checkout."""
    foreign = [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW")) or name == "CARE_DB"]
    for name in foreign:
        del os.environ[name]
    RUNS.mkdir(mode=0o700, exist_ok=True)
    if RUNS.stat().st_uid != os.getuid():
        raise RuntimeError(f"{RUNS} belongs to somebody else: set TMPDIR to another folder")
    home = run / f"airflow-{WORKER}"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(
        {
            RUN_VARIABLE: str(run),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "GX_ANALYTICS_ENABLED": "false",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
    )


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(run: Path) -> None:
    from carewatch.store import embedded

    embedded.destroy(run / "warehouse")
    shutil.rmtree(run, ignore_errors=True)


def _remove_runs_of_killed_sessions() -> None:
    for run in RUNS.glob("*"):
        if run.name.isdigit() and not _is_alive(run.name):
            _remove(run)


_private_environment(Path(os.environ.get(RUN_VARIABLE) or RUNS / str(os.getpid())))

hypothesis.settings.register_profile("care", deadline=None, print_blob=True)
hypothesis.settings.load_profile("care")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Clear up after sessions that were killed; only the controlling process does."""
    if WORKER == "main":
        _remove_runs_of_killed_sessions()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove this run's server and folders, after the last worker has ended."""
    if WORKER == "main":
        _remove(Path(os.environ.pop(RUN_VARIABLE)))


@pytest.fixture(scope="session")
def warehouse_server() -> str:
    """Return the URI of the server all workers share: `CARE_TEST_DB` when set, otherwise an embedded one."""
    named = os.environ.get(SERVER_VARIABLE)
    if named:
        return named
    from carewatch.store import embedded

    return embedded.start(Path(os.environ[RUN_VARIABLE]) / "warehouse", settings=FAST_NOT_SAFE)


@pytest.fixture(scope="session")
def warehouse_dsn(warehouse_server: str) -> Iterator[str]:
    """Return the URI of a database this worker alone uses, empty at the start of the session."""
    yield from _fresh_database(warehouse_server)


@pytest.fixture
def database(warehouse_server: str) -> Iterator[str]:
    """Return the URI of an empty database that only this test uses."""
    yield from _fresh_database(warehouse_server)


@pytest.fixture
def migrated(database: str) -> str:
    """Return the URI of an empty warehouse, every migration applied, that only this test uses."""
    return _migrate(database)


@pytest.fixture(scope="module")
def module_warehouse(warehouse_server: str) -> Iterator[str]:
    """Return the URI of an empty warehouse for the tests of one file, which roll back what they write."""
    for dsn in _fresh_database(warehouse_server):
        yield _migrate(dsn)


def _migrate(dsn: str) -> str:
    from carewatch.store.database import connect
    from carewatch.store.migrations import migrate

    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
    return dsn


def _fresh_database(server: str) -> Iterator[str]:
    from carewatch.store import embedded

    name = f"test_{WORKER}_{uuid.uuid4().hex[:12]}"
    yield embedded.create_database(server, name)
    embedded.drop_database(server, name)

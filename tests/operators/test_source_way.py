"""How what stands in sources.yaml and in Airflow's connections becomes the way to a source."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from carewatch.paths import home


def way(kind: str, connection: str) -> Any:
    from operators.source_way import way_to

    return way_to(SimpleNamespace(kind=kind, connection=connection))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the Airflow connection `given`."""
    return lambda **values: monkeypatch.setenv("AIRFLOW_CONN_GIVEN", json.dumps(values))


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("./exports", str(home() / "exports")),
        ("finance/exports", str(home() / "finance" / "exports")),
        ("/srv/exports", "/srv/exports"),
        ("s3://bucket/exports", "s3://bucket/exports"),
    ],
)
def test_a_folder_lies_in_the_installation_wherever_the_worker_runs(
    written: str, reached: str, stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert way("files", written).uri == reached
    stored(conn_type="fs", extra={"path": written, "anon": True})
    assert (way("files", "given").uri, way("files", "given").options) == (reached, {"anon": True})


def test_a_service_by_token_by_login_and_with_headers(stored: Any) -> None:
    stored(conn_type="http", host="desk.example", password="t", extra={"headers": {"X-Firm": "7"}})
    found = way("rest", "given")
    assert (found.uri, found.token, found.login, found.headers) == (
        "https://desk.example",
        "t",
        None,
        {"X-Firm": "7"},
    )
    stored(conn_type="http", schema="http", host="desk.example", port=8443, login="ann", password="p")
    found = way("rest", "given")
    assert (found.uri, found.token, found.login, found.password) == (
        "http://desk.example:8443",
        None,
        "ann",
        "p",
    )
    stored(conn_type="http", host="desk.example", extra={"query": {"key": "hush"}})
    found = way("rest", "given")
    assert (found.query, found.token, found.login) == ({"key": "hush"}, None, None) and "hush" not in repr(
        found
    )
    stored(conn_type="http", host="http://127.0.0.1:99/base", password="t")
    assert way("rest", "given").uri == "http://127.0.0.1:99/base"


@pytest.mark.parametrize("kind", ["files", "rest", "database"])
def test_a_connection_that_is_missing_fails_at_once(kind: str) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="Airflow has no connection 'given'"):
        way(kind, "given")


def test_files_need_a_path(stored: Any) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    stored(conn_type="fs")
    with pytest.raises(AirflowFailException, match="'given' has no 'path' in its extra"):
        way("files", "given")


def test_a_password_with_odd_letters_reaches_the_database(database: str, stored: Any) -> None:
    import sqlalchemy as sa

    from care_sources.dialects import open_database

    url = sa.make_url(database)
    with sa.create_engine(url.set(drivername="postgresql+psycopg")).connect() as admin:
        admin.execute(sa.text("create role odd login password 'p@ss:w/%rd'"))
        admin.commit()
        stored(
            conn_type="postgres", host=url.host, port=url.port, schema=url.database, login="odd", password="p@ss:w/%rd",
            extra={"cursor": {"kind": "dict"}},
        )  # fmt: skip
        with open_database("src", way("database", "given").uri).engine.connect() as connection:
            assert connection.execute(sa.text("select current_user")).scalar() == "odd"
        admin.execute(sa.text("drop role odd"))
        admin.commit()


@pytest.mark.parametrize("host", ["/srv/crm 1.db", "data/crm.db"])
def test_a_sqlite_file_lies_in_the_installation_too(host: str, stored: Any) -> None:
    stored(conn_type="sqlite", host=host)
    assert way("database", "given").uri == "sqlite:///" + str(home() / host).replace(" ", "%20")


def test_a_mysql_connection_becomes_its_uri(stored: Any) -> None:
    stored(
        conn_type="mysql", host="db.example", port=3306, schema="crm", login="odd", password="p@ss:w/%rd",
        extra={"charset": "utf8", "cursor": "sscursor"},
    )  # fmt: skip
    uri = way("database", "given").uri
    assert uri.partition("?")[0] == "mysql://odd:p%40ss%3Aw%2F%25rd@db.example:3306/crm"

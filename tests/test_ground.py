"""The ground the other tests stand on: a private Airflow, a warehouse of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]


def test_airflow_lives_in_a_private_home_and_loads_this_checkout() -> None:
    code = (
        "from airflow.configuration import conf; import os;"
        "print(conf.get('core', 'dags_folder'), conf.get('core', 'plugins_folder'),"
        "conf.get('database', 'sql_alchemy_conn'), conf.getboolean('core', 'load_examples'), sep='\\n')"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    dags, plugins, metadata, examples = shown.stdout.splitlines()[-4:]
    home = os.environ["AIRFLOW_HOME"]
    assert (Path(dags), Path(plugins), examples) == (ROOT / "dags", ROOT / "plugins", "False")
    assert metadata.startswith(f"sqlite:///{home}/")


def test_the_users_own_warehouse_is_out_of_reach() -> None:
    assert "CARE_DB" not in os.environ and "AIRFLOW_CONN_CARE_DB" not in os.environ


def test_each_test_gets_an_empty_database_of_its_own(database: str, warehouse_dsn: str) -> None:
    assert database != warehouse_dsn
    with psycopg.connect(database) as connection:
        count = "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace"
        row = connection.execute(count + " where nspname !~ '^(pg_|information_schema)'").fetchone()
    assert row == (0,)

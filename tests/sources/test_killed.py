"""A landing that is killed half-way leaves nothing to mend: the next run lands everything once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection

ORDERS = """
customers: derived
streams:
  orders:
    from: orders.csv
    fact: order
    key: no
    customer: customer
    event_at: at
    columns: {amount: amount}
"""
# Lands in a process that dies hard when all rows are written and only the load's end is not.
KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from dlt.destinations.job_client_impl import SqlJobClientBase
from care_sources.connection import Connection
from care_sources.landing import land
from tests.store.landed import FIRM, sources

SqlJobClientBase.complete_load = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
text, dsn, folder, work = sys.argv[1:]
land("src", sources(src=text)["src"], firm=FIRM, warehouse_dsn=dsn, secrets=Connection(folder),
     pipelines_dir=Path(work), now=datetime.now(UTC))
"""


def test_a_killed_landing_is_not_read_and_the_next_one_lands_everything(
    make_loader: MakeLoader, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "orders.csv").write_text(
        "no,customer,at,amount\n" + "".join(f"{n},C1,2026-05-01,1\n" for n in range(100))
    )
    loader: Loader = make_loader(ORDERS, Connection(str(folder)))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, ORDERS, loader.dsn, str(folder), str(loader.folder)],
        env={"PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    assert loader.rows("select count(*) from raw_src.orders") == [(100,)]
    assert loader.conform() == {}
    result = loader.load()["src.orders"]
    assert (result.landed, result.new, result.repeated) == (100, 100, 0)
    assert loader.rows("select count(*) from raw_src.orders") == [(200,)]

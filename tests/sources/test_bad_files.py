"""Two hundred bad files through reader, landing and conform: no crash, every row a fact or in quarantine, all counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.bad_files import bad_files
from tests.sources.conftest import MakeLoader

from care_sources.connection import Connection

ORDERS = """
customers: derived
streams:
  orders:
    from: f*.csv*
    fact: order
    key: no
    customer: customer
    event_at: at
    columns: {amount: amount, line: line}
"""


@pytest.mark.req("S10")
def test_every_row_of_two_hundred_bad_files_is_a_fact_or_waits(
    make_loader: MakeLoader, tmp_path: Path
) -> None:
    folder, files = tmp_path / "in", bad_files(seed=20260601, count=200)
    folder.mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.content)
    loader = make_loader(ORDERS, Connection(str(folder)))
    landed = loader.land()
    result = loader.conform()["src.orders"]

    found = dict(loader.rows("select _file, count(*) from raw_src.orders group by 1"))
    assert {file.name: found.get(file.name, 0) for file in files} == {file.name: file.rows for file in files}
    assert landed.rows["orders"] == result.landed == sum(file.rows for file in files)
    assert result.landed == (
        result.new
        + result.changed
        + result.unchanged
        + result.repeated
        + result.filtered
        + result.quarantined
    )
    facts = {row[0] for row in loader.rows("select source_key from care.fact_order where known_to is null")}
    waiting = loader.rows("select data ->> '_file', (data ->> '_line')::int, reason from quarantine.row")
    assert (len(facts), len(waiting)) == (result.new, result.quarantined)
    for file in files:
        became = {key for key in facts if key.startswith(file.name.partition(".")[0] + "-")}
        assert file.good == became if file.exact else file.good <= became, file.name
    # Row by row: each landed place is either of a fact or waits, with a reason.
    places = set(loader.rows("select _file, _line from raw_src.orders"))
    of_facts = set(
        loader.rows(
            "select _file, _line from raw_src.orders where exists ("
            "select from care.fact_order f where f.source_key = care.read_text(no))"
        )
    )
    assert len(places) == result.landed
    assert of_facts | {row[:2] for row in waiting} == places
    assert not of_facts & {row[:2] for row in waiting}
    assert all(reason for *_, reason in waiting)
    assert loader.load()["src.orders"].landed == 0, "read once"

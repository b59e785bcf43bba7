"""Checks in the Dag: a source that one stops waits, the others go on, the run says who answers for it."""

from __future__ import annotations

import pytest
from tests.dags.running import Dags
from tests.dags.supply import first_day
from tests.dags.town import SOURCES, Town

CHECKED = SOURCES.replace(
    "columns: {logins: quiet, active_users: strain, seconds: halt}\n",
    """columns: {logins: quiet, active_users: strain, seconds: halt}
        checks:
          - {check: "logins between 0 and 0", severity: stop}
          - {check: "rows at least 8", severity: stop}
""",
).replace("columns: {name: name, owner", 'checks: ["name in [nobody]"]\n        columns: {name: name, owner')


@pytest.mark.req("S8", "S14")
def test_a_stopped_source_waits_and_the_others_go_on(
    dags: Dags, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first_day(town)
    (town.folder / "config" / "sources.yaml").write_text(CHECKED, encoding="utf-8")
    ran = dags.run("care_ingest", town.at(3, 1.25))
    assert ran.state == "failed", "somebody has to look at it"
    assert ran.tasks["check_sources"] == "failed" and ran.tasks["none_stopped"] == "upstream_failed"
    assert ran.tasks["conform_others[0]"] == "skipped"
    assert (
        ran.tasks["conform_masters[0]"] == ran.tasks["publish_facts"] == ran.tasks["all_loaded"] == "success"
    )
    assert town.firm.rows("select count(*) from care.fact_customer") == [(6,)], "a warning stops nothing"
    assert town.firm.rows("select count(*) from care.fact_usage_day") == [(0,)]
    log = capsys.readouterr().out
    assert "the engine room: mend the feed" in log, "the owner is named"
    assert "--release meter" in log
    ((page,),) = town.firm.rows("select html from care.check_report")
    assert ran.run_id in page and "the engine room" in page

    # the feed is mended: one row more; of its rows those that are odd wait, the good ones go on
    town.firm.rows(
        "insert into meter.usage select 'C6-9', code, at, 0, 0, '0' from meter.usage where no = 'C5-1' returning 1"
    )
    ran = dags.run("care_ingest", town.at(3, 3.25))
    assert ran.state == "success" and set(ran.tasks.values()) == {"success"}
    waiting = (
        "select reason, source_key, field, value from quarantine.row where origin = 'meter.usage' order by 1"
    )
    assert town.firm.rows(waiting) == [
        ("fails the check 'logins between 0 and 0'", "C1-1", "logins", "1"),
        ("not a number", "C6-1", "halt", "full"),
        ("unknown customer", "C7-1", "customer", "C7"),
    ]
    assert town.firm.rows("select count(*) from care.fact_usage_day where known_to is null") == [(5,)]
    states = "select source, state from care.source_check order by source, load_id"
    assert town.firm.rows(states) == [
        ("book", "passed"), ("book", "passed"), ("meter", "stopped"), ("meter", "passed"),
    ]  # fmt: skip

"""Nights, mornings and quarters run by the Dags themselves, with servers that really take the mail."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tests.dags.running import Dags, Ran
from tests.dags.town import Town, day
from tests.firm import changed

WARNED = {"C1": "quiet", "C2": "halt", "C3": "halt"}
"""One customer at each level: a mild signal, a severe one, and a severe one of an A customer."""


def night(dags: Dags, town: Town, number: int, hour: float = 2, **options: object) -> Ran:
    """Run the night of a day of June."""
    return dags.run("care_nightly", town.at(number, hour), day=day(number).isoformat(), **options)


def tick(dags: Dags, town: Town, number: int, hour: float) -> Ran:
    """Run the clock once."""
    return dags.run("care_clock", town.at(number, hour))


def playbooks(town: Town) -> list[tuple[object, ...]]:
    return town.firm.rows(
        "select customer_id, playbook from care.case_playbook join care.care_case using (case_no) "
        "join care.warning using (warning_no) join care.customer using (customer_no) order by 1, 2"
    )


@pytest.mark.req("S130")
def test_a_night_starts_the_playbook_of_each_level_and_the_morning_delivers(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1, **WARNED)
    ran = night(dags, town, 1)
    assert ran.state == "success" and ran.by_state() == {"success": 12, "skipped": 1}
    assert playbooks(town) == [("C1", "level1_callback"), ("C2", "level2_recovery"), ("C3", "level3_rescue")]
    assert town.firm.rows("select state from care.night") == [("sealed",)]
    assert town.arrived() == {}, "nobody is woken at two"

    tick(dags, town, 1, 8.5)
    assert town.outbox().keys() == {
        "warning/ann/mail/warning:3/1", "warning/bob/mail/warning:3/1", "warning/bob/chat/warning:3/1",
        "warning/eve/mail/warning:3/1", "digest/ann/mail/2026-06-01", "digest/lin/mail/2026-06-01",
        "digest/bob/mail/2026-06-01", "digest/bob/chat/2026-06-01",
    }  # fmt: skip
    assert set(town.outbox().values()) == {"sent"}
    assert town.arrived() == dict.fromkeys(town.outbox(), 1)
    assert dict(town.mails())["digest/lin/mail/2026-06-01"] == "lin@tiny.example"

    tick(dags, town, 1, 8 + 4 / 6)
    night(dags, town, 1, 9)
    assert town.arrived() == dict.fromkeys(town.outbox(), 1), "a second tick and the night again send nothing"


def test_only_the_levels_that_lack_a_playbook_are_followed(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1, C2="halt")
    ran = night(dags, town, 1)
    assert {name: state for name, state in ran.tasks.items() if name.startswith("start_")} == {
        "start_level_1": "skipped",
        "start_level_2": "success",
        "start_level_3": "skipped",
    }
    town.dials(2, C2="halt", C3="halt")
    ran = night(dags, town, 2)
    assert (ran.tasks["start_level_2"], ran.tasks["start_level_3"]) == ("skipped", "success")


def test_a_calm_night_skips_the_playbooks_and_still_decides_and_delivers_what_is_due(
    dags: Dags, town: Town
) -> None:
    from carewatch.flow.advance import apply_nights

    town.people()
    town.dials(1, C1="quiet", C2="halt")
    town.firm.judged(day(1))
    # yesterday ended before its playbooks and its decisions; today nothing moves
    town.firm.night(day(1), parts=(apply_nights,))
    town.dials(2, C1="quiet", C2="halt")
    assert town.outbox() == {}
    ran = night(dags, town, 2, 8.5)
    assert ran.state == "success"
    assert town.firm.rows("select count(*) from care.warning_event") == [(2,)], "nothing moved tonight"
    assert len(town.outbox()) == 4 and town.arrived() == dict.fromkeys(town.outbox(), 1)

    town.dials(3, C1="quiet", C2="halt")
    calm = night(dags, town, 3, 8.5)
    assert calm.state == "success"
    assert {name for name, state in calm.tasks.items() if state == "skipped"} == {
        "start_level_1", "start_level_2", "start_level_3", "announce_hold",
    }  # fmt: skip
    assert [calm.tasks[name] for name in ("decide_notices", "seal_night", "deliver_outbox")] == [
        "success"
    ] * 3


def test_a_night_on_which_nobody_is_warned_at_all(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1)
    ran = night(dags, town, 1)
    assert ran.by_state() == {"success": 9, "skipped": 4}
    assert town.firm.rows("select state, notifies from care.night") == [("sealed", True)]


def test_a_run_without_a_logical_date_takes_its_day_from_the_moment_it_was_due(
    dags: Dags, town: Town
) -> None:
    """As an asset or the API starts it; 20:00 UTC on the first is the second in the firm's zone."""
    town.people()
    town.dials(2, C2="halt")
    due = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)
    town.firm.clock_at(due)
    ran = dags.run("care_nightly", None, at=due, scheduled=False)
    assert ran.state == "success"
    assert town.firm.rows("select day, state, notifies from care.night") == [(day(2), "sealed", True)]
    assert town.firm.rows("select at from care.warning_event") == [(due,)]
    clock = dags.run("care_clock", None, at=due + timedelta(minutes=10), scheduled=False)
    assert clock.state == "success"


@pytest.mark.req("D21")
def test_a_backfill_run_is_history_and_tells_nobody(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1, **WARNED)
    ran = night(dags, town, 1, 9, backfill=True)
    assert (ran.state, ran.tasks["deliver_outbox"]) == ("success", "skipped")
    assert town.firm.rows("select state, notifies from care.night") == [("sealed", False)]
    assert town.firm.rows("select distinct send, reason from care.notice_decision") == [
        (False, "the night lies in the past: nobody is told")
    ]
    assert town.outbox() == {} and town.arrived() == {}


def broken(town: Town, name: str, text: str) -> None:
    (town.folder / "config" / name).write_text(text, encoding="utf-8")


def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    captured = capfd.readouterr()
    return captured.out + captured.err + caplog.text


def test_a_mistake_in_the_configuration_fails_at_once_and_says_where(
    dags: Dags, town: Town, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    town.people()
    broken(town, "levels.yaml", "version: 1\nlevls: {}\n")
    broken(town, "tiers.yaml", "version: 1\nby: scroe\n")
    ran = night(dags, town, 1, tries=3)
    assert ran.state == "failed"
    assert (ran.tasks["open_night"], ran.tries["open_night"]) == ("failed", 1), "trying again cannot mend it"
    assert ran.tasks["deliver_outbox"] == "upstream_failed"
    assert town.firm.rows("select count(*) from care.night") == [(0,)]
    log = said(caplog, capfd)
    assert "the configuration cannot be used:" in log
    assert "levels.yaml:2:1" in log and "tiers.yaml:2:5" in log, "every problem, not only the first"

    ran = dags.run("care_clock", town.at(1, 9), tries=3)
    assert (ran.tasks["advance_care"], ran.tries["advance_care"]) == ("failed", 1)


def test_a_mistake_that_only_shows_at_work_fails_at_once_too(
    dags: Dags, town: Town, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    town.people()
    ran = dags.run("care_nightly", town.at(1, 2), day=day(2).isoformat(), tries=3)
    assert (ran.tasks["open_night"], ran.tries["open_night"]) == ("failed", 1)
    assert "the night of 2026-06-02 has not come yet: today is 2026-06-01" in said(caplog, capfd)

    literal = "select customer_no, 1 / sum(amount - amount) as value from fact_order group by customer_no"
    broken(
        town, "metrics/own.yaml",
        f"version: 1\nmetrics:\n  odd: {{label: Odd, kind: sql, owner: x, sql: '{literal}'}}\n",
    )  # fmt: skip
    town.firm.facts.add("order", "C1", town.at(1, 1), amount=1)
    ran = night(dags, town, 2, tries=3)
    assert (ran.tasks["measure_metrics"], ran.tries["measure_metrics"]) == ("failed", 1)
    assert "metric odd: division by zero" in said(caplog, capfd)


def test_a_mistake_in_the_sources_fails_at_once_and_says_where(
    dags: Dags, town: Town, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    broken(town, "sources.yaml", "version: 1\nsources:\n  book: {kind: flies}\n")
    for dag_id, task in (("care_nightly", "wait_for_sources"), ("care_ingest", "find_due_masters")):
        ran = dags.run(dag_id, town.at(1, 2), tries=3)
        assert (ran.state, ran.tasks[task], ran.tries[task]) == ("failed", "failed", 1)
        assert "sources.yaml:3:" in said(caplog, capfd)


def test_a_night_waits_for_late_sources_and_then_goes_on_and_notes_them(dags: Dags, town: Town) -> None:
    town.people()
    town.firm.rows("delete from care.load where origin like 'meter.%%' returning 1")
    town.dials(1, C2="halt")
    sensor = dags["care_nightly"].get_task("wait_for_sources").prepare_for_execution()
    sensor.now = town.at(1, 2).isoformat()
    just_begun = {"dag_run": SimpleNamespace(start_date=datetime.now(UTC))}
    long_ago = {"dag_run": SimpleNamespace(start_date=datetime.now(UTC) - timedelta(hours=1))}
    assert not sensor.poke(just_begun).is_done
    after = sensor.poke(long_ago)
    assert (after.is_done, after.xcom_value) == (True, ["meter"])

    assert night(dags, town, 1).state == "success"
    assert town.firm.rows("select late_sources, state from care.night") == [(["meter"], "sealed")]


def test_a_held_night_moves_nobody_and_the_run_succeeds(dags: Dags, town: Town) -> None:
    levels = changed("levels.yaml", ("hold_if_more_than: 100", "hold_if_more_than: 30"))
    broken(town, "levels.yaml", levels["levels.yaml"])
    town.people()
    for number in (1, 2, 3):
        town.dials(number)
        town.firm.night(day(number))
    town.dials(4, C1="halt", C2="halt")
    ran = night(dags, town, 4, 9)
    assert (ran.state, ran.tasks["start_level_2"]) == ("success", "skipped")
    assert town.firm.rows("select state from care.night order by day") == [("sealed",)] * 3 + [("held",)]
    assert town.outbox() == {"hold/engineers/mail/night:2026-06-04": "sent"}, "no account owner hears"
    assert town.firm.rows("select count(*) from care.warning") == [(0,)]


def test_a_mail_server_that_is_down_fails_no_night_and_its_mails_arrive_later(
    dags: Dags, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.people()
    town.dials(1, C2="halt")
    working = {"AIRFLOW_CONN_CARE_MAIL": "smtp://127.0.0.1:1", "AIRFLOW_CONN_CARE_CHAT": "http://127.0.0.1:1"}
    with monkeypatch.context() as down:
        for name, value in working.items():
            down.setenv(name, value)
        assert night(dags, town, 1, 9).state == "success"
    assert set(town.outbox().values()) == {"waiting"} and town.arrived() == {}
    assert tick(dags, town, 1, 9.5).state == "success"
    assert set(town.outbox().values()) == {"sent"}
    assert town.arrived() == dict.fromkeys(town.outbox(), 1)


def test_a_quarter_is_reviewed_and_reviewing_it_again_replaces_its_report(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1, **WARNED)
    night(dags, town, 1)
    reports = []
    for after, options in ((day(35), {}), (day(35), {}), (day(130), {"day": "2026-07-01"})):
        moment = town.firm.moment(after, 6)
        town.firm.clock_at(moment)
        assert dags.run("care_review", moment, **options).state == "success"
        [(quarter, report)] = town.firm.rows("select quarter, report from care.review")
        assert quarter == "2026-Q2" and "from 2026-04-01 to before 2026-07-01" in report
        reports.append(report)
    assert reports[0] == reports[1] and "3 still open" in reports[0]
    assert "0 still open" in reports[2], "an older quarter, with all that is known by now"
    early = dags.run("care_review", town.firm.moment(day(35), 6), day="2026-10-01", tries=3)
    assert (early.state, early.tries) == ("failed", {"review_quarter": 1})

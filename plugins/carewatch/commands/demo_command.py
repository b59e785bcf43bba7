"""`care demo`: the whole system on one machine, with a firm of its own."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from carewatch import paths
from carewatch.commands.console import Mistake, Progress, language_argument, tell
from carewatch.spec.saying import said
from carewatch.store import embedded
from carewatch.store.database import Connection, connect
from carewatch.store.migrations import migrate

_PORT = 8080
_LONGEST_START = 180
AIRFLOW = (
    ("api-server",),
    ("dag-processor",),
    ("scheduler", "--skip-serve-logs"),
    ("triggerer", "--skip-serve-logs"),
)
"""What `airflow standalone` starts, without the servers of logs, which would listen to other machines."""
HELP = "start the embedded warehouse and a demo firm, run ingest, night and clock, and show what a user sees"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=("next-day", "stop", "reset"),
        help="live one more day; stop; remove everything",
    )
    parser.add_argument(
        "--ui", action="store_true", help="then open Airflow on this machine with the same data"
    )
    language_argument(parser, "en")


def run(chosen: argparse.Namespace) -> int:
    from care_demo import ticket_process

    folder = paths.home() / ".care"
    if chosen.what in ("stop", "reset"):
        ticket_process.stop(folder / "demo" / "tickets")
        embedded.stop(folder / "warehouse")
        if chosen.what == "reset":
            import shutil

            embedded.destroy(folder / "warehouse")
            shutil.rmtree(folder, ignore_errors=True)
        tell(chosen, said("the demo is stopped") if chosen.what == "stop" else said("the demo is removed"))
        return 0
    from care_demo.dag_runs import DagFailed

    try:
        return _play(folder, chosen)
    except DagFailed as failed:
        print(failed, file=sys.stderr)
        return 1


def _play(folder: Path, chosen: argparse.Namespace) -> int:
    from care_demo import stage as stages
    from care_demo.firm import simulate
    from care_demo.publish import publish, write_truth
    from care_demo.receivers import receiving
    from care_demo.show import picture
    from care_demo.ticket_process import ensure_running, token_file

    next_day, pages, progress = chosen.what == "next-day", chosen.ui, Progress(chosen.language)
    demo = folder / "demo"
    demo.mkdir(parents=True, exist_ok=True, mode=0o700)
    progress(said("start the embedded PostgreSQL server"))
    dsn = embedded.start(folder / "warehouse")
    stage = stages.Stage(demo, paths.home(), dsn)
    if stage.reached() is None and _is_left_over(dsn):
        progress(said("remove the warehouse that an earlier demo left behind"))
        embedded.destroy(folder / "warehouse")
        dsn = embedded.start(folder / "warehouse")
        stage = stages.Stage(demo, paths.home(), dsn)
    with connect(dsn, autocommit=True) as connection, receiving(demo) as receivers:
        migrate(connection)
        progress(said("simulate the demo firm: 400 customers, 30 months"))
        firm = simulate()
        write_truth(firm, folder / "truth.csv")
        days = stages.days_to_live(firm, stage.reached(), next_day=next_day)
        if days[-1] > firm.end:
            raise Mistake(
                said("the demo firm's life ends on {day}; `care demo reset` begins anew", day=firm.end)
            )
        known_before = stage.reached() is not None and not next_day
        publish(firm, demo, sales_dsn=stage.sales_dsn, upto=stages.at(days[0], 1, 30))
        variables = stages.environment(
            stage,
            ticket_url=ensure_running(demo / "tickets"),
            ticket_token=token_file(demo / "tickets").read_text(encoding="utf-8").strip(),
            receivers=receivers,
            chat_secret=secrets.token_urlsafe(16),
        )
        variables |= _reached_directly()
        stages.apply(variables)
        progress(said("load Airflow and the Dags"))
        from care_demo.dag_runs import Dags

        dags = Dags(paths.home() / "dags", demo / "airflow.log")
        before = _counts(connection)
        for day in days:
            publish(firm, demo, sales_dsn=stage.sales_dsn, upto=stages.at(day, 1, 30))
            for dag_id, now in (
                ("care_ingest", stages.at(day, 1, 30)),
                ("care_nightly", stages.at(day, 2)),
                ("care_clock", stages.at(day, 8, 30)),
                ("care_clock", stages.at(day, 17, 50)),
            ):
                progress(f"{day}  {dag_id} at {now:%H:%M}")
                _pin(connection, now)
                conf = {"now": now.isoformat()} | (
                    {"day": day.isoformat()} if dag_id == "care_nightly" else {}
                )
                dags.run(dag_id, conf)
            stage.reach(day)
        progress.done()
        after = _counts(connection)
        print("\n".join(picture(connection, days[-1], demo, chosen.language)))
        if known_before:
            print()
            tell(
                chosen,
                said("This demo was there before: running its last day again changed nothing.")
                if before == after
                else said(
                    "This demo was there before: running its last day again changed something, which it must not."
                ),
            )
        _tell_where(demo, chosen)
        return _serve(variables, demo) if pages else 0


def _reached_directly() -> dict[str, str]:
    """Return the settings by which the demo's own servers are reached whatever proxy the user has."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    direct = ",".join(filter(None, (named, "127.0.0.1")))
    return {"NO_PROXY": direct, "no_proxy": direct}


def _is_left_over(dsn: str) -> bool:
    """Return whether a demo has lived in this warehouse: only a demo pins the clock.

    Root's data lie outside the checkout, so that they outlive a checkout that was deleted and made again.
    """
    with connect(dsn, autocommit=True) as connection:
        made = connection.execute("select to_regclass('care.pinned_clock') is not null").fetchone()
        return bool(made and made[0]) and (
            connection.execute("select 1 from care.pinned_clock").fetchone() is not None
        )


def _pin(connection: Connection, now: datetime) -> None:
    """Set the warehouse's clock to the demo's own time; it never runs backwards."""
    connection.execute(
        "insert into care.pinned_clock (at) values (%s) on conflict (only_row) do update set at = greatest(pinned_clock.at, excluded.at)",
        (now,),
    )


_WATCHED = (
    "fact_order",
    "fact_invoice",
    "signal",
    "warning",
    "warning_event",
    "care_task",
    "notice_decision",
    "outbox",
    "night",
)


def _counts(connection: Connection) -> dict[str, int]:
    counts = {}
    for table in _WATCHED:
        row = connection.execute(f"select count(*) from care.{table}".encode()).fetchone()  # noqa: S608 - our own names
        counts[table] = int(row[0]) if row else 0
    return counts


def _tell_where(demo: Path, chosen: argparse.Namespace) -> None:
    home = paths.home()
    shown = demo.relative_to(home) if demo.is_relative_to(home) else demo
    print()
    if chosen.ui:
        tell(chosen, said("Starting Airflow ..."))
        return
    for line in (
        said("What next"),
        said("  care explain CUSTOMER          why a customer stands where it stands"),
        said("  {folder}/mail/*.eml          the mails that were delivered", folder=shown),
        said("  care demo next-day             live one more day"),
        said("  make demo UI=1                 the same data in Airflow"),
        said("  care demo stop | reset         stop the servers | remove everything"),
    ):
        tell(chosen, line)


def _serve(variables: dict[str, str], demo: Path) -> int:
    from care_demo.stage import password_file

    programs, port = Path(sys.executable).parent, _free_port()
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
    }
    # A stop that comes as a signal ends Airflow as Ctrl-C does: its processes must not outlive us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running: list[subprocess.Popen[bytes]] = []
    with (demo / "pages.log").open("ab") as log:
        try:
            for part in AIRFLOW:
                running.append(
                    subprocess.Popen(  # noqa: S603 - our own interpreter's Airflow
                        [str(programs / "airflow"), *part],
                        env=environment, stdout=log, stderr=log, start_new_session=True,
                    )
                )  # fmt: skip
                if part == AIRFLOW[0]:  # it writes down the secrets that the others share
                    _wait_for_pages(running[0], port)
            print(
                f"Airflow: http://127.0.0.1:{port}   user admin, password {password_file(demo)[1]}",
                flush=True,
            )
            print(
                "(Ctrl-C stops it; schedules are paused, `care demo next-day` moves the demo's day)",
                flush=True,
            )
            while all(one.poll() is None for one in running):
                time.sleep(1)
            raise Mistake("a part of Airflow ended; the last lines of .care/demo/pages.log say why")
        except KeyboardInterrupt:
            return 0
        finally:
            for one in running:
                if one.poll() is None:
                    os.killpg(one.pid, signal.SIGTERM)
            for one in running:
                one.wait(timeout=60)


def _free_port() -> int:
    """Return the first port from 8080 on that nobody listens at."""
    for port in range(_PORT, _PORT + 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise Mistake(f"all ports from {_PORT} to {_PORT + 99} are taken")


def _wait_for_pages(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(_LONGEST_START):
        if server.poll() is not None:
            raise Mistake("Airflow did not start; the last lines of .care/demo/pages.log say why")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(1)
    raise Mistake(
        f"Airflow did not answer on port {port} within {_LONGEST_START} seconds; see .care/demo/pages.log"
    )

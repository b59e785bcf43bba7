"""`care checks`: what did the checks of landed data find, and let a stopped source through."""

from __future__ import annotations

import argparse
import getpass
from dataclasses import asdict
from pathlib import Path

from carewatch.commands.console import Mistake, config_argument, json_argument, print_json, warehouse
from carewatch.flow.check_report import report
from carewatch.paths import config
from carewatch.spec.problems import nearest
from carewatch.spec.sources import Sources, load_sources
from carewatch.store import check_results
from carewatch.store.check_results import Checked, Result
from carewatch.store.database import Connection

HELP = "show what the checks of landed data found, or let a stopped source through"
_LISTED = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--run",
        dest="run_id",
        metavar="RUN",
        help="the run whose results to show (default: the last that checked)",
    )
    which.add_argument(
        "--runs", action="store_true", help=f"list the last {_LISTED} runs that checked something"
    )
    which.add_argument("--release", metavar="SOURCE", help="let what is stopped of a source become facts")
    parser.add_argument("--why", metavar="REASON", help="why it may: kept with your name")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page of the results to a file")
    parser.add_argument("--language", choices=("en", "zh-CN"), default="en", help="language of messages")
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    sources = load_sources(chosen.config or config())
    with warehouse() as connection:
        if chosen.release:
            return _release(connection, sources, chosen)
        runs = check_results.runs(connection, limit=_LISTED)
        if chosen.runs:
            for run_id, at in runs:
                print(f"{at:%Y-%m-%d %H:%M} UTC  {run_id}")
            return 0
        if not runs:
            raise Mistake("nothing was checked yet; write checks in sources.yaml, then care_ingest asks them")
        run_id = chosen.run_id or runs[0][0]
        checked = check_results.checked_in(connection, run_id)
        if not checked:
            near = nearest(run_id, [one for one, _ in runs])
            raise Mistake(f"no results of the run '{run_id}'" + (f"; did you mean {near}?" if near else ""))
        results = check_results.results_of(connection, run_id)
        if chosen.html:
            chosen.html.write_text(
                report(connection, sources, run_id, language=chosen.language) or "", encoding="utf-8"
            )
    if chosen.json:
        print_json(
            {
                "run": run_id,
                "loads": [asdict(one) for one in checked],
                "results": [asdict(one) for one in results],
            }
        )
    else:
        _print(checked, results, sources, chosen.language)
    return 1 if any(one.state == "stopped" for one in checked) else 0


def _release(connection: Connection, sources: Sources, chosen: argparse.Namespace) -> int:
    if chosen.release not in sources.sources:
        near = nearest(chosen.release, sources.sources)
        raise Mistake(f"there is no source '{chosen.release}'" + (f"; did you mean {near}?" if near else ""))
    if not (chosen.why or "").strip():
        raise Mistake("say why with --why REASON: it is kept with your name")
    released = check_results.release(connection, chosen.release, by=getpass.getuser(), why=chosen.why.strip())
    if not released:
        raise Mistake(f"nothing of {chosen.release} is stopped")
    print(f"{chosen.release}: load {', '.join(released)} becomes facts in the next run of care_ingest")
    return 0


def _print(checked: list[Checked], results: list[Result], sources: Sources, language: str) -> None:
    for one in checked:
        source = sources.sources.get(one.source)
        owner = f", answered for by {source.owner}" if source else ""
        print(f"{one.source} load {one.load_id}{owner}: {one.state}")
        for result in results:
            if (result.source, result.load_id) == (one.source, one.load_id):
                stops = " (stops)" if result.stops else ""
                print(
                    f"  {result.outcome:7} {result.stream}: {result.check_text}{stops}: {result.message[language]}"
                )

"""`care load`: load the files of a configuration's sources into the warehouse, without Airflow."""

from __future__ import annotations

import argparse
from pathlib import Path

from carewatch import paths
from carewatch.commands.console import Mistake, Progress, config_argument, dsn, json_argument, print_json
from carewatch.commands.loading import load_files
from carewatch.spec.sources import load_sources
from carewatch.store.database import connect

HELP = "load new and changed files of the sources of files; what care_ingest does, for a firm without Airflow"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="the folder with all files (default: what sources.yaml says)",
    )
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    sources, progress = load_sources(chosen.config or paths.config()), Progress()
    if chosen.data is not None and not chosen.data.is_dir():
        raise Mistake(f"there is no folder {chosen.data}")
    others = [name for name, source in sources.sources.items() if source.kind != "files"]
    if others:
        raise Mistake(
            f"`care load` reads files; {', '.join(others)} needs Airflow's connections: run care_ingest"
        )
    address = dsn()
    with connect(address, autocommit=True) as connection:
        row = connection.execute("select care.clock()").fetchone()
        assert row is not None
        counts = load_files(
            connection, sources, dsn=address, folder=chosen.data and chosen.data.resolve(), now=row[0],
            progress=progress, must_bring=False,
        )  # fmt: skip
    progress.done()
    if chosen.json:
        print_json(counts)
    else:
        for origin, numbers in counts.items():
            told = [f"{count:,} {name}" for name, count in numbers.items() if count and name != "history"]
            print(f"{origin}: {', '.join(told) or 'nothing new'}")
    return 0

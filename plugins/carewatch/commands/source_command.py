"""`care source`: look at a source before it is connected."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from carewatch import paths
from carewatch.commands.console import Mistake, config_argument
from carewatch.commands.draft_text import draft_text
from carewatch.spec.facts import FACTS
from carewatch.spec.source_draft import draft

if TYPE_CHECKING:
    from care_sources.sample import Sample

HELP = "look at a table, a file or an endpoint and draft its mapping"

_DATABASES = ("postgres", "postgresql", "mysql", "mariadb", "sqlite")
_SQLITE_FILES = (".db", ".sqlite", ".sqlite3")
_KINDS = {
    "http": "rest",
    "https": "rest",
    **dict.fromkeys(("postgres", "postgresql", "mysql", "sqlite"), "database"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    inspect = actions.add_parser(
        "inspect", help=HELP, description=f"{HELP}: ready to paste into sources.yaml"
    )
    inspect.add_argument(
        "target",
        metavar="SOURCE",
        help="a source of sources.yaml, an Airflow connection, a file, a folder, or an address (postgresql://, mysql://, "
        "sqlite:///, http://, s3://)",
    )
    inspect.add_argument("--table", help="the table or view of a database")
    inspect.add_argument("--schema", help="the schema that the table lies in")
    inspect.add_argument("--file", metavar="PATTERN", help="the file of a folder")
    inspect.add_argument("--sheet", help="the sheet of a workbook (default: the first)")
    inspect.add_argument("--endpoint", help="the path of a service")
    inspect.add_argument(
        "--fact", choices=tuple(FACTS), metavar="FACT", help="what its rows are, where the guess is wrong"
    )
    config_argument(inspect)


def run(chosen: argparse.Namespace) -> int:
    from care_sources.connection import SourceError

    try:
        kind, connection, sample = _look(chosen)
    except SourceError as error:
        raise Mistake(str(error)) from None
    made = draft(sample.name, sample.headings, sample.rows, fact=chosen.fact)
    print(draft_text(made, sample, kind=kind, connection=connection), end="")
    if not made.usable:
        print("this draft lacks what a stream needs: see the lines marked with ?", file=sys.stderr)
    return 0 if made.usable else 1


def _look(chosen: argparse.Namespace) -> tuple[str, str, Sample]:
    """Return the kind of source, the connection that its mapping has to name, and what was seen."""
    from care_sources.connection import Connection
    from care_sources.sample import choose_file, sample_file, sample_table

    target: str = chosen.target
    path = Path(target)
    if path.is_file() and path.suffix.lower() in _SQLITE_FILES:
        uri = f"sqlite:///{path.resolve()}"
        return "database", f"care_{_name(path.stem)}", sample_table(target, uri, chosen.table, chosen.schema)
    if path.exists():
        folder, pattern = (path, chosen.file) if path.is_dir() else (path.parent, path.name)
        file = choose_file(target, Connection(uri=str(folder.resolve())), pattern)
        return (
            "files",
            f"./{folder}" if not folder.is_absolute() else str(folder),
            sample_file(target, file, chosen.sheet),
        )
    scheme = urlsplit(target).scheme.partition("+")[0]
    if scheme in _DATABASES:
        name = _name(urlsplit(target).path.rpartition("/")[2].partition(".")[0] or scheme)
        return "database", f"care_{name}", sample_table(scheme, target, chosen.table, chosen.schema)
    if scheme in ("http", "https"):
        return _service(
            Connection(uri=f"{scheme}://{urlsplit(target).netloc}"), chosen, urlsplit(target).path
        )
    return _known(chosen)


def _service(
    way: object, chosen: argparse.Namespace, path: str, connection: str | None = None
) -> tuple[str, str, Sample]:
    from care_sources.sample import sample_endpoint

    endpoint = chosen.endpoint or path.lstrip("/")
    if not endpoint:
        raise Mistake("which endpoint? Say --endpoint, such as api/tickets")
    where = connection or urlsplit(chosen.target).hostname or "service"
    return "rest", connection or f"care_{_name(where)}", sample_endpoint(where, way, endpoint)  # type: ignore[arg-type]


def _known(chosen: argparse.Namespace) -> tuple[str, str, Sample]:
    """Look at what sources.yaml or Airflow knows under this name."""
    from care_sources.sample import choose_file, sample_file, sample_table
    from carewatch.spec.sources import load_sources

    target: str = chosen.target
    sources = load_sources(chosen.config or paths.config()).sources
    source = sources.get(target) or SimpleNamespace(kind=_kind_of(target), connection=target)
    way = _way(source)
    match source.kind:
        case "database":
            schema = chosen.schema or getattr(source, "schema_", None)
            return "database", source.connection, sample_table(target, way.uri, chosen.table, schema)
        case "rest":
            return _service(way, chosen, "", source.connection)
        case _:
            file = choose_file(target, way, chosen.file)
            return "files", source.connection, sample_file(target, file, chosen.sheet)


def _kind_of(target: str) -> str:
    if "/" in target:
        if "://" in target:
            return "files"
        raise Mistake(f"there is no file or folder {target}")
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = BaseHook.get_connection(target)
    except AirflowNotFoundException:
        raise Mistake(
            f"'{target}' is no source of sources.yaml, no Airflow connection, no file and no address"
        ) from None
    return _KINDS.get(found.conn_type or "", "files")


def _way(source: object):  # type: ignore[no-untyped-def]
    from airflow.sdk.exceptions import AirflowFailException

    from operators.source_way import way_to

    try:
        return way_to(source)
    except AirflowFailException as error:
        raise Mistake(str(error)) from None


def _name(text: str) -> str:
    return re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_") or "source"

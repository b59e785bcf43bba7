"""`care quarantine`: which rows could be no facts, why, and what to do about them."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping, Sequence
from typing import Any, Final

from carewatch import paths
from carewatch.commands.console import Mistake, config_argument, json_argument, print_json, warehouse
from carewatch.spec.facts import Privacy
from carewatch.spec.privacy import masked, privacy_of
from carewatch.spec.sources import Sources, load_sources, plans
from carewatch.store import quarantine
from carewatch.store.conform import CannotReplay, replay
from carewatch.store.conform_checks import DUPLICATE_KEY, SUSPICIOUS_SNAPSHOT, UNKNOWN_CUSTOMER
from carewatch.store.database import Connection
from carewatch.store.quarantine import WaitingRow

HELP = "list, show, replay or drop rows that wait because they could be no facts"
_JUDGED: Final = (DUPLICATE_KEY, SUSPICIOUS_SNAPSHOT)
_ADVICE: Final = {
    UNKNOWN_CUSTOMER: "it loads by itself when the customer arrives; is the customer missing in the master?",
    DUPLICATE_KEY: "another row of the same file with this key is believed; replay this one to believe it instead, or drop it",
    SUSPICIOUS_SNAPSHOT: "look whether the source is whole: a whole snapshot settles this by itself; "
    "if the rows really were deleted, replay this entry and they end",
}
_BY_CHECK: Final = "a check in sources.yaml holds it back: correct the row at its source, or replay it if it is right all the same"
_UNREADABLE: Final = (
    "nobody can read this line: correct the file, which is read again when it changes; a replay cannot help"
)
_OTHERWISE: Final = (
    "correct the row at its source, and it comes again with the next load; or correct the mapping or its bounds in "
    "sources.yaml, then replay"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "replay", "drop"))
    parser.add_argument(
        "rows", nargs="*", type=int, metavar="ROW", help="numbers of rows, as `list` shows them"
    )
    parser.add_argument("--source", help="only rows of this source, or of one stream (source.stream)")
    parser.add_argument("--reason", help="only rows that wait for this reason, as `list` shows it")
    parser.add_argument(
        "--limit", type=int, default=50, help="how many rows `list` shows at most (default: 50)"
    )
    parser.add_argument("--because", metavar="TEXT", help="drop: why these rows are given up")
    parser.add_argument("--by", default=None, metavar="WHO", help="who decides (default: the login name)")
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    sources = load_sources(chosen.config or paths.config())
    actions = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}
    with warehouse() as connection:
        return actions[chosen.action](connection, sources, chosen)


def _list(connection: Connection, sources: Sources, chosen: argparse.Namespace) -> int:
    counts = quarantine.counts(connection, chosen.source, chosen.reason)
    filtered = chosen.source is not None or chosen.reason is not None
    rows = (
        quarantine.find_rows(connection, chosen.source, chosen.reason, limit=chosen.limit) if filtered else []
    )
    shown = [_shown(row, sources) for row in rows]
    if chosen.json:
        named = [dict(zip(("stream", "reason", "rows", "oldest"), count, strict=True)) for count in counts]
        print_json({"counts": named, "rows": shown})
        return 0
    for origin, reason, number, oldest in counts:
        print(f"{number:8}  {origin}  {reason}  (since {oldest:%Y-%m-%d %H:%M})")
    for one in shown:
        print(f"row {one['row']}  {one['place'] or one['stream']}  {one['reason']}{_said(one)}")
    if not counts:
        print("no row waits")
    elif not filtered:
        print("rows: care quarantine list --source SOURCE --reason REASON; one: care quarantine show ROW")
    elif len(shown) < sum(count[2] for count in counts):
        print(f"the oldest {len(shown)} are shown; --limit shows more")
    return 0


def _show(connection: Connection, sources: Sources, chosen: argparse.Namespace) -> int:
    rows = [_shown(row, sources, whole=True) for row in _named(connection, chosen)]
    if chosen.json:
        print_json(rows)
        return 0
    for one in rows:
        print(
            f"row {one['row']} of {one['stream']}, {one['state']}; caught {one['caught_at']:%Y-%m-%d %H:%M} in load {one['load']}"
        )
        print(f"  answered for by  {one['owner'] or 'nobody: the source is no longer in sources.yaml'}")
        print(f"  place            {one['place'] or 'the source itself'}")
        print(f"  reason           {one['reason']}{_said(one)}")
        for name, value in one["values"].items():
            print(f"    {name} = {value}")
        if one["settled_why"]:
            print(
                f"  settled          {one['settled_why']}"
                + (f", by {one['settled_by']}" if one["settled_by"] else "")
            )
        else:
            print(f"  what to do       {one['advice']}")
            print(
                f'                   care quarantine replay {one["row"]}, or care quarantine drop {one["row"]} --because "…"'
            )
    return 0


def _replay(connection: Connection, sources: Sources, chosen: argparse.Namespace) -> int:
    rows = _chosen(connection, chosen)
    by_source: dict[str, list[int]] = {}
    for row in rows:
        by_source.setdefault(row.origin.partition(".")[0], []).append(row.row_no)
    gone = sorted(set(by_source) - set(sources.sources))
    if gone:
        raise Mistake(f"sources.yaml has no source {', '.join(gone)}; drop its rows, or bring it back")
    by = chosen.by or getpass.getuser()
    for name, numbers in by_source.items():
        try:
            with connection.transaction():
                replay(connection, name, sources.sources[name], sources.firm, numbers, by=by)
                quarantine.note_replay(connection, numbers, by=by)
        except CannotReplay as error:
            raise Mistake(str(error)) from None
    after = quarantine.get_rows(connection, [row.row_no for row in rows])
    still = [row for row in after if row.state == "waiting"]
    states = {state: sum(row.state == state for row in after) for state in ("loaded", "dropped", "waiting")}
    if chosen.json:
        print_json({**states, "still_waiting": [_shown(row, sources) for row in still]})
    else:
        print(
            f"{states['loaded']} rows became facts, {states['dropped']} were overruled by newer ones or are no business of "
            f"their stream, {states['waiting']} still wait"
        )
        for row in still[: chosen.limit]:
            one = _shown(row, sources)
            print(f"row {one['row']}  {one['place'] or one['stream']}  {one['reason']}{_said(one)}")
    return 1 if still else 0


def _drop(connection: Connection, sources: Sources, chosen: argparse.Namespace) -> int:
    if not (chosen.because or "").strip():
        raise Mistake('say why: care quarantine drop ROW --because "test data"')
    rows = [row.row_no for row in _chosen(connection, chosen)]
    done = quarantine.drop(connection, rows, by=chosen.by or getpass.getuser(), why=chosen.because.strip())
    print_json({"dropped": done}) if chosen.json else print(
        f"{done} rows dropped; they are kept, with the reason"
    )
    return 0


def _named(connection: Connection, chosen: argparse.Namespace) -> list[WaitingRow]:
    if not chosen.rows:
        raise Mistake(
            f"which row? care quarantine {chosen.action} ROW; see: care quarantine list --source SOURCE"
        )
    found = quarantine.get_rows(connection, chosen.rows)
    unknown = sorted(set(chosen.rows) - {row.row_no for row in found})
    if unknown:
        raise Mistake(
            f"there is no row {', '.join(map(str, unknown))}; see: care quarantine list --source SOURCE"
        )
    return found


def _chosen(connection: Connection, chosen: argparse.Namespace) -> Sequence[WaitingRow]:
    """Return the rows to work on: those named, or those of a source or reason; a person's judgement is never guessed."""
    if chosen.rows:
        found = _named(connection, chosen)
        settled = [row.row_no for row in found if row.state != "waiting"]
        if settled:
            raise Mistake(
                f"row {', '.join(map(str, settled))} does not wait any more; see: care quarantine show {settled[0]}"
            )
        return found
    if chosen.source is None and chosen.reason is None:
        raise Mistake(f"which rows? care quarantine {chosen.action} ROW, or --source, or --reason")
    found = quarantine.find_rows(connection, chosen.source, chosen.reason)
    if chosen.reason is None:
        found = [row for row in found if row.reason not in _JUDGED and not row.by_check]
    if not found:
        raise Mistake(
            "no such row waits (duplicates, suspicious snapshots and rows held by checks want their number or --reason)"
        )
    return found


def _shown(row: WaitingRow, sources: Sources, *, whole: bool = False) -> dict[str, Any]:
    """Return a row as a listing may show it: values as the class of their column allows."""
    source_name, _, stream = row.origin.partition(".")
    source = sources.sources.get(source_name)
    classes: Mapping[str, Privacy] = {}
    if source is not None:
        classes = next(
            (privacy_of(plan) for plan in plans(source_name, source, sources.firm) if plan.name == stream), {}
        )
    free = row.reason == SUSPICIOUS_SNAPSHOT
    shown = {
        "row": row.row_no,
        "stream": row.origin,
        "place": row.place
        if row.place != row.key
        else f"{row.origin} key {masked(row.key, classes.get('key', Privacy.PERSONAL))}",
        "reason": row.reason,
        "field": row.field,
        "value": masked(
            row.value, Privacy.PUBLIC if free else classes.get(row.field or "", Privacy.PERSONAL)
        ),
    }
    if not whole:
        return shown
    values = {
        name: masked(value, classes.get(name, Privacy.PERSONAL))
        for name, value in row.data.items()
        if name[0] != "_"
    }
    return {
        **shown,
        "owner": source.owner if source else None,
        "load": row.load_id,
        "state": row.state,
        "caught_at": row.caught_at,
        "settled_at": row.settled_at,
        "settled_by": row.settled_by,
        "settled_why": row.settled_why,
        "values": values | ({"the line": masked(row.data["_raw"])} if row.data.get("_raw") else {}),
        "advice": _advice(row),
    }


def _said(one: Mapping[str, Any]) -> str:
    field = f" in {one['field']}" if one["field"] else ""
    return field + (f": {one['value']}" if one["value"] is not None else "")


def _advice(row: WaitingRow) -> str:
    if row.by_check:
        return _BY_CHECK
    return _ADVICE.get(row.reason, _UNREADABLE if "_raw" in row.data else _OTHERWISE)

"""`care try`: a dry life of a configuration on a folder of data, in a scratch warehouse that is removed afterwards."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from carewatch.commands.backtest_command import write_predictions
from carewatch.commands.console import Mistake, Progress, day, json_argument, print_json
from carewatch.commands.loading import load_files
from carewatch.flow.trial import Trial, most_at_stake, run_trial
from carewatch.learn.outcomes import Caught
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate

HELP = (
    "load a pack's data from a folder into a scratch warehouse, replay past days, compare with what happened"
)
_SHOWN = 8


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pack", type=Path, metavar="PACK", help="a configuration folder, such as examples/online_retail"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="the folder with the pack's files"
    )
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="DAY")
    parser.add_argument("--every", choices=("day", "week", "month"), default="month")
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE.csv",
        help="as_of, customer_id, score (risk), level, p_churn",
    )
    json_argument(parser)


@contextmanager
def scratch_warehouse() -> Iterator[str]:
    """Start a warehouse of its own in a temporary folder; stop and remove it at the end, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="carewatch-try-"))
    try:
        yield embedded.start(
            folder, settings={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        )
    finally:
        embedded.destroy(folder)
        shutil.rmtree(folder, ignore_errors=True)


def run(chosen: argparse.Namespace) -> int:
    if chosen.last < chosen.first:
        raise Mistake(f"--to {chosen.last} lies before --from {chosen.first}")
    if not chosen.data.is_dir():
        raise Mistake(f"there is no folder {chosen.data}; --data names the folder with the pack's files")
    configuration, sources, progress = load(chosen.pack), load_sources(chosen.pack), Progress()
    wrong = [name for name, source in sources.sources.items() if source.kind != "files"]
    if wrong:
        raise Mistake(
            f"`care try` reads files, but {', '.join(wrong)} of {chosen.pack} is no source of files"
        )
    with scratch_warehouse() as dsn, connect(dsn, autocommit=True) as connection:
        migrate(connection)
        progress("scratch warehouse is up")
        loaded = load_files(
            connection,
            sources,
            dsn=dsn,
            folder=chosen.data.resolve(),
            now=datetime.now(UTC),
            progress=progress,
        )
        trial = run_trial(
            connection, configuration.judgement, chosen.first, chosen.last, chosen.every, progress
        )
    progress.done()
    if chosen.predictions:
        write_predictions(chosen.predictions, trial.rows)
    if chosen.json:
        print_json({"judgement": configuration.judgement.fingerprint, "loaded": loaded, **trial.summary()})
    else:
        print("\n".join([*_loaded(loaded), "", *_lines(trial)]))
    return 0


def _loaded(loaded: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{origin}: "
        + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        for origin, counts in loaded.items()
    ]


def _share(value: float | None, digits: int = 2) -> str:
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def _lines(trial: Trial) -> list[str]:
    summary, seen = trial.summary(), any(one.first_warned for one in trial.losses)
    lines = [
        f"{_meaning(trial)}; data end on {trial.data_end}",
        "",
        "as of        active  warned  lost  base rate  PR-AUC  top-decile lift",
    ]
    for one in trial.days:
        base = one.lost / one.active if one.active else None
        outcome = (
            f"{one.lost:5}  {_share(base):>9}  {_share(one.precision_recall):>6}  {_share(one.lift):>15}"
            if one.judged
            else "   the window reaches past the data"
        )
        lines.append(f"{one.day}  {one.active:7}  {one.warned:6}  {outcome}")
    lines += [
        "",
        f"mean over {summary['judged_days']} judged days: PR-AUC {_share(summary['pr_auc'], 3)}, top-decile lift "
        f"{_share(summary['top_decile_lift'])}, base rate {_share(summary['base_rate'], 3)} "
        f"(n = {summary['active_customer_days']:,} customer-days)",
        "",
        f"{_counted(trial)}: "
        f"{summary['warned_ahead']} warned of ahead (95 % interval "
        f"{summary['recall_interval'][0]:.0%}-{summary['recall_interval'][1]:.0%}), {summary['missed']} missed"
        + (f"; median {summary['median_days_ahead']:.0f} days before the loss" if seen else ""),
        f"of the {summary['money_lost']:,.0f} a year that they were worth, {summary['money_warned_ahead']:,.0f} was warned of"
        if trial.money
        else "",
    ]
    for title, warned in (("warned of ahead", True), ("missed", False)):
        listed = most_at_stake(trial, warned=warned)
        header = _HEADER.format(since="watched from" if trial.by_event else "last business")
        lines += ["", f"{title}, {len(listed)} customers, the most at stake first", header]
        lines += [_loss(trial, found) for found in listed[:_SHOWN]]
    lines += ["", "every customer and day: --predictions FILE.csv; the numbers for programs: --json"]
    return lines


def _meaning(trial: Trial) -> str:
    if trial.by_event:
        return f"lost = the event of stages.yaml within {trial.window} days; active = not dormant"
    return (
        f"lost = no business within {trial.window} days; active = 3 days of business in a year, the last at most 90 "
        "days ago"
    )


def _counted(trial: Trial) -> str:
    if trial.by_event:
        return f"{len(trial.losses)} losses of active customers in the period"
    return f"{len(trial.losses)} regular customers had their last business and were lost in the period"


_HEADER = "  customer           worth a year  {since:13}  lost        first warned  days ahead"


def _loss(trial: Trial, found: Caught) -> str:
    warned = f"{found.first_warned}    {found.days_ahead:8}" if found.first_warned else "-"
    worth = trial.money.get(found.loss.customer, 0.0)
    return f"  {trial.ids[found.loss.customer]:16}  {worth:13,.0f}  {found.loss.last}     {found.loss.lost}  {warned}"

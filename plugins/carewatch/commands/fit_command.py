"""`care fit`: the parameters of a purchase model, from purchase days alone."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    day,
    json_argument,
    print_json,
    warehouse,
)
from carewatch.learn.purchases import Histories, NoFit, fit
from carewatch.measure.cut import Cut
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.problems import nearest
from carewatch.store.metrics import histories_at

HELP = "fit the purchase model of a metric of kind `expected` to the warehouse's history; print its habits"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metric", help="the metric's id")
    parser.add_argument(
        "--day", type=day, metavar="DAY", help="only what was known on that day (default: today)"
    )
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    spec = configuration(chosen).judgement
    fits = {name: metric for name, metric in spec.metrics.items() if metric.kind is Measure.EXPECTED}
    if chosen.metric not in fits:
        near = nearest(chosen.metric, fits)
        raise Mistake(
            f"'{chosen.metric}' is no metric of kind expected"
            + (f"; did you mean {near}?" if near else f"; there is {', '.join(fits) or 'none'}")
        )
    until = chosen.day or datetime.now(UTC).astimezone(spec.firm.zone).date()
    with warehouse() as connection:
        columns = histories_at(connection, fits[chosen.metric], Cut.at(until, spec.firm.zone))
    seen = Histories(**columns)
    try:
        habits = asdict(fit(seen))
    except NoFit as error:
        raise Mistake(f"{chosen.metric} cannot be fitted: {error}") from None
    rounded = {name: float(f"{value:.4g}") for name, value in habits.items()}
    if chosen.json:
        print_json({"metric": chosen.metric, "customers": len(seen.repeats), "habits": rounded})
    else:
        print(
            f"# {len(seen.repeats):,} customers as known on {until}, {int((seen.repeats > 0).sum()):,} of them bought again"
        )
        print("habits: {" + ", ".join(f"{name}: {value:g}" for name, value in rounded.items()) + "}")
    return 0

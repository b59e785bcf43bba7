"""Write the files that sources.yaml of this pack reads, from the incident log.

    python examples/incident_log/prepare.py LOG_FOLDER FOLDER

The log has a line whenever a ticket was touched, with counters as they stood; it does not name the caller, who stands only in
the table of tickets. This is the view that a data engineer would put on the source. What happened to a ticket is read off by
comparing each line with the one before it, so that everything has the time at which the log first says so:

- tickets.csv: caller, number, when it was opened, the first line of the log about it and the priority it then had;
- ticket_events.csv: reassigned and reopened (the counter rose), breached (made_sla became false), resolved and closed (the
  state became so).

Of the table of tickets nothing else is used: its made_sla, reopen_count, reassignment_count, priority, resolved_at,
closed_at, impact and urgency are what stood there in the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

_PRIORITIES = {"1": "urgent", "2": "high", "3": "normal", "4": "low"}


def prepare(source: Path, target: Path) -> None:
    """Write the pack's files."""
    target.mkdir(parents=True, exist_ok=True)
    log = pd.read_csv(source / "incident_events.csv.gz", dtype=str)
    tickets = pd.read_csv(source / "incidents.csv.gz", dtype=str)[["number", "caller_id", "opened_at"]]
    first = log.drop_duplicates("number")[["number", "sys_updated_at", "priority"]]
    first = first.assign(priority=first["priority"].map(_PRIORITIES)).rename(
        columns={"sys_updated_at": "logged_at"}
    )
    tickets.merge(first, on="number").to_csv(target / "tickets.csv", index=False)
    events(log).merge(tickets, on="number").to_csv(target / "ticket_events.csv", index=False)


def events(log: pd.DataFrame) -> pd.DataFrame:
    """Return what happened to tickets: number, what and happened_at, from log lines in order."""
    before = log.groupby("number", sort=False).shift()
    reassignments, reopenings = (
        log[column].astype(int) > before[column].fillna("0").astype(int)
        for column in ("reassignment_count", "reopen_count")
    )
    became = {
        "reassigned": reassignments,
        "reopened": reopenings,
        "breached": (log["made_sla"] == "false") & (before["made_sla"] != "false"),
        "resolved": (log["incident_state"] == "Resolved") & (before["incident_state"] != "Resolved"),
        "closed": (log["incident_state"] == "Closed") & (before["incident_state"] != "Closed"),
    }
    found = [log.loc[at, ["number", "sys_updated_at"]].assign(what=what) for what, at in became.items()]
    together = pd.concat(found).sort_index(kind="stable").rename(columns={"sys_updated_at": "happened_at"})
    # A ticket may be moved several times within one minute: the count tells the rows apart.
    together["count"] = together.groupby(["number", "what"]).cumcount() + 1
    return together


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    prepare(given.source, given.target)


if __name__ == "__main__":
    main()

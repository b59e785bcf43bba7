"""`care plan`: who would change colour or level with the configuration on disk, and how much work that is."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from carewatch.commands.console import (
    Progress,
    config_argument,
    configuration,
    json_argument,
    language_argument,
    print_json,
    speak,
    warehouse,
)
from carewatch.flow.plan import plan
from carewatch.flow.plan_text import plan_lines

HELP = "show whom the configuration on disk would see differently on the last night, by tier and owner, and the work it makes"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weeks", type=int, default=0, metavar="N",
        help="replay so many past weeks for new warnings a week, hours of work and budgets (13 is a quarter)",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="list every customer who changes")
    language_argument(parser)
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    configured = configuration(chosen)
    language = speak(chosen, configured.firm)
    progress = Progress(language)
    with warehouse() as connection:
        found = plan(connection, configured, weeks=max(chosen.weeks, 0), progress=progress)
    progress.done()
    if chosen.json:
        print_json(asdict(found))
    else:
        print("\n".join(plan_lines(found, language, everybody=chosen.all)))
    return 0

"""The command `care`: one subcommand a file in `carewatch/commands/`.

A user's mistake is one line (or one line a problem) on standard error and exit code 2, never a traceback. Progress goes to
standard error, results to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

COMMANDS = (
    "demo",
    "init",
    "check",
    "checks",
    "migrate",
    "run",
    "night",
    "explain",
    "why",
    "replay",
    "plan",
    "approve",
    "describe",
    "backtest",
    "try",
    "warning",
    "go-live",
    "tiers",
    "override",
    "outbox",
    "quarantine",
    "identity",
    "timeline",
    "erase",
    "source",
    "schema",
    "views",
    "fit",
    "load",
    "template",
    "import",
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    top = argparse.ArgumentParser(prog="care", description="Customer early warning and care.")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"carewatch.commands.{name.replace('-', '_')}_command")
        one = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(one)
        one.set_defaults(run=module.run)
    return top


def _mistakes() -> tuple[type[Exception], ...]:
    from carewatch.commands.console import Mistake
    from carewatch.flow.approval import NotApprovable
    from carewatch.flow.explain import UnknownCustomer
    from carewatch.flow.launch import NotLive
    from carewatch.flow.release import NotReleasable
    from carewatch.spec.document import SpecError
    from carewatch.store.configurations import UnknownFingerprint
    from carewatch.store.database import NoWarehouse
    from carewatch.store.embedded import EmbeddedUnavailable
    from carewatch.store.metrics import BadMetric
    from carewatch.store.migrations import MigrationError
    from carewatch.store.nights import NoNight
    from carewatch.store.rulings import NoRuling
    from carewatch.tell.wording import BadTemplate
    from carewatch.warn.acts import NotPossible

    return (
        Mistake, UnknownCustomer, SpecError, UnknownFingerprint, NoWarehouse, EmbeddedUnavailable, MigrationError, NoNight,
        BadTemplate, NotPossible, BadMetric, NoRuling, NotReleasable, NotApprovable,
        NotLive,
    )  # fmt: skip


def _in_words(mistake: Exception, language: str) -> str:
    """Return a mistake in the language that was asked for, as far as it was composed for that."""
    from carewatch.spec.problems import SpecError
    from carewatch.spec.saying import in_language

    if isinstance(mistake, SpecError):
        return "\n".join(problem.in_(language) for problem in mistake.problems)
    sentence = mistake.args[0] if mistake.args else ""
    return in_language(sentence, language) if isinstance(sentence, str) else str(mistake)


def _refusals() -> tuple[type[psycopg.Error], ...]:
    import psycopg

    return psycopg.DataError, psycopg.IntegrityError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return 0, 1 when what was asked for did not hold, 2 for a user's mistake."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except _mistakes() as mistake:
        print(_in_words(mistake, getattr(chosen, "language", None) or "en"), file=sys.stderr)
        return 2
    except _refusals() as error:
        from carewatch.store.database import refusal

        print(f"the warehouse refused a value: {refusal(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what was finished is kept, run the command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())

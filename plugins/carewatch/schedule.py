"""Answer the question: in which time zone do the Dags' clocks tick, and on which nights?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carewatch.paths import config

if TYPE_CHECKING:
    from carewatch.spec.firm import Firm


def firm_time_zone() -> str:
    """Return the firm's time zone from firm.yaml, UTC when the file cannot be used (`care check` says why)."""
    firm = _firm()
    return firm.time_zone if firm is not None else "UTC"


def nightly_cron() -> str:
    """Return when the night runs: at two, every night or on the one weekday that firm.yaml names."""
    firm = _firm()
    return f"0 2 * * {firm.nights[:3] if firm is not None and firm.nights is not None else '*'}"


def _firm() -> Firm | None:
    """Read firm.yaml. Done at every parse of a Dag file, so it reads this one small file and nothing else."""
    from carewatch.spec.document import read_document, validate
    from carewatch.spec.firm import Firm

    path = config() / "firm.yaml"
    return validate(read_document(path), Firm)[0] if path.exists() else None

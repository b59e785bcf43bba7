"""Answer the question: in which time zone do the Dags' clocks tick?"""

from __future__ import annotations

from carewatch.paths import config


def firm_time_zone() -> str:
    """Return the firm's time zone from firm.yaml, UTC when the file cannot be used (`care check` says why).

    Read at every parse of a Dag file, so it reads this one small file and nothing else.
    """
    from carewatch.spec.document import read_document, validate
    from carewatch.spec.firm import Firm

    path = config() / "firm.yaml"
    firm = validate(read_document(path), Firm)[0] if path.exists() else None
    return firm.time_zone if firm is not None else "UTC"

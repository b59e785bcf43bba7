"""Answer the question: what did the loads bring?"""

from __future__ import annotations

from carewatch.store.database import Connection

_COUNTS = ("landed", "new", "changed", "unchanged", "repeated", "filtered", "quarantined", "ended")


def newest_loads(connection: Connection) -> dict[str, dict[str, int]]:
    """Return the counts of the newest load of every stream, by `source.stream`."""
    rows = connection.execute(
        f"select distinct on (origin) origin, {', '.join(_COUNTS)} from care.load order by origin, loaded_at desc".encode()
    ).fetchall()
    return {row[0]: dict(zip(_COUNTS, row[1:], strict=True)) for row in rows}

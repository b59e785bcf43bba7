"""Answer the question: what do the landed rows of a source say that we did not believe yet?

A load of a stream is taken in one transaction: read and check its rows, then under the lock `facts` stamp and
write what is new. Rows that can be no fact wait in quarantine with the reason. Taking a load twice changes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from carewatch.spec.firm import Firm
from carewatch.spec.sources import BaseSource, feeds, plans
from carewatch.store.conform_result import CannotReplay, Refused, StreamResult
from carewatch.store.conform_stream import Stream
from carewatch.store.database import Connection

__all__ = ["CannotReplay", "Refused", "StreamResult", "conform", "replay"]


def conform(
    connection: Connection,
    source_name: str,
    source: BaseSource,
    firm: Firm,
    *,
    load_ids: Sequence[str] | None = None,
    refused: list[Refused] | None = None,
) -> list[StreamResult]:
    """Take every finished load of a source that was not taken yet (or only `load_ids`), oldest first; commit each.

    `refused` gets every row that became no fact, also one that waits in quarantine already.

    Customers come before the facts that name them; rows that waited for a customer who is now known are released.
    Inside a transaction of the caller nothing is committed, and the locks are held until the caller does.
    """
    feed_of = {name: feed for feed in feeds(source_name, source, firm) for name in feed.streams}
    streams = [
        Stream(connection, source, plan, feed_of[plan.name], firm, refused)
        for plan in plans(source_name, source, firm)
    ]
    results: list[StreamResult] = []
    for load_id in sorted({load_id for stream in streams for load_id in stream.find_loads(load_ids)}):
        for stream in streams:
            results += [*stream.release(), *stream.take(load_id)]
    for stream in streams:
        results += stream.release()
    return results


def replay(
    connection: Connection, source_name: str, source: BaseSource, firm: Firm, rows: Sequence[int], *, by: str
) -> list[StreamResult]:
    """Take rows of a source's quarantine again under its mapping of today; commit.

    They keep their event time and are known from now on. What still can be no fact goes on waiting, with the reason of today.
    A duplicate or a row that a check held back is believed because a person says so; of a suspicious snapshot, the newest
    one of the stream is believed whole. Raises CannotReplay when a row was landed without what the mapping reads now.
    """
    feed_of = {name: feed for feed in feeds(source_name, source, firm) for name in feed.streams}
    results: list[StreamResult] = []
    with connection.transaction():
        for plan in plans(source_name, source, firm):
            stream = Stream(connection, source, plan, feed_of[plan.name], firm)
            results += [*stream.replay(rows, by), *stream.accept_snapshot(rows, by)]
    return results

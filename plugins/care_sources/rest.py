"""Read the items of a JSON service, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from care_sources.connection import Connection, SourceError
from care_sources.paging import Asked, first_page, next_page
from care_sources.rows import field_of, rows_of_items, tables
from care_sources.service import Service
from carewatch.spec.problems import nearest
from carewatch.spec.sources import RestSource
from carewatch.spec.stream_plan import Feed
from carewatch.spec.streams import RestStream

if TYPE_CHECKING:
    import pyarrow

State = dict[str, Any]


def read_endpoints(
    source_name: str,
    source: RestSource,
    feeds: list[Feed],
    connection: Connection,
    *,
    zone: ZoneInfo,
    now: datetime,
    warnings: list[str],
    cleanup: ExitStack,
) -> Mapping[str, Any]:
    """Return for each feed a function of its state that yields its tables of text; `cleanup` disconnects.

    Raises SourceError for an address that is none; reading raises it when the service refuses or loses items.
    """
    if urlsplit(connection.uri).scheme not in ("http", "https"):
        raise SourceError(
            [f"{source_name}: '{connection.uri}' is not an address; expected http:// or https://"]
        )
    service = Service(source, connection)
    cleanup.callback(service.close)

    def reader(feed: Feed) -> Any:
        endpoint = _Endpoint(source_name, source, feed, service, zone=zone, now=now, warnings=warnings)
        return endpoint.tables

    return {feed.name: reader(feed) for feed in feeds}


class _Endpoint:
    """One endpoint during one load; remembers the newest change it saw."""

    def __init__(
        self,
        source_name: str,
        source: RestSource,
        feed: Feed,
        service: Service,
        *,
        zone: ZoneInfo,
        now: datetime,
        warnings: list[str],
    ) -> None:
        self.where = f"{source_name}.{feed.name}"
        self.source, self.feed, self.service = source, feed, service
        self.stream = cast(RestStream, feed.stream)
        self.zone, self.now, self.warnings = zone, now, warnings
        self.newest: datetime | None = None
        self.unseen = set(feed.columns)
        self.seen: set[str] = set()

    def tables(self, state: State) -> Iterator[pyarrow.Table]:
        parameters = dict(self.stream.parameters)
        if self.stream.cursor is not None and state.get("cursor"):
            parameters[self.stream.since] = (
                datetime.fromisoformat(state["cursor"]) - self.stream.reread
            ).isoformat()
        yield from tables(rows_of_items(self._items(parameters), self.feed.columns), self.feed.columns)
        if self.newest is not None:
            state["cursor"] = min(self.newest, self.now).isoformat()
        elif self.stream.cursor is not None and self.seen and self.stream.cursor not in self.unseen:
            self.warnings.append(
                f"{self.where}: cursor '{self.stream.cursor}' holds no ISO time; every load reads everything again"
            )
        if self.seen:
            self.warnings += [self._never_seen(name) for name in sorted(self.unseen)]

    def _items(self, parameters: Mapping[str, str]) -> Iterator[Any]:
        count, promised = 0, 0
        for body in self._pages(parameters):
            promised = max(promised, self._promised(body))
            for item in self._listed(body):
                self._note(item)
                yield item
                count += 1
        if count < promised:
            raise SourceError([f"{self.where}: {count} of {promised} items came; the load is not taken"])

    def _pages(self, parameters: Mapping[str, str]) -> Iterator[Any]:
        """Yield the answers page by page; raise SourceError where paging leads back to a page that was read."""
        asked: Asked | None = first_page(self.source.paging, self.stream.from_, parameters)
        number, before, done = 0, b"", set[str]()
        while asked is not None:
            number += 1
            where = f"{self.where}: page {number} of {self.stream.from_}"
            key = json.dumps([asked.address, dict(asked.parameters)], sort_keys=True)
            if key in done:
                raise SourceError(
                    [f"{where}: the service leads back to a page that was read; check 'paging'"]
                )
            done.add(key)
            answer = self.service.get(asked.address, asked.parameters, where=where)
            items = self._listed(answer.body)
            digest = hashlib.sha256(repr(items).encode("utf-8", "replace")).digest()
            if items and digest == before:
                name = self.source.paging.parameter
                doubt = (
                    f"does the service know the parameter '{name}' of 'paging'?" if name else "check 'paging'"
                )
                raise SourceError([f"{where}: it is the same as the page before; {doubt}"])
            before = digest
            yield answer.body
            asked = next_page(self.source.paging, asked, answer, len(items))

    def _listed(self, body: Any) -> list[Any]:
        """Return the items of an answer; raise SourceError when it has no list of them."""
        wanted = self.source.items
        found = body
        if wanted != "$":
            found = field_of(body, wanted) if isinstance(body, Mapping) else None
        if isinstance(found, list):
            return found
        fields = [str(name) for name in body] if isinstance(body, Mapping) else []
        near = nearest(wanted, fields)
        meant = f"; did you mean {near}?" if near else ""
        shown = ", ".join(fields) or type(body).__name__
        raise SourceError([f"{self.where}: the answer has no list '{wanted}'; it has {shown}{meant}"])

    def _promised(self, body: Any) -> int:
        total = field_of(body, self.source.total) if self.source.total and isinstance(body, Mapping) else None
        return total if isinstance(total, int) else 0

    def _note(self, item: Any) -> None:
        if not isinstance(item, Mapping):
            return
        if self.unseen:
            self.seen.update(str(name) for name in item)
            self.unseen = {name for name in self.unseen if field_of(item, name) is None and name not in item}
        if self.stream.cursor is not None:
            moment = self._moment(field_of(item, self.stream.cursor))
            self.newest = max(filter(None, (self.newest, moment)), default=None)

    def _moment(self, value: Any) -> datetime | None:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)

    def _never_seen(self, name: str) -> str:
        near = nearest(name, self.seen)
        return f"{self.where}: no item has '{name}'" + (f"; did you mean {near}?" if near else "")

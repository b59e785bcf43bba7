"""Read the items of a JSON service, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from care_sources.connection import Connection, SourceError
from care_sources.rows import field_of, rows_of_items, tables
from carewatch.spec.problems import nearest
from carewatch.spec.sources import Paging, RestSource
from carewatch.spec.stream_plan import Feed
from carewatch.spec.streams import RestStream

if TYPE_CHECKING:
    import pyarrow

State = dict[str, Any]

_TIMEOUT_SECONDS = 60


def read_endpoints(
    source_name: str,
    source: RestSource,
    feeds: list[Feed],
    connection: Connection,
    *,
    zone: ZoneInfo,
    now: datetime,
    warnings: list[str],
) -> Mapping[str, Any]:
    """Return for each feed a function of its state that yields its tables of text.

    Raises SourceError for an address that is none; reading raises it when the service refuses or loses items.
    """
    if urlsplit(connection.uri).scheme not in ("http", "https"):
        raise SourceError(
            [f"{source_name}: '{connection.uri}' is not an address; expected http:// or https://"]
        )

    def reader(feed: Feed) -> Any:
        endpoint = _Endpoint(source_name, source, feed, connection, zone=zone, now=now, warnings=warnings)
        return endpoint.tables

    return {feed.name: reader(feed) for feed in feeds}


class _Endpoint:
    """One endpoint during one load; remembers the newest change it saw."""

    def __init__(
        self,
        source_name: str,
        source: RestSource,
        feed: Feed,
        connection: Connection,
        *,
        zone: ZoneInfo,
        now: datetime,
        warnings: list[str],
    ) -> None:
        self.where = f"{source_name}.{feed.name}"
        self.source, self.feed, self.connection = source, feed, connection
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
        if self.seen:
            self.warnings += [self._never_seen(name) for name in sorted(self.unseen)]

    def _items(self, parameters: Mapping[str, str]) -> Iterator[Any]:
        import requests

        count, total = 0, None
        try:
            for page in self._client().paginate(
                self.stream.from_, params=parameters, timeout=_TIMEOUT_SECONDS
            ):
                total = self._checked(page.response.json())
                for item in page:
                    self._note(item)
                    yield item
                count += len(page)
        except requests.HTTPError as error:
            raise SourceError([f"{self.where}: {_refusal(error.response)}"]) from None
        except requests.RequestException as error:
            address = urlsplit(self.connection.uri)
            reason = type(error).__name__
            raise SourceError(
                [f"{self.where}: {address.hostname}:{address.port} does not answer ({reason})"]
            ) from None
        if total is not None and count < total:
            raise SourceError([f"{self.where}: {count} of {total} items came; the load is not taken"])

    def _client(self) -> Any:
        from dlt.sources.helpers.rest_client.auth import BearerTokenAuth, HttpBasicAuth
        from dlt.sources.helpers.rest_client.client import RESTClient

        auth: Any = None
        if self.connection.token:
            auth = BearerTokenAuth(self.connection.token)
        elif self.connection.login:
            auth = HttpBasicAuth(self.connection.login, self.connection.password or "")
        return RESTClient(
            base_url=self.connection.uri,
            headers=dict(self.connection.headers),
            auth=auth,
            paginator=_paginator(self.source.paging),
            data_selector=self.source.items,
        )

    def _checked(self, body: Any) -> int | None:
        """Return the number of items the answer promises; raise SourceError when it has no list of items."""
        items = field_of(body, self.source.items) if isinstance(body, Mapping) else None
        if self.source.items != "$" and not isinstance(items, list):
            fields = [str(name) for name in body] if isinstance(body, Mapping) else []
            near = nearest(self.source.items, fields)
            meant = f"; did you mean {near}?" if near else ""
            found = ", ".join(fields) or type(body).__name__
            raise SourceError(
                [f"{self.where}: the answer has no list '{self.source.items}'; it has {found}{meant}"]
            )
        total = field_of(body, self.source.total) if self.source.total else None
        return total if isinstance(total, int) else None

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


def _refusal(response: Any) -> str:
    text = " ".join(response.text.split())[:200]
    return f"GET {urlsplit(response.url).path} was answered {response.status_code} {response.reason}: {text}"


def _paginator(paging: Paging) -> Any:
    from dlt.sources.helpers.rest_client import paginators

    match paging.by:
        case "link":
            return paginators.JSONLinkPaginator(next_url_path=paging.field)
        case "cursor":
            return paginators.JSONResponseCursorPaginator(
                cursor_path=paging.field, cursor_param=paging.parameter
            )
        case "page":
            return paginators.PageNumberPaginator(base_page=1, page_param=paging.parameter, total_path=None)
        case "offset":
            return paginators.OffsetPaginator(
                limit=paging.size,
                offset_param=paging.parameter,
                limit_param=paging.size_parameter,
                total_path=None,
            )
        case "header":
            return paginators.HeaderLinkPaginator()
        case _:
            return paginators.SinglePagePaginator()

"""Landing the items of a real HTTP service: paging, token, copies over pages, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection, SourceError

TEXT = """
kind: rest
customers: derived
total: total
streams:
  tickets:
    from: api/tickets
    fact: ticket
    key: no
    customer: customer.code
    event_at: at
    changed_at: updated
    cursor: updated
    reread: 1 day
    columns: {ticket_no: no, complaint: complaint, priority: priority}
"""
TOKEN = "token-of-the-test"


def ticket(no: int, updated: str = "2026-05-02T09:00:00+08:00", **more: Any) -> dict[str, Any]:
    return {
        "no": no, "customer": {"code": "C1", "name": "华兴"}, "at": "2026-05-01T09:00:00+08:00", "updated": updated,
        "complaint": True, "priority": None, **more,
    }  # fmt: skip


@dataclass
class Service:
    """A service that pages its items by a link, and remembers what it was asked."""

    items: list[Any] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    answer: Callable[[dict[str, list[str]]], dict[str, Any]] | None = None
    url: str = ""
    size: int = 2

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        since = query.get("updated_since", [""])[0]
        chosen = [item for item in self.items if not since or item["updated"] >= since]
        page = int(query.get("page", ["1"])[0])
        more = page * self.size < len(chosen)
        following = f"/api/tickets?page={page + 1}" + (
            f"&updated_since={since.replace('+', '%2B')}" if since else ""
        )
        return {
            "items": chosen[(page - 1) * self.size : page * self.size],
            "next": following if more else None,
            "total": len(chosen),
        }


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            served.asked.append(query)
            status, body = 200, {}
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, body = 401, {"error": "a valid token is required"}
            elif address.path != "/api/tickets":
                status, body = 404, {"error": f"no {address.path} here"}
            else:
                body = (served.answer or served.page)(query)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def loader(make_loader: MakeLoader, service: Service) -> Loader:
    return make_loader(TEXT, Connection(service.url, token=TOKEN))


def test_all_pages_are_read_and_a_copy_on_a_later_page_counts_as_one(
    loader: Loader, service: Service
) -> None:
    service.items = [ticket(1), ticket(2), ticket(3), ticket(2), ticket(4, priority="high")]
    result = loader.load()["src.tickets"]
    assert (result.landed, result.new, result.repeated) == (5, 4, 1)
    assert loader.rows("select ticket_no, complaint, priority from care.fact_ticket order by 1") == [
        ("1", True, None), ("2", True, None), ("3", True, None), ("4", True, "high"),
    ]  # fmt: skip
    assert loader.rows("select distinct customer_key from care.party") == [("C1",)]


def test_the_next_load_asks_for_changes_and_a_day_before(loader: Loader, service: Service) -> None:
    service.items = [ticket(1), ticket(2, "2026-05-20T09:00:00+08:00")]
    loader.load()
    service.items.append(ticket(3, "2026-05-21T09:00:00+08:00"))
    assert loader.land().rows["tickets"] == 2
    assert [query.get("updated_since") for query in service.asked] == [None, ["2026-05-19T01:00:00+00:00"]]


def test_a_change_time_in_the_future_does_not_hide_later_changes(loader: Loader, service: Service) -> None:
    service.items = [ticket(1, "2099-05-20T09:00:00+08:00")]
    loader.load()
    loader.land()
    assert service.asked[-1]["updated_since"] == ["2026-05-31T04:00:00+00:00"]


def test_an_item_that_is_none_waits_in_quarantine(loader: Loader, service: Service) -> None:
    service.items = [ticket(1)]
    service.answer = lambda _: {"items": [ticket(1), "broken", 7], "next": None, "total": 3}
    result = loader.load()["src.tickets"]
    assert (result.new, result.quarantined) == (1, 2)
    assert loader.rows("select reason, data ->> '_raw' from quarantine.row order by row_no") == [
        ("not an object", "broken"),
        ("not an object", "7"),
    ]


def test_a_field_that_no_item_has_is_said(make_loader: MakeLoader, service: Service) -> None:
    service.items = [ticket(1)]
    text = TEXT.replace("priority: priority", "priority: priorty")
    landed = make_loader(text, Connection(service.url, token=TOKEN)).land()
    assert landed.warnings == ("src.tickets: no item has 'priorty'; did you mean priority?",)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"items": [ticket(1)], "next": None, "total": 2}, "1 of 2 items came; the load is not taken"),
        (
            {"itmes": [], "next": None},
            "the answer has no list 'items'; it has itmes, next; did you mean itmes?",
        ),
        ({"items": None}, "the answer has no list 'items'"),
    ],
)
def test_an_answer_that_would_lose_items_takes_nothing(
    loader: Loader, service: Service, answer: dict[str, Any], message: str
) -> None:
    service.answer = lambda _: answer
    with pytest.raises(SourceError) as raised:
        loader.land()
    assert message in str(raised.value)
    assert loader.conform() == {}
    service.answer, service.items = None, [ticket(1), ticket(2)]
    assert loader.load()["src.tickets"].new == 2


def test_a_wrong_token_is_one_line_without_it(make_loader: MakeLoader, service: Service) -> None:
    with pytest.raises(SourceError) as raised:
        make_loader(TEXT, Connection(service.url, token="not-the-token")).land()
    assert str(raised.value).startswith("src.tickets: GET /api/tickets was answered 401")
    assert "a valid token is required" in str(raised.value) and "not-the-token" not in str(raised.value)


def test_an_address_that_is_none_is_said(make_loader: MakeLoader) -> None:
    with pytest.raises(SourceError, match=r"'127\.0\.0\.1' is not an address; expected http:// or https://"):
        make_loader(TEXT, Connection("127.0.0.1")).land()


@pytest.mark.parametrize(
    ("paging", "answers"),
    [
        ("{by: none}", {None: {"items": [ticket(1), ticket(2)]}}),
        (
            "{by: page, parameter: page}",
            {"1": {"items": [ticket(1)]}, "2": {"items": [ticket(2)]}, "3": {"items": []}},
        ),
        (
            "{by: offset, parameter: offset, size_parameter: limit, size: 1}",
            {"0": {"items": [ticket(1)]}, "1": {"items": [ticket(2)]}, "2": {"items": []}},
        ),
        (
            "{by: cursor, field: after, parameter: after}",
            {None: {"items": [ticket(1)], "after": "x"}, "x": {"items": [ticket(2)], "after": None}},
        ),
    ],
)
def test_other_ways_of_paging(
    make_loader: MakeLoader, service: Service, paging: str, answers: dict[str | None, dict[str, Any]]
) -> None:
    parameter = next((name for name in ("page", "offset", "after") if f"parameter: {name}" in paging), "")
    service.answer = lambda query: answers[query.get(parameter, [None])[0]]
    text = TEXT.replace("total: total", f"paging: {paging}")
    assert make_loader(text, Connection(service.url, token=TOKEN)).load()["src.tickets"].new == 2

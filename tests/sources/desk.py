"""A ticket service over HTTP that pages its items, remembers what it was asked, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-test"
Query = dict[str, list[str]]
Misdeed = Callable[[BaseHTTPRequestHandler], None]


def ticket(no: int, updated: str = "2026-05-02T09:00:00+08:00", **more: Any) -> dict[str, Any]:
    return {
        "no": no, "customer": {"code": "C1", "name": "华兴"}, "at": "2026-05-01T09:00:00+08:00", "updated": updated,
        "complaint": True, "priority": None, **more,
    }  # fmt: skip


@dataclass
class Desk:
    """Answers for `api/tickets`; `misdeeds` are done first, one a request, then it behaves."""

    items: list[Any] = field(default_factory=list)
    asked: list[Query] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    answer: Callable[[Query], Any] | None = None
    allowed: Callable[[BaseHTTPRequestHandler, Query], bool] = lambda handler, _: (
        handler.headers.get("Authorization") == f"Bearer {TOKEN}"
    )
    misdeeds: list[Misdeed | None] = field(default_factory=list)
    link_header: bool = False
    url: str = ""
    size: int = 2

    def page(self, query: Query) -> dict[str, Any]:
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

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        query = parse_qs(address.query)
        self.asked.append(query)
        self.paths.append(address.path)
        self.headers.append(dict(handler.headers))
        self.moments.append(time.monotonic())
        misdeed = self.misdeeds.pop(0) if self.misdeeds else None
        if misdeed is not None:
            misdeed(handler)
        elif not self.allowed(handler, query):
            answer(handler, 401, {"error": "a valid token is required"})
        elif address.path != "/api/tickets":
            answer(handler, 404, {"error": f"no {address.path} here"})
        else:
            body = (self.answer or self.page)(query)
            following = body.pop("next", None) if self.link_header else None
            answer(handler, 200, body, **({"Link": f'<{following}>; rel="next"'} if following else {}))


def answer(handler: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
    """Answer with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content_Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def says(status: int, body: Any = b"", **headers: str) -> Misdeed:
    """Answer with another status."""
    return lambda handler: answer(handler, status, body, **headers)


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [')
    handler.close_connection = True


def cut_off_unnoticed(handler: BaseHTTPRequestHandler) -> None:
    """Send half of the JSON, and a length that agrees."""
    answer(handler, 200, json.dumps({"items": [ticket(1)]}).encode()[:-9])


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, without an end."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


@contextmanager
def desk() -> Iterator[Desk]:
    """Run the service on a free port of this machine."""
    served = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.handle(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

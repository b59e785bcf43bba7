"""Serve the firm's ticket system over HTTP: a REST service with bearer token, paging and `updated_since`.

    GET /health                                                        no token needed
    GET /api/tickets?updated_since=ISO&page=1&page_size=200            Authorization: Bearer TOKEN
    GET /api/ticket_events ...   /api/surveys ...

A page is `{"items": [...], "next": "/api/... or null", "total": n}`; records come oldest change first, and
`updated_since` includes the given moment.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import signal
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .ticket_state import TICKET_TABLES, Record, publish_tickets, read_state, state_file

__all__ = ["LARGEST_PAGE", "TicketServer", "publish_tickets", "serve"]

HOST = "127.0.0.1"
PAGE_SIZE = 200
LARGEST_PAGE = 1000
_API = "/api/"


class BadRequestError(Exception):
    """Say in one line which parameter is wrong and what was expected."""


class TicketServer(ThreadingHTTPServer):
    """The running service; it ends by itself when its folder is deleted."""

    daemon_threads = True

    def __init__(self, folder: Path, token: str, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.folder, self.token = folder, token
        self._read: dict[str, tuple[tuple[int, int, int], list[Record]]] = {}
        self._lock = Lock()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def records(self, name: str) -> list[Record]:
        """Return the records behind one endpoint, read again when the file has changed."""
        path = state_file(self.folder, name)
        if not path.exists():
            return []
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            if name not in self._read or self._read[name][0] != stamp:
                self._read[name] = (stamp, read_state(path))
            return self._read[name][1]

    def service_actions(self) -> None:
        if not self.folder.exists():
            raise SystemExit(0)


class _Handler(BaseHTTPRequestHandler):
    server: TicketServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/health":
            self._answer(HTTPStatus.OK, {"status": "ok", "service": "tickets", "pid": os.getpid()})
            return
        if not self._authorized():
            self._answer(HTTPStatus.UNAUTHORIZED, {"error": "a valid bearer token is required"})
            return
        name = address.path.removeprefix(_API)
        if not address.path.startswith(_API) or name not in TICKET_TABLES:
            known = ", ".join(f"{_API}{table}" for table in TICKET_TABLES)
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"no {address.path} here; there is {known}"})
            return
        try:
            page = page_of(self.server.records(name), path=address.path, query=parse_qs(address.query))
        except BadRequestError as problem:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(problem)})
            return
        self._answer(HTTPStatus.OK, page)

    def _authorized(self) -> bool:
        sent = self.headers.get("Authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(sent, f"Bearer {self.server.token}".encode())

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8")
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Bearer realm="tickets"')
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: a request log would grow without end beside the demo."""


def page_of(records: list[Record], *, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
    """Cut one page out of the records; raises BadRequestError for a parameter it cannot read."""
    since = _moment(query.get("updated_since", [""])[0])
    page = _whole_number(query, "page", default=1, largest=10**9)
    size = _whole_number(query, "page_size", default=PAGE_SIZE, largest=LARGEST_PAGE)
    chosen = [record.body for record in records if since is None or record.updated_at >= since]
    end = page * size
    following = None
    if end < len(chosen):
        asked = {"updated_since": since.isoformat()} if since else {}
        following = f"{path}?{urlencode({**asked, 'page': page + 1, 'page_size': size})}"
    return {"items": chosen[end - size : end], "next": following, "total": len(chosen)}


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    # An unescaped "+08:00" arrives with a space for the plus, as in every decoded query.
    offset_space = len(text) - 6
    if text[offset_space : offset_space + 1] == " " and text.count(":") == 3:
        text = f"{text[:offset_space]}+{text[offset_space + 1 :]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"updated_since: expected an ISO date and time, got {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole_number(query: dict[str, list[str]], name: str, *, default: int, largest: int) -> int:
    text = query.get(name, [str(default)])[0]
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= largest):
        raise BadRequestError(f"{name}: expected a whole number from 1 to {largest}, got {text!r}")
    return int(text)


def serve(folder: Path, token: str, port: int = 0) -> TicketServer:
    """Bind the service on 127.0.0.1 and return it; the caller runs `serve_forever`. Port 0 takes a free one.

    Raises OSError when the port is taken.
    """
    return TicketServer(folder, token, port)


def _detach() -> None:
    """Leave the starting process for good, so that neither its end nor its terminal touches the service."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def main(arguments: list[str] | None = None) -> int:
    """Run the service until it is told to stop; print one line and return 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m care_demo.ticket_service", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the published state")
    parser.add_argument("--token-file", type=Path, required=True, help="the file that holds the bearer token")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--pid-file", type=Path, required=True, help="where to write id and port, as JSON")
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    options = parser.parse_args(arguments)
    try:
        server = serve(options.folder, options.token_file.read_text(encoding="utf-8").strip(), options.port)
    except OSError as problem:
        print(f"the ticket service cannot start: {problem}", file=sys.stderr)
        return 1
    if options.detach:
        _detach()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    write_private(options.pid_file, json.dumps({"pid": os.getpid(), "port": server.server_address[1]}))
    with server:
        server.serve_forever()
    return 0


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole; only its owner may read it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    fresh.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())

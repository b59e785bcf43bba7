"""Servers that the tests of the channels talk to: real ones, and some that break off where it hurts."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller

NOBODY = "nobody@firm.example"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Inbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address == NOBODY:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        self.recipients.append(envelope.rcpt_tos)
        return "250 2.0.0 queued as 4711"


@contextmanager
def post_office(**options: Any) -> Iterator[tuple[Inbox, int]]:
    """Run a real mail server; yield its inbox and port."""
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield inbox, port
    finally:
        controller.stop()


class Line:
    """One conversation of a scripted server."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.reader = connection.makefile("rb")

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def polite(self, until: str) -> None:
        """Greet and agree to every command before `until`, which is read and not answered."""
        self.say("220 ready")
        while line := self.reader.readline():
            if line.upper().startswith(until.encode()):
                return
            self.say("354 go on" if line.upper().startswith(b"DATA") else "250 OK")

    def take_letter(self) -> None:
        """Agree to everything and read a letter up to its final dot."""
        self.polite("DATA")
        self.say("354 go on")
        while (line := self.reader.readline()) and line != b".\r\n":
            pass

    def take_request(self) -> None:
        """Read an HTTP request with its body."""
        length = 0
        while (line := self.reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        self.reader.read(length)

    def break_off(self) -> None:
        """Close so that the other side sees a reset, not an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def scripted(script: Callable[[Line], None]) -> Iterator[int]:
    """Serve one connection by a script, then close it; yield the port."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(20)

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(20)
                line = Line(connection)
                with connection, line.reader:
                    script(line)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            thread.join()


class Hook(ThreadingHTTPServer):
    """What an HTTP server was asked, and how it answers: a status and body a request, the last to all others."""

    daemon_threads = True

    def __init__(self, answers: list[tuple[int, str]], headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.answers, self.extra_headers = list(answers), headers
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.lock = threading.Lock()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.was_asked = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Asked(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast(Hook, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with hook.lock:
            hook.asked.append((self.path, dict(self.headers), body))
            status, text = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
        hook.was_asked.set()
        hook.may_answer.wait(20)
        with suppress(OSError):
            self.send_response(status)
            for name, value in hook.extra_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the tests' output."""


@contextmanager
def web(
    *answers: tuple[int, str], headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Hook]:
    """Run an HTTP server that answers as told, 200 without more; yield what it was asked."""
    hook = Hook(list(answers) or [(200, "ok")], headers or {})
    if tls is not None:
        hook.socket = tls.wrap_socket(hook.socket, server_side=True)
    thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        hook.may_answer.set()
        hook.shutdown()
        thread.join()
        hook.server_close()

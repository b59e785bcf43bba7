"""Receive what the demo sends: a mail catcher and a chat room, both real servers on this machine that keep what came."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Receivers:
    """Where the two receivers listen."""

    mail_port: int
    chat_port: int


class _Catcher:
    """Keeps every mail as a file, named by its Message-ID so that one sent twice would show."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))
        self._lock = threading.Lock()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=default)
        with self._lock:
            self._count += 1
            name = f"{self._count:04d}-{envelope.rcpt_tos[0].split('@')[0]}-{message['X-Carewatch-Key'] or 'mail'}"
            safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
            (self._folder / f"{safe[:120]}.eml").write_bytes(envelope.content)
        return "250 kept"


def _chat_handler(file: Path) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock, file.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(body, ensure_ascii=False) + "\n")
            answer = b'{"errcode": 0}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Stay silent: the demo's own words are enough."""

    return Handler


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def receiving(folder: Path) -> Iterator[Receivers]:
    """Run a mail catcher (`folder/mail/*.eml`) and a chat room (`folder/chat.jsonl`) for the length of a block."""
    from aiosmtpd.controller import Controller

    mail_folder = folder / "mail"
    mail_folder.mkdir(parents=True, exist_ok=True)
    chat = ThreadingHTTPServer(("127.0.0.1", 0), _chat_handler(folder / "chat.jsonl"))
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    # aiosmtpd connects to itself to begin, so it must be told a port
    mail_port = _free_port()
    # what the server sees belongs into its folder, not into the log of those who send
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    mail = Controller(_Catcher(mail_folder), hostname="127.0.0.1", port=mail_port)
    mail.start()
    try:
        yield Receivers(mail_port, chat.server_port)
    finally:
        mail.stop()
        chat.shutdown()
        chat.server_close()

"""Answer the question: how does a message leave the house?

A channel is a file here with a function `send(way, *, key, to, message) -> str`, and a line in `CHANNELS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final
from urllib.parse import quote

from carewatch.tell.delivery import Doubtful, Refused

__all__ = ["CHANNELS", "Doubtful", "Refused", "Way", "key_token", "send"]

CHANNELS: Final = {"smtp": "mail", "http": "webhook", "https": "webhook"}
_LONGEST_TOKEN: Final = 200  # a mail header's line ends at 998 characters
_LONGEST_WAIT: Final = 300.0  # an attempt must end well before its claim does


@dataclass(frozen=True)
class Way:
    """The plain values of an Airflow connection; `kind` is its type, `extra` its extra as a dictionary."""

    kind: str
    host: str
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    schema: str | None = None

    def flag(self, name: str) -> bool:
        """Return whether the extra says yes; a connection written as a URI says it as text."""
        return str(self.extra.get(name, False)).strip().lower() in {"true", "1", "yes", "on"}

    @property
    def timeout(self) -> float:
        """Return how many seconds one step may take (`timeout` of the extra, default 20); raise Refused."""
        said = self.extra.get("timeout", 20)
        try:
            seconds = float(said)
        except (TypeError, ValueError):
            seconds = 0.0
        if not 0 < seconds <= _LONGEST_WAIT:
            raise Refused(
                f"the connection's timeout is '{said}'; expected seconds above 0, at most {_LONGEST_WAIT:g}"
            )
        return seconds


def send(way: Way, *, key: str, to: str, message: dict[str, Any]) -> str:
    """Send a message once and return the answer to keep; raise Refused or Doubtful.

    `key` names the message to its receiver, so that one who gets it twice can tell. `message` has `subject`,
    `text` and perhaps more; `to` is an address in the channel's own sense.
    """
    if way.kind not in CHANNELS:
        raise Refused(f"no channel speaks '{way.kind}'; expected a connection of type {', '.join(CHANNELS)}")
    answer: str = import_module(f"care_channels.{CHANNELS[way.kind]}").send(
        way, key=key, to=to, message=message
    )
    return answer


def key_token(key: str, *, keep: str) -> str:
    """Return the key as printable ASCII: letters, digits, `-_~.` and those of `keep` stay, others become %XX.

    Different keys have different tokens; one that would be too long for a header is its SHA-256.
    """
    token = quote(key, safe=keep)
    return token if len(token) <= _LONGEST_TOKEN else f"sha256-{hashlib.sha256(key.encode()).hexdigest()}"

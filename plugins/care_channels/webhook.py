"""Send a message as a signed HTTP request.

The connection is Airflow's own type `http`: `host` (perhaps with scheme, port and path), `schema`, `port`,
the password as the secret of the signature, and in the extra `path`, `timeout`, and for platforms that refuse
with a 200 `success_field` and `success_value` (`errcode`, 0). Errors never name the path: some platforms keep
a secret in it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from care_channels import Doubtful, Refused, Way, key_token

_LONGEST_ANSWER: Final = 65_536


class _Body:
    """A request's body that knows whether it was asked for: before that, nothing of it can have arrived."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.begun = False

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[bytes]:
        self.begun = True
        yield self.content


def send(way: Way, *, key: str, to: str, message: dict[str, Any]) -> str:
    """Post the message and its key as JSON below the connection's address; return status and answer.

    Raise Refused when it was certainly not delivered (no connection, a status other than 2xx, the platform's
    own refusal), Doubtful when it went out and no answer came, or none with the field the platform promised.
    """
    url = address(way, to)
    success = _success(way.extra)
    body = _Body(_content(key, message))
    try:
        response = requests.post(
            url,
            data=body,
            headers=_headers(way, key, body.content),
            timeout=way.timeout,
            allow_redirects=False,
            stream=True,
        )
    except (OSError, ValueError) as error:  # what requests raises is one of these
        outcome, what = (Doubtful, "gave no answer") if body.begun else (Refused, "was not told the message")
        raise outcome(f"{urlsplit(url).netloc} {what}: {type(error).__name__}") from error
    with response:
        return _verdict(response.status_code, _answer(response), success)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature: `sha256=` and the HMAC-SHA256, in hexadecimal, of timestamp, a dot and body."""
    return f"sha256={hmac.new(secret.encode(), timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def verify(
    secret: str, timestamp: str, body: bytes, signature: str, *, now: datetime, tolerance: float = 300
) -> bool:
    """Return whether a request is ours and at most `tolerance` seconds old, or ahead; for its receivers.

    `timestamp` and `signature` are the headers X-Carewatch-Timestamp (seconds since 1970) and
    X-Carewatch-Signature; `body` the bytes as received; `now` an aware instant. An empty secret verifies
    nothing.
    """
    if not secret or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    fresh = abs(now.timestamp() - int(timestamp)) <= tolerance
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode()) and fresh


def address(way: Way, to: str) -> str:
    """Return the URL to post to: the connection's own, and `to` as a path below it; raise Refused.

    `to` is empty or `/` for the connection's own address. Whatever it says, host, port and query stay.
    """
    try:
        parts = urlsplit(way.host if "://" in way.host else f"{way.schema or way.kind}://{way.host}")
        host, port = parts.hostname, parts.port or way.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or parts.scheme not in {"http", "https"}
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise Refused(
            "the connection's host and schema make no http or https address; the path belongs into extra"
        )
    own, _, query = str(way.extra.get("path", "")).partition("?")
    path = _joined(_joined(parts.path, own), _below(to))
    place = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{place}:{port}" if port else place, path, query, ""))


def _joined(path: str, more: str) -> str:
    return f"{path.rstrip('/')}/{more.removeprefix('/')}" if more else path or "/"


def _below(to: str) -> str:
    if to in {"", "/"}:
        return ""
    segments = to.removeprefix("/").split("/")
    if any(segment in {"", ".", ".."} or not segment.isprintable() for segment in segments):
        raise Refused(f"{to!r} is not a path below the connection's address")
    return "/".join(quote(segment, safe="") for segment in segments)


def _content(key: str, message: dict[str, Any]) -> bytes:
    told = {name: value for name, value in message.items() if name not in {"connection", "to", "key"}}
    return json.dumps({"key": key, **told}, ensure_ascii=False, default=str).encode()


def _headers(way: Way, key: str, content: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "carewatch",
        "X-Carewatch-Key": key_token(key, keep="!#$&'()*+,/:;=?@[]"),
        "X-Carewatch-Timestamp": timestamp,
    }
    return headers | (
        {"X-Carewatch-Signature": sign(way.password, timestamp, content)} if way.password else {}
    )


def _success(extra: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return which field of the answer must say what, both as text; None when the status says enough."""
    if "success_field" not in extra:
        return None
    if "success_value" not in extra:
        raise Refused("the connection's extra has a success_field and no success_value")
    return str(extra["success_field"]), _text(extra["success_value"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _answer(response: requests.Response) -> bytes:
    """Return what came of the answer's body: the status is known, so one cut short is no error by itself."""
    came = bytearray()
    try:
        for piece in response.iter_content(4096):
            came += piece
            if len(came) >= _LONGEST_ANSWER:
                break
    except OSError:
        pass
    return bytes(came)


def _verdict(status: int, answer: bytes, success: tuple[str, str] | None) -> str:
    said = f"{status} {' '.join(answer.decode('utf-8', 'replace').split())}".strip()
    if status == 504:  # a gateway passed it on and heard nothing
        raise Doubtful(said)
    if not 200 <= status < 300:
        raise Refused(said)
    if success is not None:
        field, expected = success
        # a misspelt field must not send a message as often as there are attempts: only a clear refusal is one
        try:
            found = _text(json.loads(answer)[field])
        except (ValueError, LookupError, TypeError):
            raise Doubtful(f"the answer has no {field}: {said}") from None
        if found != expected:
            raise Refused(said)
    return said

"""Answer the question: how do we ask a service politely, patiently, and never for longer or for more than agreed?

A request waits for its turn (`requests_per_second`), is repeated with growing pauses when the service is busy, fails or
breaks off, and ends in one line that says what to do. Neither a token nor a password gets into that line, nor to another
host that a link or a redirection names.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from care_sources.connection import Connection, SourceError
from carewatch.spec.sources import RestSource

if TYPE_CHECKING:
    import requests

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
LARGEST_ANSWER = 256 << 20
_REDIRECTIONS = 5
_CHUNK = 1 << 16
_SHORTEST_SECRET = 4
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_ADVICE = {
    401: "check the connection's password, login or headers",
    403: "check the connection's password, login or headers, and what they may read",
    404: "check 'from' in sources.yaml and the connection's host",
    429: "lower requests_per_second of the source",
}


@dataclass(frozen=True)
class Answer:
    """One page: what it says, the address of the next one by its header Link, and the address it came from."""

    body: Any
    link: str | None
    address: str


class _Passing(Exception):
    """Something that may be better at the next attempt; `pause` is what the service asks for."""

    def __init__(self, told: str, pause: float | None = None) -> None:
        super().__init__(told)
        self.pause = pause


class _Refused(Exception):
    """Something that no further attempt will change."""


class Service:
    """A JSON service as one load sees it."""

    def __init__(self, source: RestSource, connection: Connection) -> None:
        import requests

        self._source, self._connection = source, connection
        self._base = connection.uri.rstrip("/") + "/"
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **connection.headers})
        # Without an `auth` of ours a ~/.netrc would decide.
        self._session.auth = self._signed
        self._free_at = 0.0

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        from requests.auth import HTTPBasicAuth

        if self._connection.token:
            request.headers["Authorization"] = f"Bearer {self._connection.token}"
        elif self._connection.login:
            HTTPBasicAuth(self._connection.login, self._connection.password or "")(request)
        return request

    def close(self) -> None:
        self._session.close()

    def get(self, address: str, parameters: Mapping[str, str], *, where: str) -> Answer:
        """Return the answer to one request; raise SourceError that begins with `where`."""
        pause, attempts = FIRST_PAUSE_SECONDS, self._source.attempts
        for attempt in range(1, attempts + 1):
            try:
                return self._answer(urljoin(self._base, address), parameters)
            except _Passing as error:
                if attempt == attempts:
                    tries = f" ({attempts} attempts)" if attempts > 1 else ""
                    raise self._error(where, f"{error}{tries}") from None
                wait = pause if error.pause is None else error.pause
                if wait > LONGEST_PAUSE_SECONDS:
                    told = f"{error}, and asks to wait {wait:.0f} seconds; run the load again later"
                    raise self._error(where, told) from None
                time.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except _Refused as error:
                raise self._error(where, str(error)) from None
        raise AssertionError("attempts is at least 1")

    def _answer(self, address: str, parameters: Mapping[str, str]) -> Answer:
        import requests

        asked: Mapping[str, str] = parameters
        for _ in range(_REDIRECTIONS):
            self._check_origin(address)
            self._wait_for_turn()
            deadline = time.monotonic() + self._source.timeout_seconds
            try:
                with self._session.get(
                    address,
                    params={**asked, **self._connection.query},
                    timeout=self._source.timeout_seconds,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    content = self._content(response, deadline)
            except requests.Timeout:
                raise _Passing(self._too_slow()) from None
            except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
                raise _Passing("the answer was cut off") from None
            except requests.ConnectionError as error:
                if "Read timed out" in str(error):
                    raise _Passing(self._too_slow()) from None
                raise _Passing(
                    f"{self._host()} does not answer ({type(error).__name__}); "
                    "check the connection's host and port, and that the service is up"
                ) from None
            except requests.RequestException as error:
                raise _Refused(
                    f"the request cannot be made ({type(error).__name__}); check the connection"
                ) from None
            if not response.is_redirect:
                self._check_status(response, content)
                link = response.links.get("next", {}).get("url")
                return Answer(self._parsed(response, content), link, address)
            address, asked = urljoin(address, response.headers["Location"]), {}
        raise _Refused(f"it was sent on more than {_REDIRECTIONS} times; check the connection's host")

    def _content(self, response: requests.Response, deadline: float) -> bytes:
        """Return the whole body; neither one that drips nor one without an end is read for ever."""
        parts, size = [], 0
        for chunk in response.iter_content(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise _Passing(self._too_slow())
            if size > LARGEST_ANSWER:
                raise _Refused(
                    f"the answer is larger than {LARGEST_ANSWER >> 20} MB; ask for smaller pages (paging: size)"
                )
        return b"".join(parts)

    def _check_status(self, response: requests.Response, content: bytes) -> None:
        if response.ok:
            return
        path, code = urlsplit(response.url).path, response.status_code
        said = " ".join(content.decode("utf-8", "replace").split())[:200]
        told = f"GET {path} was answered {code} {response.reason}" + (f": {said}" if said else "")
        if code in _ADVICE:
            told = f"{told}; {_ADVICE[code]}"
        elif code >= 500:
            told = f"{told}; the service fails, tell those who run it"
        if code in _PASSING:
            raise _Passing(told, _seconds(response.headers.get("Retry-After")))
        raise _Refused(told)

    def _parsed(self, response: requests.Response, content: bytes) -> Any:
        kind = response.headers.get("Content-Type", "").partition(";")[0] or "of no declared type"
        try:
            return json.loads(content, parse_float=Decimal)
        except (ValueError, RecursionError):
            if content.lstrip()[:1] in (b"{", b"["):
                raise _Passing("the answer is no whole JSON: it was cut off or is damaged") from None
            raise _Refused(
                f"the answer is no JSON but {kind}; check 'from' and the connection's host (a login page answers like this)"
            ) from None

    def _check_origin(self, address: str) -> None:
        """Let no link lead a token to another host."""
        if _origin(address) != _origin(self._base):
            raise _Refused(
                f"the next page would be at another address ({urlsplit(address).netloc.rpartition('@')[2]}), where our "
                "token must not go; correct the connection's host"
            )

    def _wait_for_turn(self) -> None:
        if self._source.requests_per_second is not None:
            time.sleep(max(self._free_at - time.monotonic(), 0))
            self._free_at = time.monotonic() + 1 / self._source.requests_per_second

    def _too_slow(self) -> str:
        seconds = self._source.timeout_seconds
        return f"the answer took longer than {seconds:g} seconds; ask for smaller pages, or raise the source's timeout_seconds"

    def _host(self) -> str:
        parts = urlsplit(self._base)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def _error(self, where: str, told: str) -> SourceError:
        """Return the error, without any secret that the service may have sent back."""
        given = self._connection
        secrets = [given.token, given.password, *given.query.values(), *given.headers.values()]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            for form in (secret, quote(secret), quote_plus(secret)):
                told = told.replace(form, "***") if len(form) >= _SHORTEST_SECRET else told
        return SourceError([f"{where}: {told}"])


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _seconds(header: str | None) -> float | None:
    """Return how long the header Retry-After asks to wait: it holds seconds or a date."""
    if header is None:
        return None
    try:
        return max(float(header), 0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0)
    except (ValueError, TypeError):
        return None

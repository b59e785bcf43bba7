"""Hold what is needed to reach a source system, and the errors that reaching it may end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Connection:
    """The way to a source: a database's URI, a service's address with its token, or a folder.

    `uri` is a database URI (SQLAlchemy's form, or libpq's for PostgreSQL), an http(s) address, or a folder (a
    path or an address such as s3://bucket/folder). `login` with `password` is HTTP basic authentication;
    `token` a bearer token; `headers` and `query` (parameters) go along with every request.
    Of a folder, `filesystem` (of fsspec) is the store it lies in, already signed in; without one `options` go to the
    store that the address names.
    """

    uri: str = field(repr=False)
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    filesystem: Any = field(default=None, repr=False)


class SourceError(Exception):
    """A source cannot be read as configured: one line per problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))

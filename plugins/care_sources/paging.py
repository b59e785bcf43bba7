"""Answer the question: after this page, what is to be asked next?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from care_sources.rows import field_of
from care_sources.service import Answer
from carewatch.spec.sources import Paging


@dataclass(frozen=True)
class Asked:
    """A request for one page; `position` counts pages, or items, as the way of paging does."""

    address: str
    parameters: Mapping[str, str]
    position: int = 0


def first_page(paging: Paging, address: str, parameters: Mapping[str, str]) -> Asked:
    """Return the request for the first page."""
    if paging.by == "page":
        return _at(paging, Asked(address, parameters), paging.first)
    if paging.by == "offset":
        return _at(paging, Asked(address, parameters), 0)
    return Asked(address, _sized(paging, parameters))


def next_page(paging: Paging, asked: Asked, answer: Answer, count: int) -> Asked | None:
    """Return the request for the page after one with `count` items; None when it was the last.

    Pages that are counted end with an empty one: a short page may only be one that the service keeps short.
    """
    match paging.by:
        case "link":
            return _linked(answer, _token(answer.body, paging.field))
        case "header":
            return _linked(answer, answer.link)
        case "cursor":
            token = _token(answer.body, paging.field)
            name = paging.parameter or ""
            return None if token is None else Asked(asked.address, {**asked.parameters, name: token})
        case "page":
            return _at(paging, asked, asked.position + 1) if count else None
        case "offset":
            return _at(paging, asked, asked.position + count) if count else None
        case _:
            return None


def _at(paging: Paging, asked: Asked, position: int) -> Asked:
    name = paging.parameter or ""
    return Asked(asked.address, {**_sized(paging, asked.parameters), name: str(position)}, position)


def _sized(paging: Paging, parameters: Mapping[str, str]) -> Mapping[str, str]:
    return {**parameters, paging.size_parameter: str(paging.size)} if paging.size_parameter else parameters


def _linked(answer: Answer, link: str | None) -> Asked | None:
    return None if link is None else Asked(urljoin(answer.address, link), {})


def _token(body: Any, field: str) -> str | None:
    """Return what leads to the next page: nothing, null, false and an empty text end it."""
    value = field_of(body, field) if isinstance(body, Mapping) else None
    return None if value in (None, "", False) else str(value)

"""Answer the question: which views are there for reports, and what does each column mean?"""

from __future__ import annotations

from dataclasses import dataclass

from carewatch.store.database import Connection


@dataclass(frozen=True)
class Column:
    """A column of a view: its type and what it means in English and Chinese."""

    name: str
    type: str
    means: dict[str, str]


@dataclass(frozen=True)
class View:
    """A view for reports, in one sentence a language, with its columns in order."""

    name: str
    says: dict[str, str]
    columns: tuple[Column, ...]


def views(connection: Connection) -> list[View]:
    """Return the views of the schema `bi` in the order of their making, as the warehouse itself describes them."""
    rows = connection.execute(
        "select c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod), "
        "col_description(c.oid, a.attnum) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 "
        "where c.relnamespace = 'bi'::regnamespace and c.relkind = 'v' order by c.oid, a.attnum"
    ).fetchall()
    found: dict[str, View] = {}
    for view, says, name, kind, means in rows:
        known = found.get(view) or View(view, _both(says), ())
        found[view] = View(view, known.says, (*known.columns, Column(name, kind, _both(means))))
    return list(found.values())


def _both(comment: str | None) -> dict[str, str]:
    english, _, chinese = (comment or "").partition(" | ")
    return {"en": english, "zh-CN": chinese}

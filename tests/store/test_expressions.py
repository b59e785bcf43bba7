"""Expressions of a mapping, computed by the warehouse over the text that a source gave."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from carewatch.paths import home
from carewatch.spec.facts import Kind
from carewatch.spec.source_expression import compile_expression
from carewatch.spec.source_reading import Reading, Reads, identifier
from carewatch.spec.sources import load_sources

Connection = psycopg.Connection[Any]
ROW = {
    "a": "10",
    "b": "0",
    "t": " spare part ",
    "day": "2026-02-01",
    "at": "2026-02-01T10:00:00+08:00",
    "end": "2026-02-01 10:30",
    "f": "是",
    "n": None,
}
NASTY = [
    "",
    " ",
    "0",
    "-1",
    "x",
    "1e99",
    "NaN",
    "'; drop table x --",
    "\\",
    "%s",
    "{}",
    "2026-02-30",
    "9" * 70,
    "💥",
    "\u3000",
    None,
]


def compute(
    connection: Connection, text: str, row: dict[str, str | None], want: Kind | None = None, **types: Kind
) -> Any:
    """Return the value of an expression over one row, as the reading step computes it."""
    reads = Reads()
    compiled = compile_expression(text, want=want, types=types, reading=Reading("Asia/Shanghai"), reads=reads)
    columns = ", ".join(
        f"{Reading('Asia/Shanghai').read(f'r.{identifier(name)}', kind)} as {alias}"
        for (name, kind), alias in reads.aliases.items()
    )
    given = sql.SQL(", ").join(
        sql.SQL("{}::text as {}").format(sql.Literal(value), sql.Identifier(name))
        for name, value in row.items()
    )
    query = sql.SQL("select {} from (select {} from (select {}) r) v").format(
        sql.SQL(compiled.sql), sql.SQL(columns or "1 as one"), given
    )  # type: ignore[arg-type]
    found = connection.execute(query).fetchone()
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a * 2 + 1", Decimal(21)),
        ("a / b", None),
        ("a % b", None),
        ("a > 9", True),
        ("a = 10", True),
        ("a = '10.0'", False),
        ("t = 'spare part'", True),
        ("case t when 'spare part' then 'spare' else 'regular' end", "spare"),
        ("case when starts_with(t, 'spare') and f then 'spare' end", "spare"),
        ("t like 'spare%' and t not like '%x'", True),
        ("t ~ '^spare' and t !~ 'x$'", True),
        ("coalesce(n, t)", "spare part"),
        ("nullif(t, 'spare part') is null", True),
        ("greatest(a, b, 3)", Decimal(10)),
        ("upper(left(t, 5)) || '-' || substring(t from 7)", "SPARE-part"),
        ("split_part(t, ' ', 2)", "part"),
        ("replace(t, 'part', '')", "spare "),
        ("length(t)", 10),
        ("round(a / 3, 2)", Decimal("3.33")),
        ("seconds_between(at, \"end\")", Decimal(1800)),
        ("a in (1, 10)", True),
        ("a between 10 and 11", True),
        ("t in ('x', 'spare part')", True),
        ("not f or n is not null", False),
        ("abs(-a) = 10 and floor(a / 3) = 3 and ceil(a / 3) = 4", True),
        ("concat(t, n, a)", "spare part10"),
        ("f is true", True),
        ("t not like 'spare%'", False),
        ("t not ilike 'SPARE%'", False),
        ("a not in (1, 2)", True),
        ("a not between 1 and 20", False),
        ("f is not true", False),
        ("n is distinct from 'x'", True),
        ("n is not distinct from t", False),
    ],
)  # fmt: skip
def test_expressions_read_columns_as_their_place_asks(
    connection: Connection, text: str, value: object
) -> None:
    assert compute(connection, text, ROW) == value


@pytest.mark.req("S165")
@pytest.mark.parametrize(
    ("score", "scale", "value"),
    [
        ("1", "5", 1), ("4.5", "5", Decimal("4.5")), ("5", "5", 5), ("0", "100", 1), ("50", "100", 3), ("100", "100", 5),
        ("0", "nps", 1), ("9", "NPS", Decimal("4.6")), ("10", "nps", 5), ("0", "5", None), ("11", "nps", None),
        ("101", "100", None), ("4", "stars", None), ("4", "", None), ("good", "5", None),
    ],
)  # fmt: skip
def test_answers_of_every_scale_come_to_one(
    connection: Connection, score: str, scale: str, value: object
) -> None:
    assert compute(connection, "on_five(s, k)", {"s": score, "k": scale}, Kind.NUMBER) == value
    assert compute(connection, "on_five(s, '5')", {"s": "3"}, Kind.NUMBER) == 3


PACKS = [
    f"industries/{name}"
    for name in ("consulting", "dealers", "equipment", "retail_chain", "saas", "training")
]


@pytest.mark.req("S165")
@pytest.mark.parametrize("folder", [".", *PACKS])
def test_shipped_mappings_read_answers_of_every_scale_and_keep_them(
    connection: Connection, folder: str
) -> None:
    sources = load_sources(home() / "config" / folder).sources.values()
    [answers] = [one for source in sources for one in source.all_streams().values() if one.fact == "survey"]
    wanted = {"score": Kind.NUMBER, "score_original": Kind.NUMBER, "scale": Kind.TEXT}
    given: list[tuple[str | None, str, object]] = [
        ("nps", "9", Decimal("4.6")),
        ("100", "50", 3),
        ("5", "4", 4),
    ]
    if folder in PACKS:
        given.append((None, "4", 4))  # where nothing else is said, answers are on five points
    for scale, score, on_five in given:
        row = {"score": score, "scale": scale}
        found = [compute(connection, answers.columns[key], row, kind) for key, kind in wanted.items()]
        assert found == [on_five, int(score), scale or "5"]


def test_declared_kinds_decide_where_a_place_does_not_tell(connection: Connection) -> None:
    row = {"first": "2026-2-9", "second": "2026-02-10", "x": "9", "y": "10"}
    assert compute(connection, "first < second", row, first=Kind.DAY, second=Kind.DAY) is True
    assert compute(connection, "x < y", row, x=Kind.NUMBER) is True
    assert compute(connection, "case when first >= '2026-02-01' then 1 end", row, first=Kind.INSTANT) == 1


def test_a_column_alone_is_read_as_its_place_wants(connection: Connection) -> None:
    assert compute(connection, "a", ROW, Kind.AMOUNT) == 10
    assert compute(connection, "a", ROW, Kind.TEXT) == "10"
    assert compute(connection, "coalesce(n, b)", ROW, Kind.NUMBER) == 0
    assert str(compute(connection, "day", ROW, Kind.DAY)) == "2026-02-01"


@pytest.mark.parametrize(
    "text",
    [
        "a * b - n / a", "round(a / b, 3)", "seconds_between(a, b)", "on_five(a, b)", "left(a, 3) || right(b, 0)", "substring(a, 2, 3)",
        "split_part(a, b, 1)", "case when a > b * 1 then b else n end", "a ~ '[0-9]{2}' or b like '_%'", "nullif(a, b) is null",
        "greatest(a, 1) + least(b, 2)", "replace(a, b, n)", "length(a) % length(b)", "a in (1, 2) and b in ('x', 'y')",
    ],
)  # fmt: skip
def test_no_text_of_a_source_makes_an_expression_fail(connection: Connection, text: str) -> None:
    for a in NASTY:
        for b in NASTY:
            compute(connection, text, {"a": a, "b": b, "n": a})

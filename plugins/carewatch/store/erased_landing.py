"""Answer the question: which landed rows are an erased customer's?

The stream's own mapping says whose a row is. Lines that nobody could read, and landed tables that no stream reads any more,
are searched for what names the customer. A row that is found keeps its place and loses its values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from carewatch.spec.source_reading import PLACE, identifier, literal
from carewatch.spec.sources import BaseSource, Sources, feeds, plans
from carewatch.spec.stream_plan import Feed, StreamPlan
from carewatch.store import raw
from carewatch.store.conform_checks import ERASED, raw_aliases
from carewatch.store.conform_sql import owner, stream_context
from carewatch.store.database import Connection

_OTHERS = ("parent", "other_key")
"""The facts' columns by which a row of one customer names another one."""


def blank(connection: Connection, sources: Sources) -> Counter[str]:
    """Take the values out of every landed row of the customer in `erasing_party`; return how many by table.

    The temporary table `erasing_landed` holds them afterwards, by stream.
    """
    connection.execute(
        "create temp table erasing_landed (origin text, load_id text, landed_row bigint) on commit drop"
    )
    done: Counter[str] = Counter()
    tables = connection.execute(
        "select substr(schemaname, 5), tablename from pg_tables where schemaname like 'raw\\_%' "
        "and left(tablename, 1) <> '_' order by 1, 2"
    ).fetchall()
    for source_name, table in tables:
        source = sources.sources.get(source_name)
        feed = None if source is None else _feed(source_name, source, sources, table)
        places = _anywhere(connection, source_name, table)
        origins: list[str] = []
        if source is not None and feed is not None:
            mapped = [plan for plan in plans(source_name, source, sources.firm) if plan.name in feed.streams]
            origins = [plan.origin for plan in mapped]
            places = [*_unread(source_name, table), *_owned(connection, source, sources, feed, mapped)]
            done += _forget_others(connection, source, feed, mapped)
        done[f"raw_{source_name}.{table}"] += _blank(connection, source_name, table, list(places), origins)
    return done


def _feed(source_name: str, source: BaseSource, sources: Sources, table: str) -> Feed | None:
    return next((feed for feed in feeds(source_name, source, sources.firm) if feed.name == table), None)


def _table(source_name: str, table: str) -> str:
    return f"{identifier(raw.schema_of(source_name))}.{identifier(table)}"


def _blank(
    connection: Connection, source_name: str, table: str, places: list[str], origins: list[str]
) -> int:
    columns = raw.value_columns(connection, source_name, table)
    if not columns or not places:
        return 0
    emptied = "".join(f", {identifier(name)} = null" for name in columns)
    found = connection.execute(
        f"with blanked as (update {_table(source_name, table)} l set _fault = {literal(ERASED)}, _raw = null{emptied} "
        f"from (select distinct place from ({' union all '.join(places)}) p) f "
        f"where l.ctid = f.place and l._fault is distinct from {literal(ERASED)} returning l._dlt_load_id, l._row), "
        "noted as (insert into erasing_landed select o.origin, b._dlt_load_id, b._row from blanked b "
        f"cross join unnest(array[{', '.join(map(literal, origins))}]::text[]) o (origin)) select count(*) from blanked".encode()
    ).fetchone()
    return 0 if found is None else int(found[0])


def _owned(
    connection: Connection, source: BaseSource, sources: Sources, feed: Feed, mapped: list[StreamPlan]
) -> Iterator[str]:
    """Yield queries of the places of the customer's rows, one a stream."""
    there = set(raw.value_columns(connection, mapped[0].source, feed.name)) | set(PLACE)
    for plan in mapped:
        whose = owner(plan)
        if whose is None:
            continue
        columns = "".join(
            f", {identifier(raw.landed_name(name))}::text as {alias}" if raw.landed_name(name) in there
            else f", null::text as {alias}"
            for name, alias in raw_aliases(plan).items()
        )  # fmt: skip
        reads = "".join(
            f", {read['sql']} as {read['alias']}" for read in stream_context(plan, sources.firm)["reads"]
        )
        yield (
            f"select place from (select l.*{reads} from (select ctid as place{columns} "
            f"from {_table(plan.source, feed.name)}) l) a "
            f"where array[{', '.join(whose)}] && {_keys(source.key_space or plan.source)}"
        )


def _keys(key_space: str | None) -> str:
    """Return the SQL of an array of the customer's keys in a key space, or in all of them."""
    only = "" if key_space is None else f" where p.key_space = {literal(key_space)}"
    return f"coalesce((select array_agg(p.customer_key) from erasing_party p{only}), '{{}}')"


def _unread(source_name: str, table: str) -> Iterator[str]:
    """Yield the query of the places of unreadable lines that name the customer."""
    yield (
        f"select l.ctid as place from {_table(source_name, table)} l where l._raw is not null "
        "and exists (select from erasing_word w where w.telling and l._raw ~ w.pattern)"
    )


def _anywhere(connection: Connection, source_name: str, table: str) -> list[str]:
    """Return the query of the places of rows of a table that no stream reads, in which any cell names the customer."""
    names = [identifier(name) for name in raw.value_columns(connection, source_name, table)]
    if not names:
        return []
    return [
        *_unread(source_name, table),
        f"select l.ctid as place from {_table(source_name, table)} l where array[{', '.join(f'{name}::text' for name in names)}] && "
        f"(select array_agg(w.word) || {_keys(source_name)} from erasing_word w where w.telling)",
    ]


def _forget_others(
    connection: Connection, source: BaseSource, feed: Feed, mapped: list[StreamPlan]
) -> Counter[str]:
    """Empty the cells in which rows of other customers name this one as their parent, or as another key of theirs."""
    done: Counter[str] = Counter()
    for plan in mapped:
        for name in _OTHERS:
            named = plan.columns.get(name)
            if named is None or named.column is None:
                continue
            keys = _keys(source.key_space or plan.source if name == "parent" else None)
            cell = identifier(raw.landed_name(named.column))
            if raw.landed_name(named.column) not in raw.value_columns(connection, plan.source, feed.name):
                continue
            count = connection.execute(
                f"update {_table(plan.source, feed.name)} set {cell} = null where care.read_text({cell}) = any({keys})".encode()
            ).rowcount
            done[f"raw_{plan.source}.{feed.name}"] += count
    return done

"""Make a synthetic firm on the real fact tables: skewed activity, rhythms of one's own, corrections, merged parties.

Everything is generated inside PostgreSQL from hashes of (customer, event), so a firm of a size is always the same firm.
Rows lie in the order in which a load would have brought them; every correction is a closed version and a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from carewatch.store.database import Connection
from carewatch.store.migrations import migrate

END = date(2026, 7, 8)
"""The day on which the firm's history ends; nights are run on the days before it."""
YEARS = 2
CORRECTED = 20
"""One row in so many is corrected later."""


@dataclass(frozen=True)
class Size:
    """How many customers, and how many years of facts (about 50 facts a customer and year)."""

    customers: int
    years: int

    @property
    def start(self) -> date:
        return END - timedelta(days=365 * self.years)


@dataclass(frozen=True)
class Stream:
    """How one kind of fact happens.

    `rate`: events per two years of a customer of weight 1; `each`: rows per event; `seed`: streams with the same seed
    follow the same events; `after`: days after the event. Values may use party_no, k, n, weight, version and u1 to u5.
    """

    rate: float
    seed: int
    values: dict[str, str]
    each: int = 1
    after: str = "0"
    where: str = "true"


_MONEY = "round((40 + 900 * u2 * sqrt(weight) + 7 * version)::numeric, 2)"
_PAIR = {"amount": _MONEY, "amount_original": _MONEY, "currency": "'CNY'"}
STREAMS = {
    "order": Stream(
        14, 1, {"order_no": "'O' || party_no || '-' || k", "kind": "case when u3 < 0.9 then 'regular' else 'spare' end", **_PAIR}
    ),
    "order_line": Stream(
        14, 1, {"order_no": "'O' || party_no || '-' || k", "product": "'P' || (u4 * (3 + least(weight, 10) * 8))::integer",
                "quantity": "1 + (u3 * 40)::integer + version", **_PAIR}, each=2,
    ),
    "interaction": Stream(
        18, 2, {"what": "case when u2 < 0.6 then 'call' when u2 < 0.8 then 'visit' else 'event' end", "channel": "'phone'",
                "direction": "case when u3 < 0.5 then 'in' else 'out' end", "invited": "u2 >= 0.8", "attended": "u4 < 0.5",
                "decision_maker": "u5 < 0.3", "tone": "case when u4 < 0.03 then 'distant' else 'neutral' end"},
    ),
    "ticket": Stream(
        3.5, 3, {"ticket_no": "'T' || party_no || '-' || k", "priority": "'normal'", "complaint": "u2 < 0.25"}
    ),
    "ticket_event": Stream(
        3.5, 3, {"ticket_no": "'T' || party_no || '-' || k", "what": "case n when 1 then 'assigned' else 'resolved' end",
                 "elapsed": "(3600 + n * 200000 * u3 * u4)::bigint", "complaint": "u2 < 0.25"}, each=2, after="n * 2 * u3",
    ),
    "invoice": Stream(14, 1, {"invoice_no": "'I' || party_no || '-' || k", **_PAIR, "due_on": "event_at::date + 30"}, after="1"),
    "payment": Stream(
        14, 1, {"invoice_no": "'I' || party_no || '-' || k", **_PAIR}, after="15 + 40 * u3", where="u5 < 0.95"
    ),
    "survey": Stream(1.2, 5, {"score": "1 + floor(5 * sqrt(u2))", "score_original": "1 + floor(5 * sqrt(u2))", "scale": "'1-5'"}),
    "usage_day": Stream(
        88, 6, {"logins": "(u2 * 9)::bigint", "active_users": "1 + (u3 * 6)::bigint", "seconds": "(u4 * 20000)::bigint"},
        where="party_no % 5 = 0",
    ),
}  # fmt: skip


def make(connection: Connection, size: Size, tell: Callable[[str], None]) -> int:
    """Migrate, fill and analyse an empty database on an autocommit connection; return the number of event facts."""
    migrate(connection)
    connection.execute("set maintenance_work_mem = '512MB'")
    connection.execute("set work_mem = '256MB'")
    # The firm is consistent by construction: checking 10 million foreign keys would only cost time.
    connection.execute("set session_replication_role = replica")
    indexes = _drop_indexes(connection)
    _customers(connection, size)
    facts = 0
    for fact, stream in STREAMS.items():
        rows = _events(connection, size, fact, stream)
        tell(f"{rows:,} rows of {fact}")
        facts += rows
    for statement in indexes:
        connection.execute(statement.encode())
    connection.execute("reset session_replication_role")
    for table in ("party", "customer", "identity", "fact_customer", *(f"fact_{fact}" for fact in STREAMS)):
        connection.execute(f"vacuum (analyze) care.{table}".encode())
    connection.execute("checkpoint")
    return facts


def _drop_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of the fact tables and return how to make them again: a bulk load makes them at its end."""
    rows = connection.execute(
        "select indexname, indexdef from pg_indexes where schemaname = 'care' and tablename like 'fact%'"
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"drop index care.{name}".encode())
    return [definition for _, definition in rows]


def _uniform(key: str, seed: int) -> str:
    return f"((hashint8extended({key}, {seed}) & 1048575) + 0.5::float8) / 1048576"


def _customers(connection: Connection, size: Size) -> None:
    """Make customers (2 % of them with a second party), activity weights, and when each joined and left."""
    for statement in (
        "create schema bench",
        "insert into care.party (key_space, customer_key) select 'sales', 'C' || n from generate_series(1, %(parties)s) n",
        "insert into care.customer (customer_id) select 'C' || n from generate_series(1, %(customers)s) n",
        "insert into care.identity (party_no, customer_no, known_from) "
        "select party_no, (party_no - 1) %% %(customers)s + 1, '2000-01-01' from care.party order by 1",
        f"""
        create table bench.party as
        select party_no, exp(sqrt(-2 * ln(u1)) * cos(2 * pi() * u2) - 0.5) as weight, u3 as phase, u4 as appeal,
            case when u5 < 0.85 then '-infinity' else %(last)s + u6 * %(span)s end::float8 as joined,
            case when u7 < 0.85 then 'infinity' else %(last)s + u8 * %(span)s end::float8 as stopped
        from (select party_no, {", ".join(f"{_uniform('party_no', seed)} as u{seed}" for seed in range(1, 9))} from care.party) p
        """,
        """
        insert into care.fact_customer (party_no, origin, source_key, event_at, event_day, known_from, row_hash, load_id,
            name, industry, region, country, owner, profit_rate)
        select party_no, 'sales.customers', 'C' || party_no, at, (at at time zone 'Asia/Shanghai')::date, at, '', 'l0',
            'Firm ' || party_no, 'components', 'east', 'CN', 'am0' || 1 + party_no % 8, round((5 + 30 * appeal)::numeric, 1)
        from (select *, to_timestamp(case when joined > 0 then joined else %(first)s - appeal * 1e8 end) as at from bench.party) p
        order by at
        """.replace("party_no % 8", "party_no %% 8"),
        "analyze bench.party",
        "analyze care.party",
    ):
        connection.execute(
            statement.encode(),
            {
                "customers": size.customers,
                "parties": size.customers + size.customers // 50,
                "first": _seconds(size.start),
                "last": _seconds(END - timedelta(days=365 * YEARS)),
                "span": 365 * YEARS * 86400,
            },
        )


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86400


def _events(connection: Connection, size: Size, fact: str, stream: Stream) -> int:
    """Insert a stream's rows in the order in which they became known; return how many."""
    gap = f"(86400 * 365 * {YEARS} / ({stream.rate}::float8 * weight))"
    begin = f"greatest({_seconds(size.start)}::float8, joined)"
    end = f"least({_seconds(END)}::float8, stopped)"
    uniform = ", ".join(f"((h >> {12 * (bit - 1)}) & 4095) / 4096::float8 as u{bit}" for bit in range(1, 6))
    columns, values = ", ".join(stream.values), ", ".join(stream.values.values())
    inserted = connection.execute(
        f"""
        insert into care.fact_{fact} (party_no, origin, source_key, event_at, event_day, known_from, known_to, row_hash,
            load_id, {columns})
        select party_no, 'bench.{fact}', party_no || '-' || k || '-' || n, event_at,
            (event_at at time zone 'Asia/Shanghai')::date, known_from, known_to, to_hex(h + version),
            'l' || (known_from at time zone 'UTC')::date, {values}
        from (
            select *, case version when 0 then loaded else corrected end as known_from,
                case version when 0 then corrected end as known_to
            from (
                select *, to_timestamp(at + 86400 * ({stream.after})) as event_at,
                    to_timestamp(at + 86400 * ({stream.after}) + 3600) as loaded,
                    case when h % {CORRECTED} = 0 then to_timestamp(at + 86400 * (({stream.after}) + 0.1 + 12 * u4)) end as corrected
                from (
                    select *, {begin} + (k + phase + 0.6 * u0) * {gap} as at
                    from (
                        select *, {uniform} from (
                            select p.*, k, n, {_uniform("hashint8extended(party_no, k)", stream.seed)} as u0,
                                hashint8extended(hashint8extended(party_no, k), {stream.seed} + 8 * n) as h
                            from bench.party p, generate_series(0, floor(({end} - {begin}) / {gap})::integer) k,
                                generate_series(1, {stream.each}) n
                        ) hashed
                    ) drawn
                ) timed
                where at < {end} and {stream.where}
            ) event
            cross join (values (0), (1)) as v (version)
            where version = 0 or corrected is not null
        ) known
        where event_at < to_timestamp({_seconds(END)})
        order by known_from, party_no
        """.encode()
    )
    return inserted.rowcount

"""Answer the question: what are the numbers of every customer at this cut?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from carewatch.measure.compile import Program, compile_metrics
from carewatch.measure.cut import Cut, day_literal, instant_literal
from carewatch.measure.kinds.rhythm import rhythm_pass
from carewatch.measure.passes import Passes, believed, visible
from carewatch.spec.configuration import ATTRIBUTES, JudgementSpec
from carewatch.spec.metrics import Metric, depends_on_everybody
from carewatch.store.arrays import Field, read
from carewatch.store.database import Connection, refusal
from carewatch.store.nights import Night, lacks, set_state


def gather_population(connection: Connection, cut: Cut, *, erased: bool = False) -> None:
    """Make the temporary tables `population` and `who` of the customers known at the cut.

    Customers who were erased are none of them from that day on, unless they are asked for.
    """
    whom = believed(cut) if erased else f"{believed(cut)} and {_not_erased(cut)}"
    connection.execute("drop table if exists pg_temp.population, pg_temp.who")
    connection.execute(
        f"create temp table population on commit drop as select distinct i.customer_no from care.fact_customer f "
        f"join care.identity i using (party_no) where {whom} and {visible(cut)}".encode()
    )
    connection.execute(
        f"create temp table who on commit drop as select i.party_no, i.customer_no from care.identity i "
        f"join population using (customer_no) where {believed(cut)}".encode()
    )
    connection.execute("analyze population")
    connection.execute("analyze who")


def _not_erased(cut: Cut) -> str:
    """Return the condition that the customer of `i` was not erased yet: what was judged before stays as it was."""
    known, day_after = cut.knowledge_cut, cut.event_cut + timedelta(days=1)
    return (
        "not exists (select from care.customer e where e.customer_no = i.customer_no "
        f"and e.erased_at <= {instant_literal(known)} and e.erased_at < {instant_literal(day_after)})"
    )


class BadMetric(ValueError):
    """What a person wrote in a metric fails in PostgreSQL, or gives a customer more than one value."""


def run_passes(connection: Connection, program: Program) -> None:
    """Make the program's temporary tables; raise BadMetric naming the metrics of a pass that fails."""
    for name, query in program.passes.items():
        connection.execute(f"drop table if exists pg_temp.{name}".encode())
        statement = f"create temp table {name} on commit drop as {query}"
        try:
            connection.execute(statement.encode())
        except (psycopg.ProgrammingError, psycopg.DataError) as error:
            raise BadMetric(f"{_named(program, name)}: {_said(error, statement)}") from error
        connection.execute(f"analyze {name} (customer_no)".encode())
        if name.startswith("literal_"):
            _refuse_second_values(connection, program, name)


def _named(program: Program, name: str) -> str:
    metrics = program.readers(name)
    return f"metric {metrics[0]}" if len(metrics) == 1 else f"one of the metrics {', '.join(metrics)}"


def _said(error: psycopg.Error, statement: str) -> str:
    at = error.diag.statement_position
    near = f", at '{statement[int(at) - 1 :][:60].splitlines()[0]}'" if at else ""
    return f"{refusal(error)}{near}"


def _refuse_second_values(connection: Connection, program: Program, name: str) -> None:
    found = connection.execute(
        f"select customer_id, count(*) from {name} join care.customer using (customer_no) "
        "group by customer_id having count(*) > 1 order by customer_id limit 1".encode()
    ).fetchone()
    if found is not None:
        raise BadMetric(
            f"{_named(program, name)}: {found[1]} values for customer {found[0]}; expected one row a customer, "
            "as by group by customer_no"
        )


def measure_night(connection: Connection, night: Night, spec: JudgementSpec) -> None:
    """Compute and store the night's metrics in one transaction; a night that has them already stays as it is."""
    cut = night.cut(spec.firm.zone)
    program = compile_metrics(spec.metrics, cut, closed_days=spec.closed_days)
    with connection.transaction():
        if not lacks(connection, night, "measured"):
            return
        gather_population(connection, cut)
        run_passes(connection, program)
        select = program.select(f"date '{night.day}'", str(night.revision))
        connection.execute(
            f"insert into care.metric_night (day, revision, customer_no, metrics) {select} order by customer_no".encode()
        )
        set_state(connection, night, "measured")


def metrics_at(
    connection: Connection,
    metrics: Mapping[str, Metric],
    wanted: Sequence[str],
    cut: Cut,
    customer_no: int | None = None,
    closed_days: Collection[str] = (),
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
    """Compute metrics at a cut without storing them: customer numbers in order, and one column a metric.

    `closed_days` are the configuration's days without work. For one customer, what depends on everybody takes as long as for all of them.
    """
    shared = [] if customer_no is None else [name for name in wanted if depends_on_everybody(metrics, name)]
    alone = [name for name in wanted if name not in shared]
    customers, columns = _computed(connection, metrics, alone, cut, customer_no, closed_days)
    if shared and len(customers):
        everybody, theirs = _computed(connection, metrics, shared, cut, None, closed_days)
        columns |= {name: values[everybody == customer_no] for name, values in theirs.items()}
    return customers, {name: columns[name] for name in wanted if name in columns}


def _computed(
    connection: Connection,
    metrics: Mapping[str, Metric],
    wanted: Sequence[str],
    cut: Cut,
    customer_no: int | None,
    closed_days: Collection[str],
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
    if customer_no is not None:
        return _computed_alone(connection, metrics, wanted, cut, customer_no, closed_days)
    program = compile_metrics(metrics, cut, list(wanted), closed_days)
    with connection.transaction():
        gather_population(connection, cut)
        run_passes(connection, program)
        return _columns(connection, program.select() + " order by customer_no", wanted)


def _computed_alone(
    connection: Connection,
    metrics: Mapping[str, Metric],
    wanted: Sequence[str],
    cut: Cut,
    customer_no: int,
    closed_days: Collection[str],
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
    """Compute one customer's metrics in one statement that names the parties, so that every fact is found by its index."""
    of_customer = f"i.customer_no = {int(customer_no)} and {believed(cut)} and {_not_erased(cut)}"
    parties = [
        row[0]
        for row in connection.execute(
            f"select i.party_no from care.identity i where {of_customer} order by 1".encode()
        ).fetchall()
    ]
    program = compile_metrics(metrics, cut, list(wanted), closed_days, parties)
    known = f"select from care.fact_customer f join care.identity i using (party_no) where {of_customer} and {visible(cut)}"
    statement = program.of_few(
        population=f"select {int(customer_no)} as customer_no where exists ({known})",
        who=f"select i.party_no, i.customer_no from care.identity i where {of_customer}",
    )
    try:
        customers, columns = _columns(connection, statement, wanted)
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        raise BadMetric(_said(error, statement)) from error
    if len(customers) > 1:
        raise BadMetric(
            f"{len(customers)} values of a metric in SQL for one customer; expected one row a customer"
        )
    return customers, columns


def metrics_of_night(
    connection: Connection, night: Night, spec: JudgementSpec, customers: NDArray[np.int32] | None = None
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
    """Return the stored metrics of a night, of everybody or some: customer numbers in order, and one column a metric."""
    query = (
        f"select customer_no, metrics from care.metric_night where day = date '{night.day}' "
        f"and revision = {night.revision} and {among(customers)} order by customer_no"
    )
    return _columns(connection, query, list(spec.metrics))


def among(customers: NDArray[np.int32] | None) -> str:
    """Return the condition of being one of these customers (None: anybody), for a query that takes no parameters."""
    return "true" if customers is None else f"customer_no = any('{{{','.join(map(str, customers))}}}')"


def _columns(
    connection: Connection, query: str, names: Sequence[str]
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]]]:
    fields = (Field("customer_no", "integer"), Field("metrics", "floats", len(names)))
    table = read(connection, query, fields)
    return table["customer_no"], {name: table["metrics"][:, position] for position, name in enumerate(names)}


def histories_at(connection: Connection, metric: Metric, cut: Cut) -> dict[str, NDArray[np.float64]]:
    """Return what a metric of kind `expected` sees of each customer at a cut: repeats, last, age (days; see learn.purchases)."""
    passes = Passes({}, cut, {})
    name = rhythm_pass(metric, passes)
    with connection.transaction():
        gather_population(connection, cut)
        run_passes(connection, Program(passes.queries(), [], []))
        fields = tuple(Field(column, "float") for column in ("repeats", "last", "age"))
        span = "coalesce(gaps, 0)"
        return read(
            connection,
            f"select (days - 1)::float8 as repeats, {span}::float8 as last, "
            f"({day_literal(cut.day)} - last_day + {span})::float8 as age from {name} order by customer_no",
            fields,
        )


def attributes_at(
    connection: Connection, cut: Cut, customers: NDArray[np.int32], wanted: Sequence[str]
) -> dict[str, NDArray[np.object_]]:
    """Return texts of the customers' master records as known at the cut, of several systems the first by priority."""
    names = [name for name in ATTRIBUTES if name in wanted]
    result = {name: np.full(len(customers), None, dtype=object) for name in names}
    if not names:
        return result
    rows = connection.execute(
        f"select customer_no, {', '.join(names)} from care.masters_at(%s, %s, %s) "
        "where customer_no = any(%s) order by customer_no".encode(),
        (cut.event_cut, cut.knowledge_cut, list(cut.later_histories), customers.tolist()),
    ).fetchall()
    if rows:
        found = np.array([row[0] for row in rows])
        at = np.searchsorted(customers, found)
        fits = (at < len(customers)) & (customers[np.minimum(at, len(customers) - 1)] == found)
        for position, name in enumerate(names, start=1):
            values = np.array([row[position] for row in rows], dtype=object)
            result[name][at[fits]] = values[fits]
    return result

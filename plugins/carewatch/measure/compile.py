"""Answer the question: which SQL computes these metrics?

Each fact is read once: all its aggregates are filtered expressions of one GROUP BY; what cannot be said so brings a pass
of its own. The passes become temporary tables (inlined, PostgreSQL evaluates every expression again in every use), and
one SELECT puts a customer's numbers into one array, NaN where missing.
Everything is counted and summed in integers and numerics with one cast at the end, so no plan changes a bit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from carewatch.measure.cut import Cut
from carewatch.measure.kinds import KINDS
from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric


@dataclass(frozen=True)
class Program:
    """SQL for one cut: the query of each pass, and one array expression over them, in metric order."""

    passes: dict[str, str]
    values: list[str]
    names: list[str]

    def select(self, *leading: str) -> str:
        """Return the SELECT of one row a customer: the leading expressions, customer_no and the array of values."""
        columns = ", ".join(
            (*leading, "population.customer_no", f"array[{', '.join(self.values)}]::float8[]")
        )
        joins = "".join(f" left join {name} using (customer_no)" for name in self.passes)
        return f"select {columns} from population{joins}"

    def of_few(self, *, population: str, who: str) -> str:
        """Return one statement that does it all, for customers so few that temporary tables cost more than they save."""
        tables = {"population": population, "who": who, **self.passes}
        parts = ", ".join(f"{name} as materialized ({query})" for name, query in tables.items())
        return f"with {parts} {self.select()}"

    def readers(self, name: str) -> list[str]:
        """Return the metrics that read a pass."""
        return [metric for metric, value in zip(self.names, self.values, strict=True) if f"{name}." in value]


def compile_metrics(
    metrics: Mapping[str, Metric],
    cut: Cut,
    wanted: list[str] | None = None,
    closed_days: Collection[str] = (),
    parties: Collection[int] | None = None,
) -> Program:
    """Return the program that computes the wanted metrics (all, in their order) for every customer of `population`.

    It expects two relations: `population(customer_no)` and `who(party_no, customer_no)`. Where `parties` are given,
    nothing but their facts is read.
    """
    passes = Passes(metrics, cut, KINDS, closed_days, parties)
    names = list(metrics) if wanted is None else wanted
    values = [passes.value(name) for name in names]
    return Program(passes.queries(), values, names)

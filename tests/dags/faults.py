"""Break tasks off at every point where something is committed, one point further with every try.

The first try of a task fails right before its first commit, the second right after it, the third right before its second,
and so on, until a try meets fewer points than it was to pass. So one run of a Dag, its tasks tried often enough, is broken
off at both sides of every commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

WRITES = ("insert", "update", "delete", "create", "drop", "copy", "truncate", "alter")
LOADING_STEPS = ("extract", "normalize", "load")


class Planted(RuntimeError):
    """A fault of the tests."""


class Faults:
    """Where tasks were broken off, and what they wrote outside of transactions.

    Unarmed, a run goes the same ways undisturbed.
    """

    def __init__(self, *, armed: bool) -> None:
        self.armed = armed
        self.planted: list[tuple[str, str]] = []
        self.unguarded: list[str] = []
        self._passed: Counter[tuple[str, str, int]] = Counter()

    def point(self, where: str) -> None:
        """Fail here when this is the point at which the running try is to fail."""
        from airflow.sdk import get_current_context

        ti = get_current_context()["ti"]
        name = ti.task_id + ("" if ti.map_index is None or ti.map_index < 0 else f"[{ti.map_index}]")
        key = (ti.run_id, name, ti.try_number)
        self._passed[key] += 1
        if self.armed and self._passed[key] == ti.try_number:
            self.planted.append((name, where))
            raise Planted(f"{name}: {where}")

    def by_task(self) -> dict[str, int]:
        """Return at how many points each task was broken off."""
        return dict(Counter(name for name, _ in self.planted))


def plant(monkeypatch: pytest.MonkeyPatch, *, armed: bool) -> Faults:
    """Let every transaction of the warehouse and every step of a landing be a point at which tasks may fail."""
    faults = Faults(armed=armed)

    class Fragile(psycopg.Connection[Any]):
        @contextmanager
        def transaction(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            if self.info.transaction_status != TransactionStatus.IDLE:
                with super().transaction(*arguments, **options) as inner:
                    yield inner
                return
            try:
                with super().transaction(*arguments, **options) as outer:
                    yield outer
                    faults.point("before a commit")
            finally:
                number_without_gaps(self)
            faults.point("after a commit")

        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            text = query.decode() if isinstance(query, bytes) else str(query)
            idle = self.info.transaction_status == TransactionStatus.IDLE
            if idle and text.lstrip().lower().startswith(WRITES):
                faults.unguarded.append(text)
            return super().execute(query, *arguments, **options)

    monkeypatch.setattr(psycopg, "connect", Fragile.connect)
    _plant_in_landings(monkeypatch, faults)
    return faults


def _plant_in_landings(monkeypatch: pytest.MonkeyPatch, faults: Faults) -> None:
    from dlt.pipeline.pipeline import Pipeline

    for step in LOADING_STEPS:
        whole = getattr(Pipeline, step)

        def broken_off(
            self: Any, *arguments: Any, whole: Any = whole, step: str = step, **options: Any
        ) -> Any:
            done = whole(self, *arguments, **options)
            faults.point(f"after the step {step}")
            return done

        monkeypatch.setattr(Pipeline, step, broken_off)


def number_without_gaps(connection: psycopg.Connection[Any]) -> None:
    """Let every number go on after the highest in use: a rollback leaves a gap, which is no difference that matters."""
    psycopg.Connection.execute(
        connection,
        """
        do $$
        declare found record; highest bigint;
        begin
            for found in
                select attrelid::regclass as owner, attname, pg_get_serial_sequence(attrelid::regclass::text, attname) as sequence
                from pg_attribute join pg_class on pg_class.oid = attrelid
                where attidentity <> '' and relnamespace in ('care'::regnamespace, 'quarantine'::regnamespace)
            loop
                execute format('select max(%I) from %s', found.attname, found.owner) into highest;
                perform setval(found.sequence, coalesce(highest, 1), highest is not null);
            end loop;
        end $$
        """,
    )

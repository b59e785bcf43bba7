"""Take the loads of one stream: read and check their rows, then stamp and write what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from carewatch.spec.firm import Firm
from carewatch.spec.source_reading import PLACE, identifier, literal
from carewatch.spec.sources import BaseSource, FilesSource
from carewatch.spec.stream_plan import Feed, StreamPlan
from carewatch.store import quarantine, raw
from carewatch.store.conform_checks import SUSPICIOUS_SNAPSHOT, raw_aliases
from carewatch.store.conform_result import CannotReplay, Lack, Refused, StreamResult
from carewatch.store.conform_sql import begins, delay, render, stream_context
from carewatch.store.database import Connection
from carewatch.store.first_rows import first_rows
from carewatch.store.identity import resolve_load
from carewatch.store.locks import Lock, hold, hold_for, hold_shared
from carewatch.store.rates import convert_anew

MANY = 10_000
_IN_ORDER = (
    "select 1 from pg_stats where schemaname = pg_my_temp_schema()::regnamespace::text and tablename = 'candidate' "
    "and attname = 'event_at' and correlation = 1"
)
_IDENTITY = ("care.party", "care.customer", "care.identity")
_UNCONVERTED = (
    "select count(*) from candidate where coalesce(fate, 'new') in ('new', 'changed') "
    "and o_amount is null and o_amount_original is not null"
)
_TEMPORARY = ", ".join(
    f"pg_temp.{name}"
    for name in (
        "reading",
        "gone",
        "erased_row",
        "candidate",
        "twin",
        "missing",
        "arrival",
        "bad",
        "waited",
        "moved_rate",
    )
)


class Stream:
    """One stream while its loads are taken."""

    def __init__(
        self, connection: Connection, source: BaseSource, plan: StreamPlan, feed: Feed, firm: Firm,
        refused: list[Refused] | None = None,
    ) -> None:  # fmt: skip
        self.refused = refused
        self.connection, self.source, self.plan, self.feed = connection, source, plan, feed
        self.aliases = raw_aliases(plan)
        self.loads: dict[str, raw.PendingLoad] = {}
        self.context = {
            **stream_context(plan, firm),
            "delay": delay(source.delay),
            "key_space": literal(source.key_space or plan.source),
            "makes_parties": source.customers == "derived"
            or (source.customers == "master" and plan.fact.name == "customer"),
            "maps_customers": plan.fact.name == "same_customer",
            "derives_customers": source.customers == "derived",
            "derived_origin": literal(f"{plan.source}.derived"),
        }

    def find_loads(self, wanted: Sequence[str] | None) -> list[str]:
        """Remember and return the loads this stream has still to take."""
        with self.connection.transaction():
            found = raw.pending_loads(
                self.connection, self.plan.source, self.feed.name, self.plan.origin, wanted
            )
        self.loads = {load.load_id: load for load in found}
        return list(self.loads)

    def take(self, load_id: str) -> list[StreamResult]:
        """Take a landed load; nothing when it is not this stream's or another process was faster."""
        load = self.loads.get(load_id)
        if load is None:
            return []
        with self.connection.transaction():
            hold_for(self.connection, Lock.CONFORM, self.plan.source)
            if self._value("select 1 from care.load where origin = %s and load_id = %s", load_id) is not None:
                return []
            landed = raw.count_rows(self.connection, self.plan.source, self.feed.name, load_id)
            result = StreamResult(self.plan.origin, load_id, landed)
            if load.digest != self.feed.digest:
                # The mapping has changed since; the next load reads everything anew and says these rows
                # again.
                result = replace(result, repeated=landed)
            elif self.plan.stream.snapshot and self._is_overtaken(load_id):
                result = replace(result, repeated=landed)
            elif landed or (self.plan.stream.snapshot and not isinstance(self.source, FilesSource)):
                result = self._settle(result, self._landed_rows(load_id, landed), history=self._is_first())
                self._take_newer_again(load_id)
            self._record(result, load.read_at)
            quarantine.forget_held(self.connection, self.plan.origin, load_id)
        return [result]

    def _take_newer_again(self, load_id: str) -> None:
        """Let newer loads that were taken already have the last word, where no change time tells which version is newer.

        A load comes after a newer one only when two processes landed the source at once.
        """
        if self.plan.changed_at is not None or self.plan.stream.snapshot:
            return
        for newer in raw.newer_loads(
            self.connection, self.plan.source, self.feed.name, self.plan.origin, load_id, self.feed.digest
        ):
            again = StreamResult(self.plan.origin, newer)
            self._settle(again, self._landed_rows(newer, landed=1), history=False)

    def _landed_rows(self, load_id: str, landed: int) -> str:
        if not landed:
            return raw.no_rows(self.aliases)
        raw.ensure_index(self.connection, self.plan.source, self.feed.name)
        if landed >= MANY:
            raw.tell_planner(self.connection, self.plan.source, self.feed.name)
        held = quarantine.has_held(self.connection, self.plan.origin, load_id)
        held_from = self.plan.origin if held else None
        return raw.landed_rows(self.plan.source, self.feed.name, load_id, self.aliases, held_from=held_from)

    def release(self) -> list[StreamResult]:
        """Take again the rows that waited for a customer who is known by now, oldest load first."""
        if self.context["makes_parties"] or self.plan.customer is None:
            return []
        results = []
        with self.connection.transaction():
            known = quarantine.whose_customer_came(self.source.key_space or self.plan.source)
            for load_id, count in quarantine.loads_of(self.connection, self.plan.origin, known):
                hold_for(self.connection, Lock.CONFORM, self.plan.source)
                rows = quarantine.waiting_rows(self.plan.origin, load_id, known, self.aliases)
                history = self._value(
                    "select history from care.load where origin = %s and load_id = %s", load_id
                )
                result = StreamResult(self.plan.origin, load_id, count, released=True)
                results.append(self._settle(result, rows, history=bool(history)))
        return results

    def replay(self, rows: Sequence[int], by: str) -> list[StreamResult]:
        """Take these rows of the quarantine again, as a person wants; oldest load first."""
        suspicious = literal(SUSPICIOUS_SNAPSHOT)
        chosen = f"{quarantine.with_numbers(rows)} and q.reason <> {suspicious}"
        loads = quarantine.loads_of(self.connection, self.plan.origin, chosen)
        if not loads:
            return []
        hold_for(self.connection, Lock.CONFORM, self.plan.source)
        lacking = quarantine.landed_without(
            self.connection, self.plan.origin, chosen, [name for name in self.aliases if name not in PLACE]
        )
        if lacking:
            raise CannotReplay(
                f"{self.plan.origin}: the mapping now reads {', '.join(lacking)}, which row {rows[0]} or another was landed "
                "without; load the source again, it then brings the rows anew"
            )
        if self.context["combined"] and quarantine.torn_groups(self.connection, self.plan.origin, rows):
            raise CannotReplay(
                f"{self.plan.origin} makes one fact of many rows, and not all rows of a key are chosen, or their key is not "
                "known; choose all of them (--source with --reason), or load the source again"
            )
        results = []
        for load_id, count in loads:
            waiting = quarantine.waiting_rows(self.plan.origin, load_id, chosen, self.aliases)
            result = StreamResult(self.plan.origin, load_id, count, released=True)
            results.append(self._settle(result, waiting, history=False, by=by))
        return results

    def accept_snapshot(self, rows: Sequence[int], by: str) -> list[StreamResult]:
        """Believe the newest snapshot although it lacks much, when its entry is among these rows."""
        if not quarantine.accept_suspect(self.connection, self.plan.origin, rows, by):
            return []
        hold_for(self.connection, Lock.CONFORM, self.plan.source)
        row = self.connection.execute(
            "select load_id, landed from care.load where origin = %s and (landed > 0 or %s) "
            'order by load_id collate "C" desc limit 1',
            (self.plan.origin, not isinstance(self.source, FilesSource)),
        ).fetchone()
        assert row is not None
        load_id, landed = row
        if raw.count_rows(self.connection, self.plan.source, self.feed.name, load_id) != landed:
            raise CannotReplay(
                f"{self.plan.origin}: the landing no longer holds load {load_id}; load the source again, then replay"
            )
        result = StreamResult(self.plan.origin, load_id, landed)
        result = self._settle(result, self._landed_rows(load_id, landed), history=False, by=by)
        self.connection.execute(
            "update care.load set ended = ended + %s where origin = %s and load_id = %s",
            (result.ended, self.plan.origin, load_id),
        )
        return [result]

    def _settle(
        self, result: StreamResult, rows: str, *, history: bool, by: str | None = None
    ) -> StreamResult:
        waiting = quarantine.has_waiting(self.connection, self.plan.origin)
        context = {
            **self.context,
            "landed": rows,
            "load_id": literal(result.load_id),
            "history": history,
            "begins": begins(self.plan, history=history),
            "released": result.released,
            "replayed_by": "null" if by is None else literal(by),
            "release_why": literal("its customer came" if by is None else "replayed"),
            "waiting": waiting,
        }
        self._run("set local jit = off; set local timezone = 'UTC'; set local datestyle = 'ISO'")
        self._run("set local work_mem = '64MB'")
        self._run(f"drop table if exists {_TEMPORARY}")
        if self.context["is_rate"]:
            hold(self.connection, Lock.RATES)
        elif self.context["converts"]:
            hold_shared(self.connection, Lock.RATES)
        self._run(render("candidates.sql.j2", context))
        erased = self._drop_erased(result, context)
        self._run(render("twins.sql.j2", context))
        context["has_twins"] = self._value("select 1 from twin limit 1") is not None
        if context["has_twins"]:
            self._run(render("versions.sql.j2", context))
        # Facts lie in the order of their time; of two rates of a day the later row counts, so those are always sorted.
        context["in_order"] = (
            not context["has_twins"] and not context["is_rate"] and self._value(_IN_ORDER) is not None
        )
        hold(self.connection, Lock.FACTS)
        moment: datetime = self._value("select care.facts_clock()")
        context["clock"] = f"timestamptz {literal(moment.isoformat())}"
        lack = None
        if self.plan.stream.snapshot and not result.released:
            lack = self._find_missing(context, accepted=by is not None)
        context["complete"] = lack is not None and not lack.suspicious
        context["ended_before"] = (
            self._value("select 1 from care.ended where origin = %s limit 1") is not None
        )
        with first_rows(self.connection, self._filled() if result.landed >= MANY else ()):
            self._run(render("believe.sql.j2", context))
        if context["complete"]:
            self._run(render("ended.sql.j2", context))
        if self.context["is_rate"]:
            convert_anew(self.connection, context)
        if self.context["makes_parties"] or self.context["maps_customers"]:
            resolve_load(self.connection, moment)
        counts = self._counts()
        unconverted = self._value(_UNCONVERTED) if self.context["converts"] else 0
        caught = self._run(render("quarantine.sql.j2", context))
        if self.refused is not None and not result.released:
            query = "select (data ->> '_line')::bigint, data ->> '_file', reason, field, value from bad order by row_no"
            self.refused += [
                Refused(result.origin, *row) for row in self.connection.execute(query).fetchall()
            ]
        if not result.released:
            # What waits in quarantine already was not put there again.
            counts["repeated"] = counts.get("repeated", 0) + counts.get("quarantined", 0) - caught
            counts["quarantined"] = caught
        if lack is not None and lack.suspicious:
            quarantine.suspect(self.connection, self.plan.origin, result.load_id, str(lack), moment)
        if counts.get("new", 0) + counts.get("changed", 0) >= MANY:
            # The planner knows nothing yet of rows that came by the ten thousand; the next load and night
            # read them.
            self._run(
                f"analyze {self.plan.fact.table}, care.fact_customer, care.party, care.customer, care.identity"
            )
        ended = lack.missing if lack is not None and not lack.suspicious else 0
        result = replace(result, history=history, unconverted=unconverted, ended=ended, erased=erased)
        return result.with_counts(counts)

    def _drop_erased(self, result: StreamResult, context: Mapping[str, object]) -> int:
        """Drop the rows of erased customers, here and in the landing; return how many there were."""
        if self._value("select 1 from care.erased_key limit 1") is None:
            return 0
        columns = raw.value_columns(self.connection, self.plan.source, self.feed.name)
        table = f"{identifier(raw.schema_of(self.plan.source))}.{identifier(self.feed.name)}"
        parent = self.plan.columns.get("parent")
        landed = {
            "landed_table": columns and table,
            "landed_columns": [identifier(name) for name in columns],
            "parent_cell": parent and parent.column and identifier(raw.landed_name(parent.column)),
        }
        self._run(render("erased.sql.j2", {**context, **landed}))
        return int(self._value("select count(*) from erased_row"))

    def _filled(self) -> tuple[str, ...]:
        """Return the tables that a load of this stream writes to."""
        parties = (*_IDENTITY, "care.fact_customer") if self.context["makes_parties"] else ()
        return tuple(dict.fromkeys((self.plan.fact.table, *parties)))

    def _find_missing(self, context: Mapping[str, object], *, accepted: bool) -> Lack:
        """Find the keys that a snapshot lacks; the temporary table `missing` holds them."""
        self._run(render("missing.sql.j2", context))
        missing = self._value("select count(*) from missing")
        believed = self._value(
            f"select count(*) from {self.plan.fact.table} where origin = %s and known_to is null"
        )
        rows, problem = ("reading", "row_problem") if context["combined"] else ("candidate", "problem")
        unread = self._value(f"select count(*) from {rows} where {problem} = {context['unread']}")
        return Lack(missing, believed, unread, self.plan.stream.ends_at_most, accepted)

    def _counts(self) -> dict[str, int]:
        query = "select coalesce(fate, 'new'), sum(landed_rows)::bigint from candidate group by 1"
        counts: dict[str, int] = dict(self.connection.execute(query).fetchall())
        if self.context["combined"]:
            query = (
                "select case when row_problem = 0 then 'filtered' else 'quarantined' end, count(*) "
                "from reading where row_problem is not null group by 1"
            )
            for fate, count in self.connection.execute(query).fetchall():
                counts[fate] = counts.get(fate, 0) + count
        return counts

    def _is_first(self) -> bool:
        """Return whether this is the first load of history.

        An earlier reading of a database or service that brought nothing shows that these rows were not there yet; an
        empty folder shows only that nobody had put files there.
        """
        counts = (
            "landed > repeated" if isinstance(self.source, FilesSource) else "landed = 0 or landed > repeated"
        )
        return self._value(f"select 1 from care.load where origin = %s and ({counts}) limit 1") is None

    def _is_overtaken(self, load_id: str) -> bool:
        """Return whether a newer snapshot was taken already: an older one has nothing more to say."""
        counts = "landed > 0" if isinstance(self.source, FilesSource) else "true"
        query = f'select 1 from care.load where origin = %s and load_id collate "C" > %s and {counts} limit 1'
        return self._value(query, load_id) is not None

    def _record(self, result: StreamResult, read_at: datetime) -> None:
        self.connection.execute(
            "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, "
            "quarantined, ended, erased, read_at, history) values (%s, %s, care.clock(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                result.origin, result.load_id, result.landed, result.new, result.changed, result.unchanged,
                result.repeated, result.filtered, result.quarantined, result.ended, result.erased, read_at, result.history,
            ),
        )  # fmt: skip

    def _run(self, statements: str) -> int:
        """Run statements; return how many rows the last one touched."""
        cursor = self.connection.execute(statements.encode())
        while cursor.nextset():
            pass
        return cursor.rowcount

    def _value(self, query: str, *parameters: object) -> Any:
        """Return the first column of the first row of a query about this stream, or None."""
        given = (self.plan.origin, *parameters) if "%s" in query else None
        row = self.connection.execute(query.encode(), given).fetchone()
        return None if row is None else row[0]

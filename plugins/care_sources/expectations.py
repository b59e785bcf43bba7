"""Ask Great Expectations what landed rows are like.

It is imported when the first question is asked, inside a task's work: the import takes seconds.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from carewatch.spec.source_check_plan import Answer, Question


def ask(dsn: str, schema: str, questions: Mapping[str, Sequence[Question]]) -> dict[str, list[Answer]]:
    """Return the answers to the questions about each table of a schema, in their order; one suite a table."""
    wanted = {table: asked for table, asked in questions.items() if asked}
    if not wanted:
        return {table: [] for table in questions}
    with _great_expectations() as gx:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_postgres("warehouse", connection_string=_address(dsn, schema))
        try:
            answers = {
                table: _ask_table(gx, context, source, table, asked) for table, asked in wanted.items()
            }
        finally:
            source.get_engine().dispose()
    return {table: answers.get(table, []) for table in questions}


@contextmanager
def _great_expectations() -> Iterator[Any]:
    """Import it without its usage statistics, and keep its own messages away from the task's log."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import great_expectations as gx

        yield gx
    finally:
        logger.setLevel(before)


def _address(dsn: str, schema: str) -> str:
    """Return the warehouse's address for SQLAlchemy; a `$` in it would be taken for a setting to be filled in."""
    parts = urlsplit(dsn)
    options = quote(f"-c timezone=UTC -c jit=off -c search_path={schema}")
    query = "&".join(filter(None, (parts.query, f"options={options}")))
    address = urlunsplit(parts._replace(scheme="postgresql+psycopg2", query=query))
    return address.replace("$", "%24")


def _ask_table(gx: Any, context: Any, source: Any, name: str, asked: Sequence[Question]) -> list[Answer]:
    asset = source.add_table_asset(name, table_name=name)
    batch = asset.add_batch_definition_whole_table("whole")
    suite = context.suites.add(gx.ExpectationSuite(name=name))
    for number, question in enumerate(asked):
        expectation = _expectation(gx, question)
        expectation.meta = {"question": number}
        suite.add_expectation(expectation)
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=batch, suite=suite)
    )
    found = validation.run(result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    answers = {one.expectation_config.meta["question"]: _answer(one) for one in found.results}
    return [answers[number] for number in range(len(asked))]


def _expectation(gx: Any, question: Question) -> Any:
    made, low, high = gx.expectations, question.low, question.high
    match question.kind:
        case "rows":
            return made.ExpectTableRowCountToBeBetween(
                min_value=None if low is None else math.ceil(low),  # type: ignore[arg-type]
                max_value=None if high is None else math.floor(high),  # type: ignore[arg-type]
            )
        case "unique" if len(question.columns) > 1:
            return made.ExpectCompoundColumnsToBeUnique(
                column_list=list(question.columns), mostly=question.mostly
            )
    (column,) = question.columns
    match question.kind:
        case "newest":
            return made.ExpectColumnMaxToBeBetween(
                column=column, min_value=_moment(low), max_value=_moment(high)
            )
        case "sum":
            return made.ExpectColumnSumToBeBetween(column=column, min_value=low, max_value=high)
        case "present":
            return made.ExpectColumnValuesToNotBeNull(column=column, mostly=question.mostly)
        case "unique":
            return made.ExpectColumnValuesToBeUnique(column=column, mostly=question.mostly)
        case "one_of":
            return made.ExpectColumnValuesToBeInSet(
                column=column, value_set=list(question.values), mostly=question.mostly
            )
        case "true":
            return made.ExpectColumnValuesToBeInSet(column=column, value_set=[True], mostly=question.mostly)
        case "matches":
            return made.ExpectColumnValuesToMatchRegex(
                column=column, regex=question.pattern, mostly=question.mostly
            )
        case _:
            return made.ExpectColumnValuesToBeBetween(
                column=column, min_value=_moment(low), max_value=_moment(high), mostly=question.mostly
            )


def _moment(limit: float | date | None) -> Any:
    """Return a limit as it is told apart there: a date is a moment at midnight."""
    if isinstance(limit, date) and not isinstance(limit, datetime):
        return datetime(limit.year, limit.month, limit.day)
    return limit


def _answer(result: Any) -> Answer:
    error = _error(result.exception_info)
    if error:
        return Answer(None, error=error)
    told = result.result
    elements, missing = told.get("element_count", 0), told.get("missing_count") or 0
    return Answer(
        bool(result.success),
        evaluated=elements - missing,
        unexpected=told.get("unexpected_count") or 0,
        observed=told.get("observed_value"),
    )


def _error(info: Mapping[str, Any]) -> str:
    """Return the first line of what went wrong, or nothing."""
    parts = [info] if "raised_exception" in info else list(info.values())
    for part in parts:
        if part.get("raised_exception"):
            return str(part.get("exception_message") or "unknown error").strip().splitlines()[0]
    return ""

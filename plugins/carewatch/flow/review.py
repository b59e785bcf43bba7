"""Review a quarter: judge its warnings against what happened, write the report, keep it."""

from __future__ import annotations

from datetime import date

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.types.json import Jsonb

from carewatch.learn.outcomes import Events, losses, was_regular
from carewatch.learn.review import Review
from carewatch.learn.review import review as judge_quarter
from carewatch.measure.cut import Cut
from carewatch.paths import include
from carewatch.spec.configuration import JudgementSpec
from carewatch.store import configurations, nights, outcomes
from carewatch.store.database import Connection
from carewatch.tell.wording import in_language


def review_quarter(
    connection: Connection, spec: JudgementSpec, first: date, end: date, today: date
) -> tuple[Review, str]:
    """Review the quarter [first, end) with what happened before `today`; store and return it with its report.

    Reviewing a quarter again replaces its report: more windows may have closed by then.
    """
    cut = Cut.at(today, spec.firm.zone, nights.knowledge_now(connection))
    window = spec.stages.lost.within.max_days()
    events = Events(*outcomes.event_days(connection, spec, cut), are_losses=spec.stages.lost.by_event)
    erased = outcomes.erased_days(connection, spec.firm.zone)
    lost = [
        loss
        for loss in losses(events, first, end, window, data_end=today)
        if was_regular(events, loss) and loss.lost <= erased.get(loss.customer, today)
    ]
    done = judge_quarter(
        first=first,
        end=end,
        window=window,
        data_end=today,
        warned=outcomes.warned_between(connection, first, end),
        events=events,
        losses=lost,
        warnings_of=outcomes.warned_before(connection, [loss.customer for loss in lost]),
        ids=outcomes.customer_ids(connection),
        erased=erased,
    )
    report = write_report(done, spec.fingerprint, cut, spec.firm.language)
    with connection.transaction():
        configurations.keep(connection, spec)
        connection.execute(
            "insert into care.review (quarter, first_day, end_day, event_cut, knowledge_cut, judgement, numbers, report, reviewed_at) "
            "values (%(quarter)s, %(first)s, %(end)s, %(a)s, %(k)s, %(judgement)s, %(numbers)s, %(report)s, care.clock()) "
            "on conflict (quarter) do update set event_cut = excluded.event_cut, knowledge_cut = excluded.knowledge_cut, "
            "judgement = excluded.judgement, numbers = excluded.numbers, report = excluded.report, reviewed_at = excluded.reviewed_at",
            {
                "quarter": done.quarter, "first": first, "end": end, "a": cut.event_cut, "k": cut.knowledge_cut,
                "judgement": spec.fingerprint, "numbers": Jsonb(done.numbers()), "report": report,
            },
        )  # fmt: skip
    return done, report


def write_report(review: Review, judgement: str, cut: Cut, language: str) -> str:
    """Return the report in Markdown, in a language."""
    environment = Environment(
        loader=FileSystemLoader(include("templates", "report", language)),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown
    )
    environment.filters["in_language"] = lambda text: in_language(text, language)
    known = cut.event_cut.astimezone(cut.zone).strftime("%Y-%m-%d %H:%M")
    return environment.get_template("review.md.j2").render(review=review, known=known, judgement=judgement)

"""Answer the question: which facts can a source give us, and which columns does each one have?

A fact is something that happened (an order, a payment, a ticket being resolved), kept with the time at which it
happened (`event_at`) and the interval in which we believed it (`known_from`, `known_to`).
This registry is the one definition: the mapping of sources, the landing's conform step, the metric compiler and the
engineer's guide read it, and a test holds the database schema against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How the value of a fact's column is read and stored."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    AMOUNT = "amount"
    FLAG = "flag"
    DAY = "day"
    INSTANT = "instant"


class Privacy(StrEnum):
    """Who may see a value: listings, logs and errors mask everything above `internal`; messages hold none of it.

    A customer's name is `internal`: most customers are firms, and nobody can care for one whose name is hidden. Where a
    source's customers are people, or a column of it holds more than its class says, the stream says so (`personal:`).
    """

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 - a class, not a password


class Erased(StrEnum):
    """What `care erase` leaves of a value of the customer."""

    KEPT = "kept"
    """It names nobody: a number, a day, one of a few words, one of our people."""
    PSEUDONYM = "pseudonym"
    """A key becomes one that nobody can trace back, equal ones the same: rows that belong together still do."""
    GONE = "gone"


NUMBERS: Final = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.AMOUNT})
"""Kinds of column that hold numbers."""

SQL_TYPE: Final = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "numeric",
    Kind.AMOUNT: "numeric",
    Kind.FLAG: "boolean",
    Kind.DAY: "date",
    Kind.INSTANT: "timestamptz",
}
"""PostgreSQL type of each kind of column."""


@dataclass(frozen=True)
class Column:
    """One column that a fact may carry beside the common ones."""

    name: str
    kind: Kind
    means: str
    required: bool = False
    privacy: Privacy = Privacy.INTERNAL
    erased: Erased = Erased.KEPT


@dataclass(frozen=True)
class Fact:
    """One kind of fact: the table `care.fact_<name>`."""

    name: str
    means: str
    columns: tuple[Column, ...]
    needs_customer: bool = True

    @property
    def table(self) -> str:
        return f"care.fact_{self.name}"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


COMMON: Final = (
    "fact_no",
    "party_no",
    "origin",
    "source_key",
    "event_at",
    "event_day",
    "known_from",
    "known_to",
    "known_assumed",
    "row_hash",
    "load_id",
    "changed_at",
)
"""Columns of every fact table: our number, the source's customer (`care.party`), `source.stream`, the source's key of
the row, when it happened (instant and firm-local day), the half-open interval [known_from, known_to) in which we
believed this version, whether that start was assumed at the first history load, a digest of the values, the load, and
when the source says that it wrote this version."""


def _text(name: str, means: str, *, required: bool = False, erased: Erased = Erased.KEPT) -> Column:
    return Column(name, Kind.TEXT, means, required, erased=erased)


def _personal(name: str, means: str) -> Column:
    return Column(name, Kind.TEXT, means, privacy=Privacy.PERSONAL, erased=Erased.GONE)


def _number(name: str, means: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, means, required)


def _flag(name: str, means: str) -> Column:
    return Column(name, Kind.FLAG, means)


def _day(name: str, means: str) -> Column:
    return Column(name, Kind.DAY, means)


def _money(means: str, *, required: bool = False) -> tuple[Column, ...]:
    return (
        Column("amount", Kind.AMOUNT, f"{means}, in the firm's currency", required),
        Column("amount_original", Kind.AMOUNT, f"{means}, as the source gave it"),
        _text("currency", "currency of amount_original; the firm's own when empty"),
    )


_LINE = _text("line", "business or product line")

FACTS: Final = {
    fact.name: fact
    for fact in (
        Fact(
            "customer",
            "a version of a customer's master record; event_at is the start of the relation",
            (
                _text("name", "name", erased=Erased.GONE),
                _text(
                    "credit_code",
                    "unified social credit code (统一社会信用代码): one company, whatever the system",
                    erased=Erased.GONE,
                ),
                _text(
                    "parent", "the source's key of the customer that owns this one", erased=Erased.PSEUDONYM
                ),
                _text("industry", "industry"),
                _text("region", "sales region"),
                _text("country", "country"),
                _text("market", "market that the customer sells to, where that is not its country"),
                _text("segment", "segment of the firm's own making"),
                _text("owner", "id of the person who owns the customer (people.yaml)"),
                Column("credit_limit", Kind.AMOUNT, "credit limit in the firm's currency"),
                _number("profit_rate", "profit as percent of sales"),
                _flag("benchmark", "a reference customer of its industry or region"),
                Column("potential", Kind.AMOUNT, "what it could buy in a year, in the firm's currency"),
                _personal("email", "address for machine mail"),
                _flag("consent", "has agreed to machine mail"),
                _personal("phone", "telephone"),
            ),
        ),
        Fact(
            "contact_event",
            "a contact person came, changed or left",
            (
                _text(
                    "contact",
                    "the source's key of the contact person",
                    required=True,
                    erased=Erased.PSEUDONYM,
                ),
                _text("what", "joined, changed or left", required=True),
                _personal("name", "name of the person"),
                _text("role", "role at the customer", erased=Erased.GONE),
                _flag("decision_maker", "decides about buying"),
                _flag("main", "is the main contact"),
                _text("department", "department at the customer", erased=Erased.GONE),
                _text("reports_to", "the source's key of the contact person above", erased=Erased.PSEUDONYM),
            ),
        ),
        Fact(
            "contract_event",
            "a contract, trial, course or project was signed, renewed, cancelled or ended",
            (
                _text("contract", "the source's key of the contract", required=True, erased=Erased.PSEUDONYM),
                _text("what", "signed, renewed, cancelled or ended", required=True),
                _text("kind", "contract, trial, course or project; contract when empty"),
                _day("ends_on", "last day of the term"),
                _day("notice_on", "last day on which notice can be given"),
                *_money("value of the term"),
                _LINE,
            ),
        ),
        Fact(
            "order",
            "a customer ordered; credit notes are orders of kind 'credit' with a negative amount",
            (
                _text("order_no", "order number", erased=Erased.PSEUDONYM),
                _text("kind", "regular, spare, one_off or credit; regular when empty"),
                *_money("order amount", required=True),
                _LINE,
                _day("due_on", "day on which delivery was promised"),
            ),
        ),
        Fact(
            "order_event",
            "something happened to an order",
            (
                _text("order_no", "order number", required=True, erased=Erased.PSEUDONYM),
                _text("what", "confirmed, delivered or cancelled", required=True),
            ),
        ),
        Fact(
            "order_line",
            "one line of an order",
            (
                _text("order_no", "order number", erased=Erased.PSEUDONYM),
                _text("kind", "regular, spare, one_off or credit; regular when empty"),
                _text("product", "product code"),
                _number("quantity", "units"),
                *_money("line amount"),
                _LINE,
            ),
        ),
        Fact(
            "interaction",
            "somebody of ours and somebody of theirs were in touch, or were meant to be",
            (
                _text("what", "call, visit, meeting, inquiry, mail, chat or event", required=True),
                _text("channel", "phone, mail, chat, on site"),
                _text("direction", "in (from the customer) or out"),
                _flag("invited", "the customer was invited"),
                _flag("attended", "the customer came"),
                _flag("decision_maker", "a decision maker took part"),
                _text("tone", "tone of the talk: warm, neutral, distant or negative"),
                _text("contact", "the source's key of the contact person", erased=Erased.PSEUDONYM),
                _text("person", "id of our person (people.yaml)"),
                _text("campaign", "campaign that it belongs to"),
                _text("result", "of a call: answered, no_answer, busy or refused"),
                Column("elapsed", Kind.INTEGER, "whole seconds that it took"),
                _personal("summary", "what was said"),
                _personal("reference", "where the recording or the archived chat lies"),
                _LINE,
            ),
        ),
        Fact(
            "ticket",
            "a customer opened a ticket",
            (
                _text("ticket_no", "ticket number", required=True, erased=Erased.PSEUDONYM),
                _text("priority", "low, normal, high or urgent"),
                _flag("complaint", "it is a complaint"),
                _LINE,
            ),
        ),
        Fact(
            "ticket_event",
            "something happened to a ticket",
            (
                _text("ticket_no", "ticket number", required=True, erased=Erased.PSEUDONYM),
                _text(
                    "what",
                    "first_response, reassigned, breached, resolved, reopened or closed",
                    required=True,
                ),
                Column("elapsed", Kind.INTEGER, "whole seconds since the ticket was opened"),
                _flag("complaint", "it is a complaint"),
            ),
        ),
        Fact(
            "survey",
            "a customer answered a satisfaction question",
            (
                _number("score", "the answer on a scale of 1 to 5", required=True),
                _number("score_original", "the answer on its own scale"),
                _text("scale", "name of that scale: 5, 100 or nps"),
                _text(
                    "what",
                    "satisfaction, recommend or renewal (how sure it is to stay); satisfaction when empty",
                ),
                _personal("comment", "what was written beside it"),
                _LINE,
            ),
        ),
        Fact(
            "invoice",
            "we issued an invoice",
            (
                _text("invoice_no", "invoice number", required=True, erased=Erased.PSEUDONYM),
                *_money("invoice amount", required=True),
                _day("due_on", "last day for payment"),
                _LINE,
            ),
        ),
        Fact(
            "payment",
            "a customer paid",
            (
                _text("invoice_no", "number of the invoice that is paid", erased=Erased.PSEUDONYM),
                *_money("amount paid", required=True),
            ),
        ),
        Fact(
            "usage_day",
            "how much a customer used the product on one day",
            (
                Column("logins", Kind.INTEGER, "logins"),
                Column("active_users", Kind.INTEGER, "different users"),
                Column("seconds", Kind.INTEGER, "seconds of use"),
                Column("core_seconds", Kind.INTEGER, "seconds of use of the core features"),
                Column("errors", Kind.INTEGER, "errors that users met"),
                _LINE,
            ),
        ),
        Fact(
            "market_event",
            "something happened in the market: at one customer, in an industry or in a country",
            (
                _text("what", "competitor, cooperation (with a rival), policy or industry", required=True),
                _text("industry", "industry that it concerns, when no single customer"),
                _text("country", "country or market that it concerns, when no single customer"),
                _number("price_gap", "how much cheaper the competitor is, in percent"),
                _number("cost_rise", "how much dearer business becomes for the customer, in percent"),
                _flag("public", "it stood in the news"),
                _LINE,
                _text("title", "what was heard", erased=Erased.GONE),
                _day("expires_on", "last day on which it matters"),
            ),
            needs_customer=False,
        ),
        Fact(
            "organisation_link",
            "a customer became or stopped being part of another",
            (
                _text(
                    "parent", "the source's key of the customer above", required=True, erased=Erased.PSEUDONYM
                ),
                _text("what", "joined or left", required=True),
                _number("share", "share held, in percent"),
            ),
        ),
        Fact(
            "same_customer",
            "a row of an id map: the customer is known under another key in another source",
            (
                _text("other_source", "name of the other source in sources.yaml", required=True),
                _text("other_key", "its key of the customer", required=True, erased=Erased.PSEUDONYM),
            ),
        ),
        Fact(
            "note",
            "somebody of ours wrote down what they know",
            (
                _text(
                    "what",
                    "risk tag: price, quality, service, competitor, relation, payment, need or chance",
                    required=True,
                ),
                _text("severity", "watch, mild, moderate, severe or critical; the rule decides when empty"),
                _text("person", "id of our person (people.yaml)"),
                _text("origin_kind", "meeting, call, feedback, news or visit"),
                _personal("text", "what was written"),
                _day("expires_on", "last day on which it matters"),
            ),
        ),
        Fact(
            "reasonable_reason",
            "there is a good reason for odd numbers: a low season, stocktaking, a move",
            (
                _text(
                    "what",
                    "low_season, holiday, stocktaking, relocation, agreed_pause or other",
                    required=True,
                ),
                _day("starts_on", "first day that it covers"),
                _day("ends_on", "last day that it covers"),
                _text("covers", "indicators that it explains, separated by blanks; all of them when empty"),
                _text("person", "id of our person (people.yaml)"),
                _personal("text", "what was written"),
            ),
        ),
        Fact(
            "document",
            "a document or deliverable was put on file",
            (
                _text("what", "contract, offer, project, deliverable, report or other"),
                _text("title", "title", required=True, erased=Erased.PSEUDONYM),
                _text("reference", "where it lies", required=True, erased=Erased.PSEUDONYM),
                _text("project", "the source's key of the project or contract", erased=Erased.PSEUDONYM),
                _text("person", "id of our person (people.yaml)"),
            ),
        ),
        Fact(
            "indicator_value",
            "somebody typed the value of an indicator for a week",
            (
                _text("indicator", "name of the indicator", required=True),
                _number("value", "its value", required=True),
            ),
        ),
        Fact(
            "fx_rate",
            "how much of the firm's currency one unit of another was worth on a day",
            (
                _text("currency", "the other currency, three letters", required=True),
                _number("rate", "units of the firm's currency for one of the other", required=True),
            ),
            needs_customer=False,
        ),
    )
}
"""Every kind of fact by name."""

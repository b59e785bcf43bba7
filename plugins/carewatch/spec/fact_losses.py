"""Answer the question: what does a firm give up that cannot fill a fact, or a column of one?

The guide's data contract and the drafts of mappings say it. A test holds that every fact is here.
"""

from __future__ import annotations

from typing import Final

WITHOUT_FACT: Final[dict[str, str]] = {
    "customer": "no name, owner, tier by potential, industry threshold or exposure to market events: say `customers: derived`",
    "contact_event": "a main contact who leaves is not seen, and no decision maker is told from others",
    "contract_event": "no renewal, notice date or trial: nothing warns before a contract ends, and churn is only silence",
    "order": "no frequency, amount trend, rhythm or silence: the transaction dimension is unknown",
    "order_event": "late and cancelled deliveries are not seen",
    "order_line": "no variety of products and no loss of one product line while others go on",
    "interaction": "nobody knows who was last in touch and when; engagement is unknown",
    "ticket": "no complaints and no silence of the service desk; the service dimension is unknown",
    "ticket_event": "no time to resolve, no reopening, no breach of a promise",
    "survey": "no satisfaction, recommendation or certainty of renewal",
    "invoice": "nothing is overdue and nobody pays late: the finance dimension is unknown",
    "payment": "every invoice looks unpaid; do not load invoices without payments",
    "usage_day": "a product's use is not seen; for software firms the earliest sign is missing",
    "market_event": "competitors, policies and tariffs warn nobody",
    "organisation_link": "mother and daughter companies are judged apart, as the master's `parent` alone says",
    "same_customer": "customers of systems with keys of their own are joined by credit code only",
    "note": "what colleagues know stays in their heads",
    "reasonable_reason": "low seasons and stocktaking raise false alarms that the calendar does not know",
    "document": "the timeline names no deliverables",
    "indicator_value": "only needed by firms that type weekly values instead of loading events",
    "fx_rate": "amounts in other currencies are unknown, and so is every dimension that sums them",
}

_WITHOUT_COLUMN: Final[dict[tuple[str, str], str]] = {
    ("customer", "name"): "messages and pages show the customer's key",
    ("customer", "credit_code"): "the same company in two systems is joined by an id map only",
    ("customer", "parent"): "groups of companies are not seen",
    ("customer", "industry"): "thresholds by industry and industry events do not apply",
    ("customer", "region"): "no view and no pilot by region",
    ("customer", "country"): "policies and tariffs of a country reach nobody",
    ("customer", "owner"): "the fallback owner of people.yaml gets every warning",
    ("customer", "credit_limit"): "use of the credit line is unknown",
    ("customer", "profit_rate"): "tiers weigh turnover alone",
    ("customer", "potential"): "a small customer with a large potential is tier C",
    ("customer", "email"): "no machine mail to the customer",
    ("contact_event", "decision_maker"): "losing a decision maker looks like losing anybody",
    ("contact_event", "main"): "the main contact leaving raises nothing",
    ("contract_event", "ends_on"): "nothing warns before the term ends",
    ("contract_event", "notice_on"): "a warning may come after the last day of notice",
    ("contract_event", "amount"): "value at risk is estimated from orders alone",
    ("order", "order_no"): "lines and progress cannot be tied to their order",
    ("order", "kind"): "spare parts and one-off orders count as regular and hide a silence",
    ("order", "due_on"): "late deliveries are not seen",
    ("order_line", "product"): "variety is unknown",
    ("order_line", "amount"): "no share of a product line in the turnover",
    ("interaction", "direction"): "inquiries of the customer are not told from our calls",
    ("interaction", "invited"): "missed invitations are not seen",
    ("interaction", "attended"): "missed invitations are not seen",
    ("interaction", "decision_maker"): "talks with decision makers are not counted apart",
    ("interaction", "tone"): "a cooling tone is not seen",
    ("interaction", "person"): "nobody knows which colleague was in touch",
    ("interaction", "result"): "a call that nobody answered may count as contact",
    ("ticket", "complaint"): "complaints are not told from questions",
    ("ticket", "priority"): "urgent tickets are not told from others",
    ("ticket_event", "elapsed"): "time to resolve is unknown",
    ("survey", "scale"): "the original scale is not kept, and there is no net promoter score",
    ("survey", "score_original"): "what was answered is not kept, and there is no net promoter score",
    ("invoice", "due_on"): "nothing is ever overdue",
    ("payment", "invoice_no"): "it is not known which invoice was paid: overdue amounts and days late are unknown",
    ("usage_day", "logins"): "login rules cannot fire",
    ("usage_day", "core_seconds"): "use of the core features is unknown",
    ("market_event", "industry"): "it reaches single customers only",
    ("market_event", "country"): "it reaches no market",
    ("market_event", "price_gap"): "a price attack has no size and fires no rule on it",
    ("market_event", "expires_on"): "the rule's own span decides how long it matters",
    ("note", "severity"): "the rule decides how grave it is",
    ("note", "expires_on"): "the rule's own span decides how long it matters",
    ("reasonable_reason", "ends_on"): "the rule's own span decides how long it excuses",
    ("reasonable_reason", "covers"): "it excuses every indicator",
}  # fmt: skip

_BY_COLUMN: Final = {
    "currency": "all amounts are taken for the firm's own currency",
    "line": "no rules and no partial churn by business line",
    "amount": "no amounts: trends, tiers and value at risk do without",
}


def lost_without(fact: str, column: str) -> str:
    """Return what is lost when a column stays empty."""
    told = _WITHOUT_COLUMN.get((fact, column)) or _BY_COLUMN.get(column)
    return told or "nothing shipped reads it; metrics and rules of your own may"

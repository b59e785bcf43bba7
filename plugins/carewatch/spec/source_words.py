"""Answer the question: which words may a fact's column hold, because rules ask for exactly those?"""

from __future__ import annotations

from typing import Final

from carewatch.spec.scales import SCALES

_ORDER_KINDS: Final = ("regular", "spare", "one_off", "credit")

WORDS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("contact_event", "what"): ("joined", "changed", "left"),
    ("contract_event", "what"): ("signed", "renewed", "cancelled", "ended"),
    ("contract_event", "kind"): ("contract", "trial", "course", "project"),
    ("order", "kind"): _ORDER_KINDS,
    ("order_line", "kind"): _ORDER_KINDS,
    ("order_event", "what"): ("confirmed", "delivered", "cancelled"),
    ("interaction", "what"): ("call", "visit", "meeting", "inquiry", "mail", "chat", "event"),
    ("interaction", "direction"): ("in", "out"),
    ("interaction", "tone"): ("warm", "neutral", "distant", "negative"),
    ("interaction", "result"): ("answered", "no_answer", "busy", "refused"),
    ("ticket", "priority"): ("low", "normal", "high", "urgent"),
    ("ticket_event", "what"): ("first_response", "reassigned", "breached", "resolved", "reopened", "closed"),
    ("survey", "scale"): tuple(SCALES),
    ("survey", "what"): ("satisfaction", "recommend", "renewal"),
    ("market_event", "what"): ("competitor", "cooperation", "policy", "industry"),
    ("organisation_link", "what"): ("joined", "left"),
    ("note", "what"): (
        "price",
        "quality",
        "service",
        "competitor",
        "relation",
        "payment",
        "need",
        "chance",
    ),
    ("note", "severity"): ("watch", "mild", "moderate", "severe", "critical"),
    ("note", "origin_kind"): ("meeting", "call", "feedback", "news", "visit"),
    ("reasonable_reason", "what"): (
        "low_season",
        "holiday",
        "stocktaking",
        "relocation",
        "agreed_pause",
        "other",
    ),
    ("document", "what"): ("contract", "offer", "project", "deliverable", "report", "other"),
}
"""Closed sets of words by fact and column; a row with another word waits in quarantine."""

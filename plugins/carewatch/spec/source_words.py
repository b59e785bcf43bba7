"""Answer the question: which words may a fact's column hold, because rules ask for exactly those?"""

from __future__ import annotations

from typing import Final

_ORDER_KINDS: Final = ("regular", "spare", "one_off", "credit")

WORDS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("contact_event", "what"): ("joined", "changed", "left"),
    ("contract_event", "what"): ("signed", "renewed", "cancelled", "ended"),
    ("order", "kind"): _ORDER_KINDS,
    ("order_line", "kind"): _ORDER_KINDS,
    ("interaction", "what"): ("call", "visit", "meeting", "inquiry", "mail", "event"),
    ("interaction", "direction"): ("in", "out"),
    ("interaction", "tone"): ("warm", "neutral", "distant", "negative"),
    ("ticket", "priority"): ("low", "normal", "high", "urgent"),
    ("ticket_event", "what"): ("first_response", "resolved", "reopened", "closed"),
    ("survey", "scale"): ("5", "100", "nps"),
    ("market_event", "what"): ("competitor", "policy", "industry"),
}
"""Closed sets of words by fact and column; a row with another word waits in quarantine."""

"""Answer the question: which column of which table may hold what of a person?

The one list for the warehouse's own tables; a test holds it against the database, so that a new column needs a class. A
column that cannot hold words (a number, a time, a flag) is internal. What facts hold stands in `spec/facts.py`; of landed
rows everything that the mapping does not know is personal (`spec/privacy.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from carewatch.spec.facts import COMMON, FACTS, Privacy

WORDS: Final = ("text", "json", "jsonb", "bytea", "ARRAY")
"""Kinds of column, as `information_schema` calls them, that can hold words. Of arrays those of texts can."""


@dataclass(frozen=True)
class Holds:
    """The columns of a table by class, separated by blanks. `ours` is personal as well, but of our own people.

    `names` are internal and name a customer all the same: keys and pseudonyms, which `care erase` replaces.
    """

    internal: str = ""
    names: str = ""
    personal: str = ""
    ours: str = ""
    secret: str = ""

    def classes(self) -> Iterator[tuple[str, Privacy]]:
        for columns, privacy in (
            (self.internal, Privacy.INTERNAL),
            (self.names, Privacy.INTERNAL),
            (self.personal, Privacy.PERSONAL),
            (self.ours, Privacy.PERSONAL),
            (self.secret, Privacy.SECRET),
        ):
            yield from ((column, privacy) for column in columns.split())


TABLES: Final[Mapping[str, Holds]] = {
    "care.audit": Holds(internal="by what", names="subject", personal="detail"),
    "care.care_case": Holds(),
    # The title is the playbook's; what somebody typed or did is the result.
    "care.care_task": Holds(internal="playbook step title role owner_id state", personal="result"),
    "care.case_playbook": Holds(internal="playbook care copy"),
    # A page of results shows keys as they are, and of personal values their shape.
    "care.check_report": Holds(internal="run_id", personal="html"),
    "care.check_result": Holds(
        internal="source load_id stream check_text severity outcome message", personal="samples"
    ),
    # The care configuration holds people.yaml: names and addresses of our own people.
    "care.configuration": Holds(internal="fingerprint kind", ours="canonical"),
    "care.customer": Holds(names="customer_id"),
    "care.customer_tier": Holds(internal="tiers"),
    "care.ended": Holds(internal="origin load_id", names="source_key"),
    "care.erased_key": Holds(secret="digest"),  # noqa: S106 - a class, not a password
    "care.erasure_secret": Holds(secret="inner_key outer_key"),  # noqa: S106 - a class, not a password
    "care.field_priority": Holds(internal="field source"),
    "care.go_live": Holds(internal="by"),
    "care.group_night": Holds(),
    "care.health_night": Holds(),
    "care.health_override": Holds(internal="by ended_by", personal="why"),
    "care.held_source": Holds(internal="source owner reason facts"),
    # The plan is kept without customers.
    "care.configuration_approval": Holds(internal="fingerprint state by", ours="plan why"),
    "care.hold": Holds(internal="levels rules"),
    "care.identity": Holds(),
    # People say there why two customers are one, and may name somebody.
    "care.identity_ruling": Holds(internal="what by", personal="why"),
    "care.load": Holds(internal="origin load_id"),
    "care.loss": Holds(internal="kind judgement"),
    "care.metric_night": Holds(),
    "care.migration": Holds(internal="name digest"),
    "care.night": Holds(internal="judgement care code_version state late_sources score_definition"),
    "care.notice_decision": Holds(internal="subject receiver reason outbox_key"),
    # `message` holds a mail as it went out, with the names that its template asks for; `answer` what the other side said.
    "care.outbox": Holds(internal="key kind receiver channel state", personal="message answer"),
    "care.party": Holds(internal="key_space", names="customer_key"),
    "care.person": Holds(internal="person_id manager_id roles", ours="name channels"),
    "care.pinned_clock": Holds(),
    "care.progress": Holds(),
    "care.review": Holds(internal="quarter judgement numbers", personal="report"),
    # Evidence holds texts of the master record that rules read, and what an event says.
    "care.signal": Holds(
        internal="rule severity counts_as dimension state judgement code_version mail_to",
        names="fact_key",
        personal="evidence",
    ),
    "care.source_check": Holds(internal="source load_id state run_id released_by released_why"),
    "care.stage_event": Holds(internal="stage came_from judgement"),
    "care.tier_day": Holds(internal="tiers judgement scheme classes"),
    "care.warning": Holds(
        internal="state owner_id tier judgement code_version priority planned_by manager_id waits",
        personal="reasons plan result_note",
    ),
    "care.warning_event": Holds(internal="what by priority", personal="reasons"),
    "quarantine.held": Holds(internal="origin load_id reason field", personal="value"),
    "quarantine.row": Holds(
        internal="origin load_id reason field state columns settled_by",
        names="source_key place",
        personal="value data settled_why",
    ),
}
"""Every table of `care` and `quarantine` but those of facts; a partition is its table."""


def privacy_of_column(table: str, column: str) -> Privacy | None:
    """Return the class of a column of the warehouse that can hold words; None for one that nobody has classed."""
    for fact in FACTS.values():
        if table == fact.table:
            own = fact.column(column)
            return own.privacy if own is not None else Privacy.INTERNAL if column in COMMON else None
    holds = TABLES.get(table)
    return None if holds is None else dict(holds.classes()).get(column)

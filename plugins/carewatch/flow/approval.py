"""Let a change of the rules wait for the strategic layer: nights keep the judgement that was approved last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from carewatch.flow.plan import plan
from carewatch.flow.plan_text import plan_lines, plan_parts
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.firm import Firm
from carewatch.spec.saying import joined, said
from carewatch.store import approvals, configurations, nights
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold
from carewatch.store.nights import NoNight
from carewatch.tell.tables import markdown

FIRST: Final = "the first judgement of this warehouse approves itself"
FREE: Final = "no approval was demanded"


class NotApprovable(LookupError):
    """Nobody may decide this, or there is nothing to decide; the text says why."""


def in_force(connection: Connection, configuration: Configuration, now: datetime) -> Configuration:
    """Return the configuration that a new night is judged by; a change that nobody approved is proposed and waits.

    The care side is always the one given, unless it speaks of other tiers than the judgement that stands.
    """
    given = configuration.judgement
    with connection.transaction():
        hold(connection, Lock.NIGHT)
        standing = approvals.standing(connection)
        asked = asks(connection, configuration.firm, standing)
        if standing == given.fingerprint or (standing is None and not asked):
            return configuration
        configurations.keep(connection, given)
        approvals.propose(connection, given.fingerprint, now)
        if standing is None or not asked:
            why = FIRST if standing is None else FREE
            approvals.settle(connection, given.fingerprint, approved=True, by="carewatch", why=why, now=now)
            approvals.stand(connection, given.fingerprint, now)
            return configuration
        known = approvals.approval_of(connection, given.fingerprint)
        if known is not None and known.state == "approved":
            approvals.stand(connection, given.fingerprint, now)
            return configuration
    before = configurations.judgement(connection, standing)
    return Configuration(before, _care(connection, configuration.care, before, given))


def asks(connection: Connection, firm: Firm, standing: str | None) -> bool:
    """Return whether changes need an approval: the firm says so, or the judgement that stands does.

    Else an edit that takes the demand away would approve itself.
    """
    if firm.approval == "required":
        return True
    return standing is not None and configurations.judgement(connection, standing).firm.approval == "required"


def _care(connection: Connection, care: CareSpec, before: JudgementSpec, given: JudgementSpec) -> CareSpec:
    if before.tiers.names == given.tiers.names:
        return care
    last = nights.last_care(connection, before.fingerprint)
    return configurations.care(connection, last) if last is not None else care


def approvers(connection: Connection, configuration: Configuration) -> list[str]:
    """Return the people who may decide: whoever is active and has a role that the firm names.

    The roles are those of the judgement that stands: an edit cannot appoint its own judge.
    """
    standing = approvals.standing(connection)
    firm = configurations.judgement(connection, standing).firm if standing is not None else configuration.firm
    roles = set(firm.approving_roles)
    people = configuration.care.people.people
    return [name for name, person in people.items() if person.active and roles & set(person.roles)]


def decide(
    connection: Connection,
    fingerprint: str,
    *,
    approved: bool,
    by: str,
    why: str,
    may: Iterable[str],
    now: datetime,
) -> None:
    """Approve or reject a proposed judgement; raise NotApprovable."""
    allowed = sorted(may)
    with connection.transaction():
        hold(connection, Lock.NIGHT)
        known = approvals.approval_of(connection, fingerprint)
        if known is None:
            raise NotApprovable(
                said("no judgement {judgement} waits for approval; see: care approve", judgement=fingerprint)
            )
        if by not in allowed:
            raise NotApprovable(
                said(
                    "'{by}' may not decide this; those who may: {people}",
                    by=by,
                    people=joined(", ", allowed) or said("nobody"),
                )
            )
        if approvals.settle(connection, fingerprint, approved=approved, by=by, why=why, now=now):
            approvals.audit(connection, fingerprint, approved=approved, by=by, why=why, now=now)


def question(connection: Connection, configuration: Configuration) -> dict[str, str] | None:
    """Return the newest proposal with subject and body of the question, None when none waits.

    Its effect is kept, the customers in it aside.
    """
    waiting = [one for one in approvals.listing(connection) if one.state == "proposed"]
    if not waiting:
        return None
    fingerprint, language = waiting[0].fingerprint, configuration.firm.language
    words = _WORDS[language]
    asked, kept = _plan_texts(connection, fingerprint, configuration, language)
    approvals.explain(connection, fingerprint, kept)
    return {
        "fingerprint": fingerprint,
        "subject": words["subject"].format(fingerprint=fingerprint),
        "body": "\n".join([words["body"], "", asked]),
        "language": language,
    }


def _plan_texts(
    connection: Connection, fingerprint: str, configuration: Configuration, language: str
) -> tuple[str, str]:
    """Return the effect of a proposed judgement: for the page, and without the customers who change to be kept."""
    compared = replace(configuration, judgement=configurations.judgement(connection, fingerprint))
    try:
        found = plan(connection, compared)
    except NoNight:
        return _WORDS[language]["no_night"], _WORDS[language]["no_night"]
    return markdown(plan_parts(found, language)), "\n".join(plan_lines(found, language, customers=False))


_WORDS: Final = {
    "en": {
        "subject": "Approve the changed rules? Judgement {fingerprint}",
        "body": "Until somebody approves, nights are judged by the rules that were approved last. Approve when the effect below "
        "is what you want; reject to keep the old rules. Without an answer they stay, and you are asked again.",
        "no_night": "No night has been sealed yet: the effect cannot be told.",
    },
    "zh-CN": {
        "subject": "是否批准修改后的规则？判断配置 {fingerprint}",
        "body": "批准之前，每晚仍按上次批准的规则判断。若下列影响符合预期请批准；拒绝则沿用旧规则。无人答复时沿用旧规则，之后再次询问。",
        "no_night": "尚无已封存的夜晚，无法评估影响。",
    },
}

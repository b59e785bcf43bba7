"""Answer the question: under which configuration was it judged, and what did that say?"""

from __future__ import annotations

from psycopg.types.json import Json

from carewatch.spec.configuration import CareSpec, JudgementSpec
from carewatch.store.database import Connection


class UnknownFingerprint(LookupError):
    """No configuration with this fingerprint is stored."""


def keep(connection: Connection, spec: JudgementSpec | CareSpec) -> str:
    """Store the configuration unless it is stored already; return its fingerprint."""
    connection.execute(
        "insert into care.configuration (fingerprint, kind, canonical, first_used_at) "
        "values (%s, %s, %s, care.clock()) on conflict do nothing",
        (spec.fingerprint, spec.kind, Json(spec.canonical())),
    )
    return spec.fingerprint


def _canonical(connection: Connection, fingerprint: str, kind: str) -> dict[str, object]:
    row = connection.execute(
        "select canonical from care.configuration where fingerprint = %s and kind = %s", (fingerprint, kind)
    ).fetchone()
    if row is None:
        raise UnknownFingerprint(f"no {kind} configuration {fingerprint} is stored")
    return dict(row[0])


def judgement(connection: Connection, fingerprint: str) -> JudgementSpec:
    """Return the stored judgement, ready to run; raise UnknownFingerprint."""
    return JudgementSpec.from_canonical(_canonical(connection, fingerprint, JudgementSpec.kind))


def care(connection: Connection, fingerprint: str) -> CareSpec:
    """Return the stored care configuration, ready to run; raise UnknownFingerprint."""
    return CareSpec.from_canonical(_canonical(connection, fingerprint, CareSpec.kind))

"""Answer the question: under which configuration was it judged, and what did that say?"""

from __future__ import annotations

import json
from functools import lru_cache

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


def _canonical(connection: Connection, fingerprint: str, kind: str) -> str:
    row = connection.execute(
        "select canonical::text from care.configuration where fingerprint = %s and kind = %s",
        (fingerprint, kind),
    ).fetchone()
    if row is None:
        raise UnknownFingerprint(f"no {kind} configuration {fingerprint} is stored")
    return str(row[0])


def judgement(connection: Connection, fingerprint: str) -> JudgementSpec:
    """Return the stored judgement, ready to run; raise UnknownFingerprint."""
    return _judgement(_canonical(connection, fingerprint, JudgementSpec.kind))


def care(connection: Connection, fingerprint: str) -> CareSpec:
    """Return the stored care configuration, ready to run; raise UnknownFingerprint."""
    return _care(_canonical(connection, fingerprint, CareSpec.kind))


@lru_cache(8)
def _judgement(canonical: str) -> JudgementSpec:
    """Read a configuration, which cannot be changed, once for all that ask for the same one."""
    return JudgementSpec.from_canonical(json.loads(canonical))


@lru_cache(8)
def _care(canonical: str) -> CareSpec:
    return CareSpec.from_canonical(json.loads(canonical))

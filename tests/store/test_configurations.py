"""Configurations by fingerprint: stored once, and run again as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.firm import FILES, TIER_RATES, configure

from carewatch.care.plan import promises
from carewatch.store import configurations
from carewatch.store.configurations import UnknownFingerprint
from carewatch.store.database import Connection, connect


@pytest.fixture
def connection(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse) as opened:
        yield opened
        opened.rollback()


def test_what_is_stored_is_what_was_loaded(connection: Connection, tmp_path: Path) -> None:
    configuration = configure(tmp_path)
    for _ in range(2):
        assert configurations.keep(connection, configuration.judgement) == configuration.judgement.fingerprint
        assert configurations.keep(connection, configuration.care) == configuration.care.fingerprint
    assert connection.execute("select kind from care.configuration order by 1").fetchall() == [
        ("care",),
        ("judgement",),
    ]
    judgement = configurations.judgement(connection, configuration.judgement.fingerprint)
    care = configurations.care(connection, configuration.care.fingerprint)
    assert judgement.fingerprint == configuration.judgement.fingerprint
    assert care == configuration.care
    assert list(judgement.metrics) == list(configuration.judgement.metrics)


def test_the_best_tier_is_still_the_first_whatever_the_tiers_are_called(
    connection: Connection, tmp_path: Path
) -> None:
    names = {"A": "vip", "B": "key", "C": "basic"}
    files = {}
    for name in ("tiers.yaml", "levels.yaml"):
        text = FILES[name]
        for old in TIER_RATES:
            text = text.replace(f"{old}: ", f"{names[old]}: ").replace(
                f"otherwise: {old}", f"otherwise: {names[old]}"
            )
        files[name] = text
    care = configure(tmp_path, files).care
    configurations.keep(connection, care)
    stored = configurations.care(connection, care.fingerprint)
    assert list(next(iter(stored.levels.promises.values()))) == ["vip", "key", "basic"]
    assert promises(stored, 2, "key") == (4, 8, 16, 24)


@pytest.mark.parametrize(
    ("read", "kind"), [(configurations.judgement, "judgement"), (configurations.care, "care")]
)
def test_an_unknown_fingerprint_is_named(
    connection: Connection, tmp_path: Path, read: object, kind: str
) -> None:
    configuration = configure(tmp_path)
    other = configuration.care if kind == "judgement" else configuration.judgement
    configurations.keep(connection, other)
    for fingerprint in ("000000000000", other.fingerprint):
        with pytest.raises(UnknownFingerprint, match=f"no {kind} configuration {fingerprint} is stored"):
            read(connection, fingerprint)  # type: ignore[operator]

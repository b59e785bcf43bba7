"""The values that `care check` tries templates with are those that the night and the clock hand over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, ROOT, TinyFirm, changed

from carewatch.commands.notice_samples import SAMPLES
from carewatch.flow import engineers, notify, watched
from carewatch.flow.acts import close
from carewatch.paths import home
from carewatch.spec.sources import load_sources
from carewatch.tell.wording import compose


def names(value: Any, path: str = "") -> set[str]:
    """Return the path of every name in a value; items of a list share one path."""
    if isinstance(value, list):
        return {name for item in value for name in names(item, path)}
    if not isinstance(value, dict):
        return {path}
    return {name for key, inner in value.items() for name in names(inner, f"{path}.{key}")}


HOLDING = changed("levels.yaml", ("hold_if_more_than: 100", "hold_if_more_than: 50"))
ALONE = (
    (ROOT / "config" / "notices.yaml").read_text(encoding="utf-8").replace("alone_from: 3", "alone_from: 2")
)

WATCHED = "version: 1\nrules:" + "".join(
    f"""
  to_{whom}:
    label: {whom}
    severity: watch
    mails: {whom}
    counts_as: {whom}
    dimension: use
    when: sales >= 0
    because: sales are {{sales}}"""
    for whom in ("owner", "customer")
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Return the names that templates are given, by kind of notice, filled as the test tells."""
    told: dict[str, set[str]] = {}

    def listen(kind: str, language: str, values: dict[str, Any], zone: Any) -> dict[str, str]:
        told.setdefault(kind, set()).update(names(values))
        return compose(kind, language, values, zone)

    monkeypatch.setattr(notify, "compose", listen)
    monkeypatch.setattr(engineers, "compose", listen)
    monkeypatch.setattr(watched, "compose", listen)
    return told


@pytest.mark.req("S85")
def test_the_sample_of_a_warm_up_has_the_shape_of_what_is_told(
    make_firm: Callable[..., TinyFirm], told: dict[str, set[str]]
) -> None:
    firm = make_firm({"launch.yaml": "version: 1\nwarm_up: true\noperations: [sales_manager]\n"})
    firm.customer("C1", tier="A")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    firm.dial("C1", MONDAY + timedelta(days=7), quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY + timedelta(days=7))
    assert set(told) == {"warm_up"}
    assert names(SAMPLES["warm_up"][0]) <= told["warm_up"]


def test_samples_have_the_shape_of_what_is_told(
    make_firm: Callable[..., TinyFirm], told: dict[str, set[str]]
) -> None:
    firm = make_firm(
        {"notices.yaml": f"{ALONE}to_customers: mail\n", "warnings/watched.yaml": WATCHED, **HOLDING}
    )
    firm.sources = {"tickets": load_sources(home() / "config").sources["tickets"]}
    for name, level in (("C1", {"halt": 1}), ("C2", {"quiet": 1})):
        firm.customer(name, tier="A", sales=1000)
        firm.rows("update care.fact_customer set consent = true, email = 'x@y.example' returning 1")
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90} | level)
    firm.night(MONDAY)
    for hours in range(8, 72, 8):
        firm.tick(firm.moment(MONDAY) + timedelta(hours=hours))
    for number in (1, 2, 3, 4):
        night = MONDAY + timedelta(days=number)
        for name in ("C3", "C4", "C5"):
            if number == 1:
                firm.customer(name)
            firm.dial(name, night, quiet=0, strain=0, halt=float(number == 4), mood=90)
        firm.night(night)
    engineers.tell_failure(
        firm.connection,
        firm.configuration.care,
        dag="care_nightly",
        task="open_night",
        now=firm.moment(MONDAY),
    )
    much_later = MONDAY + timedelta(days=45)
    for name, dials in (("C1", {"halt": 1}), ("C2", {"quiet": 1})):
        [(live,)] = firm.rows(
            "select warning_no from care.warning join care.customer using (customer_no) "
            "where customer_id = %s and closed_at is null",
            name,
        )
        close(firm.connection, live, by="ann", result="false_alarm", note="known", now=firm.moment(night, 9))
        firm.dial(name, much_later, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90} | dials)
    firm.night(much_later)
    assert set(told) == set(SAMPLES) - {"warm_up"}
    for kind in told:
        assert names(SAMPLES[kind][0]) <= told[kind], kind

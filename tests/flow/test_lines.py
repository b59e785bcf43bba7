"""A rule may watch one business line: what another line buys says nothing about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import MONDAY, TinyFirm

LINES = {
    "metrics/lines.yaml": """
version: 1
metrics:
  pump_sales: {label: Pump sales, kind: sum, fact: order, of: amount, where: "line = 'pumps'", window: 30 days, empty: 0, owner: tests}
""",
    "warnings/lines.yaml": """
version: 1
rules:
  pumps_dried_up:
    label: Pumps dried up
    severity: moderate
    counts_as: pump_sales
    dimension: use
    when: pump_sales < 50
    because: {en: "pumps for {pump_sales}", zh-CN: "水泵销售额 {pump_sales}"}
""",
}


@pytest.mark.req("S166")
def test_a_rule_watches_one_line(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(LINES)
    at = firm.moment(MONDAY - timedelta(days=3), 12)
    for name, pumps, valves in (("C1", 50, 0), ("C2", 49, 900), ("C3", 900, 0), ("C4", 60, 5), ("C5", 70, 0)):
        firm.customer(name)
        firm.facts.add("order", name, at, amount=pumps, line="pumps")
        firm.facts.add("order", name, at, amount=valves, line="valves")
    firm.calm(MONDAY)
    firm.night(MONDAY)
    assert firm.rows(
        "select c.customer_id, w.reasons->0->>'rule' from care.warning w join care.customer c using (customer_no)"
    ) == [("C2", "pumps_dried_up")]

"""A quarter's tiers: the matrix, upgrade and churn rates, and how few customers bring how much."""

from __future__ import annotations

from datetime import date

import pytest
from tests.firm import TIER_RATES, TinyFirm

from carewatch.cli import main
from carewatch.flow.tier_report import NoTiers, tier_report

APRIL, JULY = date(2026, 4, 1), date(2026, 7, 1)


@pytest.mark.req("S67", "S70")
def test_upgrade_rate_churn_rate_and_concentration_of_a_quarter(
    firm: TinyFirm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared_warehouse: str
) -> None:
    sales = {"A1": 800, "A2": 50, "B1": 100, "B2": 30, "C1": 20}
    for name, amount in sales.items():
        firm.customer(name, tier=name[0])
        last = date(2026, 6, 20) if name != "A2" else date(2026, 2, 10)
        firm.facts.add("order", name, firm.moment(last, 12), amount=amount)
    firm.night(APRIL, backfill=True, now=firm.moment(APRIL))
    spec = firm.configuration.judgement
    with pytest.raises(NoTiers, match="2026-07-01"):
        tier_report(firm.connection, spec, APRIL, JULY)
    firm.connection.execute(
        "update care.fact_customer f set profit_rate = %s from care.identity i join care.customer c using (customer_no) "
        "where i.party_no = f.party_no and c.customer_id = 'B1'",
        (TIER_RATES["A"],),
    )
    firm.night(JULY, now=firm.moment(JULY))
    found = tier_report(firm.connection, spec, APRIL, JULY)
    assert [(one.was, one.now, one.customers) for one in found.matrix] == [
        ("A", "A", 2), ("B", "A", 1), ("B", "B", 1), ("C", "C", 1),
    ]  # fmt: skip
    assert found.at_start == {"A": 2, "B": 2, "C": 1}
    assert found.rose == {"A": 0, "B": 1, "C": 0}
    assert found.lost == {"A": 1, "B": 0, "C": 0}, "A2's silence of 90 days was full on 11 May"
    most = found.concentration
    assert most is not None and (most.customers, most.brought, most.needed) == (5, 80, 1)
    assert (most.share, most.of) == (20, 80), "of the largest 20 %, and of 80 % of the money"
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    assert main(["tiers", "--quarter", "2026-Q2"]) == 0
    said = capsys.readouterr().out
    assert "A: 2 at the start, lost 1 (50.0%)" in said and "B: 2 at the start, rose 1 (50.0%), lost 0" in said
    assert main(["tiers", "--quarter", "2025-Q4"]) == 2
    assert "no classes of 'tier' are kept of both 2025-10-01 and 2026-01-01" in capsys.readouterr().err
    chinese = ["--language", "zh-CN"]
    assert main(["tiers", "--quarter", "2026-Q2", *chinese]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "客户等级，2026-04-01 至 2026-07-01"
    assert "  B -> A：1 个客户" in told
    assert "  A：期初 2 个客户，截至 2026-07-01 流失 1 个（50.0%）" in told
    assert "  B：期初 2 个客户，上升 1 个（50.0%），截至 2026-07-01 流失 0 个（0.0%）" in told
    assert told[-1].endswith("：5 个客户中最大的 20% 贡献了 80.0%；其中 1 个客户就贡献了 80%")
    assert main(["tiers", "--quarter", "2025-Q4", *chinese]) == 2
    assert capsys.readouterr().err.startswith("2025-10-01 和 2026-01-01 须都有“tier”的分类结果，目前不全")

"""Changed rules wait for the strategic layer: nights keep what was approved last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.firm import FILES, MONDAY, TinyFirm, configure

from carewatch.cli import main
from carewatch.flow.approval import NotApprovable, approvers, decide, question
from carewatch.store import approvals, nights

MakeFirm = Callable[..., TinyFirm]
ASKS = FILES["firm.yaml"] + "approval: required\n"
STRICTER = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: severe")
OTHER = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: critical")


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


@pytest.fixture
def asking(make_firm: MakeFirm) -> TinyFirm:
    """Return a firm whose changes need an approval, after its first night."""
    firm = make_firm({"firm.yaml": ASKS})
    firm.customer("A")
    night(firm, 1)
    return firm


def night(firm: TinyFirm, number: int) -> str:
    """Run a night on which the customer is a little odd; return the judgement that it was judged by."""
    firm.dial("A", day(number), quiet=1, strain=0, halt=0, mood=90)
    firm.night(day(number))
    return nights.night_of(firm.connection, day(number)).judgement


def edit(firm: TinyFirm, tmp_path: Path, /, **files: str) -> str:
    """Change the configuration on disk; return its judgement."""
    written = {"firm.yaml": ASKS, **{f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}}
    firm.configuration = configure(tmp_path / f"edit-{len(list(tmp_path.iterdir()))}", written)
    return firm.configuration.judgement.fingerprint


def answer(firm: TinyFirm, fingerprint: str, *, approved: bool, by: str = "eve") -> None:
    may = approvers(firm.connection, firm.configuration)
    decide(
        firm.connection, fingerprint, approved=approved, by=by, why="", may=may, now=firm.moment(day(2), 9)
    )


def levels(firm: TinyFirm) -> list[int]:
    return [level for (level,) in firm.rows("select level from care.warning")]


@pytest.mark.req("S101")
def test_a_night_keeps_the_old_rules_until_the_new_ones_are_approved(
    asking: TinyFirm, tmp_path: Path
) -> None:
    first = approvals.standing(asking.connection)
    assert first == asking.configuration.judgement.fingerprint, "the first judgement approves itself"
    new = edit(asking, tmp_path, warnings__dials=STRICTER)
    assert night(asking, 2) == first
    assert levels(asking) == [1]
    found = approvals.approval_of(asking.connection, new)
    assert found is not None and (found.state, found.by) == ("proposed", None)
    answer(asking, new, approved=True)
    assert night(asking, 3) == new
    assert levels(asking) == [2]
    assert asking.rows("select by, what, subject from care.audit where what like 'configuration%%'") == [
        ("eve", "configuration_approved", f"judgement:{new}")
    ]
    # back to what was approved before needs nobody, and it stands again
    edit(asking, tmp_path)
    assert night(asking, 4) == first
    other = edit(asking, tmp_path, warnings__dials=OTHER)
    assert other != new and night(asking, 5) == first


@pytest.mark.req("S101")
def test_what_was_rejected_stays_rejected_until_somebody_thinks_better_of_it(
    asking: TinyFirm, tmp_path: Path
) -> None:
    first = asking.configuration.judgement.fingerprint
    new = edit(asking, tmp_path, warnings__dials=STRICTER)
    night(asking, 2)
    answer(asking, new, approved=False)
    assert night(asking, 3) == first
    assert question(asking.connection, asking.configuration) is None, "nobody is asked a second time"
    answer(asking, new, approved=True)
    assert night(asking, 4) == new


@pytest.mark.req("S101")
def test_only_the_strategic_layer_decides_and_an_edit_cannot_appoint_it(
    asking: TinyFirm, tmp_path: Path
) -> None:
    new = edit(
        asking, tmp_path, warnings__dials=STRICTER, firm=FILES["firm.yaml"] + "approvers: [sales_manager]\n"
    )
    assert night(asking, 2) != new, "taking the demand away is a change like any other"
    for nobody in ("bob", "zoe", ""):
        with pytest.raises(NotApprovable, match="may not decide this; those who may: eve"):
            answer(asking, new, approved=True, by=nobody)
    with pytest.raises(NotApprovable, match="no judgement 0123 waits"):
        answer(asking, "0123", approved=True)
    answer(asking, new, approved=True)
    assert night(asking, 3) == new
    # from here on nothing is asked for any more
    firm = configure(tmp_path / "free", {"warnings/dials.yaml": OTHER})
    asking.configuration = firm
    assert night(asking, 4) == firm.judgement.fingerprint
    # and once it is asked for again, what was in force meanwhile goes on
    edit(asking, tmp_path, warnings__dials=STRICTER)
    assert night(asking, 5) == firm.judgement.fingerprint


@pytest.mark.req("S101")
def test_people_and_playbooks_need_no_approval_and_an_open_night_keeps_its_own(
    asking: TinyFirm, tmp_path: Path
) -> None:
    first = asking.configuration.judgement.fingerprint
    edit(asking, tmp_path, people=FILES["people.yaml"].replace("name: Ann", "name: Anna"))
    assert night(asking, 2) == first
    assert nights.night_of(asking.connection, day(2)).care == asking.configuration.care.fingerprint
    edit(asking, tmp_path, warnings__dials=STRICTER)
    asking.judged(day(2))
    assert [one.state for one in approvals.listing(asking.connection)] == ["approved"], "no night was opened"


@pytest.mark.req("S101")
def test_other_tiers_wait_together_with_what_is_promised_to_them(asking: TinyFirm, tmp_path: Path) -> None:
    before = nights.night_of(asking.connection, day(1))
    levels = FILES["levels.yaml"].replace("C:", "D:")
    edit(asking, tmp_path, tiers=FILES["tiers.yaml"].replace("otherwise: C", "otherwise: D"), levels=levels)
    assert night(asking, 2) == before.judgement
    assert nights.night_of(asking.connection, day(2)).care == before.care


@pytest.mark.req("S101")
def test_who_is_asked_sees_the_effect(asking: TinyFirm, tmp_path: Path) -> None:
    new = edit(asking, tmp_path, warnings__dials=STRICTER)
    night(asking, 2)
    asked = question(asking.connection, asking.configuration)
    assert asked is not None
    assert (asked["fingerprint"], asked["subject"]) == (new, f"Approve the changed rules? Judgement {new}")
    heading, *rows = (
        asked["body"].split("**customers whose level or colour changes")[1].split("\n\n")[1].splitlines()
    )
    assert heading.startswith("| customer | tier | owner |"), "Airflow's page shows Markdown"
    assert rows[0].startswith("| --- |") and rows[1].startswith("| A | ")
    assert [row.split(" | ")[5] for row in rows[1:]] == ["1 -> 2"]
    kept = approvals.approval_of(asking.connection, new)
    assert kept is not None and kept.plan is not None
    assert "tier " in kept.plan and ": 1 -> 2" in kept.plan
    assert "A  " not in kept.plan, "customers are asked about and not kept"


@pytest.mark.req("S101")
def test_the_shell_lists_and_approves(
    asking: TinyFirm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    shared_warehouse: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    new = edit(asking, tmp_path, warnings__dials=STRICTER)
    night(asking, 2)
    config = ["--config", str(tmp_path / "config")]
    assert main(["approve", new, *config]) == 2
    assert capsys.readouterr().err == "who decides? --by PERSON; those who may: eve\n"
    assert main(["approve", new, "--by", "bob", *config]) == 2
    assert "'bob' may not decide this; those who may: eve" in capsys.readouterr().err
    assert main(["approve", new, "--by", "eve", *config]) == 0
    capsys.readouterr()
    assert main(["approve"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0].startswith(f"{new}  approved ") and " by eve on " in listed[0]
    chinese = ["--language", "zh-CN"]
    assert main(["approve", *chinese]) == 0
    assert capsys.readouterr().out.startswith(f"{new}  已批准  提交于 ")
    assert main(["approve", new, "--by", "bob", *config, *chinese]) == 2
    assert capsys.readouterr().err == "“bob”无权决定；有权决定的人：eve\n"
    assert main(["approve", new, "--by", "eve", "--reject", *config, *chinese]) == 0
    assert capsys.readouterr().out == f"{new} 已拒绝；每晚继续使用上次批准的规则\n"

"""The pack of software subscriptions: on a small firm with every kind of line, and on the made-up one where it is at hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.examples.pack import (
    SHARED,
    Dated,
    Tables,
    needs,
    no_later_line_moves_a_number,
    read,
    script,
    table,
    try_pack,
    write,
)

PACK = "saas"
REAL = SHARED / "ravenstack"
needs_real_data = needs("ravenstack")
FLAGS = ("upgrade_flag", "downgrade_flag", "churn_flag", "auto_renew_flag", "is_trial")
DATED = {
    "accounts": Dated("signup_date", {}, final=("churn_flag", "is_trial", "plan_tier", "seats")),
    "subscriptions": Dated("start_date", {"end_date": ()}, final=FLAGS),
    "churn_events": Dated(
        "churn_date", {}, final=("preceding_downgrade_flag", "is_reactivation", "reason_code")
    ),
    "feature_usage": Dated("usage_date", {}, final=("is_beta_feature",)),
    "support_tickets": Dated(
        "submitted_at",
        {"closed_at": ("resolution_time_hours", "satisfaction_score")},
        final=("escalation_flag",),
    ),
}


ACCOUNT = (
    "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,churn_flag"
)
SUBSCRIPTION = (
    "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,upgrade_flag,"
    "downgrade_flag,churn_flag,billing_frequency,auto_renew_flag"
)
CHURN = (
    "churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,preceding_downgrade_flag,"
    "is_reactivation,feedback_text"
)
USE = "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,is_beta_feature"
TICKET = (
    "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,"
    "satisfaction_score,escalation_flag"
)


def use(account: str, first: date, last: date, number: int) -> list[str]:
    days = range(0, (last - first).days, 5)
    return [
        f"U-{number + at},S-{account},{first + timedelta(days=at)},feature_1,4,3600,0,False" for at in days
    ]


@pytest.fixture
def firm() -> Tables:
    """A stays, B falls silent and leaves, C leaves and stays all the same, D comes late, E ran out before it left.

    A used the product before it had its subscriptions, one row of usage repeats an id, one names a subscription that nobody
    knows; tickets are open, older than the sign-up, without an account, or answered with 9 of 5.
    """
    accounts = (
        ("A", "2023-01-05"),
        ("B", "2023-01-06"),
        ("C", "2023-01-07"),
        ("D", "2024-05-10"),
        ("E", "2023-01-08"),
    )
    runs = ("A,2023-02-01,", "B,2023-02-01,", "C,2023-02-01,", "D,2024-05-12,", "E,2023-02-01,2024-01-15")
    usage = [
        *use("A", date(2023, 1, 20), date(2024, 8, 1), 1000),
        *use("B", date(2023, 2, 1), date(2024, 2, 1), 2000),
    ]
    usage += use("C", date(2023, 2, 1), date(2024, 8, 1), 3000)
    usage += [
        f"U-1000,S-A,{date(2024, 3, 1)},feature_2,1,60,2,True",
        "U-8000,S-A2,2024-03-01,feature_2,1,999,3,False",
        "U-9000,S-nobody,2024-03-01,feature_2,1,60,0,False",
    ]
    return {
        "accounts": table(ACCOUNT, *(
            f"{name},Company {name},EdTech,US,{since},ads,Pro,{at},False,{at % 2 == 0}" for at, (name, since) in enumerate(accounts)
        )),
        "subscriptions": table(
            SUBSCRIPTION,
            *(f"S-{one[0]},{one},Pro,5,1000,12000,False,{one[0] in 'AB'},False,{one[0] in 'BE'},monthly,True" for one in runs),
            "S-A2,A,2024-05-12,,Pro,5,1000,12000,False,False,False,False,monthly,True",
            "S-X,nobody,2023-02-01,,Pro,5,1000,12000,False,False,False,False,monthly,True",
        ),
        "churn_events": table(
            CHURN, "C-0,A,2023-03-01,budget,0.0,False,False,True,", "C-1,B,2024-05-20,budget,0.0,False,True,False,",
            "C-2,C,2024-04-20,pricing,1.5,True,False,False,dear", "C-3,E,2024-03-20,support,0.0,False,False,True,",
        ),
        "feature_usage": table(USE, *usage),
        "support_tickets": table(
            TICKET,
            "T-1,A,2024-03-02,2024-03-04,48,high,30,5.0,False", "T-2,B,2024-03-02,2024-03-09,168,urgent,30,2.0,True",
            "T-3,B,2024-03-20,,,urgent,30,,False", "T-4,C,2022-12-02,2022-12-04,48,medium,30,,False",
            "T-5,,2024-03-02,2024-03-04,48,low,30,4.0,False", "T-6,A,2024-03-05,2024-03-06,24,low,30,9,False",
        ),
    }  # fmt: skip


def prepared(tables: Tables, folder: Path) -> Path:
    """Write the tables as RavenStack gives them; return the folder that prepare.py made of them."""
    script(PACK, "prepare").prepare(write(folder / "raw", tables), folder / "ready")
    return folder / "ready"


def test_a_firm_with_every_kind_of_line(
    firm: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepared(firm, tmp_path)
    tried = try_pack(capsys, PACK, folder, tmp_path / "scores.csv", "2024-03-01", "2024-06-01")
    assert tried.loaded("crm.accounts") == {"new": 5}
    assert tried.loaded("crm.subscriptions") == {"new": 6, "quarantined": 1}, "one of an account nobody knows"
    assert tried.loaded("crm.ended") == {"new": 1, "filtered": 6}
    assert tried.loaded("crm.churn") == {"new": 4}
    assert tried.loaded("crm.tickets") == {"new": 5, "quarantined": 1}
    assert tried.loaded("crm.closed") == {"new": 4, "filtered": 1, "quarantined": 1}
    assert tried.loaded("crm.answers") == {"new": 2, "filtered": 2, "quarantined": 2}, "no account; 9 of 5"
    assert tried.loaded("usage.days")["quarantined"] == 1, "use of a subscription nobody knows waits"
    told = tried.told
    assert (told["lost"], told["warned_ahead"], told["missed"]) == (2, 1, 1), (
        "B was silent, C was not; E had nothing left to lose"
    )
    assert tried.level["2024-05-01", "B"] >= 1
    assert tried.level["2024-03-01", "A"] == tried.level["2024-04-01", "C"] == 0
    assert tried.risk["2024-05-01", "B"] > tried.risk["2024-05-01", "A"]
    assert ("2024-05-01", "D") not in tried.level and ("2024-06-01", "D") in tried.level


def known_on(tables: Tables, days: list[str], folder: Path, new_warehouse: Callable[[], str]) -> list[int]:
    """Check that no later line moves a number of these days; return how many customers each knows."""
    cuts = {}
    for day in days:
        cut = {name: how.on(tables[name], day) for name, how in DATED.items()}
        cuts[date.fromisoformat(day)] = prepared(cut, folder / day)
    return no_later_line_moves_a_number(new_warehouse, PACK, prepared(tables, folder / "all"), cuts)


def test_no_later_line_moves_a_number(firm: Tables, tmp_path: Path, new_warehouse: Callable[[], str]) -> None:
    """The days on which a subscription ends, a ticket is closed, and an account leaves."""
    days = ["2024-01-15", "2024-03-04", "2024-05-20"]
    assert known_on(firm, days, tmp_path, new_warehouse) == [4, 4, 5]


@needs_real_data
def test_no_later_line_of_the_real_firm_moves_a_number(
    tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    """One account in ten."""
    tables = {name: read(REAL / f"{name}.csv.gz") for name in DATED}
    accounts = {row["account_id"] for row in tables["accounts"] if int(row["account_id"][2:], 16) % 10 == 0}
    keys = {row["subscription_id"] for row in tables["subscriptions"] if row["account_id"] in accounts}
    few = {
        name: [
            row
            for row in rows
            if row.get("account_id") in accounts or ("usage_id" in row and row["subscription_id"] in keys)
        ]
        for name, rows in tables.items()
    }
    assert known_on(few, ["2024-06-01"], tmp_path, new_warehouse) > [20]


@needs_real_data
def test_where_there_is_no_signal_the_trial_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """Churn was drawn nearly at random: no claim is made, and the trial must not flatter either."""
    script(PACK, "prepare").prepare(REAL, tmp_path / "ready")
    folder = tmp_path / "ready"
    tried = try_pack(capsys, PACK, folder, tmp_path / "scores.csv", "2024-05-01", "2024-08-01")
    record_property("trial", tried.told)
    assert tried.loaded("crm.accounts") == {"new": 500}
    assert tried.loaded("crm.churn") == {"new": 600}
    assert tried.loaded("usage.days") == {"new": 5858}, "the rest lies before its subscription's start"
    assert tried.told["judged_days"] == 4
    assert abs(tried.told["pr_auc"] - tried.told["base_rate"]) < 0.06
    assert tried.told["top_decile_lift"] < 1.3

"""One customer's file: everything that happened in time order, whom we know there, whom it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.facts_given import LONG_AGO, GivenFacts

from carewatch.cli import main
from carewatch.store.customer_file import note_reading, timeline
from carewatch.store.database import Connection, connect

START = datetime(2026, 5, 1, 2, tzinfo=UTC)
SECRET = ("Zhang Wei", "he sounded tired", "too expensive for us", "asks about a rival")


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@pytest.fixture(scope="module")
def file(module_warehouse: str) -> Iterator[GivenFacts]:
    """A customer of three systems with one event of every kind, another one, and a chat archive."""
    with connect(module_warehouse, autocommit=True) as connection:
        given = GivenFacts(connection, ZoneInfo("Asia/Shanghai"))
        given.belongs("sales:C1", "C1")
        given.belongs("desk:17", "C1")
        given.belongs("X", "X")
        for party in ("sales:C1", "X"):
            given.add("customer", party, LONG_AGO, name=f"Firm {party}")
        given.add("contact_event", "sales:C1", hour(0), contact="k1", what="joined", name=SECRET[0], role="buyer",
                  decision_maker=False, main=True, reports_to="k2")  # fmt: skip
        given.add(
            "contact_event",
            "sales:C1",
            hour(0),
            contact="k2",
            what="joined",
            name="Li Na",
            role="head",
            decision_maker=True,
        )
        given.add(
            "contact_event",
            "sales:C1",
            hour(5),
            contact="k1",
            what="changed",
            role="head of buying",
            decision_maker=True,
        )
        given.add(
            "contact_event", "sales:C1", hour(1), contact="k3", what="joined", name="Old", reports_to="k2"
        )
        given.add("contact_event", "sales:C1", hour(6), contact="k3", what="left")
        given.add("order", "sales:C1", hour(2), order_no="O1", amount=1234.5, line="pumps")
        given.add(
            "order", "sales:C1", hour(3), order_no="O2", amount=None, amount_original=70, currency="XYZ"
        )
        given.add("usage_day", "sales:C1", hour(4), logins=5)
        given.add("ticket", "desk:17", hour(7), ticket_no="T1", priority="high", complaint=True)
        given.add("ticket_event", "desk:17", hour(8), ticket_no="T1", what="closed", elapsed=3600)
        given.add(
            "contract_event",
            "sales:C1",
            hour(9),
            contract="K1",
            what="renewed",
            ends_on="2026-12-31",
            amount=900,
        )
        given.add(
            "interaction",
            "sales:C1",
            hour(10),
            what="event",
            campaign="spring fair",
            invited=True,
            attended=True,
        )
        given.add(
            "interaction",
            "sales:C1",
            hour(11),
            what="call",
            channel="phone",
            tone="distant",
            summary=SECRET[1],
        )
        given.add("invoice", "sales:C1", hour(12), invoice_no="I1", amount=90, due_on="2026-06-01")
        given.add("payment", "sales:C1", hour(13), invoice_no="I1", amount=90)
        given.add("survey", "desk:17", hour(14), score=2, comment=SECRET[2])
        given.add("note", "sales:C1", hour(15), what="competitor", severity="severe", text=SECRET[3])
        given.add(
            "document",
            "sales:C1",
            hour(16),
            what="deliverable",
            title="Final report",
            reference="s3://docs/final.pdf",
            project="P1",
        )
        given.add("market_event", "sales:C1", hour(17), what="competitor", title="Rival at the door")
        given.add("reasonable_reason", "sales:C1", hour(18), what="stocktaking", starts_on="2026-05-01")
        given.add("order", "X", hour(2), order_no="OX", amount=1)
        given.add("order", "sales:C1", hour(2), order_no="corrected away", amount=5, known_to=hour(3))
        yield given


@pytest.fixture
def database_of_care(file: GivenFacts, module_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARE_DB", module_warehouse)


@pytest.mark.req("S2")
def test_one_query_returns_every_kind_in_time_order(file: GivenFacts) -> None:
    rows = file.connection.execute(
        "select kind, what, text, amount::float8, currency, source from care.timeline where customer_id = 'C1' order by at, kind, text"
    ).fetchall()
    assert {row[0] for row in rows} >= {"order", "usage", "ticket", "contract", "campaign", "conversation"}
    assert [row[0] for row in rows] == [
        "contact", "contact", "contact", "order", "order", "usage", "contact", "contact", "ticket", "ticket", "contract",
        "campaign", "conversation", "invoice", "payment", "survey", "note", "document", "market", "reason",
    ]  # fmt: skip
    found = {(row[0], row[1]): row[2:] for row in rows}
    assert found["contract", "renewed"] == ("K1, ends 2026-12-31", 900, None, "given")
    assert found["ticket", "complaint opened"][0] == "T1, high"
    assert found["campaign", "event"][0] == "spring fair, came"
    orders = [row[2:5] for row in rows if row[0] == "order"]
    assert orders == [("O1, pumps", 1234.5, None), ("O2", 70, "XYZ")], "without a rate, as the source gave it"
    assert file.connection.execute(
        "select count(*) from care.timeline where customer_id = 'X'"
    ).fetchone() == (1,)


def test_the_days_asked_for_include_both_ends(file: GivenFacts) -> None:
    number, day = file.customers["C1"], hour(0).date()
    everything = timeline(file.connection, number, first=day, last=day, personal=False)
    assert len(everything) == 20 - len(
        timeline(file.connection, number, first=day + timedelta(days=1), last=None, personal=False)
    )
    assert timeline(file.connection, number, first=None, last=day - timedelta(days=1), personal=False) == []


def test_one_customers_timeline_reads_no_whole_table(file: GivenFacts) -> None:
    connection = file.connection
    with connection.transaction(force_rollback=True):
        connection.execute(
            "insert into care.party (key_space, customer_key) select 'many', n::text from generate_series(1, 5000) n"
        )
        connection.execute(
            "insert into care.customer (customer_id) select 'many' || n from generate_series(1, 5000) n"
        )
        connection.execute(
            "insert into care.identity (party_no, customer_no, known_from) select p.party_no, c.customer_no, '2000-01-01' "
            "from care.party p join care.customer c on c.customer_id = 'many' || p.customer_key where p.key_space = 'many'"
        )
        for fact, columns in (("order", "amount"), ("usage_day", "logins")):
            connection.execute(
                f"insert into care.fact_{fact} (party_no, origin, source_key, event_at, event_day, known_from, row_hash, load_id, "
                f"{columns}) select party_no, 'many.x', party_no || '/' || n, '2026-01-01', '2026-01-01', '2026-01-01', '', '', 1 "
                "from care.party cross join generate_series(1, 5) n where key_space = 'many'".encode()
            )
            connection.execute(f"analyze care.fact_{fact}".encode())
        for table in ("party", "customer", "identity"):
            connection.execute(f"analyze care.{table}".encode())
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                "explain select * from care.timeline where customer_id = 'many77' order by at"
            )
        )
    for table in ("fact_order", "fact_usage_day", "identity"):
        assert f"Seq Scan on {table}" not in plan, plan


def test_the_command_masks_what_people_said_unless_asked_and_then_leaves_a_trace(
    file: GivenFacts, database_of_care: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["timeline", "C1"]) == 0
    shown = capsys.readouterr().out
    assert not any(secret in shown for secret in SECRET)
    assert "2026-05-01  order regular  O1, pumps  1,234.50  [given]" in shown.splitlines()
    trace = "select by, subject, detail->>'in' from care.audit where what = 'personal values shown'"
    assert file.connection.execute(trace).fetchall() == []
    assert main(["timeline", "C1", "--show-personal", "--by", "ann", "--to", "2026-05-01"]) == 0
    shown = capsys.readouterr().out
    assert all(secret in shown for secret in SECRET[:2])
    assert file.connection.execute(trace).fetchall() == [("ann", "customer:C1", "care timeline")]


def test_the_command_speaks_chinese_and_json_and_names_what_was_meant(
    database_of_care: None, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    main(["timeline", "C1", "--language", "zh-CN"])
    shown = capsys.readouterr().out
    assert "工单 投诉  T1，high" in shown and "合同 续签  K1，到期 2026-12-31  900.00" in shown
    main(["timeline", "C1", "--json"])
    events = json.loads(capsys.readouterr().out)
    assert events[-1]["kind"] == "reason" and events[-1]["what"] == "stocktaking"
    assert main(["timeline", "C11"]) == 2
    assert "did you mean C1?" in capsys.readouterr().err
    assert main(["timeline", "X", "--from", "2027-01-01"]) == 0
    assert capsys.readouterr().out == "nothing happened\n"


def test_every_kind_of_the_view_has_a_name_in_both_languages(file: GivenFacts) -> None:
    from carewatch.commands.timeline_command import KINDS

    view = file.connection.execute("select pg_get_viewdef('care.timeline')").fetchone()
    assert view is not None
    for kind, names in KINDS.items():
        assert f"'{kind}'" in view[0] and len(names) == 2


@pytest.mark.req("S9")
def test_contacts_now_have_role_decision_maker_and_whom_they_report_to(file: GivenFacts) -> None:
    rows = file.connection.execute(
        "select contact, name, role, decision_maker, main, reports_to_name, changed_on > since from care.contact "
        "where customer_id = 'C1' order by contact"
    ).fetchall()
    assert rows == [
        ("k1", "Zhang Wei", "head of buying", True, True, "Li Na", False),
        ("k2", "Li Na", "head", True, False, None, False),
    ], "who left is there no more; what a change does not say stays"


@pytest.mark.req("S9")
def test_contacts_as_they_were(file: GivenFacts) -> None:
    def then(at: datetime) -> list[tuple[object, ...]]:
        return file.connection.execute(
            "select contact, role, decision_maker, left_on is null from care.contacts_at(%s, 'infinity') order by 1",
            (at,),
        ).fetchall()

    assert then(hour(2)) == [
        ("k1", "buyer", False, True), ("k2", "head", True, True), ("k3", None, False, True),
    ]  # fmt: skip
    assert then(hour(7)) == [
        ("k1", "head of buying", True, True), ("k2", "head", True, True), ("k3", None, False, False),
    ]  # fmt: skip


@pytest.mark.req("S9")
def test_documents_and_deliverables_are_kept_as_references(file: GivenFacts) -> None:
    row = file.connection.execute(
        "select what, text from care.timeline where customer_id = 'C1' and kind = 'document'"
    ).fetchone()
    assert row == ("deliverable", "Final report, s3://docs/final.pdf, P1")


@pytest.fixture
def family(module_warehouse: str) -> Iterator[GivenFacts]:
    with (
        connect(module_warehouse, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        given = GivenFacts(connection, ZoneInfo("UTC"))
        given._keys = 1000
        for name in ("A", "B", "C", "D", "E"):
            given.belongs(name, name)
        yield given


def parents(given: GivenFacts) -> dict[str, tuple[str, int]]:
    rows = given.connection.execute(
        "select v.customer_id, v.parent_id, v.height, t.customer_id from care.customer_parent v "
        "join care.customer t on t.customer_no = v.top_no order by 1"
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def problems(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("select kind, value from care.identity_problem order by 1, 2").fetchall()


def test_parents_are_dated_and_known_up_to_the_top(family: GivenFacts) -> None:
    family.add("customer", "B", LONG_AGO, parent="A")
    family.add("organisation_link", "C", hour(0), parent="B", what="joined", share=60)
    family.add("organisation_link", "C", hour(1), parent="D", what="joined", share=30)
    assert parents(family) == {"B": ("A", 1, "A"), "C": ("B", 2, "A")}, "the larger share decides"
    family.add("organisation_link", "C", hour(2), parent="B", what="left")
    assert parents(family) == {"B": ("A", 1, "A"), "C": ("D", 1, "D")}
    then = family.connection.execute(
        "select u.customer_id from care.parents_at(%s, 'infinity') p join care.customer u on u.customer_no = p.parent_no "
        "where p.customer_no = %s", (hour(2), family.customers["C"]),
    ).fetchall()  # fmt: skip
    assert then == [("B",)], "at an earlier cut the earlier parent"
    assert problems(family.connection) == []


def test_a_circle_of_parents_ends_and_is_reported(family: GivenFacts) -> None:
    for child, parent in (("A", "B"), ("B", "C"), ("C", "A"), ("D", "A"), ("E", "E")):
        family.add("customer", child, LONG_AGO, parent=parent)
    assert parents(family) == {"D": ("A", 1, "A")}
    assert problems(family.connection) == [
        ("circle of parents", "A"), ("circle of parents", "B"), ("circle of parents", "C"),
    ]  # fmt: skip


def test_odd_codes_and_unknown_parents_are_reported(family: GivenFacts) -> None:
    family.add("customer", "A", LONG_AGO, parent="nobody", credit_code="91110000802100433X")
    family.add("customer", "B", LONG_AGO, parent="A", credit_code="91110000802100433B")
    assert problems(family.connection) == [
        ("credit code", "91110000802100433X"), ("unknown parent", "nobody"),
    ]  # fmt: skip


def test_show_names_keys_winner_and_losers_and_hides_personal_values(
    migrated: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.store.identity_case import BAIDU, account, customer, three_systems

    monkeypatch.setenv("CARE_DB", migrated)
    with connect(migrated, autocommit=True) as connection:
        landing = three_systems(connection)
        landing.take(
            "sales",
            customers=[
                customer("C1", uscc=BAIDU, industry="tools", name="Long"),
                customer("C2", uscc="no code"),
            ],
        )
        landing.take(
            "finance",
            accounts=[
                account("D1", uscc=BAIDU, industry="tools", name="Short"),
                account("D3", name="firm C2, Ltd"),
            ],
        )
        connection.execute(
            "update care.fact_customer set phone = '13800001111' where origin = 'sales.customers'"
        )
    assert main(["identity", "show", "C1"]) == 0
    shown = capsys.readouterr().out
    assert "key sales:C1" in shown and "key finance:D1" in shown
    assert "  name: Short (finance)\n    not Long (sales)\n" in shown
    assert "  industry: tools (finance)\n    also tools (sales)\n" in shown
    assert "13800001111" not in shown and "phone: 99999999999 (sales)" in shown
    main(["identity", "show", "C1", "--show-personal", "--by", "ann"])
    assert "13800001111" in capsys.readouterr().out
    assert main(["identity", "suggest"]) == 0
    assert "care identity merge C2 D3 --why REASON" in capsys.readouterr().out
    assert main(["identity", "problems"]) == 1
    assert capsys.readouterr().out == "credit code: 'no code' of sales:C2\n"
    assert main(["identity", "merge", "C2", "D3", "--why", " "]) == 2
    assert main(["identity", "merge", "C2", "D3", "--why", "one letterhead", "--by", "ann"]) == 0
    assert main(["identity", "show", "D3"]) == 0
    assert "D3 went into C2" in capsys.readouterr().out
    assert main(["identity", "split", "finance:D3", "--why", "two firms after all"]) == 0
    assert "finance:D3 is customer D3 from now on" in capsys.readouterr().out
    with connect(migrated) as connection:
        assert connection.execute("select count(*) from care.audit").fetchone() == (3,)


def test_a_trace_names_who_read_what(file: GivenFacts) -> None:
    with file.connection.transaction(force_rollback=True):
        note_reading(file.connection, "C1", by="bob", what="x")
        row = file.connection.execute(
            "select by, subject, detail from care.audit order by audit_no desc limit 1"
        ).fetchone()
        assert row == ("bob", "customer:C1", {"in": "x"})

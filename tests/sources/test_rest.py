"""Landing the items of a real HTTP service: paging, ways to sign in, copies over pages, refusals, every misdeed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tests.sources.conftest import Loader, MakeLoader
from tests.sources.desk import (
    TOKEN,
    Desk,
    Misdeed,
    cut_off,
    cut_off_unnoticed,
    desk,
    drips,
    hangs_up,
    says,
    ticket,
)

from care_sources.connection import Connection, SourceError

TEXT = """
kind: rest
customers: derived
total: total
streams:
  tickets:
    from: api/tickets
    fact: ticket
    key: no
    customer: customer.code
    event_at: at
    changed_at: updated
    cursor: updated
    reread: 1 day
    columns: {ticket_no: no, complaint: complaint, priority: priority}
"""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("care_sources.service.FIRST_PAUSE_SECONDS", 0.01)
    with desk() as served:
        yield served


@pytest.fixture
def loader(make_loader: MakeLoader, service: Desk) -> Loader:
    return make_loader(TEXT, Connection(service.url, token=TOKEN))


def test_all_pages_are_read_and_a_copy_on_a_later_page_counts_as_one(loader: Loader, service: Desk) -> None:
    service.items = [ticket(1), ticket(2), ticket(3), ticket(2), ticket(4, priority="high")]
    result = loader.load()["src.tickets"]
    assert (result.landed, result.new, result.repeated) == (5, 4, 1)
    assert loader.rows("select ticket_no, complaint, priority from care.fact_ticket order by 1") == [
        ("1", True, None), ("2", True, None), ("3", True, None), ("4", True, "high"),
    ]  # fmt: skip
    assert loader.rows("select distinct customer_key from care.party") == [("C1",)]


def test_the_next_load_asks_for_changes_and_a_day_before(loader: Loader, service: Desk) -> None:
    service.items = [ticket(1), ticket(2, "2026-05-20T09:00:00+08:00")]
    loader.load()
    service.items.append(ticket(3, "2026-05-21T09:00:00+08:00"))
    assert loader.land().rows["tickets"] == 2
    assert [query.get("updated_since") for query in service.asked] == [None, ["2026-05-19T01:00:00+00:00"]]


def test_a_change_time_in_the_future_does_not_hide_later_changes(loader: Loader, service: Desk) -> None:
    service.items = [ticket(1, "2099-05-20T09:00:00+08:00")]
    loader.load()
    loader.land()
    assert service.asked[-1]["updated_since"] == ["2026-05-31T04:00:00+00:00"]


def test_an_item_that_is_none_waits_in_quarantine(loader: Loader, service: Desk) -> None:
    service.items = [ticket(1)]
    service.answer = lambda _: {"items": [ticket(1), "broken", 7], "next": None, "total": 3}
    result = loader.load()["src.tickets"]
    assert (result.new, result.quarantined) == (1, 2)
    assert loader.rows("select reason, data ->> '_raw' from quarantine.row order by row_no") == [
        ("not an object", "broken"),
        ("not an object", "7"),
    ]


def test_a_field_that_no_item_has_is_said(make_loader: MakeLoader, service: Desk) -> None:
    service.items = [ticket(1)]
    text = TEXT.replace("priority: priority", "priority: priorty")
    landed = make_loader(text, Connection(service.url, token=TOKEN)).land()
    assert landed.warnings == ("src.tickets: no item has 'priorty'; did you mean priority?",)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"items": [ticket(1)], "next": None, "total": 2}, "1 of 2 items came; the load is not taken"),
        (
            {"itmes": [], "next": None},
            "the answer has no list 'items'; it has itmes, next; did you mean itmes?",
        ),
        ({"items": None}, "the answer has no list 'items'"),
    ],
)
def test_an_answer_that_would_lose_items_takes_nothing(
    loader: Loader, service: Desk, answer: dict[str, Any], message: str
) -> None:
    service.answer = lambda _: answer
    with pytest.raises(SourceError) as raised:
        loader.land()
    assert message in str(raised.value)
    assert loader.conform() == {}
    service.answer, service.items = None, [ticket(1), ticket(2)]
    assert loader.load()["src.tickets"].new == 2


def test_a_wrong_token_is_one_line_without_it(make_loader: MakeLoader, service: Desk) -> None:
    with pytest.raises(SourceError) as raised:
        make_loader(TEXT, Connection(service.url, token="not-the-token")).land()
    assert str(raised.value).startswith(
        "src.tickets: page 1 of api/tickets: GET /api/tickets was answered 401"
    )
    assert "a valid token is required" in str(raised.value) and "not-the-token" not in str(raised.value)


def test_an_address_that_is_none_is_said(make_loader: MakeLoader) -> None:
    with pytest.raises(SourceError, match=r"'127\.0\.0\.1' is not an address; expected http:// or https://"):
        make_loader(TEXT, Connection("127.0.0.1")).land()


def numbered(first: int, last: int) -> list[dict[str, Any]]:
    return [ticket(no) for no in range(first, last + 1)]


@pytest.mark.parametrize(
    ("paging", "answers"),
    [
        ("{by: none}", {None: {"items": numbered(1, 3), "next": "/api/elsewhere"}}),
        (
            "{by: page, parameter: page}",
            {"1": {"items": numbered(1, 2)}, "2": {"items": numbered(3, 3)}, "3": {"items": []}},
        ),
        (
            "{by: page, parameter: page, first: 0, size_parameter: limit, size: 2}",
            {"0": {"items": numbered(1, 2)}, "1": {"items": numbered(3, 3)}, "2": {"items": []}},
        ),
        (
            # The service gives fewer than it was asked for: what it kept back is not jumped over.
            "{by: offset, parameter: offset, size_parameter: limit, size: 50}",
            {"0": {"items": numbered(1, 2)}, "2": {"items": numbered(3, 3)}, "3": {"items": []}},
        ),
        (
            "{by: cursor, field: meta.after, parameter: after}",
            {
                None: {"items": numbered(1, 2), "meta": {"after": "x"}},
                "x": {"items": numbered(3, 3), "meta": {"after": None}},
            },
        ),
    ],
    ids=["none", "page", "page from 0", "offset", "cursor"],
)
def test_other_ways_of_paging(
    make_loader: MakeLoader, service: Desk, paging: str, answers: dict[str | None, dict[str, Any]]
) -> None:
    parameter = next((name for name in ("page", "offset", "after") if f"parameter: {name}" in paging), "")
    service.answer = lambda query: answers[query.get(parameter, [None])[0]]
    text = TEXT.replace("total: total", f"paging: {paging}")
    assert make_loader(text, Connection(service.url, token=TOKEN)).load()["src.tickets"].new == 3
    assert len(service.asked) == len(answers)
    size = {"size_parameter: limit, size: 50": "50", "size_parameter: limit, size: 2": "2"}
    expected = next((value for words, value in size.items() if words in paging), None)
    assert {query.get("limit", [None])[0] for query in service.asked} == {expected}


def test_the_header_link_leads_on(make_loader: MakeLoader, service: Desk) -> None:
    service.items, service.link_header = numbered(1, 5), True
    text = TEXT.replace("total: total", "total: total\npaging: {by: header}")
    assert make_loader(text, Connection(service.url, token=TOKEN)).load()["src.tickets"].new == 5


def test_a_whole_answer_may_be_the_list(make_loader: MakeLoader, service: Desk) -> None:
    service.answer = lambda _: numbered(1, 3)
    text = TEXT.replace("total: total", "items: $\npaging: {by: none}")
    assert make_loader(text, Connection(service.url, token=TOKEN)).load()["src.tickets"].new == 3


@pytest.mark.parametrize(
    "way",
    [
        {"token": "hush-hush"},
        {"login": "ann", "password": "hush-hush"},
        {"headers": {"X-Api-Key": "hush-hush"}},
        {"query": {"key": "hush-hush"}},
    ],
    ids=["bearer", "basic", "header", "query"],
)
def test_every_way_to_sign_in_and_none_is_told(
    make_loader: MakeLoader,
    service: Desk,
    way: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    import base64

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    basic = "Basic " + base64.b64encode(b"ann:hush-hush").decode()
    service.allowed = lambda handler, query: (
        handler.headers.get("Authorization") in ("Bearer hush-hush", basic)
        or handler.headers.get("X-Api-Key") == "hush-hush"
        or query.get("key") == ["hush-hush"]
    )
    service.items = numbered(1, 5)
    loader = make_loader(TEXT, Connection(service.url, **way))
    assert loader.load()["src.tickets"].new == 5
    service.misdeeds = [says(403, {"error": "hush-hush may not, nor hush-hush"})]
    with pytest.raises(SourceError) as raised:
        loader.land()
    told = str(raised.value)
    assert "403" in told and '"*** may not, nor ***"' in told and "hush" not in told + repr(loader.way)


BUSY = says(429, Retry_After="0")


@pytest.mark.parametrize(
    "misdeeds",
    [
        [BUSY, BUSY, BUSY, BUSY],
        [says(500), says(502, b"<html>"), says(503, Retry_After="0")],
        [hangs_up, hangs_up],
        [cut_off, cut_off_unnoticed],
        [None, hangs_up, None, BUSY, cut_off, says(504)],
        [says(503, Retry_After=format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True))],
        [says(500, Retry_After="whenever")],
    ],
    ids=["busy", "fails", "hangs up", "cut off", "on every page", "a date", "nonsense"],
)
def test_what_passes_is_asked_for_again_and_nothing_is_lost_or_doubled(
    loader: Loader, service: Desk, misdeeds: list[Misdeed | None]
) -> None:
    service.items, count = numbered(1, 7), 4 + sum(one is not None for one in misdeeds)
    service.misdeeds = list(misdeeds)
    result = loader.load()["src.tickets"]
    assert (result.landed, result.new) == (7, 7)
    assert len(service.asked) == count


@pytest.mark.parametrize(
    ("misdeed", "told"),
    [
        (BUSY, "was answered 429 Too Many Requests; lower requests_per_second of the source (5 attempts)"),
        (
            says(500, {"error": "boom"}),
            'was answered 500 Internal Server Error: {"error": "boom"}; the service fails',
        ),
        (hangs_up, "does not answer (ConnectionError); check the connection's host and port"),
        (cut_off, "the answer was cut off (5 attempts)"),
        (cut_off_unnoticed, "the answer is no whole JSON: it was cut off or is damaged (5 attempts)"),
    ],
    ids=["busy", "fails", "hangs up", "cut off", "damaged"],
)
def test_what_does_not_pass_ends_in_one_line_that_names_the_page(
    loader: Loader, service: Desk, misdeed: Misdeed, told: str
) -> None:
    service.items = numbered(1, 7)
    service.misdeeds = [None, None, *[misdeed] * 5]
    with pytest.raises(SourceError) as raised:
        loader.land()
    [line] = raised.value.problems
    assert line.startswith("src.tickets: page 3 of api/tickets: ") and told in line and TOKEN not in line
    assert len(service.asked) == 7
    assert loader.conform() == {}
    assert loader.load()["src.tickets"].new == 7


@pytest.mark.parametrize(
    ("misdeed", "told"),
    [
        (says(404, {"error": "none"}), '404 Not Found: {"error": "none"}; check \'from\' in sources.yaml'),
        (
            says(200, b"<html>please log in", Content_Type="text/html"),
            "is no JSON but text/html; check 'from'",
        ),
        (says(200, b"\xff\xfe"), "the answer is no JSON but application/json"),
        (
            says(302, Location="http://127.0.0.1:1/steal"),
            "at another address (127.0.0.1:1), where our token must not go",
        ),
        (says(429, Retry_After="86400"), "and asks to wait 86400 seconds; run the load again later"),
    ],
    ids=["not there", "login page", "bytes", "sent to another host", "asks for a day"],
)
def test_what_no_attempt_will_change_is_said_at_once(
    loader: Loader, service: Desk, misdeed: Misdeed, told: str
) -> None:
    service.misdeeds = [misdeed]
    with pytest.raises(SourceError) as raised:
        loader.land()
    assert told in str(raised.value)
    assert len(service.asked) == 1


def test_a_link_to_another_host_gets_no_token(loader: Loader, service: Desk) -> None:
    with desk() as other:
        service.answer = lambda _: {"items": numbered(1, 2), "next": other.url + "/api/tickets", "total": 3}
        with pytest.raises(
            SourceError, match="page 2 of api/tickets: the next page would be at another address"
        ):
            loader.land()
        assert other.asked == []


def test_a_redirection_within_the_service_is_followed(loader: Loader, service: Desk) -> None:
    service.items = numbered(1, 2)
    service.misdeeds = [says(301, Location="/api/tickets?moved=1")]
    assert loader.load()["src.tickets"].new == 2
    assert service.asked[1]["moved"] == ["1"]
    service.misdeeds = [says(302, Location="/api/tickets")] * 9
    with pytest.raises(SourceError, match="it was sent on more than 5 times"):
        loader.land()


def test_an_answer_that_drips_is_not_waited_for(make_loader: MakeLoader, service: Desk) -> None:
    text = TEXT.replace("total: total", "total: total\ntimeout_seconds: 1\nattempts: 2")
    service.items, service.misdeeds = numbered(1, 2), [drips, None]
    loader = make_loader(text, Connection(service.url, token=TOKEN))
    assert loader.load()["src.tickets"].new == 2
    service.misdeeds = [drips, drips]
    with pytest.raises(
        SourceError, match=r"took longer than 1 seconds; ask for smaller pages, .* \(2 attempts\)"
    ):
        loader.land()


def test_an_answer_without_an_end_does_not_fill_the_memory(
    loader: Loader, service: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    monkeypatch.setattr("care_sources.service.LARGEST_ANSWER", 1 << 20)
    bomb = gzip.compress(b"[" + b" " * (32 << 20))
    service.misdeeds = [says(200, bomb, Content_Encoding="gzip")]
    with pytest.raises(SourceError, match="the answer is larger than 1 MB; ask for smaller pages"):
        loader.land()


def test_the_agreed_rate_is_kept(make_loader: MakeLoader, service: Desk) -> None:
    service.items = numbered(1, 8)
    text = TEXT.replace("total: total", "total: total\nrequests_per_second: 20")
    make_loader(text, Connection(service.url, token=TOKEN)).land()
    gaps = [after - before for before, after in zip(service.moments, service.moments[1:], strict=False)]
    assert len(gaps) == 3 and sum(gaps) >= 3 / 20 - 0.005


@pytest.mark.parametrize(
    ("paging", "told"),
    [
        (
            "{by: page, parameter: side}",
            "page 2 of api/tickets: it is the same as the page before; does the service know the parameter 'side' of 'paging'?",
        ),
        (
            "{by: link, field: next}",
            "page 2 of api/tickets: it is the same as the page before; check 'paging'",
        ),
        (
            "{by: link, field: alternating}",
            "page 4 of api/tickets: the service leads back to a page that was read; check 'paging'",
        ),
    ],
)
def test_paging_in_a_circle_ends(make_loader: MakeLoader, service: Desk, paging: str, told: str) -> None:
    def circle(query: Any) -> dict[str, Any]:
        odd = len(service.asked) % 2
        return {"items": numbered(1, 1) if odd else numbered(2, 2), "alternating": f"/api/tickets?side={odd}"}

    service.answer = lambda query: (
        circle(query) if "alternating" in paging else {"items": numbered(1, 2), "next": "tickets"}
    )
    text = TEXT.replace("total: total", f"paging: {paging}")
    with pytest.raises(SourceError) as raised:
        make_loader(text, Connection(service.url + "/", token=TOKEN)).land()
    assert str(raised.value) == f"src.tickets: {told}"


def test_items_that_go_while_pages_are_read_are_noticed(loader: Loader, service: Desk) -> None:
    """Two of page one are gone when page two is asked for: what moved up is on no page that is read."""
    pages = {
        None: {"items": numbered(1, 2), "next": "/api/tickets?page=2", "total": 6},
        "2": {"items": numbered(5, 6), "next": None, "total": 4},
    }
    service.answer = lambda query: pages[query.get("page", [None])[0]]
    with pytest.raises(SourceError, match="4 of 6 items came; the load is not taken"):
        loader.land()


def test_a_cursor_that_is_no_time_is_said(loader: Loader, service: Desk) -> None:
    service.items = [ticket(1, updated="1780000000")]
    assert loader.land().warnings == (
        "src.tickets: cursor 'updated' holds no ISO time; every load reads everything again",
    )


def test_numbers_keep_every_digit(make_loader: MakeLoader, service: Desk) -> None:
    service.misdeeds = [
        says(200, b'{"items": [{"no": 12345678901234567890, "customer": {"code": "C1"}, "at": "2026-05-01",'
                  b' "updated": null, "complaint": false, "priority": 0.12345678901234567890}]}')
    ]  # fmt: skip
    text = (
        TEXT.replace("total: total", "paging: {by: none}")
        .replace("fact: ticket", "fact: document")
        .replace(
            "{ticket_no: no, complaint: complaint, priority: priority}", "{title: no, reference: priority}"
        )
    )
    loader = make_loader(text, Connection(service.url, token=TOKEN))
    loader.load()
    assert loader.rows("select title, reference from care.fact_document") == [
        ("12345678901234567890", "0.12345678901234567890")
    ]

"""The ticket system over real HTTP: token, pages, `updated_since`, copies, and its life as a process."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import stat
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from care_demo import ticket_process
from care_demo.model import COLUMNS, TICKET_TABLES, Firm
from care_demo.ticket_service import publish_tickets, serve

NIGHT = datetime(2026, 6, 29, 20, tzinfo=UTC)
TOKEN = "open sesame"


def get(url: str, path: str, token: str | None = TOKEN) -> tuple[int, Any]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def walk(url: str, path: str) -> list[list[dict[str, Any]]]:
    """Follow `next` to the end and return the pages."""
    pages, following = [], path
    while following:
        status, body = get(url, following)
        assert status == 200
        pages.append(body["items"])
        following = body["next"]
    assert sum(map(len, pages)) == body["total"]
    return pages


@pytest.fixture
def service(firm: Firm, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "tickets"
    publish_tickets(firm, folder, NIGHT)
    server = serve(folder, TOKEN)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.url, folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_without_the_token_only_health_answers(service: tuple[str, Path]) -> None:
    url, _ = service
    assert get(url, "/health", token=None)[0] == 200
    for token in (None, "", "open", TOKEN + "!", "密码"):
        sent = None if token is None else token.encode("utf-8").decode("latin-1")
        status, body = get(url, "/api/tickets", token=sent)
        assert (status, body) == (401, {"error": "a valid bearer token is required"})
    assert get(url, "/api/tickets")[0] == 200


@pytest.mark.parametrize("table", TICKET_TABLES)
def test_pages_hold_every_visible_record_oldest_change_first(
    firm: Firm, service: tuple[str, Path], table: str
) -> None:
    url, _ = service
    pages = walk(url, f"/api/{table}")
    assert {len(page) for page in pages[:-1]} == {200} and 1 <= len(pages[-1]) <= 200
    key = COLUMNS[table][0]
    copies = {
        item for item, count in Counter(item[key] for page in pages for item in page).items() if count > 1
    }
    shown = {values[0] for values in firm.tables[table].state(NIGHT)}
    assert {item[key] for page in pages for item in page} == shown
    assert set(pages[0][0]) == set(COLUMNS[table])
    changes = [
        datetime.fromisoformat(i["updated_at"]) for page in pages for i in page if i[key] not in copies
    ]
    assert changes == sorted(changes)
    assert changes[0].utcoffset() == timedelta(hours=8)


def test_exact_copies_stand_on_different_pages(firm: Firm, service: tuple[str, Path]) -> None:
    url, _ = service
    seen = 0
    for table in TICKET_TABLES:
        pages, key = walk(url, f"/api/{table}"), COLUMNS[table][0]
        for flaw in firm.dirt:
            if flaw.group != "duplicate" or flaw.table != table or flaw.visible_at > NIGHT:
                continue
            found = [(n, item) for n, page in enumerate(pages) for item in page if item[key] == flaw.key]
            (first, one), (second, other) = found
            assert one == other
            seen += second == first + 1
    assert seen >= 2


def test_updated_since_includes_the_moment_and_reads_any_offset(service: tuple[str, Path]) -> None:
    url, _ = service
    items = [item for page in walk(url, "/api/surveys") for item in page]
    moment = items[len(items) // 2]["updated_at"]
    expected = [i for i in items if datetime.fromisoformat(i["updated_at"]) >= datetime.fromisoformat(moment)]
    in_utc = datetime.fromisoformat(moment).astimezone(UTC)
    for text in (
        quote(moment),
        moment,
        in_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        in_utc.strftime("%Y-%m-%dT%H:%M:%S"),
    ):
        pages = walk(url, f"/api/surveys?updated_since={text}&page_size=50")
        assert [item for page in pages for item in page] == expected
    later = quote((datetime.fromisoformat(moment) + timedelta(seconds=1)).isoformat())
    after = [item for page in walk(url, f"/api/surveys?updated_since={later}") for item in page]
    assert 0 < len(after) < len(expected)


def test_pages_beyond_the_end_are_empty_and_wrong_parameters_are_explained(service: tuple[str, Path]) -> None:
    url, _ = service
    total = get(url, "/api/surveys")[1]["total"]
    exact = get(url, f"/api/surveys?page_size={total // 4}&page=4")[1]
    assert (exact["next"] is None) == (total % 4 == 0)
    assert get(url, "/api/surveys?page=9999")[1] == {"items": [], "next": None, "total": total}
    for query, complaint in (
        ("page=0", "page: expected a whole number from 1 to 1000000000, got '0'"),
        ("page_size=1001", "page_size: expected a whole number from 1 to 1000, got '1001'"),
        ("page_size=ten", "page_size: expected a whole number from 1 to 1000, got 'ten'"),
        ("updated_since=lately", "updated_since: expected an ISO date and time, got 'lately'"),
    ):
        assert get(url, f"/api/surveys?{query}") == (400, {"error": complaint})
    status, body = get(url, "/api/invoices")
    assert status == 404 and "/api/tickets" in body["error"]
    assert len(get(url, "/api/surveys?page_size=1000")[1]["items"]) == 1000


def test_a_new_publication_shows_without_a_restart(firm: Firm, service: tuple[str, Path]) -> None:
    url, folder = service
    before = get(url, "/api/ticket_events")[1]["total"]
    written = publish_tickets(firm, folder, NIGHT + timedelta(days=3))
    after = get(url, "/api/ticket_events")[1]["total"]
    assert before < after == written["ticket_events"]


def test_day_by_day_ends_where_at_once_does(small_firm: Firm, tmp_path: Path) -> None:
    for day in range(20):
        publish_tickets(small_firm, tmp_path / "daily", NIGHT + timedelta(days=day))
    publish_tickets(small_firm, tmp_path / "once", NIGHT + timedelta(days=19))
    for table in TICKET_TABLES:
        name = f"{table}.jsonl"
        assert (tmp_path / "daily" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def process_of(folder: Path) -> tuple[int, int]:
    state = json.loads((folder / "service.json").read_text())
    return state["pid"], state["port"]


def until_down(url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            get(url, "/health")
        except (OSError, http.client.HTTPException):
            return
        time.sleep(0.02)
    pytest.fail("the service goes on")


@pytest.fixture
def running(small_firm: Firm, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "firm 数据" / "tickets"
    publish_tickets(small_firm, folder, NIGHT)
    yield ticket_process.ensure_running(folder), folder
    ticket_process.stop(folder)


def test_the_background_service_is_found_again_and_survives_a_kill(running: tuple[str, Path]) -> None:
    url, folder = running
    token = ticket_process.token_file(folder).read_text()
    assert get(url, "/api/tickets", token=token)[1]["total"] > 50
    pid, _ = process_of(folder)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: ticket_process.ensure_running(folder), range(8))) == {url}
    assert process_of(folder)[0] == pid
    os.kill(pid, signal.SIGKILL)
    until_down(url)
    assert ticket_process.ensure_running(folder) == url
    assert process_of(folder)[0] != pid
    assert get(url, "/api/tickets", token=token)[1]["total"] > 50
    for name in ("service.json", "token"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_a_taken_port_moves_the_service_and_never_the_stranger(running: tuple[str, Path]) -> None:
    url, folder = running
    assert ticket_process.stop(folder)
    assert not ticket_process.stop(folder)
    until_down(url)
    stranger = serve(folder, TOKEN, port=int(url.rsplit(":", 1)[1]))
    thread = Thread(target=stranger.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        assert not ticket_process.stop(folder)  # another process answers there
        assert ticket_process.ensure_running(folder) != url
        assert get(url, "/health")[0] == 200
    finally:
        stranger.shutdown()
        stranger.server_close()
        thread.join()


def test_the_service_ends_with_its_folder(running: tuple[str, Path]) -> None:
    url, folder = running
    shutil.rmtree(folder)
    until_down(url)
    assert not ticket_process.stop(folder)


def test_a_start_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_process, "token_file", lambda folder: folder / "no such token")
    with pytest.raises(ticket_process.ServiceNotStartedError, match=r"cannot start: .*no such token"):
        ticket_process.ensure_running(tmp_path)

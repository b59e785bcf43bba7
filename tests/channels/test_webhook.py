"""Signed webhooks to real servers: what arrives, who signed it, and whether a failure is known to be one."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.servers import Line, free_port, scripted, web

from care_channels import Doubtful, Refused, Way, send, webhook

KEY = "warning/li.wei/chat/warning:12/3"
SECRET = "only the two of us"
MESSAGE = {
    "kind": "warning",
    "subject": "红色预警：上海宏远",
    "text": "健康度 31.5\n",
    "to": "sales",
    "connection": "care_chat",
}


def way(port: int, *, schema: str | None = None, **extra: Any) -> Way:
    return Way("http", "127.0.0.1", port, password=SECRET, extra={"timeout": 10, **extra}, schema=schema)


def deliver(port: int, *, to: str = "sales", key: str = KEY, **extra: Any) -> str:
    return send(way(port, **extra), key=key, to=to, message=MESSAGE)


@pytest.mark.req("S87")
def test_a_receiver_can_read_and_verify_it() -> None:
    with web((202, "taken")) as hook:
        assert deliver(hook.port, path="/hooks") == "202 taken"
    (path, headers, body), now = hook.asked[0], datetime.now(UTC)
    assert path == "/hooks/sales"
    assert headers["X-Carewatch-Key"] == KEY
    assert json.loads(body) == {
        "key": KEY,
        "kind": "warning",
        "subject": "红色预警：上海宏远",
        "text": "健康度 31.5\n",
    }
    timestamp, signature = headers["X-Carewatch-Timestamp"], headers["X-Carewatch-Signature"]
    assert webhook.verify(SECRET, timestamp, body, signature, now=now)
    assert not webhook.verify("another", timestamp, body, signature, now=now)
    assert not webhook.verify(SECRET, timestamp, body + b" ", signature, now=now)
    assert not webhook.verify(SECRET, str(int(timestamp) + 1), body, signature, now=now)
    assert not webhook.verify(SECRET, timestamp, body, signature[:-1], now=now)


@pytest.mark.parametrize(
    ("seconds", "fresh"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_a_signature_holds_for_its_tolerance(seconds: int, fresh: bool) -> None:
    signed = datetime(2026, 3, 2, tzinfo=UTC)
    timestamp = str(int(signed.timestamp()))
    signature = webhook.sign(SECRET, timestamp, b"{}")
    now = signed + timedelta(seconds=seconds)
    assert webhook.verify(SECRET, timestamp, b"{}", signature, now=now) is fresh


def test_the_signature_is_the_one_others_compute() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    expected = "sha256=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
    assert webhook.sign("secret", "1700000000", b'{"a":1}') == expected


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "１７０００００００００", "1" * 13])
def test_a_timestamp_that_is_none_verifies_nothing(timestamp: str) -> None:
    signature = webhook.sign(SECRET, timestamp, b"{}")
    assert not webhook.verify(SECRET, timestamp, b"{}", signature, now=datetime.now(UTC), tolerance=1e20)


def test_an_empty_secret_verifies_nothing_and_signs_nothing() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    timestamp = str(int(now.timestamp()))
    assert not webhook.verify("", timestamp, b"{}", webhook.sign("", timestamp, b"{}"), now=now)
    with web() as hook:
        send(Way("http", "127.0.0.1", hook.port), key=KEY, to="", message=MESSAGE)
    assert "X-Carewatch-Signature" not in hook.asked[0][1]


@pytest.mark.parametrize("key", ["重复/键", "a\r\nX-Evil: 1", "a b%"])
def test_no_key_breaks_a_header(key: str) -> None:
    with web() as hook:
        deliver(hook.port, key=key)
    _, headers, body = hook.asked[0]
    assert "X-Evil" not in headers
    assert headers["X-Carewatch-Key"].isascii()
    assert json.loads(body)["key"] == key


@pytest.mark.parametrize(
    ("host", "schema", "port", "path", "to", "url"),
    [
        ("h.example", None, None, "", "", "http://h.example/"),
        ("h.example", "https", None, "", "/", "https://h.example/"),
        ("h.example", "https", 8443, "/in/", "", "https://h.example:8443/in/"),
        ("h.example", "https", None, "in/", "/sales", "https://h.example/in/sales"),
        ("h.example", None, None, "/send?token=t", "team a/李伟", "http://h.example/send/team%20a/%E6%9D%8E%E4%BC%9F?token=t"),
        ("https://h.example/base/", None, None, "", "sales", "https://h.example/base/sales"),
        ("https://h.example:9/base", "http", 8, "in", "sales", "https://h.example:9/base/in/sales"),
        ("[::1]", None, 80, "", "sales", "http://[::1]:80/sales"),
        ("h.example", None, None, "", "%2e%2e?x=1#y", "http://h.example/%252e%252e%3Fx%3D1%23y"),
        ("h.example", None, None, "", "@evil.example", "http://h.example/%40evil.example"),
    ],
)  # fmt: skip
def test_the_address_is_the_connections_and_a_path_below(
    host: str, schema: str | None, port: int | None, path: str, to: str, url: str
) -> None:
    assert webhook.address(Way("http", host, port, extra={"path": path}, schema=schema), to) == url


def test_a_connection_of_type_https_is_encrypted() -> None:
    assert webhook.address(Way("https", "h.example"), "") == "https://h.example/"


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/x", "//evil.example/x", "../x", "a/../../x", "a//b", "a/", ".", "a\nb", "a\r\nHost: evil"],
)  # fmt: skip
def test_no_address_leads_elsewhere(to: str) -> None:
    with pytest.raises(Refused, match="not a path below"):
        webhook.address(Way("http", "h.example", extra={"path": "/in"}), to)


@given(st.text(max_size=40))
def test_whatever_is_said_the_host_stays(to: str) -> None:
    from requests import Request

    try:
        url = webhook.address(Way("http", "h.example", 81, extra={"path": "/in"}), to)
    except Refused:
        return
    assert str(Request("POST", url).prepare().url).startswith("http://h.example:81/in")


@pytest.mark.parametrize(
    ("host", "schema"),
    [("", None), ("ftp://h.example", None), ("h.example", "hooks"), ("https://u@h.example", None), ("h:x", None),
     ("https://h.example/?a=1", None)],
)  # fmt: skip
def test_a_connection_that_names_no_place_is_refused(host: str, schema: str | None) -> None:
    with pytest.raises(Refused, match="no http or https address"):
        webhook.address(Way("http", host, schema=schema), "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    with web() as other:
        elsewhere = {"Location": f"http://127.0.0.1:{other.port}/"}
        with web((status, ""), headers=elsewhere) as hook, pytest.raises(Refused, match=str(status)):
            deliver(hook.port)
    assert len(hook.asked) == 1
    assert other.asked == []


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503])
def test_a_status_that_says_no_is_refused(status: int) -> None:
    with web((status, "没有这个房间")) as hook, pytest.raises(Refused, match=f"^{status} 没有这个房间$"):
        deliver(hook.port)


def test_a_gateway_that_heard_nothing_leaves_doubt() -> None:
    with web((504, "")) as hook, pytest.raises(Doubtful, match="504"):
        deliver(hook.port)


@pytest.mark.parametrize("value", [0, "0"])
def test_a_platform_must_say_so_itself(value: object) -> None:
    said = [(200, '{"errcode": 0, "errmsg": "ok"}'), (200, '{"errcode": 93000, "errmsg": "invalid webhook"}')]
    with web(*said) as hook:
        assert deliver(hook.port, success_field="errcode", success_value=value).startswith("200 ")
        with pytest.raises(Refused, match="93000"):
            deliver(hook.port, success_field="errcode", success_value=value)
    with web((500, '{"errcode": 0}')) as hook, pytest.raises(Refused):
        deliver(hook.port, success_field="errcode", success_value=value)


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "7", '{"code": 0}'])
def test_an_answer_without_the_promised_field_leaves_doubt(answer: str) -> None:
    with web((200, answer)) as hook, pytest.raises(Doubtful, match="has no errcode"):
        deliver(hook.port, success_field="errcode", success_value=0)


def test_a_success_field_needs_its_value_before_anything_is_sent() -> None:
    with web() as hook, pytest.raises(Refused, match="no success_value"):
        deliver(hook.port, success_field="errcode")
    assert hook.asked == []


def test_a_refused_connection_is_refused_and_its_path_stays_secret() -> None:
    with pytest.raises(Refused) as refused:
        deliver(free_port(), path="/send?key=hush")
    assert "hush" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)


def test_no_answer_in_time_is_doubtful() -> None:
    with web() as hook:
        hook.may_answer.clear()
        with pytest.raises(Doubtful, match="ReadTimeout"):
            deliver(hook.port, timeout=0.3)
    assert len(hook.asked) == 1


def test_a_connection_lost_after_the_request_is_doubtful() -> None:
    def break_off(line: Line) -> None:
        line.take_request()
        line.break_off()

    with scripted(break_off) as port, pytest.raises(Doubtful, match="gave no answer"):
        deliver(port)


@pytest.mark.parametrize("field", [{}, {"success_field": "errcode", "success_value": 0}])
def test_an_answer_cut_short_counts_by_what_it_said(field: dict[str, Any]) -> None:
    def half(line: Line) -> None:
        line.take_request()
        line.say('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"errcode": 0,')

    with scripted(half) as port:
        if field:
            with pytest.raises(Doubtful):
                deliver(port, **field)
        else:
            assert deliver(port) == "200"


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with web((200, "x" * 5_000_000)) as hook:
        assert len(deliver(hook.port)) < 100_000


def test_only_a_server_we_trust_is_told_anything(
    server_side: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web(tls=server_side) as hook:
        safe = way(hook.port, schema="https")
        with pytest.raises(Refused, match="SSLError"):
            send(safe, key=KEY, to="", message=MESSAGE)
        assert hook.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert send(safe, key=KEY, to="", message=MESSAGE) == "200 ok"
    with web() as hook, pytest.raises(Refused, match="SSLError"):
        send(way(hook.port, schema="https"), key=KEY, to="", message=MESSAGE)

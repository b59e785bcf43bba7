"""Mail to real servers: what arrives, and whether a failure is known to be one."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.channels.servers import NOBODY, Inbox, Line, free_port, post_office, scripted

from care_channels import Doubtful, Refused, Way, mail, send

KEY = "warning/li.wei/mail/warning:12/3"
TO = "li.wei@firm.example"
PLAIN = {"from_email": "客户关怀 <care@firm.example>", "disable_ssl": True, "disable_tls": True}
MESSAGE = {"subject": "红色预警：上海宏远", "text": "健康度 31.5\n.\n..客户已 45 天未下单\n"}


def way(port: int, **extra: Any) -> Way:
    return Way("smtp", "127.0.0.1", port, extra={**PLAIN, "timeout": 10, **extra})


def deliver(
    port: int, *, to: str = TO, key: str = KEY, message: dict[str, Any] | None = None, **extra: Any
) -> str:
    return send(way(port, **extra), key=key, to=to, message=message or MESSAGE)


@pytest.fixture(scope="module")
def office() -> Iterator[tuple[Inbox, int]]:
    with post_office() as (inbox, port):
        yield inbox, port


def test_a_chinese_letter_arrives_whole(office: tuple[Inbox, int]) -> None:
    inbox, port = office
    answer = deliver(port)
    letter = inbox.letters[-1]
    assert answer == "250 2.0.0 queued as 4711"
    assert inbox.recipients[-1] == [TO]
    assert letter["Subject"] == MESSAGE["subject"]
    assert letter["To"] == TO
    assert (letter["From"].addresses[0].display_name, letter["From"].addresses[0].addr_spec) == (
        "客户关怀",
        "care@firm.example",
    )
    assert letter["X-Carewatch-Key"] == KEY
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime.utcoffset() == timedelta(0)
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content() == MESSAGE["text"]


def test_a_letter_may_have_a_second_form(office: tuple[Inbox, int]) -> None:
    inbox, port = office
    deliver(port, message={**MESSAGE, "html": "<p>健康度 <b>31.5</b></p>"})
    letter = inbox.letters[-1]
    assert letter.get_content_type() == "multipart/alternative"
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None and plain.get_content() == MESSAGE["text"]
    assert html is not None and html.get_content() == "<p>健康度 <b>31.5</b></p>"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("客户预警：【】 a1.-=?_é", min_size=1, max_size=150))
def test_every_subject_arrives_as_one_line(office: tuple[Inbox, int], subject: str) -> None:
    inbox, port = office
    deliver(port, message={"subject": subject, "text": ""})
    assert inbox.letters[-1]["Subject"] == " ".join(subject.split())


@pytest.mark.parametrize("line", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\0"])
def test_nothing_becomes_a_header_or_a_recipient(office: tuple[Inbox, int], line: str) -> None:
    inbox, port = office
    evil = f"宏远{line}Bcc: evil@firm.example{line}{line}<p>"
    deliver(port, message={"subject": evil, "text": evil}, key=f"warning/{evil}")
    letter = inbox.letters[-1]
    assert letter["Subject"] == "宏远 Bcc: evil@firm.example <p>"
    assert letter["Bcc"] is None
    assert inbox.recipients[-1] == [TO]
    assert len(letter.keys()) == len(set(letter.keys())) == 10


@pytest.mark.parametrize(
    "to",
    [
        f"{TO}\r\nRCPT TO:<evil@firm.example>",
        f"{TO}\n",
        f"{TO},a@b.c",
        f"<{TO}> SIZE=1",
        "李伟@firm.example",
        "li.wei",
        "",
    ],
)
def test_what_is_not_one_address_is_refused(office: tuple[Inbox, int], to: str) -> None:
    inbox, port = office
    before = len(inbox.letters)
    with pytest.raises(Refused, match="not one mail address"):
        deliver(port, to=to)
    assert len(inbox.letters) == before


def test_the_same_key_has_the_same_message_id(office: tuple[Inbox, int]) -> None:
    inbox, port = office
    deliver(port)
    deliver(port, message={"subject": "again", "text": "in other words"})
    deliver(port, key="warning/li.wei/mail/warning:12/4")
    first, second, other = (letter["Message-ID"] for letter in inbox.letters[-3:])
    assert first == second == "<warning%2Fli%2Ewei%2Fmail%2Fwarning%3A12%2F3@carewatch>"
    assert other != first


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_message_id_is_safe_and_names_one_key(key: str, other: str) -> None:
    made = mail.message_id(key)
    assert len(made) < 900
    assert re.fullmatch(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]*@carewatch>", made)
    assert (made == mail.message_id(other)) == (key == other)


def test_a_refused_recipient_is_refused(office: tuple[Inbox, int]) -> None:
    with pytest.raises(Refused, match=r"550 5\.1\.1 no such mailbox"):
        deliver(office[1], to=NOBODY)


def test_a_refused_connection_is_refused() -> None:
    with pytest.raises(Refused, match="ConnectionRefusedError"):
        deliver(free_port())


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"from_email": ""}, "from_email"),
        ({"from_email": "not an address"}, "from_email"),
        ({"timeout": "soon"}, "expected seconds"),
        ({"timeout": 0}, "expected seconds"),
        ({"timeout": 301}, "expected seconds"),
        ({"timeout": "nan"}, "expected seconds"),
    ],
)
def test_a_connection_that_cannot_work_is_refused(
    office: tuple[Inbox, int], extra: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        deliver(office[1], **extra)


def test_a_message_without_words_is_refused(office: tuple[Inbox, int]) -> None:
    with pytest.raises(Refused, match="lacks its subject"):
        deliver(office[1], message={"text": "no subject"})


def test_an_unknown_kind_of_connection_is_refused() -> None:
    with pytest.raises(Refused, match="no channel speaks 'pigeon'"):
        send(Way("pigeon", "roof"), key=KEY, to=TO, message=MESSAGE)


def test_a_way_never_shows_its_secrets() -> None:
    assert "hidden" not in repr(Way("smtp", "h", password="hidden", extra={"token": "hidden"}))


def only(login: str, password: str) -> Callable[..., AuthResult]:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        right = (data.login, data.password) == (login.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    return check


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_login_is_used_and_a_refused_one_refuses() -> None:
    with post_office(authenticator=only("care", "right"), auth_required=True, auth_require_tls=False) as (
        inbox,
        port,
    ):
        right = Way("smtp", "127.0.0.1", port, "care", "right", PLAIN)
        wrong = Way("smtp", "127.0.0.1", port, "care", "wrong", PLAIN)
        send(right, key=KEY, to=TO, message=MESSAGE)
        with pytest.raises(Refused, match="535"):
            send(wrong, key=KEY, to=TO, message=MESSAGE)
        assert len(inbox.letters) == 1


@pytest.mark.parametrize(
    ("extra", "tls"),
    [
        ({"disable_tls": "true", "disable_ssl": False}, "ssl_context"),
        ({"disable_ssl": "True", "disable_tls": "false"}, "tls_context"),
    ],
)
def test_the_conversation_is_encrypted_with_whom_we_trust(
    server_side: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    extra: dict[str, Any],
    tls: str,
) -> None:
    with post_office(**{tls: server_side}, require_starttls=tls == "tls_context") as (inbox, port):
        with pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"):
            deliver(port, **extra)
        deliver(port, **extra, ssl_context="none")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        deliver(port, **extra)
        assert len(inbox.letters) == 2


def test_what_should_be_encrypted_never_goes_in_the_open(office: tuple[Inbox, int]) -> None:
    inbox, port = office
    before = len(inbox.letters)
    with pytest.raises(Refused, match="STARTTLS"):
        deliver(port, disable_tls=False)
    with pytest.raises(Refused, match="SSLError"):
        deliver(port, disable_ssl=False)
    assert len(inbox.letters) == before


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_letter_is_refused(command: str) -> None:
    def hang_up(line: Line) -> None:
        line.polite(until=command)
        line.break_off()

    with scripted(hang_up) as port, pytest.raises(Refused):
        deliver(port)


def test_a_server_that_never_greets_is_refused() -> None:
    with scripted(lambda line: line.reader.read()) as port, pytest.raises(Refused):
        deliver(port, timeout=0.3)


def test_a_connection_lost_amid_the_letter_is_refused() -> None:
    def break_off(line: Line) -> None:
        line.polite(until="DATA")
        line.say("354 go on")
        line.reader.read(1000)
        line.break_off()

    with scripted(break_off) as port, pytest.raises(Refused):
        deliver(port, message={"subject": "long", "text": "x" * 12_000_000})


@pytest.mark.parametrize("answer", ["", "???", "354 go on"])
def test_a_letter_taken_without_an_answer_is_doubtful(answer: str) -> None:
    def fall_silent(line: Line) -> None:
        line.take_letter()
        if answer:
            line.say(answer)

    with scripted(fall_silent) as port, pytest.raises(Doubtful):
        deliver(port)


def test_a_letter_taken_and_no_answer_in_time_is_doubtful() -> None:
    def sleep(line: Line) -> None:
        line.take_letter()
        line.reader.read()

    with scripted(sleep) as port, pytest.raises(Doubtful, match="timed out"):
        deliver(port, timeout=0.3)


@pytest.mark.parametrize("answer", ["451 try later", "554 this is spam"])
def test_a_letter_refused_as_a_whole_is_refused(answer: str) -> None:
    def refuse(line: Line) -> None:
        line.take_letter()
        line.say(answer)

    with scripted(refuse) as port, pytest.raises(Refused, match=answer):
        deliver(port)


def test_a_letter_taken_stays_taken_whatever_comes_after() -> None:
    def take_and_go(line: Line) -> None:
        line.take_letter()
        line.say("250 taken")
        line.break_off()

    with scripted(take_and_go) as port:
        assert deliver(port) == "250 taken"

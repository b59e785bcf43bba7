"""Send a message as mail.

The connection is Airflow's own type `smtp`, with the extras its provider spells: `from_email`, `disable_ssl`,
`disable_tls`, `ssl_context` (`default` or `none`), `timeout`. Without `disable_ssl` the conversation is
encrypted from the start; with it, by STARTTLS unless `disable_tls` says otherwise. Until the last line of the
letter is handed over, a failure means that nothing was delivered; after it, silence leaves us in doubt.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import ExitStack, closing, suppress
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formataddr, formatdate, parseaddr
from typing import Any, Final

from care_channels import Doubtful, Refused, Way, key_token

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_WIRE: Final = compat32.clone(linesep="\r\n")


def send(way: Way, *, key: str, to: str, message: dict[str, Any]) -> str:
    """Send `subject`, `text` and perhaps `html` to one address; return the server's answer.

    Raise Refused when the letter was certainly not taken (no connection; login, sender, recipient or letter
    refused), Doubtful when it was handed over and no answer came.
    """
    name, sender = parseaddr(_one_line(str(way.extra.get("from_email") or way.login or "")))
    if not _ADDRESS.fullmatch(sender):
        raise Refused("the connection says no sender: its extra needs from_email")
    if not _ADDRESS.fullmatch(to):
        raise Refused(f"{to!r} is not one mail address in ASCII letters")
    letter = _letter(formataddr((name, sender)), to, key, message)
    with ExitStack() as stack:
        try:
            client = stack.enter_context(closing(_client(way)))
            _introduce(client, way)
            _hand_over(client, sender, to, letter)
        except smtplib.SMTPResponseException as error:
            raise Refused(_said(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Refused(f"{way.host} was not told the message: {type(error).__name__}: {error}") from error
        answer = _verdict(client, way)
        with suppress(smtplib.SMTPException, OSError):  # the letter is taken, whatever comes now
            client.quit()
    return answer


def message_id(key: str) -> str:
    """Return the Message-ID of a key: the same key has the same, and no other key has it."""
    return f"<{key_token(key, keep='').replace('.', '%2E')}@carewatch>"


def _letter(sender: str, to: str, key: str, message: dict[str, Any]) -> bytes:
    """Return the letter as it goes over the wire, with the line of the final dot."""
    if not {"subject", "text"} <= message.keys():
        raise Refused("the message lacks its subject or its text")
    letter: Message[Any, Any] = MIMEText(message["text"], "plain", "utf-8")
    if message.get("html"):
        letter = MIMEMultipart("alternative", _subparts=[letter, MIMEText(message["html"], "html", "utf-8")])
    # the older way of writing headers: the newer one of Python 3.11 loses spaces when it folds Chinese words
    letter["Subject"] = Header(_one_line(message["subject"]), header_name="Subject")
    letter["From"] = sender
    letter["To"] = to
    letter["Date"] = formatdate(usegmt=True)
    letter["Message-ID"] = message_id(key)
    letter["X-Carewatch-Key"] = key_token(key, keep="!#$&'()*+,/:;=?@[]")
    letter["Auto-Submitted"] = "auto-generated"
    # no line of it begins with a dot, which would have to be doubled: texts are in base64
    return letter.as_bytes(policy=_WIRE).rstrip(b"\r\n") + b"\r\n.\r\n"


def _one_line(text: str) -> str:
    """Return the text without line breaks and control characters: no customer's name becomes a header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _client(way: Way) -> smtplib.SMTP:
    if not way.host:
        raise Refused("the connection names no host")
    if way.flag("disable_ssl"):
        return smtplib.SMTP(way.host, way.port or 0, timeout=way.timeout)
    return smtplib.SMTP_SSL(way.host, way.port or 0, timeout=way.timeout, context=_encryption(way))


def _encryption(way: Way) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if way.extra.get("ssl_context") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _introduce(client: smtplib.SMTP, way: Way) -> None:
    client.ehlo_or_helo_if_needed()
    if way.flag("disable_ssl") and not way.flag("disable_tls"):
        client.starttls(context=_encryption(way))
        client.ehlo()
    if way.login and way.password:
        client.login(way.login, way.password)


def _hand_over(client: smtplib.SMTP, sender: str, to: str, letter: bytes) -> None:
    """Say everything up to and with the final dot; when this raises, the dot was not handed over."""
    _agree(client.mail(sender), 250)
    _agree(client.rcpt(to), 250, 251)
    _agree(client.docmd("DATA"), 354)
    client.send(letter)


def _agree(reply: tuple[int, bytes], *codes: int) -> None:
    if reply[0] not in codes:
        raise Refused(_said(*reply))


def _verdict(client: smtplib.SMTP, way: Way) -> str:
    try:
        code, text = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise Doubtful(f"{way.host} took the letter and gave no answer: {error}") from error
    if 200 <= code < 300:
        return _said(code, text)
    if 400 <= code < 600:
        raise Refused(_said(code, text))
    raise Doubtful(f"{way.host} took the letter and gave an answer that is none: {_said(code, text)}")


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"

"""Say what a draft of the configuration would change, to the person who asked: findings first, then the plan."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from carewatch.flow.plan import plan
from carewatch.flow.plan_text import plan_lines
from carewatch.spec.checked import checked
from carewatch.spec.configuration import CareSpec
from carewatch.spec.notes import notes
from carewatch.spec.people import Person
from carewatch.spec.saying import in_language, said
from carewatch.spec.shelf import display
from carewatch.store import notices
from carewatch.store.database import Connection
from carewatch.store.nights import NoNight
from carewatch.store.notices import Decided, Message
from carewatch.tell.decide import outbox_key


class NoReceiver(LookupError):
    """The effect cannot be sent to this person; the text says why."""


def preview(connection: Connection, folder: Path, language: str) -> tuple[str, str]:
    """Return subject and text about a draft in a folder; mistakes in it are what the text says."""
    found = checked(folder)
    shown = display(folder.resolve())
    if found.reading is None:
        count = len(found.problems)
        subject = said("The draft {folder} has {count} problems", folder=shown, count=count)
        lines = [problem.in_(language) for problem in found.problems]
        lines += ["", in_language(said("Correct these first; the effect can be told then."), language)]
        return in_language(subject, language), "\n".join(lines) + "\n"
    subject = said("What the draft {folder} would change", folder=shown)
    lines = [in_language(said("Nothing in the draft stops it."), language)]
    lines += [
        in_language(said("note: {note}", note=note.in_(language)), language) for note in notes(found.reading)
    ]
    lines.append("")
    try:
        lines += plan_lines(plan(connection, found.reading.configuration), language)
    except NoNight:
        lines.append(in_language(said("No night has been sealed yet: the effect cannot be told."), language))
    return in_language(subject, language), "\n".join(lines) + "\n"


def send_preview(connection: Connection, care: CareSpec, folder: Path, person: str, now: datetime) -> str:
    """Put the effect of a draft into the outbox for a person; return the message's key. Raise NoReceiver.

    `now` is the moment of the request: the same request is answered once, however often it is tried.
    """
    entry = care.people.people.get(person)
    if entry is None or not entry.active:
        raise NoReceiver(f"nobody active in people.yaml has the id '{person}'")
    channel = _channel(entry, person)
    language = entry.language or care.firm.language
    subject, text = preview(connection, folder, language)
    asked = f"preview:{display(folder.resolve())}:{now.isoformat()}"
    key = outbox_key("preview", person, channel, asked)
    body = {
        "subject": subject,
        "text": text,
        "to": entry.channels[channel],
        "connection": care.notices.channels[channel].connection,
        "kind": "preview",
    }
    message = Message(key=key, kind="preview", receiver=person, channel=channel, body=body, not_before=now)
    decided = Decided(asked, 0, person, True, "asked for the effect of a draft", key)
    with connection.transaction():
        notices.store(connection, [decided], [message], now=now)
    return key


def _channel(entry: Person, person: str) -> str:
    """Return the channel of a person's mail, or the first other one."""
    if not entry.channels:
        raise NoReceiver(f"'{person}' has no channel in people.yaml")
    return "mail" if "mail" in entry.channels else next(iter(entry.channels))

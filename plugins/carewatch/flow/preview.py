"""Say what a draft of the configuration would change, to the person who asked: findings first, then the plan."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from carewatch.flow.plan import plan
from carewatch.flow.plan_text import plan_lines, plan_parts
from carewatch.paths import home
from carewatch.spec.checked import checked
from carewatch.spec.configuration import CareSpec
from carewatch.spec.loading import Reading, read
from carewatch.spec.notes import notes
from carewatch.spec.people import Person
from carewatch.spec.problems import Problem
from carewatch.spec.saying import in_language, said
from carewatch.spec.shelf import display
from carewatch.store import notices
from carewatch.store.database import Connection
from carewatch.store.nights import NoNight
from carewatch.store.notices import Decided, Message
from carewatch.tell.decide import outbox_key
from carewatch.tell.tables import Part, html


class NoReceiver(LookupError):
    """The effect cannot be sent to this person; the text says why."""


@dataclass(frozen=True)
class Preview:
    """What is told of a draft: a subject, and the same as plain text and as a page."""

    subject: str
    text: str
    html: str


def preview(connection: Connection, folder: Path, language: str, *, present: Path) -> Preview:
    """Return what to tell about a draft in a folder; mistakes in it are what is told.

    Notes that the `present` configuration has as well come last: whoever edits it asks about the edit.
    """
    found = checked(folder)
    shown = display(folder.resolve())

    def words(text: str) -> str:
        return in_language(text, language)

    if found.reading is None:
        subject = words(
            said("Problems in the draft {folder}: {count}", folder=shown, count=len(found.problems))
        )
        lines = [problem.in_(language) for problem in found.problems]
        first = words(said("Correct these first; the effect can be told then."))
        return _told(subject, [*lines, "", first], [Part(subject, lines=lines), Part(first)], language)
    subject = words(said("What the draft {folder} would change", folder=shown))
    fine = words(said("Nothing in the draft stops it."))
    new, old = _notes(found.reading, present)
    told = [words(said("note: {note}", note=note.in_(language))) for note in new]
    try:
        planned = plan(connection, found.reading.configuration)
        effect, parts = plan_lines(planned, language, shell=False), plan_parts(planned, language)
    except NoNight:
        effect = [words(said("No night has been sealed yet: the effect cannot be told."))]
        parts = [Part(effect[0])]
    lines = [fine, *told, "", *effect]
    parts = [Part(fine, lines=told), *parts]
    if old:
        before = words(said("The present configuration has these notes as well"))
        known = [note.in_(language) for note in old]
        lines += ["", before, *known]
        parts.append(Part(before, lines=known))
    return _told(subject, lines, parts, language)


def _told(subject: str, lines: list[str], parts: list[Part], language: str) -> Preview:
    return Preview(subject, "\n".join(lines) + "\n", html(parts, title=subject, language=language))


def _notes(draft: Reading, present: Path) -> tuple[list[Problem], list[Problem]]:
    """Return the notes of a draft that are its own, and those that the present configuration has as well."""
    known = {_said(note) for note in notes(read(present))}
    own: list[Problem] = []
    both: list[Problem] = []
    for note in notes(draft):
        (both if _said(note) in known else own).append(note)
    return own, both


def _said(note: Problem) -> tuple[str, str]:
    """Return what a note says of which line, wherever the line stands."""
    files = (base / note.place.file for base in (Path.cwd(), home()))
    text = next(file for file in files if file.is_file()).read_text(encoding="utf-8")
    return text.splitlines()[note.place.line - 1].strip(), note.what


def send_preview(
    connection: Connection, care: CareSpec, folder: Path, person: str, now: datetime, *, present: Path
) -> str:
    """Put the effect of a draft into the outbox for a person; return the message's key. Raise NoReceiver.

    `now` is the moment of the request: the same request is answered once, however often it is tried.
    """
    entry = care.people.people.get(person)
    if entry is None or not entry.active:
        raise NoReceiver(f"nobody active in people.yaml has the id '{person}'")
    channel = _channel(entry, person)
    language = entry.language or care.firm.language
    told = preview(connection, folder, language, present=present)
    asked = f"preview:{display(folder.resolve())}:{now.isoformat()}"
    key = outbox_key("preview", person, channel, asked)
    body = {
        **asdict(told),
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

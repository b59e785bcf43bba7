"""Answer the question: what should people know about a sound configuration although nothing is wrong with it?"""

from __future__ import annotations

from pathlib import Path

from carewatch.spec.calendar import CalendarSpec
from carewatch.spec.document import Problem, read_document, validate
from carewatch.spec.loading import Reading
from carewatch.spec.saying import said
from carewatch.spec.shelf import display, files_of


def notes(reading: Reading) -> list[Problem]:
    """Return what is worth knowing, at its place; nothing in it stops anything."""
    calendars = files_of(reading.shelf.folder, "calendar")[:1]
    return sorted([*reading.notes(), *(note for path in calendars for note in _unannounced(path))])


def _unannounced(path: Path) -> list[Problem]:
    document = read_document(path, display=display(path))
    calendar, _ = validate(document, CalendarSpec)
    years = calendar.unannounced_years() if calendar is not None else []
    if not years:
        return []
    named = f"{years[0]}" if len(years) == 1 else said("{first} to {last}", first=years[0], last=years[-1])
    what = said(
        "the make-up workdays of {years} are not announced yet, so working hours then are a guess: update the "
        "package holidays once they are, or write the days under closed: and open:",
        years=named,
    )
    return [Problem(document.place(("years",)), what)]

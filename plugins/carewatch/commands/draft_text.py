"""Write a draft of a mapping as YAML that can be pasted, with what is unsure beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from carewatch.spec.fact_losses import WITHOUT_FACT
from carewatch.spec.facts import FACTS
from carewatch.spec.source_draft import Draft

if TYPE_CHECKING:
    from care_sources.sample import Sample

_PLAIN = re.compile(r"^[^\W\d][\w./ ]*$")
_NOT_PLAIN = re.compile(r"^(true|false|null|yes|no|on|off|~)$", re.IGNORECASE)
_LATER = "make this Airflow connection; passwords and tokens live only there"


def draft_text(made: Draft, sample: Sample, *, kind: str, connection: str) -> str:
    """Return a whole sources.yaml with one source and one stream."""
    return "\n".join(_lines(made, sample, kind, connection)) + "\n"


def _lines(made: Draft, sample: Sample, kind: str, connection: str) -> Iterator[str]:
    name = _key(made.fact, sample.name)
    yield f"# Drafted from {sample.name}: {len(sample.headings)} columns, {len(sample.rows)} rows looked at. Decide every line with a ?"
    yield "# and paste the source into sources.yaml, or, where its source stands there, the stream alone."
    yield from (f"# {note}" for note in sample.notes)
    yield "version: 1"
    yield "sources:"
    yield f"  {name}_source:"
    yield f"    label: {_text(sample.name)}"
    yield "    owner: data engineering  # ? who answers for the feed"
    yield f"    kind: {kind}"
    yield f"    connection: {_text(connection)}" + (f"  # ? {_LATER}" if kind != "files" else "")
    if made.fact == "customer":
        yield "    customers: master"
    else:
        yield "    customers: derived  # ? 'as in <source>' where another source is the master of these keys"
    for option, value in {**_forms(made), **sample.source}.items():
        yield f"    {option}: {_value(value)}" + _doubt(made, option)
    yield "    every: 1 day  # ?"
    yield "    fresh_within: 2 days  # ? how old may the last reading be before the night counts it as late"
    yield "    streams:"
    yield f"      {name}:"
    for option, value in sample.stream.items():
        yield f"        {option}: {_value(value)}"
    yield f"        fact: {made.fact}" + _doubt(made, "fact")
    key = made.key[0] if len(made.key) == 1 else made.key
    yield f"        key: {_value(key)}" + _doubt(made, "key")
    for option in ("customer", "event_at", "changed_at"):
        value = getattr(made, option)
        if value is not None:
            yield f"        {option}: {_text(value)}" + _doubt(made, option)
        elif option in made.doubts:
            yield f"        # {option}: ? {made.doubts[option]}"
    if made.changed_at and kind in ("database", "rest"):
        yield f"        # cursor: {made.changed_at}   reads only what changed, where every change moves it"
    if made.changed_at is None:
        yield "        # changed_at: ? no heading names it; without it the later reading wins over the earlier"
    yield "        columns:" + ("" if made.columns else " {}")
    for column, value in made.columns.items():
        yield f"          {column}: {_text(value)}" + _doubt(made, column)
    needed = [column.name for column in FACTS[made.fact].columns if column.name not in made.columns]
    yield from (
        f"          # {column}: ? {made.doubts[column]}" for column in needed if column in made.doubts
    )
    if made.unused:
        yield f"# not used: {', '.join(made.unused)}"
    if made.missing:
        yield "# not found, and lost without it:"
        yield from (f"#   {one}" for one in made.missing)
    yield f"# without this fact: {WITHOUT_FACT[made.fact]}"


def _forms(made: Draft) -> Mapping[str, str]:
    return {name: value for name, value in (("dates", made.dates), ("decimal", made.decimal)) if value}


def _doubt(made: Draft, about: str) -> str:
    return f"  # ? {made.doubts[about]}" if about in made.doubts else ""


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    plain = _PLAIN.match(text) and not _NOT_PLAIN.match(text) and text == text.strip()
    return text if plain else json.dumps(text, ensure_ascii=False)


def _key(fact: str, name: str) -> str:
    """Return a name for the stream: the table's own where sources.yaml could hold it, else the fact's."""
    own = re.sub(r"[\W\d]+", "_", name.lower(), flags=re.ASCII).strip("_")[:32]
    return own if re.match(r"^[a-z][a-z0-9_]*$", own) else fact

"""A count with its unit as people write it: `30 days`, `4工时`."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from carewatch.spec.fullwidth import first_fullwidth, say, to_ascii
from carewatch.spec.problems import SpecProblem, nearest
from carewatch.spec.saying import said

_AMOUNT: Final = re.compile(r"\s*(?P<count>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>.*?)\s*")


def count_and_unit(data: object, units: Collection[str], form: str, usual: str) -> tuple[float, str]:
    """Return the count and the unit of a text like `30 days`.

    `form` says what was expected; `usual` is the unit that is proposed where none is written. Raise `SpecProblem`.
    """
    if isinstance(data, int | float) and not isinstance(data, bool):
        raise SpecProblem(said("{data} has no unit", data=data), expected=form, nearest=f"{data} {usual}")
    if not isinstance(data, str):
        shown = said("nothing") if data is None else said("{text}", text=data)
        raise SpecProblem(said("{shown} is not a length of time", shown=shown), expected=form)
    wide = first_fullwidth(data)
    if wide is not None:
        what, expected = say(data[wide])
        raise SpecProblem(
            said("{what} in '{data}'", what=what, data=data),
            expected=expected,
            nearest=to_ascii(data),
            column_offset=wide,
        )
    match = _AMOUNT.fullmatch(data)
    if match is None:
        raise SpecProblem(said("'{data}' is not a length of time", data=data), expected=form)
    count, unit = match["count"], match["unit"]
    if unit not in units:
        meant = nearest(unit, units) if unit else usual
        near = f"{count} {meant}" if meant else None
        what = said("unknown unit '{unit}'", unit=unit) if unit else said("'{data}' has no unit", data=data)
        raise SpecProblem(what, expected=form, nearest=near, column_offset=match.start("unit") if unit else 0)
    return float(count), unit

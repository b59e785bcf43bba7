"""Answer the question: what is an answer on its own scale on the scale of 1 to 5 that metrics read?

The lowest answer is 1, the highest 5, and straight between. An answer outside its scale, or on a scale that is not known,
is none.
"""

from __future__ import annotations

from typing import Final

SCALES: Final = {"5": (1, 5), "100": (0, 100), "nps": (0, 10)}
"""The lowest and highest answer of each scale."""


def on_five(value: str, scale: str) -> str:
    """Return SQL that puts a number, given with the name of its scale as text, on the scale of 1 to 5."""
    cases = " ".join(
        f"when '{name}' then case when {value} between {low} and {high} then 1 + ({value} - {low}) * 4.0 / {high - low} end"
        for name, (low, high) in SCALES.items()
    )
    return f"case lower({scale}) {cases} end"

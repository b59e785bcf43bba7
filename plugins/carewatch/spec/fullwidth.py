"""Full-width characters that look like structure but are text to a parser."""

from __future__ import annotations

import unicodedata

from carewatch.spec.saying import said

ASCII_FOR: dict[str, str] = {
    "：": ":",
    "，": ",",
    "、": ",",
    "；": ";",
    "（": "(",
    "）": ")",
    "【": "[",
    "】": "]",
    "［": "[",
    "］": "]",
    "｛": "{",
    "｝": "}",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "＞": ">",
    "＜": "<",
    "＝": "=",
    "！": "!",
    "％": "%",
    "－": "-",
    "＃": "#",
    "\u3000": " ",
}


def ascii_for(char: str) -> str | None:
    """Return the ASCII character a full-width one stands for, or None when it is ordinary text."""
    known = ASCII_FOR.get(char)
    if known is not None:
        return known
    if "！" <= char <= "～":
        return unicodedata.normalize("NFKC", char)
    return None


def to_ascii(text: str) -> str:
    """Replace every full-width character that has an ASCII counterpart."""
    return "".join(ascii_for(char) or char for char in text)


def first_fullwidth(text: str) -> int | None:
    """Return the index of the first full-width character, or None."""
    return next((index for index, char in enumerate(text) if ascii_for(char)), None)


def say(char: str) -> tuple[str, str]:
    """Name a full-width character and its replacement: what is wrong, what is expected."""
    if char == "\u3000":
        return "full-width space", "an ordinary space"
    return said("full-width '{char}'", char=char), said(
        "the ASCII character '{ascii}'", ascii=ascii_for(char)
    )

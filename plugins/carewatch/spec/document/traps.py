"""Text that YAML accepts but that does not mean what its writer thinks."""

from __future__ import annotations

import re

from carewatch.spec.document.nodes import Mapping, Mark, Node, Report, Scalar, mappings, scalars
from carewatch.spec.document.syntax import line_fault
from carewatch.spec.fullwidth import first_fullwidth, say, to_ascii
from carewatch.spec.saying import said

_CLOCK = re.compile(r"[0-9]{1,2}:[0-5][0-9](:[0-5][0-9])?")
_ZEROS = re.compile(r"[-+]?0[0-9_]+")
_NEW_KEY = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_-]*\s*[：:]")
_TIGHT_KEY = re.compile(r"[\w-]+:(?=\S)")


def report_traps(root: Node, lines: list[str], report: Report) -> None:
    """Report every unquoted value or key that other readers, or its writer, understand otherwise."""
    for scalar, in_flow_list in scalars(root):
        if scalar.style is None:
            _value_trap(scalar, in_flow_list, report)
            _swallowed_lines(scalar, lines, report)
    for mapping in mappings(root):
        for name, key in mapping.keys.items():
            if key.style is None:
                _key_trap(key, mapping.values[name], report)


def _value_trap(scalar: Scalar, in_flow_list: bool, report: Report) -> None:
    text = scalar.text
    if _CLOCK.fullmatch(text):
        report(
            scalar.start,
            said("{text} without quotes is a number to some YAML readers", text=text),
            said("it in quotes: '{text}'", text=text),
        )
    elif _ZEROS.fullmatch(text):
        report(
            scalar.start,
            said("{text} without quotes means different numbers to different YAML readers", text=text),
            said("the number without leading zeros, or text in quotes: '{text}'", text=text),
        )
    elif in_flow_list and (comma := re.search("[，、]", text)):
        what, expected = say(comma[0])
        report(
            _shifted(scalar, comma.start()),
            said("{what} in a list", what=what),
            said("{expected}, or the item in quotes", expected=expected),
        )


def _swallowed_lines(scalar: Scalar, lines: list[str], report: Report) -> None:
    """Report continuation lines that look like a key or an item of their own."""
    last = scalar.end.line if scalar.end.column > 0 else scalar.end.line - 1
    for number in range(scalar.start.line + 1, min(last + 1, len(lines))):
        line = lines[number]
        fault = line_fault(number, lines)
        if fault is not None and _NEW_KEY.match(line):
            report(Mark(number, fault.column, 0), fault.what, fault.expected)
        elif line.lstrip().startswith("- "):
            column = len(line) - len(line.lstrip())
            report(
                Mark(number, column, 0),
                "this '- ' continues the text above",
                "the same indentation as the lines beside it",
            )


def _key_trap(key: Scalar, value: Node, report: Report) -> None:
    empty = isinstance(value, Scalar) and value.style is None and value.text == ""
    wide = first_fullwidth(key.text)
    if wide is not None and (to_ascii(key.text).isascii() or (empty and "：" in key.text)):
        what, expected = say(key.text[wide])
        report(
            _shifted(key, wide),
            said("{what} in the key '{text}'", what=what, text=key.text),
            said("{expected}, or the key in quotes", expected=expected),
        )
    elif empty and (tight := _TIGHT_KEY.match(key.text)):
        report(
            _shifted(key, tight.end()),
            said("no space after ':' in '{text}'", text=key.text),
            said("'{tight} …'", tight=tight[0]),
        )


def _shifted(scalar: Scalar, by: int) -> Mark:
    return Mark(scalar.start.line, scalar.start.column + by, scalar.start.index + by)


def is_empty(root: Node | None) -> bool:
    """Say whether a document holds nothing at all."""
    if isinstance(root, Mapping):
        return False
    return root is None or (isinstance(root, Scalar) and root.value is None)

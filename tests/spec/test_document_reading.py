"""Reading YAML: data, places, and every trap named in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.document import parse_document, read_document

SYNTAX = {
    "a: 1\nseverity：mild\nb: 2\n": [
        "f:2:9: full-width '：' after 'severity'; expected the ASCII character ':' and a space"
    ],
    "“a”：1\nb: 2\n": ["f:1:4: full-width '：' after 'a'; expected the ASCII character ':' and a space"],
    "a: 1\n  severity：mild\nb: 2\n": [
        "f:2:11: full-width '：' after 'severity'; expected the ASCII character ':' and a space"
    ],
    "a: 1\nseverity:mild\nb: 2\n": ["f:2:10: no space after ':' in 'severity:mild'; expected 'severity: …'"],
    "a: {en:Hello}\n": ["f:1:8: no space after ':' in 'en:Hello'; expected 'en: …'"],
    "a:\n\tb: 1\n": ["f:2:1: a tab at the start of the line; expected spaces"],
    "a: \t1\n": ["f:1:4: a tab before the value; expected a space"],
    "a: 1\n b: 2\n": [
        "f:2:3: indented deeper than the line above, which has a value; expected the same indentation as the lines beside it"
    ],
    "a:\n  b: 1\n c: 2\n": [
        "f:3:2: indentation that fits no line above; expected the same indentation as the lines beside it"
    ],
    "a: x: y\n": ["f:1:5: a second ': ' in one line; expected the whole value in quotes"],
    "a: {b} c\n": ["f:1:8: text after a closing quote or bracket; expected the whole value in quotes"],
    "a: 'x' y\n": ["f:1:8: text after a closing quote or bracket; expected the whole value in quotes"],
    "a: [b [c]]\n": [
        "f:1:7: '[' inside an item of a list; expected the item in quotes, or one '- ' line per item"
    ],
    "a: [b, c\nd: 1\n": ["f:1:4: the list opened by '[' is not closed; expected ']'"],
    "a: [b, 'c' d]\n": ["f:1:12: the list opened by '[' is not closed; expected ',' or ']' here"],
    "a: {b: c: d}\n": [
        "f:1:9: a second ':' in an entry; expected ',' between the entries, or the value in quotes"
    ],
    "a: {b: c，d: 1}\n": ["f:1:9: full-width '，' between entries; expected the ASCII character ','"],
    "a:\n  - b\n  －c\n  - d: e\n": ["f:3:3: '－' before an item; expected '- '"],
    "a:\n  -b\n  - d: e\n": ["f:2:4: no space after '-' in '-b'; expected '- …'"],
    "a:\n    b: 1\n\tc: 2\n    d: 3\n": ["f:3:1: a tab at the start of the line; expected spaces"],
    "a: {b: 1\nc: 2\n": ["f:1:4: the mapping opened by '{' is not closed; expected '}'"],
    "a: 'x\nb: 1\n": ["f:1:4: the quote opened here is never closed"],
    'a: "x\\q"\n': ["f:1:7: '\\q' means nothing inside double quotes; expected single quotes"],
    "a: @x\n": ["f:1:4: a value cannot begin with '@'; expected the whole value in quotes"],
    "a: * x\n": ["f:1:4: a value cannot begin with '*'; expected the whole value in quotes"],
    "- > 3\n": ["f:1:3: a value cannot begin with '>'; expected the whole value in quotes"],
    "- a\nb: 1\n": [
        "f:2:1: a 'key: value' line among list items; expected a '- ' item, or other indentation"
    ],
    "a: 1\n- b\n": ["f:2:1: a '- ' item among 'key: value' lines; expected a key, or other indentation"],
    "- a\n - b\n": [
        "f:2:2: this '- ' continues the text above; expected the same indentation as the lines beside it"
    ],
    "a: - b\n": ["f:1:4: a '- ' item in the middle of a line; expected it on its own line"],
    "a: 1\nb\n": ["f:2:1: this line has no ': '; expected 'key: value' or '- item'"],
    "a: }\n": ["f:1:4: '}' without its opening; expected the whole value in quotes"],
    "a: 1\n%x\n": ["f:3:1: a line that begins with '%'; expected no directive"],
    "a: b\x01\n": ["f:1:5: a control character (code 1); expected the file without it"],
}

REFUSED = {
    "": ["f:1:1: the file is empty; expected 'key: value' lines"],
    "# only a comment\n": ["f:1:1: the file is empty; expected 'key: value' lines"],
    "a: 1\nb: 2\na: 3\n": ["f:3:1: 'a' is written twice (first in line 1); expected it once"],
    "a: &x b\nc: *x\n": [
        "f:1:4: '&x' names a value to be repeated; expected no name; write values out",
        "f:2:4: '*x' repeats another place; expected the value itself, written out",
    ],
    "a: !!python/object x\n": [
        "f:1:4: '!!python/object' changes the type of a value; expected the value alone"
    ],
    "a: 1\n---\nb: 2\n": ["f:2:1: a second document begins here; expected one document per file"],
    "%YAML 1.1\n---\na: 1\n": ["f:2:1: a '%' directive at the top of the file; expected no directive"],
    "? [a]\n: b\n": ["f:1:3: a value without a key; expected 'key: value'"],
    "a: 20:00\n": [
        "f:1:4: 20:00 without quotes is a number to some YAML readers; expected it in quotes: '20:00'"
    ],
    "a: 010\n": [
        "f:1:4: 010 without quotes means different numbers to different YAML readers; "
        "expected the number without leading zeros, or text in quotes: '010'"
    ],
    "a: [华东，华南]\n": [
        "f:1:7: full-width '，' in a list; expected the ASCII character ',', or the item in quotes"
    ],
    "“a”: 1\n": [
        "f:1:1: full-width '“' in the key '“a”'; expected the ASCII character '\"', or the key in quotes"
    ],
    "\u3000a: 1\n": [
        "f:1:1: full-width space in the key '\u3000a'; expected an ordinary space, or the key in quotes"
    ],
    "a: {en：Hi，zh-CN：你好}\n": [
        "f:1:7: full-width '：' in the key 'en：Hi，zh-CN：你好'; expected the ASCII character ':', or the key in quotes"
    ],
    "a: " + "[" * 60 + "\n": ["f:1:42: more than 40 levels inside each other; expected a flatter file"],
}


@pytest.mark.parametrize(("text", "expected"), [*SYNTAX.items(), *REFUSED.items()])
def test_every_trap_has_its_sentence(text: str, expected: list[str]) -> None:
    assert [str(problem) for problem in parse_document(text, file="f").problems] == expected


@pytest.mark.parametrize(
    "text",
    [
        "label: 注意：原因（一），“价格”＞竞品\n",
        "label: 注意：原因\n  继续：说明\n",
        "label: |\n  severity：mild\n\n  - 20:00\n",
        "label: {zh-CN: 你好，世界（一）, en: Hi}\n",
        "大客户（华东）: 1\n",
        "- 价格：太高\n",
        "on: event\nyes: no\n",
        "at: '20:00'\ncode: '010'\nhours: [\"09:00-12:00\"]\n",
        "url: http://a.example/b:c\n",
    ],
)
def test_prose_and_quoted_values_pass(text: str) -> None:
    assert parse_document(text, file="f").problems == ()


def test_all_faults_of_a_file_are_reported_at_once() -> None:
    document = parse_document("a:\n\tb: 1\nc:2\nd：3\ne: 20:00\n", file="f")
    assert [problem.place.line for problem in document.problems] == [2, 3, 4, 5]
    assert document.data == {"a": {"b": 1}, "c": 2, "d": 3, "e": "20:00"}


def test_values_follow_yaml_1_2_and_keys_stay_text() -> None:
    text = "on: yes\n1: [1_000, 1.5, 1e3, -2, ~, true, no, 2024-01-31, .nan, 0x1F, '5']\nnull:\n"
    assert parse_document(text, file="f").data == {
        "on": "yes",
        "1": [1000, 1.5, 1000.0, -2, None, True, "no", "2024-01-31", ".nan", "0x1F", "5"],
        "null": None,
    }


def test_places_of_keys_values_items_and_missing_parts() -> None:
    document = parse_document("a:\n  b: 1\n  c:\n    - x\n    - y: z\n  d:\n", file="f")

    def at(*loc: str | int, key: bool = False) -> tuple[int, int]:
        place = document.place(loc, key=key)
        return place.line, place.column

    assert at("a", "b") == (2, 6)
    assert at("a", "b", key=True) == (2, 3)
    assert at("a", "c", 1, "y") == (5, 10)
    assert at("a", "c", 0, key=True) == (4, 7)
    assert at("a", "d") == (6, 3)
    assert at("a", "c", "nothing") == (3, 3)
    assert at("nothing") == (1, 1)


@pytest.mark.parametrize(
    ("text", "offset", "line", "column"),
    [
        ("a: one two\n", 4, 1, 8),
        ("a: 'it''s two'\n", 5, 1, 11),
        ('a: "x\\ty z"\n', 4, 1, 10),
        ("a: one\n  two\n", 4, 2, 3),
        ("a: |\n  one\n  two\n", 4, 3, 3),
        ("a: >-\n  one\n  two\n", 4, 3, 3),
    ],
)
def test_a_place_inside_a_text(text: str, offset: int, line: int, column: int) -> None:
    place = parse_document(text, file="f").place(("a",), offset=offset)
    assert (place.line, place.column) == (line, column)


def test_windows_line_ends_and_byte_order_mark_do_not_move_places(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes("\ufeffa: 1\r\nb: x\r\n".encode())
    document = read_document(path, display="config/rules.yaml")
    assert document.data == {"a": 1, "b": "x"}
    assert str(document.place(("b",))) == "config/rules.yaml:2:4"


def test_a_file_in_another_encoding_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"a: 1\nlabel: " + "华东".encode("gb18030"))
    assert [str(problem) for problem in read_document(path, display="f").problems] == [
        "f:2:8: this file is not UTF-8 text; expected the file saved with the encoding UTF-8"
    ]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    document = read_document(tmp_path / "none.yaml", display="f")
    assert [str(problem) for problem in document.problems] == [
        "f:1:1: this file is missing; expected a file none.yaml here"
    ]
    assert not document.is_readable


@given(st.text(alphabet=" \t\n-:：，'\"[]{}#&*!|>%@`?ab01\\\r\u3000价\x07\u2028.~<", max_size=60))
def test_reading_never_raises_and_places_exist(text: str) -> None:
    document = parse_document(text, file="f")
    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in document.problems)
    assert document.is_readable or document.problems

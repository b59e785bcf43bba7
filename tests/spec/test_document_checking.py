"""Validation: every error at its place, in plain words, all at once."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from carewatch.spec.document import (
    Place,
    Problem,
    SpecError,
    SpecProblem,
    Strict,
    Text,
    nearest,
    parse_document,
    validate,
)


class Severity(StrEnum):
    MILD = "mild"
    MODERATE = "moderate"


class Sum(Strict):
    type: Literal["sum"]
    column: str


class Count(Strict):
    type: Literal["count"]
    event: str


class Rule(Strict):
    label: Text = Text((("", "x"),))
    severity: Severity = Severity.MILD
    on: bool = True
    limit: float = Field(default=1, ge=0, le=100)
    nights: int = 1
    day: date | None = None
    at: time | None = None
    tags: list[str] = Field(default_factory=list, max_length=2)
    pair: tuple[float, float] = (1, 2)
    fires: bool | Literal["unknown"] = True
    given: dict[str, float | str | None] = Field(default_factory=dict)
    when: str = ""
    same_as: str | None = Field(default=None, alias="as")

    @field_validator("when")
    @classmethod
    def _calm(cls, value: str) -> str:
        if "?" in value:
            raise ValueError("a condition asks nothing")
        if "!" in value:
            at = value.index("!")
            raise SpecProblem("'!' is no comparison", expected="is not", nearest="is not", column_offset=at)
        return value


class File(Strict):
    version: Literal[1] = 1
    rules: dict[Annotated[str, Field(pattern="^[a-z_]+$")], Rule] = Field(default_factory=dict)
    metrics: dict[str, Annotated[Sum | Count, Field(discriminator="type")]] = Field(default_factory=dict)
    levels: dict[Literal["1", "2"], list[Severity]] = Field(default_factory=dict)
    total: int | None = None

    @model_validator(mode="after")
    def _known(self) -> File:
        if self.total == 99:
            raise SpecProblem(
                "'b' is not a rule",
                nearest="a",
                loc=("rules", "b"),
                at_key=True,
                more=[SpecProblem("and more", loc=("total",))],
            )
        return self


def problems(text: str) -> list[str]:
    model, found = validate(parse_document(text, file="f"), File)
    assert (model is None) == bool(found)
    return [str(problem) for problem in found]


RULE = {
    "labl: x": "f:3:5: unknown key 'labl'; did you mean label?",
    "severity: mld": "f:3:15: 'mld' is not a possible value; expected mild or moderate; did you mean mild?",
    "severity: Moderate": (
        "f:3:15: 'Moderate' is not a possible value; expected mild or moderate; did you mean moderate?"
    ),
    "severity: “mild”": "f:3:15: full-width '“' in '“mild”'; expected the ASCII character '\"'",
    "severity:": "f:3:5: 'severity' has no value; expected mild or moderate",
    "on: yes": "f:3:9: 'yes' is text here; expected true or false; did you mean true?",
    "on: 1": "f:3:9: 1 is not true or false; expected true or false",
    "limit: 101": "f:3:12: 101 is too large; expected at most 100",
    "limit: abc": "f:3:12: 'abc' is not a number; expected a number like 2.5",
    "limit: '5'": "f:3:12: '5' is not a number; expected a number like 2.5",
    "limit: ３０": "f:3:12: full-width '３' in '３０'; expected the ASCII character '3'",
    "nights: true": "f:3:13: true is not a whole number; expected a number like 3",
    "nights: 1.5": "f:3:13: 1.5 is not a whole number; expected a number like 3",
    "day: 20240101": "f:3:10: '20240101' is not a date; expected a date like 2025-12-31",
    "day: 2024-13-01": "f:3:10: '2024-13-01' is not a date; expected a date like 2025-12-31",
    "at: 9": "f:3:9: '9' is not a time of day; expected a time like '09:30', in quotes",
    "tags: a": "f:3:11: 'a' is not a list; expected a list of '- ' items; did you mean [a]?",
    "tags:": "f:3:5: 'tags' has no value; expected a list of '- ' items",
    "tags: [a, 7]": "f:3:15: 7 is not text; expected it in quotes: '7'",
    "tags: [a, b, c]": "f:3:11: too many entries (3); expected at most 2",
    "tags: 【a】": "f:3:11: full-width '【' in '【a】'; expected the ASCII character '['",
    "pair: [1]": "f:3:5: item 2 is missing",
    "fires: maybe": "f:3:12: 'maybe' does not fit here; expected true or false or unknown",
    "given: {a: [1]}": "f:3:16: a list does not fit here; expected a number like 2.5 or a text",
    "given: 5": "f:3:12: 5 is not a mapping; expected 'key: value' lines",
    "when: what?": "f:3:11: a condition asks nothing",
    'when: "a\\tb !"': "f:3:17: '!' is no comparison; expected is not; did you mean is not?",
    "label: 5": "f:3:12: 5 is not text; expected it in quotes: '5'",
    "label: {zh: x}": "f:3:13: unknown language 'zh'; expected en or zh-CN; did you mean zh-CN?",
    "label: {en: ''}": "f:3:17: the text is empty; expected a text, or one per language: {en: …, zh-CN: …}",
    "same_as: x": (
        "f:3:5: unknown key 'same_as'; expected one of label, severity, on, limit, nights, day, at, tags, pair, fires, "
        "given, when, as"
    ),
}


@pytest.mark.parametrize(("line", "expected"), RULE.items())
def test_each_error_has_its_sentence(line: str, expected: str) -> None:
    assert problems(f"rules:\n  silent:\n    {line}\n") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 2\n", "f:1:10: 2 is not a possible value; expected 1"),
        ("- a\n", "f:1:1: a list is not a mapping; expected 'key: value' lines"),
        (
            "rules:\n  a:\n    severity：mild\n",
            "f:3:13: full-width '：' in 'severity：mild'; expected the ASCII character ':'",
        ),
        ("rules: {Bad: {}}\n", "f:1:9: 'Bad' is not written as it has to be; expected the form ^[a-z_]+$"),
        ("metrics: {a: {type: sum}}\n", "f:1:11: missing key 'column'"),
        ("metrics: {a: {type: sum, colum: x}}\n", "f:1:26: unknown key 'colum'; did you mean column?"),
        (
            "metrics: {a: {type: cont}}\n",
            "f:1:21: 'cont' is not a possible value; expected sum or count; did you mean count?",
        ),
        ("metrics: {a: {column: x}}\n", "f:1:14: missing key 'type'"),
        (
            "metrics: {a: {type: count, event: x, column: y}}\n",
            "f:1:38: unknown key 'column'; expected one of type, event",
        ),
        ("levels: {3: [mild]}\n", "f:1:10: '3' is not a possible value; expected 1 or 2"),
        (
            "levels: {1: [wild]}\n",
            "f:1:14: 'wild' is not a possible value; expected mild or moderate; did you mean mild?",
        ),
    ],
)
def test_places_deeper_in_the_file(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_all_problems_of_reading_and_validating_come_together_in_order() -> None:
    found = problems(
        "rules:\n  a:\n    on: no\n    severty: mild\n    severty: mild\n  b: 20:00\nversion: x\n"
    )
    assert [line.split(":")[1] for line in found] == ["3", "4", "5", "6", "7"]


def test_problems_of_a_whole_model_point_below_it() -> None:
    text = "rules:\n  b: {}\ntotal: 99\n"
    assert problems(text) == ["f:2:3: 'b' is not a rule; did you mean a?", "f:3:8: and more"]


def test_a_valid_file_gives_a_frozen_model() -> None:
    text = "rules:\n  a: {label: {zh-CN: 你好，世界, en: Hi}, limit: 5, day: 2024-02-01, at: '09:30', as: b}\nlevels: {1: [mild]}\n"
    model, found = validate(parse_document(text, file="f"), File)
    assert not found
    assert model is not None
    rule = model.rules["a"]
    assert (rule.day, rule.at, rule.same_as) == (date(2024, 2, 1), time(9, 30), "b")
    assert (rule.label.in_("zh-CN"), rule.label.in_("en"), rule.label.in_("fr")) == ("你好，世界", "Hi", "Hi")
    assert rule.label.texts() == ("Hi", "你好，世界")
    assert model.model_dump(mode="json")["rules"]["a"]["label"] == {"en": "Hi", "zh-CN": "你好，世界"}
    with pytest.raises(ValidationError):
        rule.limit = 7


def test_a_text_without_language_serves_all() -> None:
    text = Text.of("Hi")
    assert (text.in_("zh-CN"), str(text), text.to_data()) == ("Hi", "Hi", "Hi")


def test_the_schema_for_editors_knows_both_forms_of_a_text() -> None:
    schema: dict[str, Any] = Rule.model_json_schema()
    assert [form["type"] for form in schema["properties"]["label"]["oneOf"]] == ["string", "object"]


def test_context_reaches_the_validators() -> None:
    class Wanting(Strict):
        name: str

        @field_validator("name")
        @classmethod
        def _known(cls, value: str, info: Any) -> str:
            if value not in info.context["known"]:
                raise SpecProblem(f"unknown '{value}'")
            return value

    document = parse_document("name: a\n", file="f")
    assert validate(document, Wanting, context={"known": {"a"}})[1] == []
    assert len(validate(document, Wanting, context={"known": set()})[1]) == 1


def test_problems_print_only_their_parts_and_sort_by_place() -> None:
    early, late = Problem(Place("a", 2, 1), "x"), Problem(Place("a", 10, 1), "y", "z", "w")
    error = SpecError([late, early])
    assert error.problems == (early, late)
    assert str(error) == "a:2:1: x\na:10:1: y; expected z; did you mean w?"


@pytest.mark.parametrize(
    ("word", "choice"),
    [("severty", "severity"), ("SEVERITY", "severity"), ("hold-for", "holds_for"), ("zzz", None), ("", None)],
)
def test_nearest(word: str, choice: str | None) -> None:
    assert nearest(word, ["severity", "holds_for", "label"]) == choice

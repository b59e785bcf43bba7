"""The condition language: what it reads, what it refuses and where it points."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.condition import (
    All,
    Any_,
    Comparison,
    Condition,
    ConditionField,
    NoneOf,
    Op,
    Ref,
    comparisons,
    describe,
    mixed_kinds,
    names,
    parse,
    to_data,
    unknown_names,
)
from carewatch.spec.document import SpecProblem, Strict, parse_document, validate

READS = {
    "amount > 3": ("amount", Op.GT, 3.0),
    "amount>=3": ("amount", Op.GE, 3.0),
    "  amount < -5.5 ": ("amount", Op.LT, -5.5),
    "amount <= 30 %": ("amount", Op.LE, 30.0),
    "amount < 30%": ("amount", Op.LT, 30.0),
    "amount is 1_000_000": ("amount", Op.IS, 1e6),
    "gap > 45 days": ("gap", Op.GT, 45.0),
    "gap > 1 day": ("gap", Op.GT, 1.0),
    "gap > 2 weeks": ("gap", Op.GT, 14.0),
    "gap > 45天": ("gap", Op.GT, 45.0),
    "gap > 2周": ("gap", Op.GT, 14.0),
    "gap > 3 months": ("gap", Op.GT, 90.0),
    "gap >= 2个月": ("gap", Op.GE, 60.0),
    "amount >= 200万元": ("amount", Op.GE, 2e6),
    "amount < 1.5亿": ("amount", Op.LT, 1.5e8),
    "amount大于3": ("amount", Op.GT, 3.0),
    "a 不大于 3": ("a", Op.LE, 3.0),
    "a 小于 3": ("a", Op.LT, 3.0),
    "a 不小于 3": ("a", Op.GE, 3.0),
    "行业 是 服装": ("行业", Op.IS, "服装"),
    "行业 不是 服装": ("行业", Op.IS_NOT, "服装"),
    "行业 属于 [服装, 机械]": ("行业", Op.IN, ("服装", "机械")),
    "行业 不属于 [服装]": ("行业", Op.NOT_IN, ("服装",)),
    "gap 缺失": ("gap", Op.IS_MISSING, None),
    "gap 不缺失": ("gap", Op.IS_NOT_MISSING, None),
    "tier is A": ("tier", Op.IS, "A"),
    "tier is not 'A B'": ("tier", Op.IS_NOT, "A B"),
    "code is '30'": ("code", Op.IS, "30"),
    "said is 'it''s fine'": ("said", Op.IS, "it's fine"),
    'said is "a ""b"""': ("said", Op.IS, 'a "b"'),
    "reason is 价格太高，谈判": ("reason", Op.IS, "价格太高，谈判"),
    "stage is in transit": ("stage", Op.IS, "in transit"),
    "region in [华东, 华南]": ("region", Op.IN, ("华东", "华南")),
    "region not in ['a, b', c]": ("region", Op.NOT_IN, ("a, b", "c")),
    "n in [1, 2 weeks, 30 %]": ("n", Op.IN, (1.0, 14.0, 30.0)),
    "a  is   missing": ("a", Op.IS_MISSING, None),
    "a is not missing": ("a", Op.IS_NOT_MISSING, None),
    "a < {b.c}": ("a", Op.LT, Ref("b.c")),
    "a is { b }": ("a", Op.IS, Ref("b")),
    "island is missingno": ("island", Op.IS, "missingno"),
    "订单额 > 3": ("订单额", Op.GT, 3.0),
}

REFUSES = {
    "a = 3": (3, "'=' is not a comparison; did you mean is?"),
    "a == 3": (3, "'==' is not a comparison; did you mean is?"),
    "a != 3": (3, "'!=' is not a comparison; did you mean is not?"),
    "a <> 3": (3, "'<>' is not a comparison; did you mean is not?"),
    "a ≥ 3": (3, "'≥' is not a comparison; did you mean >=?"),
    "a => 3": (3, "'=>' is not a comparison; did you mean >=?"),
    "a > = 3": (5, "'> =' is not a comparison; expected one comparison; did you mean >=?"),
    "a ＞ 3": (3, "'＞' is not a comparison; did you mean >?"),
    "a＞＝3": (2, "'＞＝' is not a comparison; did you mean >=?"),
    "a 高于 3": (3, "'高于' is not a comparison; did you mean >?"),
    "a IS 3": (3, "'IS' is not a comparison; did you mean is?"),
    "a isn't x": (3, "'isn't' is not a comparison; did you mean is not?"),
    "a is not in [x]": (10, "'is not in' is not a comparison; did you mean not in?"),
    "a between 3 and 4": (3, "'between' is not a comparison; did you mean >= and <=, in two lines?"),
    "a huh 3": (
        3,
        "'huh' is not a comparison; expected one of <, <=, >, >=, is, is not, in, not in, is missing, is not missing",
    ),
    "a": (
        2,
        "no comparison after 'a'; expected one of <, <=, >, >=, is, is not, in, not in, is missing, is not missing",
    ),
    "a >": (4, "nothing stands after '>'; expected a value"),
    "a in": (5, "nothing stands after 'in'; expected a list like [a, b]"),
    "a > b": (5, "'b' is not a number; expected a number; did you mean {b}?"),
    "a > 1,000": (5, "'1,000' is not a number; expected a number; did you mean 1000?"),
    "a > 100k": (5, "'100k' is not a number; expected a number; did you mean 100000?"),
    "a > 10m": (5, "'10m' is not a number; expected a number; did you mean 10000000?"),
    "a > ３０": (5, "full-width '３'; expected the ASCII character '3'; did you mean 30?"),
    "a is ３０": (6, "full-width '３'; expected the ASCII character '3'; did you mean 30?"),
    "a > 30％": (7, "full-width '％'; expected the ASCII character '%'; did you mean 30%?"),
    "a > 9e999": (5, "a number too large to compare; expected a smaller one"),
    "a in x, y": (6, "the list has no brackets; expected [x, y]"),
    "a in [x，y]": (8, "full-width '，'; expected the ASCII character ','; did you mean [x,y]?"),
    "a in 【x】": (6, "full-width '【'; expected the ASCII character '['; did you mean [x]?"),
    "a in [x": (8, "the list has no end; expected ']' at the end"),
    "a in []": (7, "an empty place in the list; expected a value"),
    "a in [1, x]": (6, "numbers and texts in one list; expected one kind; numbers as text in quotes"),
    "a in [{b}]": (7, "'{' inside a list; expected a number or a text"),
    "a is [x]": (6, "a list after 'is'; expected one value; did you mean in?"),
    "a is “x”": (6, "full-width '“'; expected the ASCII character '\"'; did you mean \"x\"?"),
    "a is 'x' y": (6, "no closing quote, or text behind it; expected 'text'"),
    "a is null": (6, "'null' without quotes; expected 'null' in quotes; did you mean is missing?"),
    "a is true": (
        6,
        "'true' is neither a number nor a text here; expected 1 or 0, or the word in quotes; did you mean 1?",
    ),
    "a > 3 and b < 4": (7, "two comparisons in one line; expected one per line under all: or any:"),
    "a is x and b is y": (8, "two comparisons in one line; expected one per line under all: or any:"),
    "30 < a": (1, "the name stands on the right; expected the name first; did you mean a > 30?"),
    "（a > 3）": (1, "full-width '（'; expected the ASCII character '('"),
    "> 3": (1, "'>' at the start of a comparison; expected a name"),
    "  ": (
        1,
        "the condition is empty; expected a comparison like 'amount > 30', or all:, any: or none: with a list",
    ),
    "a is missing now": (14, "'now' after 'is missing'; expected nothing more"),
    "a > {3}": (5, "'{3}' is not a name in braces; expected {name}"),
}


@pytest.mark.parametrize(("text", "expected"), READS.items())
def test_reads_a_comparison(text: str, expected: tuple[str, Op, object]) -> None:
    name, op, value = expected
    assert parse(text) == Comparison(name, op, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "expected"), REFUSES.items())
def test_refuses_with_the_column_and_the_way_out(text: str, expected: tuple[int, str]) -> None:
    with pytest.raises(SpecProblem) as caught:
        parse(text)
    assert (caught.value.column_offset + 1, str(caught.value)) == expected


def test_groups_nest_and_keep_their_order() -> None:
    condition = parse({"all": ["a > 1", {"any": ["b is x", {"none": ["c is missing"]}]}]})
    a, b, c = Comparison("a", Op.GT, 1.0), Comparison("b", Op.IS, "x"), Comparison("c", Op.IS_MISSING, None)
    assert condition == All((a, Any_((b, NoneOf((c,))))))
    assert [loc for loc, _ in comparisons(condition)] == [
        ("all", 0),
        ("all", 1, "any", 0),
        ("all", 1, "any", 1, "none", 0),
    ]


def test_names_are_those_of_both_sides() -> None:
    assert names(parse({"any": ["a > 1", "b < {c}", "a is missing"]})) == {"a", "b", "c"}


class Ruled(Strict):
    when: ConditionField
    until: ConditionField | None = None


def problems(text: str) -> list[str]:
    return [str(problem) for problem in validate(parse_document(text, file="f"), Ruled)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when: amount ＞ 3\n", ["f:1:14: '＞' is not a comparison; did you mean >?"]),
        ('when: "amount = 3"\n', ["f:1:15: '=' is not a comparison; did you mean is?"]),
        (
            "when:\n  all:\n    - amount = 3\n    - gap > 3\n    - none:\n        - tier is A\n        - gap > soon\n",
            [
                "f:3:14: '=' is not a comparison; did you mean is?",
                "f:7:17: 'soon' is not a number; expected a number; did you mean {soon}?",
            ],
        ),
        (
            "when:\n  al: [a > 3]\n",
            ["f:2:3: 'al:' does not join conditions; expected all:, any: or none:; did you mean all:?"],
        ),
        (
            "when:\n  and: [a > 3]\n",
            ["f:2:3: 'and:' does not join conditions; expected all:, any: or none:; did you mean all:?"],
        ),
        (
            "when:\n  all: [a > 3]\n  none: [b > 1]\n",
            ["f:3:3: all: and none: side by side; expected one of all:, any:, none:"],
        ),
        (
            "when: {all: a > 3}\n",
            ["f:1:13: 'all:' without a list of conditions; expected one '- ' line per condition"],
        ),
        (
            "when: {any: []}\n",
            ["f:1:13: 'any:' without a list of conditions; expected one '- ' line per condition"],
        ),
        ("when: [a > 3]\n", ["f:1:7: a list by itself; expected all:, any: or none: above it"]),
        (
            "when: 5\nuntil: {}\n",
            [
                "f:1:7: 5 is not a condition; expected a comparison like 'amount > 30', or all:, any: or none: with a list",
                "f:2:8: an empty mapping; expected one of all:, any:, none:",
            ],
        ),
    ],
)
def test_a_model_field_points_at_the_line_and_column(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_model_field_writes_the_canonical_form_and_reads_it_again() -> None:
    model, found = validate(parse_document("when: {all: [a>1_000, b is x]}\nuntil: a<{b}\n", file="f"), Ruled)
    assert not found
    assert model is not None
    data = model.model_dump(mode="json")
    assert data == {"when": {"all": ["a > 1000", "b is 'x'"]}, "until": "a < {b}"}
    assert Ruled.model_validate(data) == model


def test_the_schema_for_editors_offers_a_line_or_one_group() -> None:
    schema: dict[str, Any] = Ruled.model_json_schema()["properties"]["when"]
    line, group = schema["oneOf"]
    assert line["type"] == "string"
    assert group["propertyNames"] == {"enum": ["all", "any", "none"]}


def test_names_and_kinds_are_checked_where_they_stand() -> None:
    condition = parse(
        {"all": ["amount > 3", "tier is 3", "tier > 3", "amout < {gap}", "amount in [x]", "tier is A"]}
    )
    unknown = unknown_names(condition, {"amount", "tier"})
    assert [(one.loc, one.column_offset, one.what, one.nearest) for one in unknown] == [
        (("all", 3), 0, "unknown name 'amout'", "amount"),
        (("all", 3), 8, "unknown name 'gap'", None),
    ]
    assert [(one.loc, one.what) for one in mixed_kinds(condition, {"tier"})] == [
        (("all", 1), "'tier' is a text, not a number"),
        (("all", 2), "'tier' is a text and has no order"),
        (("all", 4), "'amount' is a number, not a text"),
    ]
    assert mixed_kinds(parse("tier is {stage}"), {"tier", "stage"}) == []
    assert len(mixed_kinds(parse("tier is {gap}"), {"tier", "stage"})) == 1


def test_a_condition_reads_as_a_sentence_in_both_languages() -> None:
    condition = parse(
        {"all": ["order_gap > 30", {"any": ["tier in [A, B]", "score is missing"]}, {"none": ["a < {b}"]}]}
    )
    assert describe(condition) == (
        "order gap is above 30 and (tier is one of A, B or score is not known) and (none of this holds: a is below b)"
    )
    assert describe(
        condition, language="zh-CN", label=lambda name: {"order_gap": "下单间隔"}.get(name, name)
    ) == ("下单间隔 高于 30 且 (tier 属于 A、B 或 score 未知) 且 (以下均不成立：a 低于 b)")


NAMES = st.sampled_from(["amount", "gap", "tier", "in_care", "is_new", "价格"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)


@st.composite
def lines(draw: st.DrawFn) -> Comparison:
    op = draw(st.sampled_from(Op))
    value: object = None
    if op in (Op.IN, Op.NOT_IN):
        value = tuple(
            draw(st.lists(NUMBERS, min_size=1, max_size=3) | st.lists(TEXTS, min_size=1, max_size=3))
        )
    elif op in (Op.IS, Op.IS_NOT):
        value = draw(NUMBERS | TEXTS | NAMES.map(Ref))
    elif op not in (Op.IS_MISSING, Op.IS_NOT_MISSING):
        value = draw(NUMBERS | NAMES.map(Ref))
    return Comparison(draw(NAMES), op, value)  # type: ignore[arg-type]


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    lines(),
    lambda inner: st.tuples(
        st.sampled_from([All, Any_, NoneOf]), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ).map(lambda pair: pair[0](pair[1])),
    max_leaves=6,
)


@given(CONDITIONS)
def test_the_canonical_form_reads_back_to_the_same_condition(condition: Condition) -> None:
    assert parse(to_data(condition)) == condition
    assert to_data(parse(to_data(condition))) == to_data(condition)


@given(st.text(alphabet="ab is not inmissing<>=[]{}'\",.3_%＞＝，“３天万k\n", max_size=25))
def test_any_text_is_either_a_condition_or_a_problem_inside_it(text: str) -> None:
    try:
        condition = parse(text)
    except SpecProblem as problem:
        column = problem.column_offset
    else:
        assert parse(to_data(condition)) == condition
        column = 0
    assert 0 <= column <= len(text)

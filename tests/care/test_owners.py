"""Who answers for a customer, and who acts in a role: never nobody, never somebody who has left."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.care.owners import active_upwards, in_role, manager_of, owner_of
from carewatch.spec.people import People


def firm(fallback: str = "vp", **people: dict[str, Any]) -> People:
    """Return people by id, each with the id as a name."""
    entries = {name: {"name": name} | entry for name, entry in people.items()}
    return People.model_validate({"version": 1, "fallback": fallback, "people": entries})


FIRM = firm(
    vp={"roles": ["executive"]},
    boss={"roles": ["sales_manager"], "manager": "vp"},
    gone_boss={"roles": ["sales_manager"], "manager": "boss", "active": False},
    ann={"roles": ["account_manager"], "manager": "boss"},
    bea={"roles": ["account_manager"], "manager": "gone_boss"},
    gone={"roles": ["account_manager", "legal"], "manager": "gone_boss", "active": False},
    sue={"roles": ["service"], "manager": "sid"},
    sid={"roles": ["service", "service_manager"]},
)


@pytest.mark.parametrize(
    ("named", "owner"),
    [("ann", "ann"), ("gone", "boss"), ("gone_boss", "boss"), ("nobody", "vp"), (None, "vp"), ("", "vp")],
)
def test_an_owner_is_active_or_stands_above_or_is_the_fallback(named: str | None, owner: str) -> None:
    assert owner_of(FIRM, named) == owner


def test_a_chain_that_ends_in_people_who_left_falls_back() -> None:
    people = firm(vp={}, top={"active": False}, low={"manager": "top", "active": False})
    assert active_upwards(people, "low") is None
    assert owner_of(people, "low") == "vp"


@pytest.mark.parametrize(
    ("person", "manager"),
    [("ann", "boss"), ("bea", "boss"), ("gone", "boss"), ("boss", "vp"), ("vp", "vp"), ("sid", "vp"), ("?", "vp")],
)  # fmt: skip
def test_a_manager_is_the_nearest_active_person_above(person: str, manager: str) -> None:
    assert manager_of(FIRM, person) == manager


@pytest.mark.parametrize(
    ("role", "owner", "actor"),
    [
        ("owner", "ann", "ann"),
        ("manager", "ann", "boss"),
        ("manager", "bea", "boss"),
        ("account_manager", "ann", "ann"),
        ("executive", "ann", "vp"),
        ("sales_manager", "bea", "boss"),
        ("service", "ann", "sue"),
        ("service_manager", "ann", "sid"),
        ("service", "sid", "sid"),
        ("legal", "ann", "vp"),
        ("no such role", "ann", "vp"),
    ],
)
def test_a_role_is_looked_for_upwards_then_anywhere_then_falls_back(
    role: str, owner: str, actor: str
) -> None:
    assert in_role(FIRM, role, owner) == actor


@st.composite
def firms(draw: st.DrawFn) -> People:
    """Draw people whose managers stand before them, so that nobody is above themselves."""
    count = draw(st.integers(1, 8))
    entries: dict[str, dict[str, Any]] = {"p0": {"active": True}}
    for number in range(1, count):
        entries[f"p{number}"] = {
            "active": draw(st.booleans()),
            "manager": draw(st.sampled_from([None, *(f"p{above}" for above in range(number))])),
            "roles": draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
        }
    return firm("p0", **entries)


@pytest.mark.req("S93")
@given(firms(), st.integers(0, 9), st.sampled_from(["owner", "manager", "a", "b", "c"]))
def test_whoever_is_named_somebody_active_answers(people: People, named: int, role: str) -> None:
    owner = owner_of(people, f"p{named}")
    assert people.people[owner].active
    assert people.people[in_role(people, role, owner)].active
    assert people.people[manager_of(people, f"p{named}")].active

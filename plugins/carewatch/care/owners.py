"""Answer the question: which person answers for this customer, and who acts in a role?"""

from __future__ import annotations

from carewatch.spec.people import People


def active_upwards(people: People, person_id: str | None) -> str | None:
    """Return the person when active, else the nearest active person above, else None."""
    while person_id is not None and person_id in people.people:
        person = people.people[person_id]
        if person.active:
            return person_id
        person_id = person.manager
    return None


def owner_of(people: People, named: str | None) -> str:
    """Return the active owner of a customer whose master record names `named`; never nobody."""
    return active_upwards(people, named) or people.fallback


def manager_of(people: People, person_id: str) -> str:
    """Return the nearest active person above; the fallback when there is none above."""
    person = people.people.get(person_id)
    return active_upwards(people, person.manager if person else None) or people.fallback


def in_role(people: People, role: str, owner: str) -> str:
    """Return who acts in a role for a customer owned by `owner`.

    `owner` and `manager` are relative to the owner. For another role: the owner when they have it, else the nearest
    person above the owner who has it, else the first active person with it, else the fallback.
    """
    if role == "owner":
        return owner
    if role == "manager":
        return manager_of(people, owner)
    above: str | None = owner
    while above is not None and above in people.people:
        person = people.people[above]
        if person.active and role in person.roles:
            return above
        above = person.manager
    with_role = (name for name, person in people.people.items() if person.active and role in person.roles)
    return next(with_role, people.fallback)

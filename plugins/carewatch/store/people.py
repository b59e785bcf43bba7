"""Answer the question: who of our people is active, and does every open warning have one of them?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from psycopg.types.json import Jsonb

from carewatch.care.owners import manager_of, owner_of
from carewatch.spec.people import People
from carewatch.store.database import Connection


def sync(connection: Connection, people: People) -> None:
    """Bring `care.person` to what people.yaml says; somebody who is no longer named becomes inactive."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.person (person_id, name, manager_id, roles, channels, active) values (%s, %s, %s, %s, %s, %s) "
            "on conflict (person_id) do update set name = excluded.name, manager_id = excluded.manager_id, "
            "roles = excluded.roles, channels = excluded.channels, active = excluded.active "
            "where (person.name, person.manager_id, person.roles, person.channels, person.active) is distinct from "
            "(excluded.name, excluded.manager_id, excluded.roles, excluded.channels, excluded.active)",
            [
                (name, person.name, person.manager, person.roles, Jsonb(person.channels), person.active)
                for name, person in people.people.items()
            ],
        )
    connection.execute(
        "update care.person set active = false where active and person_id <> all(%s)", (list(people.people),)
    )


def hand_over(connection: Connection, people: People, now: datetime, day: date) -> int:
    """Give open warnings and tasks of inactive people to the nearest active person above; return how many warnings.

    `day` is the firm's date of `now`. Somebody who is named no longer has the manager they had last.
    """
    warnings = connection.execute(
        "select w.warning_no, w.owner_id from care.warning w join care.person p on p.person_id = w.owner_id "
        "where w.closed_at is null and not p.active order by w.warning_no"
    ).fetchall()
    stuck = connection.execute(
        "select distinct t.owner_id from care.care_task t join care.person p on p.person_id = t.owner_id "
        "where t.state = 'open' and not p.active"
    ).fetchall()
    if not warnings and not stuck:
        return 0
    rows = connection.execute("select person_id, manager_id from care.person").fetchall()
    managers: dict[str, str | None] = dict(rows)
    for warning_no, left in warnings:
        connection.execute(
            "with moved as (update care.warning set owner_id = %(heir)s, transition = transition + 1, changed_at = %(now)s "
            "where warning_no = %(no)s returning *) "
            "insert into care.warning_event (warning_no, transition, what, at, day, level, reasons, by) "
            "select warning_no, transition, 'handed_over', %(now)s, %(day)s, level, reasons, 'carewatch' from moved",
            {"heir": _heir(people, managers, left), "now": now, "day": day, "no": warning_no},
        )
    for (left,) in stuck:
        connection.execute(
            "update care.care_task set owner_id = %s where state = 'open' and owner_id = %s",
            (_heir(people, managers, left), left),
        )
    return len(warnings)


def name_managers(connection: Connection, people: People) -> int:
    """Name an active manager to take part in every live warning of level 3 that lacks one; return how many."""
    rows = connection.execute(
        "select w.warning_no, w.owner_id from care.warning w left join care.person p on p.person_id = w.manager_id "
        "where w.closed_at is null and w.level = 3 and (w.manager_id is null or not p.active) order by w.warning_no"
    ).fetchall()
    for warning_no, owner in rows:
        connection.execute(
            "update care.warning set manager_id = %s where warning_no = %s",
            (manager_of(people, owner), warning_no),
        )
    return len(rows)


def _heir(people: People, managers: Mapping[str, str | None], left: str) -> str:
    named: str | None = left
    while named is not None and named not in people.people:
        named = managers.get(named)
    return owner_of(people, named)

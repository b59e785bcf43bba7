"""The town's two source systems: a folder with the customer book, and a database with what the meter saw."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dags.town import Town, day

HEADER = "code,name,since,owner,rate\n"


def open_sources(town: Town) -> None:
    """Make the folder and the tables, both empty."""
    (town.folder / "book").mkdir(parents=True)
    connection = town.firm.connection
    connection.execute("create schema meter")
    connection.execute(
        "create table meter.usage (no text primary key, code text, at timestamptz, quiet int, strain int, halt text)"
    )
    connection.execute(
        "create table meter.moods (no text primary key, code text, at timestamptz, mood numeric)"
    )


def write_book(town: Town, file: str, codes: Iterable[str], *, bad: str = "") -> None:
    """Write a file of the customer book; every third customer is of tier A; `bad` is added as it is."""
    rows = [f"{code},Firm {code},2020-01-01,ann,{80 if int(code[1:]) % 3 == 0 else 50}\n" for code in codes]
    (town.folder / "book" / file).write_text(HEADER + "".join(rows) + bad, encoding="utf-8")


def read_meter(town: Town, number: int, codes: Iterable[str], **odd: str) -> None:
    """Let the meter show the dials of customers as the night of a day of June will see them."""
    noon = town.firm.moment(day(number - 1), 12)
    with town.firm.connection.cursor() as cursor:
        for code in codes:
            on = odd.get(code, "").split()
            dials = [int(dial in on) for dial in ("quiet", "strain", "halt")]
            cursor.execute(
                "insert into meter.usage values (%s, %s, %s, %s, %s, %s)",
                (f"{code}-{number}", code, noon, *dials),
            )
            cursor.execute(
                "insert into meter.moods values (%s, %s, %s, 90)", (f"{code}-{number}", code, noon)
            )


CODES = tuple(f"C{number}" for number in range(1, 7))


def first_day(town: Town) -> None:
    """Show six customers, one row of each source that can be no fact, and one that names a customer nobody knows yet."""
    open_sources(town)
    write_book(town, "customers_1.csv", CODES, bad="C9,Firm C9,not a day,ann,50\n")
    read_meter(town, 1, (*CODES, "C7"), C1="quiet", C2="halt", C3="halt")
    town.firm.rows("update meter.usage set halt = 'full' where no = 'C6-1' returning 1")


def second_day(town: Town) -> None:
    """Show the customer who was missing, new rows, a corrected and a mended one."""
    write_book(town, "customers_2.csv", ("C7",))
    read_meter(town, 2, (*CODES, "C7"), C1="quiet", C4="halt", C7="halt")
    town.firm.rows("update meter.usage set quiet = 1 where no = 'C5-1' returning 1")
    town.firm.rows("update meter.usage set halt = '0' where no = 'C6-1' returning 1")

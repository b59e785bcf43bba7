"""`care import`: take what people typed into a workbook or CSV file, and say what is wrong cell by cell."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from carewatch.commands.console import Mistake, config_argument, json_argument, print_json, warehouse
from carewatch.commands.template_command import typed_sources
from carewatch.commands.workbooks import write_refused
from carewatch.flow.import_sheets import Given, Imported, import_sheets
from carewatch.spec.fact_names import Language, fact_label, facts_by_title, fold
from carewatch.spec.problems import nearest
from carewatch.spec.sheet_report import cell, sentence, strange_headings
from carewatch.spec.typed import SHEETS, offered, recognise

HELP = "import a filled template or a sheet like it; bad rows come back in a file with what is wrong"
_IGNORED = ("readme", "read me", "说明")
_COUNTS = {
    "en": ": {good} rows good ({new} new, {changed} changed, {same} as before), {bad} refused",
    "zh-CN": "：{good} 行通过（新增 {new}，修改 {changed}，不变 {same}），{bad} 行未通过",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a workbook (.xlsx) or a CSV file")
    parser.add_argument(
        "--sheet",
        help="only this sheet of a workbook; of a CSV file, what its rows are, such as notes or 备注",
    )
    parser.add_argument(
        "--by", metavar="PERSON", help="id of who typed it (people.yaml), where the rows name nobody"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would become of every row, and change nothing"
    )
    parser.add_argument(
        "--refused", type=Path, metavar="FILE.xlsx", help="where bad rows go (default: beside the file)"
    )
    parser.add_argument("--language", choices=("en", "zh-CN"), help="of the report (default: the firm's)")
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    from care_sources.sheets import digest

    sources = typed_sources(chosen.config)
    language: Language = chosen.language or sources.firm.language
    if not chosen.file.is_file():
        raise Mistake(f"there is no file {chosen.file}")
    if chosen.by is not None:
        _known_person(chosen)
    given, notes = _given(chosen, language)
    _, left = offered(sources.sources)
    notes += [
        f"{one.sheet.title}: {left[one.sheet.fact]} brings {fact_label(one.sheet.fact, 'en').lower()} as well; what is in both counts twice"
        for one in given
        if one.sheet.fact in left
    ]
    with warehouse() as connection:
        row = connection.execute("select care.clock()").fetchone()
        assert row is not None
        results = import_sheets(
            connection, sources.firm, sources.sources, given,
            file=chosen.file.name, digest=digest(chosen.file), by=chosen.by, language=language,
            load_id=f"{time.time():.6f}", now=row[0], dry_run=chosen.dry_run,
        )  # fmt: skip
    refused = any(one.refused for one in results)
    path = chosen.refused or chosen.file.with_name(f"{chosen.file.stem}.refused.xlsx")
    if refused and not chosen.dry_run:
        _write_refused(path, given, results, language)
    if chosen.json:
        print_json({"sheets": [_data(one, language) for one in results], "notes": notes})
    else:
        _print(results, notes, language, dry_run=chosen.dry_run)
        if refused and not chosen.dry_run:
            print(
                f"未通过的行在 {path}：改正后再导入该文件"
                if language == "zh-CN"
                else f"refused rows: {path}; correct them there and import that file"
            )
    return 1 if refused else 0


def _known_person(chosen: argparse.Namespace) -> None:
    from carewatch.commands.console import configuration

    people = configuration(chosen).care.people.people
    if chosen.by not in people:
        near = nearest(chosen.by, people)
        raise Mistake(
            f"people.yaml knows nobody with the id '{chosen.by}'"
            + (f"; did you mean {near}?" if near else "")
        )


def _given(chosen: argparse.Namespace, language: Language) -> tuple[list[Given], list[str]]:
    """Return the sheets that are to be imported, and what somebody should know of the others."""
    from care_sources.sheets import Unreadable, read_sheets

    try:
        found = read_sheets(chosen.file)
    except Unreadable as error:
        raise Mistake(f"{chosen.file.name}: {error}") from None
    is_book = chosen.file.suffix.lower() == ".xlsx"
    meant = facts_by_title().get(fold(chosen.sheet)) if chosen.sheet and not is_book else None
    if chosen.sheet and not is_book and meant not in SHEETS:
        raise Mistake(
            f"'{chosen.sheet}' is no sheet of the template; expected one of "
            + ", ".join(fact_label(fact, language) for fact in SHEETS)
        )
    if chosen.sheet and is_book:
        titles = [one.title for one in found]
        found = [one for one in found if one.title == chosen.sheet]
        if not found:
            near = nearest(chosen.sheet, titles)
            raise Mistake(
                f"{chosen.file.name} has no sheet '{chosen.sheet}'; it has {', '.join(titles)}"
                + (f"; did you mean {near}?" if near else "")
            )
    given, notes = [], []
    for one in found:
        sheet = recognise(one.title, one.head, meant, head_line=one.head_line)
        if sheet is not None:
            given.append(Given(sheet, one.rows))
            notes += strange_headings(sheet, language)
        elif fold(one.title) not in _IGNORED:
            near = nearest(fold(one.title), facts_by_title())
            notes.append(
                (
                    f"{one.title}：不是模板中的表，未读取"
                    if language == "zh-CN"
                    else f"{one.title}: no sheet of the template; it is not read"
                )
                + (f" ({near})" if near else "")
            )
    titles_of: dict[str, list[str]] = {}
    for each in given:
        titles_of.setdefault(each.sheet.fact, []).append(each.sheet.title)
    if doubled := next(((fact, titles) for fact, titles in titles_of.items() if len(titles) > 1), None):
        what = fact_label(doubled[0], language)
        raise Mistake(
            f"{' and '.join(doubled[1])} both hold {what}; put them into one sheet, or import one at a time (--sheet)"
        )
    if not any(each.rows for each in given):
        raise Mistake(
            "\n".join(
                [
                    *notes,
                    f"{chosen.file.name} holds no row of a sheet of the template; see: care template FILE.xlsx",
                ]
            )
        )
    return given, notes


def _write_refused(path: Path, given: list[Given], results: list[Imported], language: Language) -> None:
    pages = []
    for one, result in zip(given, results, strict=True):
        bad = set(result.refused)
        whole = "; ".join(sentence(one.sheet, fault, language) for fault in result.faults if fault.line == 0)
        said = {
            line: "; ".join(
                sentence(one.sheet, fault, language) for fault in result.faults if fault.line == line
            )
            for line in bad
        }
        rows = [(cells, said[line] or whole) for line, cells in one.rows if line in bad]
        if rows:
            pages.append((one.sheet, rows))
    write_refused(path, pages, language)


def _data(one: Imported, language: Language) -> dict[str, object]:
    counts = {key: value for key, value in asdict(one).items() if isinstance(value, int)}
    told = [
        {"cell": cell(one.sheet, fault), "reason": fault.reason, "said": sentence(one.sheet, fault, language)}
        for fault in one.faults
    ]
    return {
        "sheet": one.sheet.title,
        "fact": one.sheet.fact,
        **counts,
        "refused": len(one.refused),
        "problems": told,
    }


def _print(results: list[Imported], notes: list[str], language: Language, *, dry_run: bool) -> None:
    zh = language == "zh-CN"
    for one in results:
        for fault in one.faults:
            print(f"{cell(one.sheet, fault)}{'：' if zh else ': '}{sentence(one.sheet, fault, language)}")
    for note in notes:
        print(note)
    for one in results:
        counts = {
            "good": one.good,
            "new": one.new,
            "changed": one.changed,
            "same": one.same,
            "bad": len(one.refused),
        }
        print(f"{one.sheet.title}{_COUNTS[language].format(**counts)}")
    if dry_run:
        print("试运行：未作任何改动" if zh else "dry run: nothing was changed")

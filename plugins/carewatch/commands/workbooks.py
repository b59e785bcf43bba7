"""Write workbooks: the template that people fill in, and the rows of theirs that were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from carewatch.spec.fact_names import KEY, WITHDRAWN, Language, choices, column_help
from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.typed import Sheet, is_date, labels, needed

_LINES = 2000
_LONGEST_LIST = 255
_HOW: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "How to use this workbook",
        "One sheet for each thing that you know. Fill in what you have; leave sheets and columns empty that you do not need.",
        "Headings with * are needed in every row. Point at a heading to read what it means.",
        "Dates carry their year. Amounts may be written 86万元, ¥1,200.50 or (1,234).",
        "A row is told apart by its number; without one, by customer, date and kind. Importing a row again changes it.",
        "To take a row back, write yes under Void and import it again.",
        "care import FILE says what is wrong, cell by cell, and writes the refused rows into a file of their own: correct them "
        "there and import that file.",
    ),
    "zh-CN": (
        "使用说明",
        "每张表记录一类信息。填写已有的内容；不需要的表和列可留空。",
        "带 * 的列每行必填。将鼠标移到表头可查看说明。",
        "日期必须带年份。金额可写成 86万元、¥1,200.50 或 (1,234)。",
        "每行由编号区分；没有编号时由客户、日期和类型区分。再次导入同一行即为修改。",
        "要撤回一行，请在“作废”列填“是”后再次导入。",
        "运行 care import 文件名：逐格指出问题，并把未通过的行写入另一个文件，改正后导入该文件即可。",
    ),
}


def write_template(path: Path, facts: Sequence[str], language: Language) -> None:
    """Write the template with a sheet for each fact, in a language."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    intro = book.active
    intro.title = "说明" if language == "zh-CN" else "Read me"
    for line in _HOW[language]:
        intro.append([line])
    intro["A1"].font = Font(bold=True)
    intro.column_dimensions["A"].width = 110
    for fact in facts:
        _sheet(book, fact, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _sheet(book: Any, fact: str, language: Language) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    title, headings = labels(fact, language)
    sheet = book.create_sheet(title)
    wanted = needed(fact)
    for at, (column, heading) in enumerate(headings.items(), start=1):
        cell = sheet.cell(1, at, heading + ("*" if column in wanted else ""))
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFE699" if column in wanted else "E2EFDA")
        cell.comment = Comment(_comment(fact, column, language), "carewatch", height=120, width=280)
        letter = get_column_letter(at)
        sheet.column_dimensions[letter].width = max(12, 2 * len(heading) + 4)
        _shape(sheet, fact, column, letter, language)
    sheet.freeze_panes = "A2"


def _comment(fact: str, column: str, language: Language) -> str:
    zh = language == "zh-CN"
    need = column in needed(fact)
    lines = [
        column_help(fact, column, language),
        ("必填" if zh else "needed") if need else ("可留空" if zh else "may be empty"),
    ]
    allowed = choices(fact, column, language)
    if allowed:
        lines.append(("可填：" if zh else "one of: ") + ("、" if zh else ", ").join(allowed))
    return "\n".join(lines)


def _shape(sheet: Any, fact: str, column: str, letter: str, language: Language) -> None:
    """Give the cells of a column the list to choose from, and the format that keeps what is typed."""
    from openpyxl.worksheet.datavalidation import DataValidation

    cells = f"{letter}2:{letter}{_LINES}"
    allowed = ",".join(choices(fact, column, language))
    if allowed and len(allowed) <= _LONGEST_LIST:
        rule = DataValidation(type="list", formula1=f'"{allowed}"', allow_blank=True, showErrorMessage=True)
        rule.error = "请从列表中选择" if language == "zh-CN" else "choose one of the list"
        sheet.add_data_validation(rule)
        rule.add(cells)
    own = FACTS[fact].column(column)
    if is_date(fact, column):
        sheet.column_dimensions[letter].number_format = "yyyy-mm-dd"
    elif column != WITHDRAWN and (column == KEY or own is None or own.kind is Kind.TEXT):
        sheet.column_dimensions[letter].number_format = "@"


def write_refused(
    path: Path,
    refused: Sequence[tuple[Sheet, Sequence[tuple[Sequence[str | None], str]]]],
    language: Language,
) -> None:
    """Write refused rows as they were read, each with what is wrong; every cell is a text, whatever it begins with."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet, rows in refused:
        page = book.create_sheet(sheet.title[:31])
        _write(page, 1, [*sheet.head, "问题" if language == "zh-CN" else "Problem"])
        for line, (cells, problem) in enumerate(rows, start=2):
            padded = [*cells, *[None] * (len(sheet.head) - len(cells))][: len(sheet.head)]
            _write(page, line, [*padded, problem])
        page.freeze_panes = "A2"
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _write(page: Any, line: int, values: Sequence[str | None]) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    for at, value in enumerate(values, start=1):
        if not value:
            continue
        cell = page.cell(line, at)
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"
        cell.number_format = "@"
        if value[0] in "=+-@\t\r":
            cell.quotePrefix = True

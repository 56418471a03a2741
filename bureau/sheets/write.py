"""Write workbooks: exports and templates. This is the only door out: no cell it writes can become a formula."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from .cells import INVALID, shown
from .declare import OPTIONS_SHEET, Column, Sheet
from .imprint import imprint_line

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
TEXT = "@"
HEAD_FONT = Font(bold=True)
HEAD_FILL = PatternFill("solid", fgColor="DDEBF7")
REQUIRED_FILL = PatternFill("solid", fgColor="FCE4D6")
TEMPLATE_ROWS = 2000
INLINE_OPTIONS = 200  # characters; the format allows 255 in one drop-down


def plain(value: Any) -> Any:
    """The value as a cell may hold it: a number stays one, all else is text without control characters."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or isinstance(value, int | float):
        return value
    return INVALID.sub("", shown(value))[:32_000]


def put(cell: Any, value: Any) -> None:
    """Set a cell; text is typed as text whatever it starts with."""
    value = plain(value)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.number_format = TEXT
        if value.startswith(TRIGGERS):
            cell.quotePrefix = True


def write_workbook(
    path: str | Path,
    sheet: type[Sheet],
    rows: Iterable[Mapping[str, Any]],
    *,
    attrs: Sequence[str] | None = None,
    title: str | None = None,
) -> int:
    """Export rows (attribute -> value, as a reading gives them) under the sheet's own headers; how many rows.

    `attrs` chooses and orders the columns. Importing the file again gives the same values.
    """
    columns = _chosen(sheet, attrs)
    book = Workbook(write_only=True)
    page = book.create_sheet((title or sheet.title)[:31] or "Sheet1")
    page.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(place)].width = column.width
    page.append([_head(page, column.header) for column in columns])
    count = 0
    for row in rows:
        page.append([_body(page, column, row) for column in columns])
        count += 1
    book.save(path)
    return count


def write_csv(
    path: str | Path,
    sheet: type[Sheet],
    rows: Iterable[Mapping[str, Any]],
    *,
    attrs: Sequence[str] | None = None,
) -> int:
    """The same as UTF-8 CSV with a byte-order mark; a text that a spreadsheet would run gets an apostrophe."""
    columns = _chosen(sheet, attrs)
    count = 0
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.header for column in columns])
        for row in rows:
            writer.writerow([_disarmed(_value(column, row)) for column in columns])
            count += 1
    return count


def write_template(
    path: str | Path,
    sheet: type[Sheet],
    *,
    attrs: Sequence[str] | None = None,
    rows: Iterable[Mapping[str, Any]] = (),
    school: tuple[str, str] | None = None,
    term: str | None = None,
) -> None:
    """A blank (or pre-filled) form: notes, headers, drop-downs, text columns; never protected, so pasting works.

    `school` is (code, name). The version, school and term stand in the line above the header.
    """
    columns = _chosen(sheet, attrs)
    book = Workbook()
    page = book.active
    page.title = "填报"
    put(page["A1"], sheet.title)
    page["A1"].font = Font(bold=True, size=14)
    put(page["A2"], imprint_line(sheet, columns, school, term))
    head_row = 3
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = column.width
        if column.kind.as_text:
            page.column_dimensions[letter].number_format = TEXT
        cell = page.cell(head_row, place)
        put(cell, column.header + ("★" if column.required else ""))
        cell.font, cell.fill = HEAD_FONT, REQUIRED_FILL if column.required else HEAD_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    page.freeze_panes = page.cell(head_row + 1, 1)
    filled = 0
    for row in rows:
        filled += 1
        for place, column in enumerate(columns, 1):
            put(page.cell(head_row + filled, place), _value(column, row))
    last = head_row + max(filled + 500, TEMPLATE_ROWS)
    _format_text_cells(page, columns, head_row + filled + 1, head_row + filled + 500)
    _drop_downs(book, page, columns, head_row + 1, last)
    _explain(book, columns)
    book.save(path)


def _chosen(sheet: type[Sheet], attrs: Sequence[str] | None) -> list[Column]:
    if attrs is None:
        return list(sheet.columns)
    return [sheet.by_attr[attr] for attr in attrs]


def _value(column: Column, row: Mapping[str, Any]) -> Any:
    value = row.get(column.attr)
    return None if value is None or value == "" else plain(column.kind.show(value))


def _head(page: Any, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(page)
    put(cell, text)
    cell.font, cell.fill = HEAD_FONT, HEAD_FILL
    return cell


def _body(page: Any, column: Column, row: Mapping[str, Any]) -> Any:
    value = _value(column, row)
    if value is None or isinstance(value, int | float):
        return value
    cell = WriteOnlyCell(page)
    put(cell, value)
    return cell


def _disarmed(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(TRIGGERS) else value


def _format_text_cells(page: Any, columns: list[Column], first: int, last: int) -> None:
    """Column formats are lost on cells that a program creates later; these rows carry their own."""
    for place, column in enumerate(columns, 1):
        if column.kind.as_text:
            for row in range(first, last + 1):
                page.cell(row, place).number_format = TEXT


def _drop_downs(book: Workbook, page: Any, columns: list[Column], first: int, last: int) -> None:
    long_lists = None
    for place, column in enumerate(columns, 1):
        options = column.kind.options
        if not options:
            continue
        joined = ",".join(options)
        if len(joined) <= INLINE_OPTIONS and not any("," in option for option in options):
            formula = f'"{joined}"'
        else:
            if long_lists is None:
                long_lists = book.create_sheet(OPTIONS_SHEET)
                long_lists.sheet_state = "hidden"
            letter = get_column_letter(place)
            for row, option in enumerate(options, 1):
                put(long_lists.cell(row, place), option)
            formula = f"'{OPTIONS_SHEET}'!${letter}$1:${letter}${len(options)}"
        # other words are accepted too, so the list advises and does not forbid
        choice = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=False)
        choice.promptTitle, choice.prompt = column.header[:32], "请从列表中选择。"
        page.add_data_validation(choice)
        choice.add(f"{get_column_letter(place)}{first}:{get_column_letter(place)}{last}")


def _explain(book: Workbook, columns: list[Column]) -> None:
    page = book.create_sheet("填写说明")
    for place, text in enumerate(("列", "要求", "举例", "怎样填"), 1):
        put(page.cell(1, place), text)
        page.cell(1, place).font = HEAD_FONT
    for row, column in enumerate(columns, 2):
        options = "可选：" + "、".join(column.kind.options[:12]) if column.kind.options else ""
        texts = "文本格式，防止丢失末位。" if column.kind.as_text else ""
        facts = (
            column.header,
            "必填" if column.required else "选填",
            column.example,
            column.help + texts + options,
        )
        for place, text in enumerate(facts, 1):
            put(page.cell(row, place), text)
    for letter, width in zip("ABCD", (24, 8, 24, 80), strict=True):
        page.column_dimensions[letter].width = width

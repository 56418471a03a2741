"""空表一键填数: rows into a copy of somebody's own form; its layout, widths, other sheets and the lines below are kept."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Border
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange

from .cells import compact, shown
from .declare import Sheet
from .intake.faults import FileFault
from .intake.gate import judge
from .write import put

_ORDINALS = "甲乙丙丁戊己庚辛壬癸"


@dataclass(frozen=True)
class Filled:
    """How many rows were written, and how many cells with a formula of the form's own were left as they were."""

    rows: int
    formulas: int


def check_form(path: Path, *, name: str, limits: type[Sheet]) -> None:
    """Raises FileFault for what cannot be filled and keep its looks."""
    with open(path, "rb") as file:
        passed, _ = judge(file, name=name, limits=limits.limits())
    if passed.format != "xlsx":
        raise FileFault(
            "not_a_workbook",
            "填数需要 .xlsx 文件，才能保持原来的版式。请用 Excel 或 WPS 打开这份表，另存为 .xlsx 后再上传。",
        )


def fill_form(
    source: Path,
    target: Path,
    *,
    sheet: str | None,
    header_row: int,
    columns: Mapping[int, str],
    rows: Iterable[Mapping[str, Any]],
    serial: str = "serial",
) -> Filled:
    """Write `rows` (fact -> value) below `header_row` (counted from 1) of a sheet; `columns` is index (from 0) -> fact.

    Blank rows under the header are used first; where they are not enough, rows like the first of them are put in before
    what stands below. The column of `serial` is numbered. A cell with a formula is left alone.
    """
    book = load_workbook(source)
    page = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
    lines = list(rows)
    first = _first_row(page, header_row)
    room = _room(page, first, {index for index, fact in columns.items() if fact == serial})
    pattern = _Pattern(page, first if room else header_row, is_header=not room)
    below = first + room
    if (more := len(lines) - room) > 0:
        if below <= page.max_row:
            _move_down(page, below, more)
        for row in range(below, below + more):
            pattern.apply(page, row)
        _stretch_choices(page, first, below, more)
    formulas = 0
    for number, line in enumerate(lines):
        values = {**line, serial: number + 1}
        for index, fact in columns.items():
            cell = page.cell(first + number, index + 1)
            if isinstance(cell, MergedCell) or values.get(fact) in (None, ""):
                continue
            if cell.data_type == "f":
                formulas += 1
                continue
            put(cell, values[fact])
    book.save(target)
    return Filled(len(lines), formulas)


def _first_row(page: Any, header_row: int) -> int:
    """Below the header with all its merged cells, and below a line that only numbers the columns (甲 乙 1 2 3)."""
    last = max(
        [header_row, *(r.max_row for r in page.merged_cells.ranges if r.min_row <= header_row <= r.max_row)]
    )
    texts = [compact(shown(cell.value)) for cell in page[last + 1] if cell.value is not None]
    numbers = [text for text in texts if text.isdigit()]
    ordinals = all(text.isdigit() or text in _ORDINALS for text in texts)
    counts_up = numbers == [str(n) for n in range(1, len(numbers) + 1)]
    return last + 2 if len(texts) >= 3 and ordinals and counts_up else last + 1


def _room(page: Any, first: int, serials: set[int]) -> int:
    """How many rows from `first` on are free: blank but for formulas and for numbers in the column of 序号."""
    room = 0
    for cells in page.iter_rows(min_row=first, max_row=page.max_row):
        taken = [cell for cell in cells if cell.value is not None and cell.data_type != "f"]
        if any(cell.column - 1 not in serials or not compact(shown(cell.value)).isdigit() for cell in taken):
            break
        if any(r.min_row == cells[0].row and r.size["rows"] > 1 for r in page.merged_cells.ranges):
            break  # a merged block is part of what stands below
        room += 1
    return room


class _Pattern:
    """The looks of a data row: styles, height and cells merged sideways; of a header only its borders."""

    def __init__(self, page: Any, row: int, *, is_header: bool):
        self.height = None if is_header else page.row_dimensions[row].height
        self.styles, self.borders = {}, {}
        for cell in page[row]:
            if is_header:
                self.borders[cell.column] = copy(cell.border)
            else:
                self.styles[cell.column] = copy(cell._style)
        ranges = [] if is_header else page.merged_cells.ranges
        self.merged = [(r.min_col, r.max_col) for r in ranges if r.min_row == r.max_row == row]

    def apply(self, page: Any, row: int) -> None:
        page.row_dimensions[row].height = self.height
        for column, style in self.styles.items():
            page.cell(row, column)._style = copy(style)
        for column, border in self.borders.items():
            page.cell(row, column).border = copy(border) if border else Border()
        for left, right in self.merged:
            page.merge_cells(start_row=row, end_row=row, start_column=left, end_column=right)


def _move_down(page: Any, start: int, by: int) -> None:
    """Everything from row `start` on, `by` rows further down: cells, merged ranges, heights, the printed area."""
    moved = [r for r in page.merged_cells.ranges if r.min_row >= start]
    for merged in moved:
        page.merged_cells.ranges.remove(merged)
    heights = {row: page.row_dimensions[row].height for row in range(start, page.max_row + 1)}
    for row in heights:
        page.row_dimensions[row].height = None
    page.move_range(CellRange(min_col=1, min_row=start, max_col=page.max_column, max_row=page.max_row).coord, rows=by)
    for merged in moved:
        merged.shift(row_shift=by)
        page.merged_cells.ranges.add(merged)
    for row, height in heights.items():
        page.row_dimensions[row + by].height = height
    if page.print_area and "," not in page.print_area:
        area = CellRange(page.print_area.rpartition("!")[2].replace("$", ""))
        if area.max_row >= start - 1:
            area.expand(down=by)
            page.print_area = area.coord


def _stretch_choices(page: Any, first: int, below: int, by: int) -> None:
    """Drop-downs of the data rows hold for the new ones too; those further down have moved."""
    for choice in page.data_validations.dataValidation:
        ranges = []
        for one in choice.sqref.ranges:
            area = CellRange(one.coord)
            if area.min_row >= below and area.min_row > first:
                area.shift(row_shift=by)
            elif area.min_row <= first <= area.max_row and area.max_row < below + by:
                area.expand(down=by)
            ranges.append(area)
        choice.sqref = MultiCellRange(ranges)

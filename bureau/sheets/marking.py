"""The child that writes a marked workbook: limits first, then the clerk's own workbook, or one rebuilt from its values.

Whoever opens the result may be another office: nothing in it can start. Formulas are replaced by their results (a file
sent back would lose them anyway: no program of ours computes), links to other files are cut.
"""

import json
import re
import resource
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import python_calamine as calamine
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter

from .cells import shown
from .codes import ERROR, NOTE, WARNING
from .intake.comments import COMMENT_AUTHOR
from .intake.gate import Limits, judge
from .intake.look import look_at, workbook_parts
from .intake.source import messages
from .problem_column import is_problem_header, line
from .write import TRIGGERS, put

FILLS = {ERROR: PatternFill("solid", fgColor="FFC7CE"), WARNING: PatternFill("solid", fgColor="FFEB9C")}
WRAPPED = Alignment(wrap_text=True, vertical="top")
WIDTH = 60
MOST_COMMENTS = 5_000  # beyond that Excel opens slowly; cells are still coloured, and the column tells everything
NEVER_COMPUTED = "#N/A"
EVERY = 2_000
MOST_SAVED = 400 * 1024 * 1024

Problems = dict[int, list[tuple[str | None, str, str]]]  # row -> (column, level, message)


def main() -> None:
    request = json.load(sys.stdin)
    for limit, value in (
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_FSIZE, MOST_SAVED),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    Marker(request).write(rebuild=request["rebuild"])


def here(request: dict[str, Any], tell: Any) -> bool:
    """The same without a child, for tests of what it writes."""
    try:
        Marker(request).write(rebuild=request["rebuild"])
    except Exception:  # whatever openpyxl makes of a strange workbook
        return False
    return True


class Marker:
    """One file with its tables and problems."""

    def __init__(self, request: dict[str, Any]):
        self.request, self.header = request, request["header"]
        self.tables: dict[str | None, list[dict]] = defaultdict(list)
        for table in request["tables"]:
            self.tables[table["sheet"]].append(table)
        self.problems: dict[str | None, Problems] = defaultdict(lambda: defaultdict(list))
        for sheet, row, column, level, message in request["problems"]:
            if level != NOTE:
                self.problems[sheet][row].append((column, level, message))
        self.several = len(self.tables) > 1
        self.rows = sum(map(len, self.problems.values()))
        self.done = self.comments = 0

    def write(self, *, rebuild: bool) -> None:
        limits = Limits(**self.request["limits"])
        with open(self.request["path"], "rb") as file:
            passed, plain = judge(file, name=self.request["name"], limits=limits)
            if passed.format == "xlsx" and not rebuild:
                book = self._own(plain)
            else:
                book = self._rebuilt(messages(file, name=self.request["name"], limits=limits, password=None))
            tell(self.done, self.rows, "正在保存")
            book.save(self.request["target"])

    # The workbook itself.

    def _own(self, plain: Any) -> Workbook:
        book = load_workbook(plain, keep_links=False)
        for name in [name for name, defined in book.defined_names.items() if "[" in (defined.attr_text or "")]:
            del book.defined_names[name]
        plain.seek(0)
        _freeze(book, plain)
        for sheet, tables in self.tables.items():
            self._mark(book[sheet], sheet, sorted(tables, key=lambda table: table["header_row"]))
        return book

    def _mark(self, page: Any, sheet: str | None, tables: list[dict]) -> None:
        head = tables[0]["header_row"]
        place = self._place(page, tables)
        _take_away_marks(page, head, place)
        for table in tables:
            put(page.cell(table["header_row"], place), self.header)
        page.column_dimensions[get_column_letter(place)].width = WIDTH
        for row, problems in self.problems[sheet].items():
            self._advance()
            columns = _columns_at(tables, row)
            cell = page.cell(row, place)
            if not isinstance(cell, MergedCell):
                self._tell_row(cell, sheet, row, problems)
            for column, level, message in problems:
                if column in columns and level in FILLS:
                    cell = page.cell(row, columns[column] + 1)
                    if not isinstance(cell, MergedCell):
                        self._paint(cell, level, message)

    def _place(self, page: Any, tables: list[dict]) -> int:
        """The column of an earlier round, else the first one to the right of everything that is filled."""
        last = 0
        head = tables[0]["header_row"]
        for (row, column), cell in page._cells.items():
            if cell.value is not None:
                last = max(last, column)
                if row == head and is_problem_header(shown(cell.value)):
                    return column
        return max(last, *(index + 1 for table in tables for index, _ in table["columns"])) + 1

    # Its values in a new workbook, row by row.

    def _rebuilt(self, told: Iterator[tuple]) -> Workbook:
        book = Workbook(write_only=True)
        page: Any = None
        sheet: str | None = None
        tables: list[dict] = []
        place = written = 0
        for message in told:
            if message[0] == "sheet":
                sheet, written = message[1], 0
                tables = sorted(self.tables.get(sheet, []), key=lambda table: table["header_row"])
                page = book.create_sheet(re.sub(r"[\[\]*?:/\\]", "_", sheet or "Sheet1")[:31])
                for (top, left), (bottom, right) in message[2].get("merged", ()):
                    page.merged_cells.add(
                        f"{get_column_letter(left + 1)}{top + 1}:{get_column_letter(right + 1)}{bottom + 1}"
                    )
                place = max((index + 2 for table in tables for index, _ in table["columns"]), default=0)
                place = self._place_before(tables) or place
                if tables:
                    page.column_dimensions[get_column_letter(place)].width = WIDTH
            elif message[0] == "rows":
                for number, cells in message[1]:
                    for _ in range(number - written - 1):
                        page.append([])
                    page.append(self._line(page, sheet, number, cells, tables, place))
                    written = number
        return book

    def _place_before(self, tables: list[dict]) -> int:
        found = (index + 1 for table in tables for index, text in table["columns"] if is_problem_header(text))
        return next(found, 0)

    def _line(
        self, page: Any, sheet: str | None, number: int, cells: list, tables: list[dict], place: int
    ) -> list:
        problems = self.problems[sheet].get(number, []) if sheet in self.problems else []
        row: list = [_typed(page, cell) for cell in cells]
        if not tables:
            return row
        row += [None] * (place - len(row))
        if any(table["header_row"] == number for table in tables):
            row[place - 1] = _typed(page, self.header)
        elif number > tables[0]["header_row"]:
            row[place - 1] = None
        if problems:
            self._advance()
            columns = _columns_at(tables, number)
            row[place - 1] = WriteOnlyCell(page)
            self._tell_row(row[place - 1], sheet, number, problems)
            for column, level, message in problems:
                if column in columns and level in FILLS:
                    index = columns[column]
                    row += [None] * (index + 1 - len(row))
                    if not hasattr(row[index], "value"):
                        row[index] = WriteOnlyCell(page, row[index])
                    self._paint(row[index], level, message)
        return row

    # Both.

    def _tell_row(self, cell: Any, sheet: str | None, row: int, problems: list) -> None:
        told = [f"{column}：{message}" if column else message for column, _, message in problems]
        put(cell, line(sheet if self.several else None, row, told))
        cell.alignment = WRAPPED

    def _paint(self, cell: Any, level: str, message: str) -> None:
        cell.fill = FILLS[level]
        if self.comments >= MOST_COMMENTS:
            return
        self.comments += 1
        said = getattr(cell, "comment", None)
        if said is not None:
            message = f"{message}\n（原批注：{said.text}）"
        cell.comment = Comment(message, COMMENT_AUTHOR, width=320, height=90)

    def _advance(self) -> None:
        self.done += 1
        if self.done % EVERY == 0:
            tell(self.done, self.rows, "正在标注")


def tell(done: int, total: int, words: str) -> None:
    print(json.dumps([done, total, words]), flush=True)


def _columns_at(tables: list[dict], row: int) -> dict[str, int]:
    """Header text -> index of the table the row belongs to: the last one that begins above it."""
    above = [table for table in tables if table["header_row"] < row]
    return {text: index for index, text in (above or tables)[-1]["columns"]}


def _take_away_marks(page: Any, head: int, place: int) -> None:
    """Marks of an earlier round."""
    for (row, column), cell in page._cells.items():
        if isinstance(cell, MergedCell) or row <= head:
            continue
        if cell.comment is not None and cell.comment.author == COMMENT_AUTHOR:
            cell.comment, cell.fill = None, PatternFill()
        if column == place:
            cell.value = None


def _freeze(book: Workbook, plain: Any) -> None:
    """Every formula becomes its last result; one that was never computed, or ended in an error, stays an error."""
    found = {
        page.title: [
            (place, cell)
            for place, cell in page._cells.items()
            if not isinstance(cell, MergedCell) and cell.data_type == "f"
        ]
        for page in book.worksheets
    }
    if not any(found.values()):
        return
    values = calamine.CalamineWorkbook.from_filelike(plain)
    plain.seek(0)
    archive = zipfile.ZipFile(plain)
    paths = {part.name: part.path for part in workbook_parts(archive)[0] if part.path}
    for title, cells in found.items():
        if not cells:
            continue
        rows = values.get_sheet_by_name(title).to_python(skip_empty_area=False)
        patches = look_at(archive, paths[title]).patches
        for (row, column), cell in cells:
            known = rows[row - 1] if row <= len(rows) else []
            value = known[column - 1] if column <= len(known) else ""
            if patch := patches.get(row - 1, {}).get(column - 1):
                cell.value, cell.data_type = patch[1] or NEVER_COMPUTED, "e"
            else:
                _set(cell, value)


def _set(cell: Any, value: Any) -> None:
    cell.value = value if value != "" else None
    if isinstance(value, str) and value:
        cell.data_type = "s"
        if value.startswith(TRIGGERS):
            cell.quotePrefix = True


def _typed(page: Any, value: Any) -> Any:
    """A value of the reader as a cell that holds it and nothing more."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = shown(value)
    if not text:
        return None
    cell = WriteOnlyCell(page)
    put(cell, text)
    return cell


if __name__ == "__main__":
    main()

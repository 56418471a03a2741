"""Read a file against one sheet or several layouts of one list, to the last row and problem."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from bureau.identity import Fault
from bureau.uncollected import uncollected

from .check import TableCheck
from .codes import ERROR, NOTE, WARNING
from .declare import OPTIONS_SHEET, Sheet
from .headers import Match, best_match, duplicate_message, is_transposed, larger_unit
from .imprint import Imprint
from .intake.faults import FileFault
from .kinds import Moment
from .process import here, listen
from .reading import ACCEPTED, REJECTED, SKIPPED, Problem, Reading

EXPLANATIONS = {"填写说明", "填表说明", "说明", "封面", "目录"}


def read(
    path: str | Path,
    sheets: type[Sheet] | Sequence[type[Sheet]],
    *,
    today: date,
    password: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    name: str | None = None,
    in_process: bool = False,
    taught: Mapping[str, str] | None = None,
) -> Reading:
    """The verdict on a file. Never raises for what is in the file.

    `name` is the name the clerk's file had, where it is stored under another. `today` bounds birth dates and
    decides which grade a cohort is in. `progress` is called at least twice a second with the rows read so
    far and all there are (0: not known yet); what it raises stops the reading. `taught` says what headers mean that no
    synonym explains (`headers.Teaching`).
    """
    path = Path(path)
    layouts = [sheets] if isinstance(sheets, type) else list(sheets)
    with open(path, "rb") as file:
        reading = Reading(sha256=hashlib.file_digest(file, "sha256").hexdigest())
    source = here if in_process else listen
    book = _Book(reading, layouts, today, progress, taught or {})
    started = time.perf_counter()
    try:
        messages = source(
            path, name=name or path.name, sheet=layouts[0], password=password, meanwhile=book.tell
        )
        with uncollected(), closing(messages):  # a reading that is stopped takes its child with it
            for message in book.timed(messages):
                book.take(message)
            book.close()
    except FileFault as fault:
        reading.rows, reading.tables = [], []
        reading.file_error = Problem(fault.sheet, fault.row, None, ERROR, fault.code, fault.message)
        reading.problems = [reading.file_error]
    reading.seconds = {
        "read": round(book.waited, 3),
        "check": round(time.perf_counter() - started - book.waited, 3),
    }
    return reading


class _Book:
    """Collects the messages of one file, sheet after sheet."""

    def __init__(
        self, reading: Reading, layouts: list[type[Sheet]], today: date, progress, taught: Mapping[str, str]
    ):
        self.reading, self.layouts, self.today, self.progress = reading, layouts, today, progress
        self.taught = taught
        self.moment = Moment(today)
        self.seen: dict = {}
        self.sheet: tuple[str | None, dict] | None = None
        self.table: TableCheck | None = None
        self.incomplete: list[tuple[str | None, Match]] = []
        self.without_header: list[str | None] = []
        self.unread: dict[str | None, int] = {}  # sheets without a table -> their rows
        self.name: str | None = None
        self.transposed = False
        self.facts: dict = {}
        self.found_rows = self.total = 0
        self.waited = 0.0

    def timed(self, messages: Iterator[tuple]) -> Iterator[tuple]:
        """The messages, adding up the time spent waiting for them."""
        while True:
            before = time.perf_counter()
            message = next(messages, None)
            self.waited += time.perf_counter() - before
            if message is None:
                return
            yield message

    def tell(self) -> None:
        if self.progress is not None:
            self.progress(self.found_rows, max(self.total, self.found_rows) if self.total else 0)

    def take(self, message: tuple) -> None:
        kind = message[0]
        if kind == "rows":
            self._rows(message[1])
            self.tell()
        elif kind == "sheet":
            self._close_table()
            self.sheet = (message[1], message[2])
            self.total = self.found_rows + _last_row(message[2])
        elif kind == "book":
            self.reading.format = message[1]
            self.moment = Moment(self.today, message[2])
        elif kind == "hidden_sheet" and message[1] != OPTIONS_SHEET:
            self._tell(
                message[1],
                WARNING,
                "hidden_sheet",
                f"隐藏的工作表“{message[1]}”有 {message[2]} 行内容，没有导入。",
            )
        elif kind == "note":
            self._tell(
                None,
                NOTE if message[1] in ("wrong_extension", "html_table") else WARNING,
                message[1],
                message[2],
            )

    def _rows(self, rows: list[tuple[int, list]]) -> None:
        self.found_rows += len(rows)
        if self.sheet is not None:
            self.name, facts = name, _ = self.sheet
            self.sheet, self.facts = None, facts
            match = best_match(rows, facts.get("merged", []), self.layouts, self.taught)
            if match is None:
                self.without_header.append(name)
                self.transposed = self.transposed or is_transposed(rows, self.layouts)
            elif match.missing_headers and not (given := self._given_by_name(match, name)):
                self.incomplete.append((name, match))
            else:
                rows = self._open_table(match, name, facts, rows, given if match.missing_headers else {})
        if self.table is None:
            self.unread[self.name] = self.unread.get(self.name, 0) + len(rows)
        while self.table is not None and rows:
            rows = self._below(self.table, self.table.feed(rows))

    def _below(self, table: TableCheck, rows: list) -> list:
        """Start the next table of the same sheet; a header that lacks columns is a line to look at, not a table."""
        if not rows:
            return []
        name = table.name
        match = best_match(rows[:2], self.facts.get("merged", []), self.layouts, self.taught)
        if match is None or match.missing_headers or match.first_row:
            number, cells = rows[0]
            table.skip_header(number, cells, "表头行，但列不全，不能作为另一张表读取，已跳过。")
            return rows[1:]
        for number, cells in rows[: match.last_row + 1]:
            table.skip_header(number, cells, "另一张表的表头。")
        self._close_table()
        self._tell(
            name,
            WARNING,
            "second_table",
            f"第 {rows[0][0]} 行起是同一工作表中的另一张表，已一并读取，请确认。",
        )
        return self._open_table(match, name, self.facts, rows)

    def _given_by_name(self, match: Match, name: str | None) -> dict:
        """What the worksheet's name tells, where that is all the header lacks: one sheet per class."""
        attr = match.sheet.named_by_sheet or ""
        missing = [column.attr for group in match.missing_groups for column in group]
        if not name or attr not in missing or match.missing or len(match.missing_groups) > 1:
            return {}
        try:
            value = match.sheet.by_attr[attr].kind.cell(name, self.moment)
        except Fault:
            return {}
        return {attr: value} if getattr(value, "grade", None) else {}

    def _open_table(
        self, match: Match, name: str | None, facts: dict, rows: list, given: dict | None = None
    ) -> list:
        if match.twice:
            raise FileFault(
                "duplicate_header", duplicate_message(match), sheet=name, row=rows[match.last_row][0]
            )
        if larger := larger_unit(match, rows[: match.first_row]):
            raise FileFault("larger_unit", larger, sheet=name, row=rows[match.last_row][0])
        self.table = TableCheck(
            match,
            sheet_name=name,
            facts=facts,
            header_row=rows[match.last_row][0],
            moment=self.moment,
            rows=self.reading.rows,
            problems=self.reading.problems,
            seen=self.seen,
            given=given,
        )
        self.reading.tables.append(self.table.table)
        self._tell_template(match, name, rows[: match.first_row])
        for index in match.overruled:
            message = f"“{match.texts[index]}”是本表的固定列名，没有按对应表改作他用。"
            self._tell(name, NOTE, "taught_otherwise", message)
        for index in match.spare:
            self._tell(
                name, NOTE, "repeated_column", f"“{match.texts[index]}”与另一列含义相同，作为附加内容保存。"
            )
        return rows[match.last_row + 1 :]

    def _tell_template(self, match: Match, name: str | None, above: list[tuple[int, list]]) -> None:
        imprint = Imprint.found_in(above)
        if imprint is None:
            return
        self.reading.tables[-1].imprint = imprint
        if why := imprint.differs(match.sheet, match.texts):
            self._tell(name, NOTE, "old_template", f"{why}，已按实际的表头读取。")

    def _close_table(self) -> None:
        if self.table is None:
            return
        before = sum(row.table is self.table.table for row in self.reading.rows[-1:])
        if not before:
            self._tell(self.table.name, NOTE, "no_data", "表头下没有数据行。")
        self.table.close()
        self.table = None

    def _tell(self, sheet: str | None, level: str, code: str, message: str) -> None:
        self.reading.problems.append(Problem(sheet, None, None, level, code, message))

    def close(self) -> None:
        """Judge the file as a whole, and put the problems in the order of the file."""
        self._close_table()
        reading = self.reading
        if not self.found_rows:
            raise FileFault("empty", "文件里没有内容。请确认导出的是有数据的文件。")
        for name, match in self.incomplete:
            if larger := larger_unit(match, ()):
                raise FileFault("larger_unit", larger, sheet=name)
            if not reading.tables or match.found.keys() & {"name", "citizen_id", "head_name"}:
                listed = "、".join(match.missing_headers)
                where = f"工作表“{name}”" if name else "文件"
                raise FileFault(
                    "missing_column", f"{where}缺少必需的列：{listed}。请补上，或使用模板。", sheet=name
                )
        if not reading.tables:
            if reading.format == "html":
                raise FileFault(
                    "html_not_excel",
                    "文件是网页而不是电子表格，里面没有需要的数据表（可能是登录页）。请重新导出。",
                )
            if self.transposed:
                raise FileFault("no_header", "表是横着排的（每列一人），不能读取。请使用模板，每行填一人。")
            wanted = "、".join(column.header for column in self.layouts[0].columns if column.present)
            raise FileFault("no_header", f"前 20 行里找不到表头。表头应包含：{wanted}。请保留模板的表头行。")
        for name in [*self.without_header, *(name for name, _ in self.incomplete)]:
            level = NOTE if name in EXPLANATIONS else WARNING
            message = f"工作表“{name}”没有找到表头，未导入（{self.unread[name]} 行）。"
            self._tell(name, level, "sheet_skipped", message)
        if not any(row.status in (ACCEPTED, REJECTED) for row in reading.rows):
            raise FileFault("empty", "表头下没有数据行。请确认导出的是有数据的文件。")
        self._tell_sheets()
        self.layouts[0].review(reading)
        sheets = {table.sheet: place for place, table in enumerate(reading.tables)}
        columns = {
            (t.sheet, header): place for t in reading.tables for place, (_, _, header) in enumerate(t.places)
        }
        reading.problems.sort(
            key=lambda p: (sheets.get(p.sheet, -1), p.row or 0, columns.get((p.sheet, p.column or ""), -1))
        )

    def _tell_sheets(self) -> None:
        """Which sheets were read, where there are several: the clerk alone knows that one is last year's."""
        rows = Counter(row.sheet for row in self.reading.rows if row.status != SKIPPED)
        if len(rows) < 2 or not self.layouts[0].strict:
            return
        told = "、".join(f"“{name}”{count} 行" for name, count in rows.items())
        named = all(any(word in (name or "") for word in ("班", "年级", "级")) for name in rows)
        message = f"读取了 {len(rows)} 个工作表：{told}，请确认都要上报。"
        self._tell(None, NOTE if named else WARNING, "several_sheets", message)


def _last_row(facts: dict) -> int:
    """The last row of a sheet, by its used range or by the count of lines; 0 when nothing says so."""
    digits = "".join(filter(str.isdigit, (facts.get("used") or "").rpartition(":")[2]))
    return int(digits or facts.get("lines", 0))

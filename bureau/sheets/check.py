"""Judge the rows of one table: column by column, then what needs several cells, then duplicates."""

from collections.abc import Iterable
from typing import Any

from bureau.identity import Fault

from .cells import compact, shown, tidy
from .classing import Classer
from .codes import CODES, ERROR, NOTE, WARNING
from .column_reader import ColumnReader
from .declare import Column, Sheet
from .draft import Draft, cross_check, spread_class
from .grades import SchoolClass
from .headers import Match, vocabulary
from .intake.facts import column_letter
from .intake.faults import FileFault
from .kinds import MAX_CELL, DocumentKind, Moment, PersonName, read_document
from .reading import ACCEPTED, REJECTED, SKIPPED, Problem, Row, Table
from .totals import Totals

GAP = 200
MOST_COMPARED = 50  # different rows of one person that a further one is compared with
MOST_MERGED = 500_000  # cells below the header that merged ranges may cover
HELD_AS_CITIZEN_ID = (None, "1", "2", "RP")
_PROBLEMS = object()  # a key of the duplicates' memory that no person can have


class TableCheck:
    """The rows of one table, fed in chunks. Rows and problems are appended to the lists given."""

    def __init__(
        self,
        match: Match,
        *,
        sheet_name: str | None,
        facts: dict,
        header_row: int,
        moment: Moment,
        rows: list[Row],
        problems: list[Problem],
        seen: dict,
        given: dict[str, Any] | None = None,
    ):
        self.sheet: type[Sheet] = match.sheet
        self.name, self.facts, self.moment = sheet_name, facts, moment
        self.rows, self.problems, self.seen = rows, problems, seen
        self.given = given or {}
        self.table = _table(match, sheet_name, header_row)
        self.readers = [
            ColumnReader(self.sheet.by_attr[attr], index, moment) for attr, index, _ in self.table.places
        ]
        self.headers, self.others = self.table.headers, {header for _, header in self.table.others}
        self.places_at = {index: header for _, index, header in self.table.places}
        self.order = {attr: place for place, (attr, _, _) in enumerate(self.table.places)}
        self.width = max(index for _, index, _ in self.table.places) + 1
        words = vocabulary(self.sheet)
        self.classer = Classer(match, {i for i, text in self.table.others if words.of_no_interest(text)})
        self.required = [reader.column for reader in self.readers if reader.column.required]
        self.merged = _vertical(
            facts.get("merged", ()), header_row, {index for _, index, _ in self.table.places}
        )
        self.tops: dict[tuple[int, int], Any] = {}
        self.last_number = header_row
        self.hidden = 0
        self.gaps: list[list[int]] = []  # [row before the gap, blank rows, rows after it]
        self.start = len(rows)
        self.blanks = _Blanks(match, facts, header_row)
        self.totals = Totals(self.table, self.sheet.by_attr, match.found.get("name", -1), moment)
        self._shapes: dict[tuple, tuple] = {}
        self.at_key = seen.setdefault(_PROBLEMS, {})  # id of a row -> the problem at its key

    def feed(self, chunk: list[tuple[int, list]]) -> list[tuple[int, list]]:
        """Judge the next rows, in order; those from the header of another table on are handed back."""
        data: list[tuple[int, list]] = []
        classer, hidden = self.classer, self.facts.get("hidden_rows", ())
        for place, (number, cells) in enumerate(chunk):
            blank = number - self.last_number - 1
            if blank > GAP:
                self.gaps.append([self.last_number, blank, 0])
            self.last_number = number
            if self.gaps:
                self.gaps[-1][2] += 1
            if number in hidden:
                self.hidden += 1
            if len(cells) < self.width:
                cells = [*cells, *[""] * (self.width - len(cells))]
            if not classer.usual(cells):
                skipped = classer.skip_code(cells)
                if skipped is None and classer.new_header(cells):
                    self._judge(data)
                    return chunk[place:]
                if skipped is not None:
                    self._judge(data)
                    data = []
                    self._skip(number, cells, *skipped)
                    continue
            data.append((number, cells))
        self._judge(data)
        return []

    def skip_header(self, number: int, cells: list, message: str) -> None:
        self._skip(number, cells, "repeated_header", message)

    def _skip(self, number: int, cells: list, code: str, message: str) -> None:
        if self.sheet.strict:
            self.totals.skipped(len(self.rows), number, cells, code)
        self.rows.append(Row(self.table, number, tuple(cells), SKIPPED))
        self.problems.append(Problem(self.name, number, None, NOTE, code, message))

    def _judge(self, data: list[tuple[int, list]]) -> None:
        if not data:
            return
        troubles: dict[int, dict[str, tuple[str, str]]] = {}

        def trouble(place: int, attr: str, code: str, message: str) -> None:
            troubles.setdefault(place, {})[attr] = (code, message)

        if self.merged:
            self._fill_down(data, trouble)
        self.blanks.look(data)
        if self.sheet.strict and self.table.others:
            self._measure(data, trouble)
        width = self.width
        by_column = list(zip(*(cells[:width] for _, cells in data), strict=True))
        parsed: dict[str, list] = {}
        for reader in sorted(self.readers, key=lambda reader: not isinstance(reader.kind, DocumentKind)):
            column_cells = by_column[reader.index]
            if reader.attr == "citizen_id" and "document_kind" in parsed:
                parsed[reader.attr] = self._documents(reader, column_cells, parsed, trouble)
            else:
                parsed[reader.attr] = reader.read(column_cells, trouble)
        for column in self.required:
            values = parsed[column.attr]
            if None in values:
                self._require(column, values, troubles, trouble, parsed)
        attrs = tuple(parsed)
        finish = self._finish
        for place, (pair, line) in enumerate(zip(data, zip(*parsed.values(), strict=True), strict=True)):
            finish(pair, attrs, line, troubles.get(place))

    def _measure(self, data: list[tuple[int, list]], trouble) -> None:
        """Columns of no interest are kept as they are, so a cell that is no text of a person is told there too."""
        for index, header in self.table.others:
            for place, (_, cells) in enumerate(data):
                if index < len(cells) and type(cells[index]) is str and len(cells[index]) > MAX_CELL:
                    message = f"内容有 {len(cells[index])} 个字，最多 {MAX_CELL} 个字。"
                    trouble(place, header, "too_long", message)

    def _documents(self, reader: ColumnReader, cells: tuple, parsed: dict[str, list], trouble) -> list:
        """Numbers judged by the row's 身份证件类型 (学籍 form): other papers go to `document`."""
        kinds = parsed["document_kind"]
        if all(kind in HELD_AS_CITIZEN_ID for kind in kinds):
            return reader.read(cells, trouble)
        plain = [cell if kind in HELD_AS_CITIZEN_ID else "" for cell, kind in zip(cells, kinds, strict=True)]
        documents: list = [None] * len(cells)
        for place, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
            if kind in HELD_AS_CITIZEN_ID or not shown(cell):
                continue
            try:
                documents[place] = read_document(kind, cell, self.moment)
            except Fault as fault:
                trouble(place, reader.attr, fault.code, fault.message)
        parsed["document"] = documents
        return reader.read(plain, trouble)

    def _require(
        self, column: Column, values: list, troubles: dict, trouble, parsed: dict[str, list]
    ) -> None:
        kinds = parsed.get("document_kind") if column.attr == "citizen_id" else None
        for place, value in enumerate(values):
            if value is not None or column.attr in troubles.get(place, ()):
                continue
            if kinds and kinds[place] not in HELD_AS_CITIZEN_ID:
                if parsed["document"][place] is None:
                    trouble(place, column.attr, "id_missing", "没有证件号码，请保存学校证明并尽快补齐。")
                continue
            trouble(place, column.attr, "required", f"“{self.headers[column.attr]}”为空，请补填。")

    def _fill_down(self, data: list[tuple[int, list]], trouble) -> None:
        by_index = {reader.index: reader for reader in self.readers}
        for place, (number, cells) in enumerate(data):
            for index, top in self.merged.get(number, {}).items():
                if index >= len(cells):
                    continue
                if top == number:
                    self.tops[top, index] = cells[index]
                    continue
                reader = by_index.get(index)
                if reader is None or shown(cells[index]):
                    continue
                if reader.column.fill_down:
                    cells[index] = self.tops.get((top, index), "")
                elif shown(self.tops.get((top, index), "")):
                    trouble(
                        place,
                        reader.attr,
                        "merged_cell",
                        f"“{self.headers[reader.attr]}”与第 {top} 行纵向合并，只有第一行有内容，请取消合并后逐行填写。",
                    )

    def _finish(self, pair: tuple[int, list], attrs: tuple, parsed: tuple, troubles: dict | None) -> None:
        number, cells = pair
        draft = Draft(self.table, self.moment)
        if None in parsed:
            values = {attr: value for attr, value in zip(attrs, parsed, strict=True) if value is not None}
        else:
            values = dict(zip(attrs, parsed, strict=True))
        draft.values = values
        draft.cells = cells
        if troubles:
            draft.troubles = troubles
            self._keep_damaged(draft)
        for attr, value in self.given.items():
            values.setdefault(attr, value)
        school_class = values.get("class_name")
        if school_class is not None and type(school_class) is SchoolClass:
            spread_class(values, school_class)
        cross_check(draft, strict=self.sheet.strict)
        self.sheet.settle(draft)
        if not self.sheet.strict and not self._recognisable(values):
            attr = next(iter(self.headers))
            draft.troubles["name" if "name" in self.headers else attr] = (
                "required",
                "既没有姓名也没有任何证件号码，无法识别是谁，请补填。",
            )
            self._add(number, cells, draft, REJECTED)
            return
        status = ACCEPTED
        if draft.troubles and self.sheet.strict:
            if any(CODES[code].level == ERROR for code, _ in draft.troubles.values()):
                status = REJECTED
        self._add(number, cells, draft, status)

    def _recognisable(self, values: dict) -> bool:
        if "name" in values or "members" in values:
            return True
        return any(attr in values or f"{attr}_damaged" in values for attr in self.sheet.identifiers)

    def _keep_damaged(self, draft: Draft) -> None:
        """What cannot be an identifier is still evidence: kept as text under `<attr>_damaged`."""
        for reader in self.readers:
            trouble = draft.troubles.get(reader.attr)
            if trouble is None or reader.attr in draft.values or not reader.kind.identifying:
                continue
            cell = draft.cells[reader.index]
            if type(cell) is tuple:
                continue
            if isinstance(reader.kind, PersonName):
                if text := tidy(shown(cell))[:100]:
                    draft.values["name_damaged" if self.sheet.strict else reader.attr] = text
            elif text := _digits(cell):
                draft.values[f"{reader.attr}_damaged"] = text

    def _add(self, number: int, cells: list, draft: Draft, status: str) -> None:
        values, troubles = draft.values, draft.troubles
        attrs = tuple(values)
        attrs = self._shapes.setdefault(attrs, attrs)
        row = Row(self.table, number, tuple(cells), status, attrs, tuple(values.values()))
        known, first, strong = self._same(values, row)
        if first is not None:
            if first._attrs == row._attrs and first._values == row._values:
                where = (
                    f"第 {first.number} 行"
                    if first.sheet == row.sheet
                    else f"工作表“{first.sheet}”第 {first.number} 行"
                )
                self._skip(number, cells, "duplicate_in_file", f"与{where}完全相同，只保留前一行。")
                return
            if strong:
                self._conflict(known, row, draft)
                if len(known) < MOST_COMPARED:
                    known.append(row)
        self.rows.append(row)
        if troubles:
            for attr in sorted(troubles, key=lambda attr: self.order.get(attr, 999)):
                self._report(row, attr, *troubles[attr])

    def _same(self, values: dict, row: Row) -> tuple[list[Row], Row | None, bool]:
        """The rows of this person so far, the one equal to this if any (else the first), and whether it is surely him."""
        sheet = self.sheet
        main = values.get(sheet.key[0])
        if main is not None:
            key: Any = main
            if len(sheet.key) > 1 and (first := self.seen.get(main)) is not None:
                first = first[0] if type(first) is list else first
                if any(first.get(attr) != values.get(attr) for attr in sheet.key[1:]):
                    key = tuple(map(values.get, sheet.key))  # the same person at another school
        elif damaged := values.get(f"{sheet.key[0]}_damaged"):
            key = ("~", damaged, values.get("name"))
        elif "name" in values and "birth_on" in values:
            key = ("=", values["name"], values["birth_on"], values.get("household_no"))
        else:
            return [], None, False
        known = self.seen.get(key)
        if known is None:
            self.seen[key] = row
            return [], None, False
        if type(known) is not list:
            known = self.seen[key] = [known]
        equal = next(
            (one for one in known if one._attrs == row._attrs and one._values == row._values), known[0]
        )
        return known, equal, main is not None

    def _conflict(self, known: list[Row], row: Row, draft: Draft) -> None:
        attr = self.sheet.key[0]
        numbers = "、".join(_place(one, row) for one in known[:5])
        draft.report(attr, "duplicate_conflict", f"与{numbers}是同一号码但内容不同，请只保留正确的一行。")
        if self.sheet.strict:
            row.status = REJECTED
        if len(known) == 1:
            self._conflict_of_first(known[0], row, attr)

    def _conflict_of_first(self, first: Row, row: Row, attr: str) -> None:
        known = self.at_key.get(id(first))
        if known is not None and known.level == ERROR:
            return
        if self.sheet.strict:
            first.status = REJECTED
        message = f"与{_place(row, first)}是同一号码但内容不同，请只保留正确的一行。"
        if known is None:
            self._report(first, attr, "duplicate_conflict", message)
        else:  # one problem at a cell, and this one is graver
            known.code, known.message = "duplicate_conflict", message
            known.level = ERROR if self.sheet.strict else WARNING

    def _report(self, row: Row, attr: str, code: str, message: str) -> None:
        level = CODES[code].level
        if level == ERROR and not self.sheet.strict and row.status != REJECTED:
            level = WARNING
        if level == WARNING:
            row.warned = True
        column = row.table.header(attr) or (attr if attr in self.others else None)
        problem = Problem(row.sheet, row.number, column, level, code, message)
        self.problems.append(problem)
        if attr == self.sheet.key[0]:
            self.at_key[id(row)] = problem

    def close(self) -> None:
        """Tell what concerns the whole table."""
        facts = self.facts
        if self.hidden:
            self._tell(WARNING, "hidden_rows", f"含 {self.hidden} 个隐藏行，已一并导入，请确认。")
        for before, blank, after in self.gaps:
            self._tell(
                WARNING, "gap", f"第 {before} 行后隔 {blank} 个空行还有 {after} 行，已一并读取，请确认。"
            )
        columns = {index: header for _, index, header in self.table.places} | dict(self.table.others)
        hidden = [
            header
            for index, header in columns.items()
            if any(left <= index <= right for left, right in facts.get("hidden_columns", ()))
        ]
        if hidden:
            self._tell(WARNING, "hidden_columns", f"隐藏列“{'、'.join(hidden)}”已一并读取，请确认。")
        for index, (count, row, far) in sorted(facts.get("formulas", {}).items()):
            if index in columns and row > self.table.header_row:
                linked = f"，其中 {far} 个引用其他文件" if far else ""
                message = f"“{columns[index]}”列有 {count} 个公式（首个在第 {row} 行{linked}），已按结果导入，请确认。"
                self._tell(WARNING, "formula_value", message, columns[index])
        if facts.get("dimension") and _lies(facts["dimension"], facts.get("used")):
            self._tell(
                NOTE,
                "dimension",
                f"文件声明的数据范围 {facts['dimension']} 与实际 {facts['used']} 不符，已按实际内容读取。",
            )
        for number, header, message in self.totals.untrue(self.rows, self.start):
            self.problems.append(Problem(self.name, number, header, WARNING, "total_mismatch", message))
        self._tell_blanks()
        if cleaned := sum(reader.cleaned for reader in self.readers):
            self._tell(NOTE, "cleaned", f"已清理 {cleaned} 个号码中的空格、全角或不可见字符。")
        if self.table.ignored:
            level = WARNING if self.sheet.strict else NOTE
            self._tell(
                level, "ignored_column", f"不认识的列：{'、'.join(self.table.ignored)}。不参与核对，请确认。"
            )

    def _tell_blanks(self) -> None:
        """Columns without a header that hold something below it; under a merged header nobody can say which it is."""
        for index, count in sorted(self.blanks.counts.items()):
            letter = column_letter(index)
            if self.sheet.strict and (left := self.blanks.under.get(index)) in self.places_at:
                raise FileFault(
                    "merged_header",
                    f"表头“{self.places_at[left]}”横向合并到{letter}列，而{letter}列下面有 {count} 格内容，分不清各是什么。"
                    "请取消合并，每列写一个表头。",
                    sheet=self.name,
                    row=self.table.header_row,
                )
            level = WARNING if self.sheet.strict else NOTE
            self._tell(level, "blank_header", f"{letter}列没有表头，下面有 {count} 格内容，没有导入，请确认。")

    def _tell(self, level: str, code: str, message: str, column: str | None = None) -> None:
        self.problems.append(Problem(self.name, None, column, level, code, message))


class _Blanks:
    """Columns without a header, and how many cells below it are filled. Cells beside the table count too."""

    def __init__(self, match: Match, facts: dict, header_row: int):
        self.width = max((index for index, text in enumerate(match.texts) if text), default=-1) + 1
        self.inside = [index for index in range(self.width) if not match.texts[index]]
        self.counts: dict[int, int] = {}
        self.under = {  # column -> the column whose merged header covers it
            column: left
            for (top, left), (bottom, right) in facts.get("merged", ())
            if top <= header_row - 1 <= bottom
            for column in range(left + 1, min(right, self.width + 200) + 1)
        }

    def look(self, data: list[tuple[int, list]]) -> None:
        width = self.width
        for index in self.inside:
            self._count(index, [cells[index] for _, cells in data if index < len(cells)])
        for _, cells in data:
            if len(cells) > width and (beyond := cells[width:]).count("") < len(beyond):
                for index, cell in enumerate(beyond, width):
                    self._count(index, [cell])

    def _count(self, index: int, cells: list) -> None:
        if found := sum(1 for cell in cells if cell != "" and shown(cell)):
            self.counts[index] = self.counts.get(index, 0) + found


def _table(match: Match, sheet_name: str | None, header_row: int) -> Table:
    places = sorted((index, attr) for attr, index in match.found.items())
    taken = set(match.found.values())
    words = vocabulary(match.sheet)
    others, ignored, names = [], [], set()
    for index, text in enumerate(match.texts):
        if index in taken or not text or any(word in text for word in match.sheet.forbidden):
            continue
        name = text if text not in names else f"{text}（第 {index + 1} 列）"
        names.add(name)
        others.append((index, name))
        if not words.of_no_interest(text) and index not in (*match.spare, *match.taught):
            ignored.append(name)
    return Table(
        sheet_name,
        match.sheet.layout,
        header_row,
        [(attr, index, match.texts[index]) for index, attr in places],
        others,
        ignored,
        [match.texts[index] for index in match.taught],
    )


def _vertical(merged: Iterable, header_row: int, wanted: set[int]) -> dict[int, dict[int, int]]:
    """Row number -> file column -> row number of the merged cell's first row, for recognised columns below the header."""
    found: dict[int, dict[int, int]] = {}
    left_over = MOST_MERGED
    for (top, left), (bottom, right) in merged:
        if not bottom > top >= header_row:
            continue
        columns = [index for index in wanted if left <= index <= right]
        left_over -= len(columns) * (bottom - top)
        if left_over < 0:
            raise FileFault("bomb", "合并单元格过多，结构异常，已拒收。请取消合并后上传。")
        for number in range(top + 1, bottom + 2) if columns else ():
            found.setdefault(number, {}).update(dict.fromkeys(columns, top + 1))
    return found


def _digits(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return compact(shown(cell))[:64]


def _place(row: Row, other: Row) -> str:
    return f"第 {row.number} 行" if row.sheet == other.sheet else f"工作表“{row.sheet}”第 {row.number} 行"


def _lies(dimension: str, used: str | None) -> bool:
    """Whether the declared range leaves out rows that are there, or claims far more than a margin."""
    if used is None:
        return False
    last = int("".join(filter(str.isdigit, dimension.rpartition(":")[2])) or 0)
    real = int("".join(filter(str.isdigit, used.rpartition(":")[2])) or 0)
    return last < real or last > real + 1000

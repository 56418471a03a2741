"""What reading a file gives: rows with their verdicts, and every problem with its place."""

from collections import Counter
from dataclasses import dataclass, field

from .cells import shown
from .codes import CODES, ERROR, SEVERITY, WARNING
from .imprint import Imprint

ACCEPTED, REJECTED, SKIPPED = "accepted", "rejected", "skipped"


@dataclass(slots=True)
class Problem:
    """`row` is the number the clerk sees; `column` the file's own header; both None where they do not apply."""

    sheet: str | None
    row: int | None
    column: str | None
    level: str
    code: str
    message: str

    def as_dict(self) -> dict:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Table:
    """One header that was found and the layout it was read with.

    `places` are (attribute, index of the file's column, header text) of the columns that were recognised;
    `others` the (index, header text) of the rest, kept as text unless `forbidden`.
    """

    sheet: str | None
    layout: str
    header_row: int
    places: list[tuple[str, int, str]]
    others: list[tuple[int, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    taught: list[str] = field(default_factory=list)  # headers understood, or left alone, because somebody said so
    imprint: Imprint | None = None  # what our own template says of itself

    @property
    def headers(self) -> dict[str, str]:
        return {attr: header for attr, _, header in self.places}

    @property
    def columns(self) -> list[tuple[int, str]]:
        """(index, header text) of every column with a header."""
        return sorted([(index, header) for _, index, header in self.places] + self.others)

    def header(self, attr: str) -> str | None:
        return next((header for name, _, header in self.places if name == attr), None)


class Row:
    """One non-blank row below a header. Cells and values are kept as tuples: a county list has 100,000 rows."""

    __slots__ = ("_attrs", "_values", "cells", "number", "status", "table", "warned")

    def __init__(
        self, table: Table, number: int, cells: tuple, status: str, attrs: tuple = (), values: tuple = ()
    ):
        self.table, self.number, self.cells, self.status = table, number, cells, status
        self._attrs, self._values, self.warned = attrs, values, False

    @property
    def sheet(self) -> str | None:
        return self.table.sheet

    @property
    def layout(self) -> str:
        return self.table.layout

    @property
    def values(self) -> dict:
        """Attribute -> parsed value, blanks left out; `other` holds the remaining cells as header -> text."""
        values = dict(zip(self._attrs, self._values, strict=True))
        if other := self.other:
            values["other"] = other
        return values

    def get(self, attr: str, default=None):
        """One parsed value without building the whole dictionary."""
        return self._values[self._attrs.index(attr)] if attr in self._attrs else default

    def several(self, attrs: tuple[str, ...]) -> list:
        """The parsed values of these attributes, None where there is none."""
        known, values = self._attrs, self._values
        return [values[known.index(attr)] if attr in known else None for attr in attrs]

    @property
    def raw(self) -> dict[str, str]:
        """Attribute -> the cell as the clerk sees it, for every recognised column that is filled."""
        width = len(self.cells)
        pairs = ((attr, shown(self.cells[index])) for attr, index, _ in self.table.places if index < width)
        return {attr: text for attr, text in pairs if text}

    @property
    def other(self) -> dict[str, str]:
        width = len(self.cells)
        pairs = ((header, shown(self.cells[index])) for index, header in self.table.others if index < width)
        return {header: text for header, text in pairs if text}

    def __repr__(self) -> str:
        return f"<Row {self.sheet}!{self.number} {self.status}>"


@dataclass
class Reading:
    """The verdict on a file. With a `file_error` there are no rows."""

    sha256: str
    format: str | None = None
    file_error: Problem | None = None
    tables: list[Table] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "check": 0.0})
    _by_row: dict[tuple, list[Problem]] = field(default_factory=dict, repr=False)

    def report(self, row: Row, attr: str, code: str, message: str, *, level: str | None = None) -> None:
        """Add a problem the caller found (another school, a standard not met); an error rejects the row.

        A cell that already has a problem of the same or a graver level keeps it.
        """
        level = level or CODES[code].level
        column = row.table.header(attr)
        for problem in self._at(row):
            if problem.column == column:
                if SEVERITY[level] < SEVERITY[problem.level]:
                    problem.level, problem.code, problem.message = level, code, message
                break
        else:
            problem = Problem(row.sheet, row.number, column, level, code, message)
            self.problems.append(problem)
            self._by_row.setdefault((row.sheet, row.number), []).append(problem)
        if level == ERROR:
            row.status = REJECTED
        elif level == WARNING:
            row.warned = True

    def _at(self, row: Row) -> list[Problem]:
        if not self._by_row:
            for problem in self.problems:
                self._by_row.setdefault((problem.sheet, problem.row), []).append(problem)
        return self._by_row.get((row.sheet, row.number), [])

    def _count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows)

    @property
    def accepted(self) -> int:
        return self._count(ACCEPTED)

    @property
    def rejected(self) -> int:
        return self._count(REJECTED)

    @property
    def skipped(self) -> int:
        return self._count(SKIPPED)

    @property
    def warned(self) -> int:
        """Accepted rows with at least one warning."""
        return sum(row.warned and row.status == ACCEPTED for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        by_status = Counter(row.status for row in self.rows)
        return {
            "rows": len(self.rows),
            "accepted": by_status[ACCEPTED],
            "rejected": by_status[REJECTED],
            "warned": self.warned,
            "skipped": by_status[SKIPPED],
        }

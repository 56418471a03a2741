"""A spreadsheet is declared once: template, reader, checks, error workbook and export follow from it."""

from .cells import shown
from .declare import ABSENT, Column, Sheet
from .draft import Draft
from .marked import NotMarked, write_marked
from .opening import open_protected
from .problem_column import is_problem_header, problem_header, row_in, serial_in, serial_of
from .reader import read
from .reading import ACCEPTED, REJECTED, SKIPPED, Problem, Reading, Row, Table
from .write import write_csv, write_template, write_workbook

__all__ = [
    "ABSENT",
    "ACCEPTED",
    "REJECTED",
    "SKIPPED",
    "Column",
    "Draft",
    "NotMarked",
    "Problem",
    "Reading",
    "Row",
    "Sheet",
    "Table",
    "is_problem_header",
    "open_protected",
    "problem_header",
    "read",
    "row_in",
    "serial_in",
    "serial_of",
    "shown",
    "write_csv",
    "write_marked",
    "write_template",
    "write_workbook",
]

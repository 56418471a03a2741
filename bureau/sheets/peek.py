"""What a file's columns are called and what kind of thing stands in them, without a word of their content.

For pages that ask a person what a column is: headers, counts and kinds only.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .cells import compact, header_forms, header_text, shown
from .declare import Sheet
from .headers import SEARCHED_ROWS, Match, best_match, vocabulary
from .intake.facts import column_letter
from .process import listen

LOOKED_AT = 300  # rows below a header that the counts are about
LONGEST_NAME = 30  # characters of a cell that may be a header

_KINDS = (
    ("18 位证件号码", re.compile(r"[0-9]{17}[0-9Xx]").fullmatch),
    ("学籍号", re.compile(r"[GJLgjl][0-9]{17}[0-9Xx]").fullmatch),
    ("手机号码", re.compile(r"1[3-9][0-9]{9}").fullmatch),
    ("长数字", re.compile(r"[0-9]{9,}").fullmatch),
    ("日期", re.compile(r"(19|20)[0-9]{2}[-/.年]?[0-9]{1,2}([-/.月]?[0-9]{1,2}日?|月)?").fullmatch),
    ("数字", re.compile(r"[0-9.,]+").fullmatch),
    ("是或否", re.compile("是|否|有|无|√|✓").fullmatch),
    ("两到四个汉字", re.compile("[一-鿿]{2,4}").fullmatch),
)  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """One column of the file. `attr` is what the sheet's own names make of it; `form` is the header to be taught."""

    index: int
    text: str
    form: str
    attr: str
    filled: int
    content: str

    @property
    def letter(self) -> str:
        return column_letter(self.index)


@dataclass(frozen=True)
class Peek:
    """One visible worksheet: where its header is (or seems to be) and its columns."""

    sheet: str | None
    header_row: int
    headings: list[Heading]
    layout: type[Sheet] | None

    @property
    def found(self) -> set[str]:
        return {heading.attr for heading in self.headings if heading.attr}


def peek(
    path: Path,
    sheets: Sequence[type[Sheet]],
    *,
    name: str | None = None,
    taught: Mapping[str, str] | None = None,
) -> list[Peek]:
    """Every worksheet with something that can be a header. Raises FileFault for a file that cannot be opened."""
    found, current, rows = [], None, []
    layouts = list(sheets)
    for message in listen(path, name=name or path.name, sheet=layouts[0], password=None):
        if message[0] == "sheet":
            found.append(_peeked(current, rows, layouts, taught))
            current, rows = (message[1], message[2]), []
        elif message[0] == "rows" and len(rows) < SEARCHED_ROWS + LOOKED_AT:
            rows += message[1]
    found.append(_peeked(current, rows, layouts, taught))
    return [one for one in found if one]


def _peeked(current: tuple | None, rows: list, layouts: list, taught: Mapping[str, str] | None) -> Peek | None:
    if current is None or not rows:
        return None
    name, facts = current
    match = best_match(rows, facts.get("merged", []), layouts, taught) or _likely(rows, layouts[0])
    if match is None:
        return None
    below = [cells for _, cells in rows[match.last_row + 1 :][:LOOKED_AT]]
    attrs = {index: attr for attr, index in match.found.items() if index not in match.taught}
    known = vocabulary(match.sheet).known
    headings = [
        _heading(index, text, attrs.get(index, ""), below)
        for index, text in enumerate(match.texts)
        if text and compact(text.rsplit("/", 1)[-1]) not in known
    ]
    return Peek(name, rows[match.last_row][0], headings, match.sheet if match.found else None)


def _likely(rows: list[tuple[int, list]], sheet: type[Sheet]) -> Match | None:
    """The first of the rows with the most short texts, each another one: a header no word of which is known."""
    best, most = None, 1
    for place, (_, cells) in enumerate(rows[:SEARCHED_ROWS]):
        texts = [header_text(shown(cell)) if isinstance(cell, str) else "" for cell in cells]
        short = {text for text in texts if 0 < len(text) <= LONGEST_NAME and not any(char.isdigit() for char in text)}
        if len(short) > most:
            best, most = Match(sheet, place, place, texts), len(short)
    return best


def _heading(index: int, text: str, attr: str, below: list[list]) -> Heading:
    cells = [cells[index] for cells in below if index < len(cells) and shown(cells[index])]
    kinds = Counter(_kind(cell) for cell in cells)
    content = kinds.most_common(1)[0][0] if kinds else ""
    return Heading(index, text, header_forms(text)[0], attr, len(cells), content)


def _kind(cell: Any) -> str:
    if isinstance(cell, date | datetime):
        return "日期"
    text = compact(shown(cell))
    return next((words for words, matches in _KINDS if matches(text)), "文字")


def choices(sheet: type[Sheet]) -> list[tuple[str, str]]:
    """(attribute, header) of all columns, those that must be there first: for a list to choose from."""
    ordered = sorted(sheet.columns, key=lambda column: not column.present)
    return [(column.attr, column.header) for column in ordered]

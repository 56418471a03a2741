"""Whether what a list says of itself is so: 小计, 合计 and 总人数 against the rows, amounts against each other.

A total may stand for the rows since the last subtotal, for one class, one sheet or the whole file; only one that is
true of none of these is told.
"""

import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from bureau.identity import Fault
from bureau.money import format_yuan

from .cells import compact, shown
from .choices import Amount
from .declare import Column
from .kinds import Moment
from .reading import SKIPPED, Row, Table

_COUNT = re.compile(r"(?:人数|学生数)(?:合计|共计)?[:：为]?(\d{1,6})人?(?!\d|[.元])|(?<![\d.])(\d{1,6})(?:人|名)(?!次)")
_COUNT_LABEL = re.compile(r"(总人数|人数|学生数|人数合计|共计人数)[:：]?")
_YUAN = re.compile(r"([\d,]{1,15}(?:\.\d{1,2})?)元")
_CAPITALS = re.compile(r"大写[)）]?[:：]?(?:人民币)?([零壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正]{2,})")
_DIGIT = {c: n for n, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
_UNIT = {"拾": 10, "佰": 100, "仟": 1000}
SCALES = {100: "大 100 倍", 10_000: "大 10000 倍", 0.01: "小 100 倍", 0.0001: "小 10000 倍"}
LEAST_AMOUNTS = 3  # fewer tell nothing about a column
SAME_SCALE = 0.9  # of the rows


class Mark(NamedTuple):
    """A row that ends or begins a section: its place among all rows, and its cells where it states a total."""

    place: int
    number: int
    cells: list | None


class Stated(NamedTuple):
    """What a total row says: people, or fen under the header of `column`."""

    column: str | None
    text: str
    people: int | None = None
    fen: int | None = None
    attr: str = ""


class Sums(NamedTuple):
    """Running sums over all rows, one more than there are rows; `unread` counts rows whose value is not known."""

    known: list[int]
    doubled: list[int]  # of rows skipped because an earlier one is the same
    unread: list[int]


class Totals:
    """What the total rows of one table state, remembered while it is read and compared when it ends."""

    def __init__(self, table: Table, columns: dict[str, Column], name_index: int, moment: Moment):
        self.name_index, self.moment = name_index, moment
        self.amounts = [
            (attr, index, header, columns[attr].kind)
            for attr, index, header in table.places
            if isinstance(columns[attr].kind, Amount)
        ]
        self.main = next((one for one in self.amounts if columns[one[0]].required), None)
        self.marks: list[Mark] = []
        self.doubles: set[int] = set()

    def skipped(self, place: int, number: int, cells: list, code: str) -> None:
        if code == "duplicate_in_file":
            self.doubles.add(place)
        else:
            self.marks.append(Mark(place, number, cells if code == "subtotal" else None))

    def untrue(self, rows: Sequence[Row], start: int) -> Iterator[tuple[int, str | None, str]]:
        """(row number, column, message) of each total that is true of no section. `start`: the table's first row."""
        sums: dict[str, Sums] = {}
        section, previous = start, start  # since the last title or header, since the last total
        for mark in self.marks:
            if mark.cells is not None:
                begins = sorted({previous, section, start, 0}, reverse=True)
                for stated in self._stated(mark.cells):
                    if stated.attr not in sums:
                        sums[stated.attr] = self._sums(rows, stated.attr)
                    own, end = sums[stated.attr], mark.place
                    message = _contradiction(stated, own, begins, end)
                    if message and _contradiction(stated, own, _groups(rows, start, end), end):
                        yield mark.number, stated.column, message
            section, previous = (section, mark.place) if mark.cells is not None else (mark.place, mark.place)

    def _sums(self, rows: Sequence[Row], attr: str) -> Sums:
        """Of the values of an attribute, or of rows when it is empty."""
        known, doubled, unread = [0], [0], [0]
        index, kind = next(((i, k) for a, i, _, k in self.amounts if a == attr), (0, None))
        for place, row in enumerate(rows):
            double = place in self.doubles
            counts = double or row.status != SKIPPED
            value: int | None = 1 if counts else 0
            if attr and counts:
                value = row.get(attr)
                if double and kind is not None:
                    value = kind.cell(row.cells[index], self.moment) if index < len(row.cells) else None
            known.append(known[-1] + (0 if double else value or 0))
            doubled.append(doubled[-1] + (value or 0 if double else 0))
            unread.append(unread[-1] + (value is None))
        return Sums(known, doubled, unread)

    def _stated(self, cells: list) -> Iterator[Stated]:
        texts = [shown(cell) for cell in cells]
        plain = [compact(text) for text in texts]
        at_amounts = {index for _, index, _, _ in self.amounts}
        for attr, index, header, kind in self.amounts:
            if index < len(cells) and texts[index]:
                try:
                    yield Stated(header, texts[index], fen=kind.cell(cells[index], self.moment), attr=attr)
                except Fault:
                    continue
        if (people := self._people(plain, at_amounts)) is not None:
            yield Stated(None, f"{people} 人", people=people)
        if not self.amounts:
            return
        attr, _, header, kind = self.main or self.amounts[-1]  # the column a total in words is about
        for index, text in enumerate(plain):
            if (match := _CAPITALS.search(text)) and (fen := capitals(match.group(1))) is not None:
                yield Stated(header, match.group(1), fen=fen, attr=attr)
            elif index not in at_amounts and (match := _YUAN.search(text)):
                try:
                    yield Stated(header, match.group(), fen=kind.cell(match.group(1), self.moment), attr=attr)
                except Fault:
                    continue

    def _people(self, plain: list[str], at_amounts: set[int]) -> int | None:
        for index, text in enumerate(plain):
            if not text or index in at_amounts:
                continue
            if match := _COUNT.search(text):
                return int(match.group(1) or match.group(2))
            if _COUNT_LABEL.fullmatch(text) or index == self.name_index:
                beside = [text] if index == self.name_index else [t for t in plain[index + 1 :] if t][:1]
                if beside and beside[0].isascii() and beside[0].isdigit():
                    return int(beside[0])
        return None


def _groups(rows: Sequence[Row], start: int, end: int) -> list[int]:
    """Where the last rows of one class, grade or school begin, and the last ones without a blank row between.

    Asked only when neither a heading nor another total says where the group begins: it walks back row by row.
    """
    begins = []
    for attrs in (("grade", "class_name"), ("grade",), ("school_name",), ("school_code",)):
        begin, last = end, None
        while begin > start:
            row = rows[begin - 1]
            value = [row.get(attr) for attr in attrs] if row.status != SKIPPED else last
            if last is not None and value != last:
                break
            begin, last = begin - 1, value
        begins.append(begin)
    begin = end - 1
    while begin > start and rows[begin - 1].number + 1 == rows[begin].number:
        begin -= 1
    return [*begins, max(begin, start)]


def _contradiction(stated: Stated, sums: Sums, begins: list[int], end: int) -> str:
    """What to tell when no section that ends here holds what is stated; the shortest one is quoted."""
    found = []
    for begin in begins:
        if sums.unread[end] > sums.unread[begin]:
            return ""  # an amount that cannot be read is told at its cell
        ours = sums.known[end] - sums.known[begin]
        said = stated.people if stated.people is not None else stated.fen or 0
        if ours <= said <= ours + sums.doubled[end] - sums.doubled[begin]:
            return ""
        found.append(ours)
    ours = next((value for value in found if value), found[-1])
    if stated.people is not None:
        return f"合计行写的是 {stated.people} 人，实际是 {ours} 人，请核对。"
    return f"合计行的“{stated.column}”写的是 {stated.text}，各行相加是 {format_yuan(ours)} 元，请核对。"


def capitals(text: str) -> int | None:
    """Fen of an amount in Chinese capitals, 壹万贰仟伍佰元整; None where it is not one."""
    whole, _, rest = text.replace("圆", "元").replace("整", "").replace("正", "").partition("元")
    yuan = section = digit = 0
    for c in whole:
        if c in _DIGIT:
            digit = _DIGIT[c]
        elif c in _UNIT:
            section, digit = section + max(digit, 1) * _UNIT[c], 0
        elif c == "万":
            yuan, section, digit = (yuan + section + digit) * 10_000, 0, 0
        else:
            return None
    fen = (yuan + section + digit) * 100
    for tenths, c in pairwise(rest):
        if tenths in _DIGIT and c in "角分":
            fen += _DIGIT[tenths] * (10 if c == "角" else 1)
    return fen


def out_of_scale(amounts: Sequence[int], expected: Sequence[int | None], usual: range) -> str:
    """How a whole column is off by 100 or 10,000: against what each row should have, else against usual sums.

    `usual` are the fen that a sum of this kind lies between; empty when nothing is wrong.
    """
    pairs = [(fen, want) for fen, want in zip(amounts, expected, strict=True) if want]
    if len(pairs) >= LEAST_AMOUNTS:
        for factor, told in SCALES.items():
            if sum(abs(fen - want * factor) <= 1 for fen, want in pairs) >= SAME_SCALE * len(pairs):
                return f"全列比“标准×月数”{told}"
        return ""
    if len(amounts) < LEAST_AMOUNTS:
        return ""
    middle = statistics.median(amounts)
    if middle >= usual.stop:
        return f"全列的中间值是 {format_yuan(int(middle))} 元，远大于资助标准"
    if middle < usual.start:
        return f"全列的中间值是 {format_yuan(int(middle))} 元，远小于资助标准"
    return ""

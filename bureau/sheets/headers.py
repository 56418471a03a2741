"""Find the header of a table by what its cells say, not by where it stands.

A header may take two rows with merged cells; the two levels are joined. Several layouts of one list may be
offered, and each table takes the one that explains it best.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .cells import compact, header_forms, header_text, shown
from .choices import Amount
from .declare import Column, Sheet
from .intake.facts import column_letter
from .problem_column import is_problem_header

SEARCHED_ROWS = 20
LEAST_MATCHES = 2
LONGEST_HEADER = 500  # characters looked at
# Words of an upper header cell that make a lower 姓名 somebody else's.
_OTHER_PERSON = re.compile("监护|父|母|户主|成员|家长|户名|负责|责任|联系人|照料|帮扶|祖|亲属")
_DATA_LIKE = re.compile(r"\d{6,}|^(男|女|是|否)$|族$")
_LABEL_LINE = re.compile(  # 填报单位：… 填报时间：… 单位：人、元  学校：…  班级：…
    r"\w{0,4}(单位|时间|日期|人|学校|校名|班级|年级|班主任|学期|学年|名称|电话)[:：]"
)
_LARGER_UNIT_LINE = re.compile(r"单位[:：](人民币)?[^:：]{0,4}[万亿]元")
_LARGER_UNIT = re.compile(r"[(（\[].*[万亿].*元")  # 金额（万元） is not the column in yuan


@dataclass
class Match:
    """A candidate header: which file column is which declared column."""

    sheet: type[Sheet]
    first_row: int  # index into the rows searched
    last_row: int
    texts: list[str]  # header text per file column, levels joined by "/"
    found: dict[str, int] = field(default_factory=dict)  # attribute -> file column
    twice: list[tuple[int, int]] = field(default_factory=list)  # file columns with the same header
    spare: list[int] = field(default_factory=list)  # another name of a column that was found already
    grouped: bool = False  # the upper of two rows has cells merged across columns
    taught: list[int] = field(default_factory=list)  # understood, or left alone, because somebody said so
    overruled: list[int] = field(default_factory=list)  # taught otherwise, but a known name of another column

    @property
    def missing(self) -> list[Column]:
        return [column for column in self.sheet.columns if column.present and column.attr not in self.found]

    @property
    def missing_groups(self) -> list[list[Column]]:
        groups = [[self.sheet.by_attr[attr] for attr in group] for group in self.sheet.either]
        return [group for group in groups if not any(column.attr in self.found for column in group)]

    @property
    def missing_headers(self) -> list[str]:
        return [column.header for column in self.missing] + [
            "或".join(column.header for column in group) for group in self.missing_groups
        ]

    @property
    def rank(self) -> tuple:
        """Better headers compare greater: complete, explaining more columns, then the more demanding layout.

        Two rows that were joined without a merged cell must explain more than the lower one does alone: the upper
        may be a line of titles.
        """
        fit = len(self.found) - 2 * len(self.twice) - len(self.missing_headers)
        alone = self.grouped or self.first_row == self.last_row
        return (not self.missing_headers, fit, sum(column.present for column in self.sheet.columns), alone)

    @property
    def plausible(self) -> bool:
        return len(self.found) >= LEAST_MATCHES


class Vocabulary:
    """All headers of one sheet in their comparable forms."""

    def __init__(self, sheet: type[Sheet]):
        self.sheet = sheet
        self.exact: dict[str, tuple[Column, int]] = {}
        self.loose: dict[str, tuple[Column, int]] = {}
        for column in sheet.columns:
            for order, words in enumerate((column.header, *column.aliases)):
                full, bare = header_forms(words)
                self.exact.setdefault(full, (column, order))
                self.loose.setdefault(bare, (column, order))
        self.known = {form for words in sheet.known for form in header_forms(words)}

    def of_no_interest(self, text: str) -> bool:
        """Whether a header, or the lower level of one, is known to be left alone."""
        forms = {*header_forms(text), *header_forms(text.rsplit("/", 1)[-1])}
        return not forms.isdisjoint(self.known - {""}) or is_problem_header(text)

    def find(self, text: str) -> tuple[Column, int] | None:
        full, bare = header_forms(text)
        if not full:
            return None
        if found := self.exact.get(full):
            return found
        if _LARGER_UNIT.search(text):
            return None
        if full != bare and _OTHER_PERSON.search(full.replace(bare, "", 1)):
            return None  # 身份证号(监护人) is not the child's
        return self.exact.get(bare) or self.loose.get(bare)


class Lesson(NamedTuple):
    """What somebody said about one header; without a column it is to be left alone."""

    column: Column | None


class Teaching:
    """Headers of one sheet that no synonym explains, in their comparable form -> attribute (empty: leave alone).

    A known name keeps its meaning: what was taught otherwise is not applied, and told (`Match.overruled`).
    """

    ORDER = 10_000  # behind every synonym: the column that bears a known name is the one

    def __init__(self, taught: Mapping[str, str], sheet: type[Sheet]):
        known = {"", *sheet.by_attr}
        self.words = {header: sheet.by_attr.get(attr) for header, attr in taught.items() if attr in known}

    def find(self, label: str) -> Lesson | None:
        form = header_forms(label)[0]
        return Lesson(self.words[form]) if form in self.words else None


_vocabularies: dict[type[Sheet], Vocabulary] = {}


def vocabulary(sheet: type[Sheet]) -> Vocabulary:
    if sheet not in _vocabularies:
        _vocabularies[sheet] = Vocabulary(sheet)
    return _vocabularies[sheet]


def best_match(
    rows: list[tuple[int, list]],
    merged: list,
    sheets: list[type[Sheet]],
    taught: Mapping[str, str] | None = None,
) -> Match | None:
    """The best header among the first rows, or None where nothing looks like one. For `taught` see `Teaching`."""
    best, searched = None, rows[:SEARCHED_ROWS]
    merged = [span for span in merged if searched and span[0][0] <= searched[-1][0]]
    for sheet in sheets:
        lessons = Teaching(taught or {}, sheet)
        for match in _candidates(searched, merged, vocabulary(sheet), lessons):
            if match.plausible and (best is None or match.rank > best.rank):
                best = match
    return best


def _candidates(
    rows: list[tuple[int, list]], merged: list, words: Vocabulary, lessons: Teaching
) -> Iterator[Match]:
    for index, (number, cells) in enumerate(rows):
        texts = [header_text(shown(cell)[:LONGEST_HEADER]) for cell in cells]
        if len({text for text in texts if text}) < LEAST_MATCHES:
            continue
        if index + 1 < len(rows) and rows[index + 1][0] == number + 1:
            lower = [header_text(shown(cell)[:LONGEST_HEADER]) for cell in rows[index + 1][1]]
            if _two_levels(texts, lower, number, merged):
                match = _matched(words, lessons, _joined(texts, lower, number, merged), index, index + 1)
                match.grouped = _spans(number, merged)
                yield match
        yield _matched(words, lessons, [(text, "") for text in texts], index, index)


def _two_levels(upper: list[str], lower: list[str], number: int, merged: list) -> bool:
    """Whether the row below continues the header: it fills gaps of the upper one and does not look like data."""
    if any(_DATA_LIKE.search(compact(text)) for text in lower if text):
        return False
    if any(_LABEL_LINE.match(compact(text)) for text in upper):
        return False
    gaps = any(text and (i >= len(upper) or not upper[i]) for i, text in enumerate(lower))
    return _spans(number, merged) or gaps


def _spans(number: int, merged: list) -> bool:
    """Whether cells of the row are merged across columns: only groups of a header are."""
    return any(top == number - 1 and right > left for (top, left), (_, right) in merged)


def _joined(upper: list[str], lower: list[str], number: int, merged: list) -> list[tuple[str, str]]:
    width = max(len(upper), len(lower))
    upper, lower = upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower))
    spread = list(upper)
    for (top, left), (bottom, right) in merged:
        if top <= number - 1 <= bottom and left < width:
            last = left if bottom >= number else right  # a cell over both rows is one header, however wide
            for column in range(left, min(last + 1, width)):
                spread[column] = upper[left]
    for column in range(1, width):  # without merge information, a gap belongs to the group on its left
        if not spread[column] and lower[column] and not merged and lower[column - 1]:
            spread[column] = spread[column - 1]
    return list(zip(spread, lower, strict=True))


def _matched(
    words: Vocabulary, lessons: Teaching, texts: list[tuple[str, str]], first: int, last: int
) -> Match:
    labels = [f"{upper}/{lower}" if upper and lower else upper or lower for upper, lower in texts]
    match = Match(words.sheet, first, last, labels)
    orders: dict[str, int] = {}
    for index, (upper, lower) in enumerate(texts):
        found = _find(words, upper, lower)
        if lesson := lessons.find(labels[index]):
            found = _told(match, index, found, lesson, exact=header_forms(labels[index])[0] in words.exact)
        if found is None:
            continue
        column, order = found
        if column.attr not in match.found:
            match.found[column.attr], orders[column.attr] = index, order
            continue
        other = match.found[column.attr]
        if header_forms(labels[other]) == header_forms(labels[index]):
            match.twice.append((other, index))
        elif order < orders[column.attr]:
            match.found[column.attr], orders[column.attr] = index, order
            match.spare.append(other)
        else:
            match.spare.append(index)
    return match


def _told(
    match: Match, index: int, found: tuple[Column, int] | None, lesson: Lesson, *, exact: bool
) -> tuple[Column, int] | None:
    """What a taught header means: the lesson, except where the header is another column's own name."""
    if found and found[0] is lesson.column:
        return found
    if found and exact:
        match.overruled.append(index)
        return found
    match.taught.append(index)
    return (lesson.column, Teaching.ORDER) if lesson.column else None


def _find(words: Vocabulary, upper: str, lower: str) -> tuple[Column, int] | None:
    if not upper or not lower:
        return words.find(upper or lower)
    joined = words.find(upper + lower)
    if joined is None and not _OTHER_PERSON.search(upper):
        joined = words.find(lower)
    return joined


def is_transposed(rows: list[tuple[int, list]], sheets: list[type[Sheet]]) -> bool:
    """Whether the headers stand below each other: one person to a column."""
    for column in (0, 1):
        texts = [shown(cells[column]) for _, cells in rows[:SEARCHED_ROWS] if column < len(cells)]
        for sheet in sheets:
            found = {column.attr for text in texts if (found := vocabulary(sheet).find(text)) for column in found[:1]}
            if len(found) > LEAST_MATCHES:
                return True
    return False


def larger_unit(match: Match, above: Iterable[tuple[int, list]]) -> str:
    """Why the amounts of a table are not in yuan, by its header or the lines above it; empty when they are."""
    amounts = {words for column in match.sheet.columns if isinstance(column.kind, Amount) for words in
               (header_forms(text)[1] for text in (column.header, *column.aliases))}
    for text in match.texts:
        if _LARGER_UNIT.search(text) and header_forms(text)[1] in amounts:
            return f"“{text}”的单位不是元。请换算成元，表头写“金额（元）”后重新上传。"
    if any(isinstance(match.sheet.by_attr[attr].kind, Amount) for attr in match.found):
        for _, cells in above:
            for cell in cells:
                if (text := shown(cell)) and _LARGER_UNIT_LINE.search(compact(text)):
                    return f"表头上方写明“{text[:30]}”，本表的金额以元填写。请换算成元后重新上传。"
    return ""


def duplicate_message(match: Match) -> str:
    pairs = [
        f"{column_letter(a)}列与{column_letter(b)}列表头重复（{match.texts[a]}）" for a, b in match.twice
    ]
    return "；".join(pairs) + "，请删除或改名其中一列。"

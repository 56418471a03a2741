"""What a template says of itself in the line above its header: which sheet and version, whose, and for which term."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from .cells import compact, header_forms, shown
from .declare import TEMPLATE_VERSION, Column, Sheet
from .problem_column import is_problem_header

_FORM = re.compile(r"模板:([a-z_]+)第(\d+)版(?:\(([0-9a-f]{6})\))?")
_SCHOOL = re.compile(r"学校标识码:([^;]+)")
_TERM = re.compile(r"学期:(\d{4}-\w+)")


@dataclass(frozen=True)
class Imprint:
    """`mark` stands for the headers as they were when the template was made."""

    code: str
    version: int
    mark: str
    school: str | None = None
    term: str | None = None

    @classmethod
    def found_in(cls, rows: Iterable[tuple[int, list]]) -> Self | None:
        """The imprint among the lines above a header, if the file is one of our templates."""
        for _, cells in rows:
            for cell in cells:
                text = compact(shown(cell)) if isinstance(cell, str) else ""
                if form := _FORM.search(text):
                    code, version, mark = form.groups()
                    school, term = _SCHOOL.search(text), _TERM.search(text)
                    return cls(code, int(version), mark or "", school and school[1], term and term[1])
        return None

    def differs(self, sheet: type[Sheet], texts: Sequence[str]) -> str:
        """Why the file is not the template as it is given out today; empty when it is."""
        if self.code != sheet.code:
            return "这是另一种表的模板"
        if self.version != TEMPLATE_VERSION:
            return f"这是第 {self.version} 版模板，现在是第 {TEMPLATE_VERSION} 版"
        return "" if self.mark == mark_of(texts) else "模板的列名或顺序已改动"


def imprint_line(
    sheet: type[Sheet], columns: Sequence[Column], school: tuple[str, str] | None, term: str | None
) -> str:
    """`school` is (code, name)."""
    mark = mark_of(column.header for column in columns)
    parts = [f"模板：{sheet.code} 第{TEMPLATE_VERSION}版（{mark}）", "带★为必填", "填写方法见“填写说明”"]
    if school:
        parts.append(f"学校标识码：{school[0]}；学校：{school[1]}")
    if term:
        parts.append(f"学期：{term}")
    return "；".join(parts)


def mark_of(headers: Iterable[str]) -> str:
    """Six characters that change with any name or the order; what the error workbook adds does not count."""
    forms = [header_forms(text)[0] for text in headers if text and not is_problem_header(text)]
    return hashlib.sha256("|".join(forms).encode()).hexdigest()[:6]

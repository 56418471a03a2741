"""One row while it is judged, and what needs more than one of its cells."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from bureau.identity import Fault

from .cells import shown
from .codes import CODES, RANK, SEVERITY
from .grades import SchoolClass
from .kinds import Kind, Moment, Noted
from .reading import Table


class Draft:
    """One row while it is judged; what `Sheet.settle` works with.

    `values` may be changed freely. Problems are reported at the cell of an attribute.
    """

    __slots__ = ("_moment", "_table", "cells", "troubles", "values")

    def __init__(self, table: Table, moment: Moment):
        self._moment = moment
        self.values: dict[str, Any] = {}
        self.cells: list = []
        self.troubles: dict[str, tuple[str, str]] = {}
        self._table = table

    def report(self, attr: str, code: str, message: str) -> None:
        """Note a problem at a cell; of several at one cell the graver, then the earlier code stays."""
        known = self.troubles.get(attr)
        if known is None or _gravity(code) < _gravity(known[0]):
            self.troubles[attr] = (code, message)

    def text(self, attr: str) -> str:
        """The cell of an attribute as the clerk sees it; blank when the file has no such column."""
        for name, index, _ in self._table.places:
            if name == attr:
                return shown(self.cells[index]) if index < len(self.cells) else ""
        return ""

    @property
    def today(self) -> date:
        return self._moment.today

    def read(self, kind: Kind, text: str) -> tuple[Any, str | None]:
        """(value, None), or (None, what is wrong) for a text that no column was declared for."""
        try:
            value = kind.cell(text, self._moment)
        except Fault as fault:
            return None, fault.message
        return (value.value if type(value) is Noted else value), None

    def others(self) -> Iterable[tuple[str, str]]:
        """(header, text) of the filled cells that no column was declared for."""
        width = len(self.cells)
        for index, header in self._table.others:
            if index < width and (text := shown(self.cells[index])):
                yield header, text


def _gravity(code: str) -> tuple[int, int]:
    return SEVERITY[CODES[code].level], RANK.get(code, 999)


def spread_class(values: dict, school_class: SchoolClass) -> None:
    values["class_name"] = school_class.text
    if school_class.number is not None:
        values["class_number"] = school_class.number
    if school_class.grade:
        values.setdefault("grade", school_class.grade)


def cross_check(draft: Draft, *, strict: bool) -> None:
    values = draft.values
    number = values.get("citizen_id")
    if number is None:
        return
    born_on, sex = values.get("birth_on"), values.get("sex")
    if born_on is not None and born_on.year * 10000 + born_on.month * 100 + born_on.day != int(number[6:14]):
        in_id = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
        draft.report(
            "citizen_id",
            "id_birth_mismatch",
            f"出生日期 {born_on.isoformat()} 与身份证号（{number[:6]}************）中的 {in_id} 不一致，请核对。",
        )
    if sex in ("1", "2") and (int(number[16]) % 2 == 1) != (sex == "1"):
        words = {"1": "男", "2": "女"}
        draft.report(
            "citizen_id",
            "id_sex_mismatch",
            f"性别“{words[sex]}”与身份证号（{number[:6]}************）表示的“{words['2' if sex == '1' else '1']}”不一致，请核对。",
        )
    if strict and values.get("guardian_citizen_id") == number:
        draft.report(
            "guardian_citizen_id", "id_same_as_guardian", "监护人与学生身份证号相同，请改正其中一个。"
        )
    certificate = values.get("certificate")
    if certificate is not None and certificate[:18] != number:
        draft.report(
            "certificate",
            "certificate_of_other",
            "残疾人证号前 18 位不是本人身份证号，疑为家人的证，请核对。",
        )

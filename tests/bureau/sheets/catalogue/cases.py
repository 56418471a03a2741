"""What a case of the catalogue is, and files to begin with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bureau.sheets import Reading, read
from students.sheets import ROSTERS, SHEETS
from tests.bureau.sheets.pupils import number_of, save

TODAY = date(2026, 9, 10)
HEADS = ["序号", "年级", "班级", "姓名", "性别", "身份证号", "出生日期"]
AID_HEADS = ["序号", "年级", "班级", "姓名", "身份证号", "资助项目", "标准（元）", "月数", "金额（元）"]
NAMES = ["李子涵", "王浩然", "赵欣怡", "钱宇轩", "孙雨桐", "周思远"]
Build = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """`outcome`: A accepted, W accepted with a warning, R a row's error, F the file is refused.

    `code`, `column`, `row` and `tells` are the problem that must be told (`row` None: of the whole table). An accepted
    case may name a note in `code`. `values` are what the first row gives, `accepted` how many rows pass. `also`: codes of
    further warnings that come with it. `why`: what is behind an outcome that somebody might expect to be another.
    """

    id: str
    what: str
    outcome: str
    build: Build
    code: str | None = None
    column: str | None = None
    row: int | None = 2
    tells: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    accepted: int | None = None
    also: tuple[str, ...] = ()
    kind: str = "roll"
    why: str = ""
    password: str | None = None
    variant: str = ""
    slow: bool = False

    @property
    def name(self) -> str:
        return f"{self.id}-{self.variant}" if self.variant else self.id


def reading_of(case: Case, path: Path) -> Reading:
    layouts = (ROSTERS | SHEETS)[case.kind]
    return read(path, layouts, today=TODAY, in_process=True, password=case.password)


def pupil(i: int, **cells: Any) -> dict[str, Any]:
    """The i-th sound child, header → cell."""
    facts = {
        "序号": i, "年级": "三年级", "班级": "1班", "姓名": NAMES[i % 6], "性别": "男", "身份证号": number_of(i + 20),
        "出生日期": "2012-05-03",
    }  # fmt: skip
    return facts | cells


def grant(i: int, **cells: Any) -> dict[str, Any]:
    """The i-th sound line of an aid roster."""
    facts = {
        "序号": i, "年级": "三年级", "班级": "1班", "姓名": NAMES[i % 6], "身份证号": number_of(i + 20),
        "资助项目": "生活补助", "标准（元）": 625, "月数": 1, "金额（元）": 625,
    }  # fmt: skip
    return facts | cells


def lines(*rows: dict[str, Any]) -> list[list]:
    """A header row and the rows below it; a column nobody names is not there."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return [heads, *([row.get(head) for head in heads] for row in rows)]


def sound(count: int = 3) -> list[list]:
    return lines(*(pupil(i) for i in range(1, count + 1)))


def sheet(*rows: list, name: str = "名册.xlsx", **more: Any) -> Build:
    """A workbook of these rows."""
    return lambda folder: save(folder / name, list(rows), **more)


def one(**cells: Any) -> Build:
    """A roll whose first child has these cells, and two sound ones."""
    return sheet(*lines(pupil(1, **cells), pupil(2), pupil(3)))


def paid(**cells: Any) -> Build:
    """An aid roster whose first line has these cells, and two sound ones."""
    return sheet(*lines(grant(1, **cells), grant(2), grant(3)))


def content(name: str, data: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return build


def csv_of(rows: list[list], sep: str = ",", end: str = "\r\n") -> str:
    def quoted(cell: Any) -> str:
        text = "" if cell is None else str(cell)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in f'\n\r"{sep}') else text

    return end.join(sep.join(map(quoted, cells)) for cells in rows) + end

"""A small sheet, and workbooks of it as hands and programs make them."""

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from bureau.identity import check_digit
from bureau.sheets import Column, Reading, Sheet, read
from bureau.sheets.choices import Amount, Ethnicity, Sex, YesNo
from bureau.sheets.dates import Date
from bureau.sheets.grades import ClassName, Grade
from bureau.sheets.kinds import Account, CitizenNumber, DocumentKind, PersonName, Phone, StudentNumber, Text

TODAY = date(2026, 9, 10)
HEADS = ["序号", "学校名称", "年级", "班级", "姓名", "性别", "身份证号", "出生日期"]


class Pupils(Sheet):
    code = "pupils"
    layout = "test"
    title = "学生名册"
    either = (("grade", "class_name"),)

    school_name = Column("学校名称", "学校", kind=Text(60), fill_down=True)
    grade = Column("年级", kind=Grade(), fill_down=True)
    class_name = Column("班级", kind=ClassName(), fill_down=True)
    name = Column("姓名", "学生姓名", kind=PersonName(), required=True)
    sex = Column("性别", kind=Sex())
    document_kind = Column("身份证件类型", kind=DocumentKind())
    citizen_id = Column(
        "身份证号", "公民身份号码", "身份证件号", "sfzh", kind=CitizenNumber(minor=True), required=True
    )
    birth_on = Column("出生日期", kind=Date(past=True))
    ethnicity = Column("民族", kind=Ethnicity())
    student_number = Column("学籍号", kind=StudentNumber())
    boarding = Column("是否寄宿", kind=YesNo())
    guardian_name = Column("监护人姓名", kind=PersonName())
    guardian_citizen_id = Column("监护人身份证号", kind=CitizenNumber())
    phone = Column("联系电话", "电话", kind=Phone())
    account = Column("账号", kind=Account())
    amount_fen = Column("金额（元）", kind=Amount())
    address = Column("住址", kind=Text(200))


class Register(Pupils):
    """The same list from another office: nothing is dropped for a fault."""

    strict = False
    either = ()


def number_of(i: int, *, born: date = date(2012, 5, 3), boy: bool = True) -> str:
    """The i-th valid number of the fictional county."""
    first = f"990101{born:%Y%m%d}{2 * i + (1 if boy else 0):03}"
    return first + check_digit(first)


def pupil(i: int, **changes: Any) -> list:
    """One sound row in the order of HEADS."""
    surname, given = "赵钱孙李周吴郑王"[i % 8], "子涵宇轩浩然欣怡"[i // 8 % 8]
    facts = {
        "no": i, "school": "云岭镇中心小学", "grade": "三年级", "class": "1班", "name": surname + given, "sex": "男",
        "id": number_of(i + 1), "born": "2012-05-03",
    }  # fmt: skip
    return list((facts | changes).values())


def save(path: Path, rows: list[list], *, name: str = "名册", finish: Callable | None = None) -> Path:
    """An .xlsx with text cells as text; `finish` gets the workbook and the sheet."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = name
    for r, cells in enumerate(rows, 1):
        for c, value in enumerate(cells, 1):
            if value is not None:
                cell = page.cell(r, c, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    if finish:
        finish(book, page)
    book.save(path)
    return path


def rewrite(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """Change one XML part of a saved workbook in place."""
    with zipfile.ZipFile(path) as source:
        entries = {info.filename: source.read(info) for info in source.infolist()}
    entries[part] = change(entries[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in entries.items():
            target.writestr(name, data)
    return path


def with_entry(path: Path, name: str, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


def verdict(path: Path, sheet: Any = Pupils, **more: Any) -> Reading:
    """Read without a child process."""
    return read(path, sheet, today=TODAY, in_process=True, **more)


def of_cells(path: Path, heads: list[str], *rows: list, sheet: Any = Pupils) -> Reading:
    return verdict(save(path / "cells.xlsx", [heads, *rows]), sheet)


def codes(reading: Reading, *levels: str) -> list[tuple]:
    """(row, column, code) of problems on rows."""
    return [
        (p.row, p.column, p.code) for p in reading.problems if p.row and (not levels or p.level in levels)
    ]


def table_codes(reading: Reading) -> set[str]:
    return {p.code for p in reading.problems if p.row is None}


def shifted(xml: str, by: int, *, after: int) -> str:
    """Move the rows of a sheet below `after` down."""

    def moved(match: re.Match) -> str:
        number = int(match.group(2))
        return f'{match.group(1)}{number + by if number > after else number}"'

    xml = re.sub(r'(<row r=")(\d+)"', moved, xml)
    return re.sub(r'(<c r="[A-Z]+)(\d+)"', moved, xml)

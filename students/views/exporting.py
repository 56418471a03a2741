"""Workbooks of the lists on the first floor: declared columns only, and never a number of a person."""

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.http import FileResponse

from bureau.organisation.models import School, Term
from bureau.sheets import Column, Sheet, write_template, write_workbook
from students.actions.marking import marked_file
from students.models import Discrepancy, Enrolment, Roster, Student
from students.rules import RULES
from students.sheets import ROSTERS
from students.sheets.templates import STAGES, columns_of

MOST_ROWS = 100_000


class StudentSheet(Sheet):
    title = "学生名单"
    name_ = Column("姓名", width=12)
    sex = Column("性别", width=6)
    born = Column("出生年月", width=12)
    school = Column("学校", width=26)
    grade = Column("年级", width=10)
    class_name = Column("班级", width=10)
    major = Column("专业", width=16)
    agricultural = Column("涉农专业", width=10)
    programme_years = Column("学制", width=6)
    internship = Column("实习", width=20)
    standing = Column("在籍、在校", width=12)
    township = Column("户籍乡镇", width=14)
    village = Column("户籍村", width=14)
    guardian = Column("监护人", width=12)
    hardships = Column("困难身份", width=26)


class DiscrepancySheet(Sheet):
    title = "待核实问题"
    rule = Column("类型", width=26)
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    school = Column("学校", width=26)
    township = Column("乡镇", width=14)
    category = Column("类别", width=16)
    office = Column("承办", width=14)
    state = Column("状态", width=14)
    opened_on = Column("发现日期", width=12)
    due_on = Column("办理期限", width=12)
    note = Column("办理说明", width=30)


def student_line(student: Student) -> dict[str, Any]:
    """Expects what `Children.decorate` prefetched."""
    place = student.current[0] if student.current else None
    return {
        "name_": student.person.name,
        "sex": student.person.get_sex_display(),
        "born": _month(student.person.birth_on),
        "school": str(place.school or place.outside_school) if place else "",
        "grade": place.grade_name if place else "",
        "class_name": place.class_name if place else "",
        "major": place.major if place else "",
        "agricultural": place.agricultural if place else None,
        "programme_years": place.programme_years if place else None,
        "internship": place.internship if place else "",
        "standing": _standing(place) if place else "不在任何学校",
        "township": "外县" if student.hukou_outside else str(student.hukou_township or ""),
        "village": str(student.hukou_village or ""),
        "guardian": "、".join(guardian.name for guardian in student.guardians),
        "hardships": "、".join(hardship.get_category_display() for hardship in student.held),
    }


def _standing(place: Enrolment) -> str:
    words = {(True, True): "在籍在校", (True, False): "在籍不在校", (False, True): "在校不在籍"}
    return words.get((place.is_registered, place.is_present), "均未登记")


def discrepancy_line(found: Discrepancy) -> dict[str, Any]:
    return {
        "rule": f"{found.rule} {RULES[found.rule].title}" if found.rule in RULES else found.rule,
        "name_": found.child_name,
        "born": _month(found.child_birth_on),
        "school": str(found.school or ""),
        "township": str(found.township or ""),
        "category": found.category_name,
        "office": found.get_office_display(),
        "state": found.get_state_display(),
        "opened_on": found.opened_on.isoformat(),
        "due_on": found.due_on.isoformat(),
        "note": found.note,
    }


def workbook(sheet: type[Sheet], lines: Iterable[dict[str, Any]], *, name: str) -> FileResponse:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.xlsx"
        write_workbook(path, sheet, lines)
        content = io.BytesIO(path.read_bytes())
    return FileResponse(content, as_attachment=True, filename=f"{name}.xlsx")


def blank_roster(kind: str, stage: str, *, school: School | None, term: Term | None) -> FileResponse:
    """An empty form with the headers a school of these stages needs, drop-downs and notes; it knows school and term."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        write_template(
            path,
            ROSTERS[kind][0],
            attrs=columns_of(kind, stage),
            school=(school.code, school.name) if school else None,
            term=term.code if term else None,
        )
        content = io.BytesIO(path.read_bytes())
    name = f"{Roster.Kind(kind).label}模板（{STAGES[stage][0]}）.xlsx"
    return FileResponse(content, as_attachment=True, filename=name)


def marked_roster(roster: Roster) -> FileResponse:
    """The clerk's own file back, as a worker prepared it."""
    stem = roster.file_name.rsplit(".", 1)[0]
    content = io.BytesIO(marked_file(roster))
    return FileResponse(content, as_attachment=True, filename=f"{stem}（错误标注）.xlsx")


def _month(day) -> str:
    return f"{day.year}年{day.month}月" if day else ""

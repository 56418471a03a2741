"""A school's present roll as the lines of a template: read again it changes nothing."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bureau.organisation.models import School
from students.intake.childfacts import guardians_of, numbers_of
from students.models import Enrolment
from students.models.schooling import GRADE_NAMES, grade_in

BOARDING = {True: "住校", False: "走读", None: None}
PAPER = "Z"  # 其他: which paper a document is has not been kept


def enrolled_at(school: School) -> list[Enrolment]:
    """Who is at the school now, class by class."""
    rows = Enrolment.objects.open().filter(school=school, is_present=True).select_related("student__person")
    return list(rows.order_by("stage", "-entered_in", "class_name", "student__person__pinyin", "pk"))


def roll_lines(enrolments: list[Enrolment], *, school_year: int) -> Iterator[dict[str, Any]]:
    """Attribute -> value as a class roll's reading gives them, numbers opened."""
    keys = {enrolment.student_id for enrolment in enrolments}
    numbers, guardians = numbers_of(keys), guardians_of(keys, keys)
    for enrolment in enrolments:
        yield _facts(enrolment, school_year) | _papers(numbers.get(enrolment.student_id, {})) | _family(
            enrolment.student_id, guardians
        )


def _facts(enrolment: Enrolment, school_year: int) -> dict[str, Any]:
    child = enrolment.student
    person = child.person
    grade = ""
    if enrolment.stage and enrolment.entered_in:
        grade = grade_in(
            school_year, stage=enrolment.stage, entered_in=enrolment.entered_in,
            repeat_offset=enrolment.repeat_offset, years=enrolment.programme_years,
        )  # fmt: skip
    return {
        "name": person.name,
        "sex": person.sex if person.sex in ("1", "2") else None,
        "birth_on": person.birth_on,
        "ethnicity": person.ethnicity or None,
        "grade": {"J6": "P6"}.get(grade, grade) if grade in GRADE_NAMES else None,  # 六年级, whichever stage
        "class_name": enrolment.class_name or GRADE_NAMES.get(grade),
        "hukou": child.hukou_text,
        "boarding": BOARDING[enrolment.boarding],
        "status": enrolment.state,
        "major": enrolment.major,
        "agricultural": enrolment.agricultural,
        "programme_years": enrolment.programme_years,
    }


def _papers(numbers: dict[str, str]) -> dict[str, Any]:
    held = {attr: numbers.get(attr) for attr in ("student_number", "phone", "home", "citizen_id")}
    if document := numbers.get("document"):
        held |= {"citizen_id": document, "document_kind": PAPER}
    return held


def _family(student: UUID, guardians: dict[UUID, dict[str, str]]) -> dict[str, Any]:
    known = guardians.get(student, {})
    return {attr: known.get(attr) for attr in ("guardian_name", "guardian_relation", "guardian_citizen_id", "guardian_phone")}

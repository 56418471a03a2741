"""Facts about children as they are written into a form or a pre-filled template; sealed ones only where they may be seen."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from bureau import secrecy
from bureau.access.models import Account
from bureau.bulk import by_key
from bureau.identity import ETHNIC
from bureau.organisation.models import Stage
from students.models import Category, Guardianship, Hardship, Identifier, Student

YES_NO = {True: "是", False: "否", None: ""}
OF_IDENTIFIER = {
    Identifier.Kind.CITIZEN_ID: "citizen_id",
    Identifier.Kind.STUDENT_NUMBER: "student_number",
    Identifier.Kind.CERTIFICATE: "certificate",
    Identifier.Kind.PHONE: "phone",
    Identifier.Kind.ADDRESS: "home",
    Identifier.Kind.DOCUMENT: "document",
}
CATEGORIES = dict(Category.choices)


def may_reveal(account: Account, students: set[UUID]) -> set[UUID]:
    """Those of the children whose full numbers this account may see: the right counts where it was given."""
    if not account.may("students.reveal"):
        return set()
    acting = Account.objects.get(pk=account.pk)
    acting.acting_right = "students.reveal"
    return {pk for (pk,) in by_key(Student.objects.visible_to(acting), "pk", students, "pk")}


def facts_of(students: Iterable[Student], *, on: date, school_year: int, revealed: set[UUID]) -> list[dict[str, Any]]:
    """One line per child, in the order of schools and classes; numbers only for those in `revealed`.

    Expects `person`, `hukou_township`, `hukou_village` and the prefetched `current` enrolments of the students.
    """
    children = list(students)
    keys = {child.pk for child in children}
    hardships: dict[UUID, list[str]] = {}
    for student, category in by_key(Hardship.objects.covering(on), "student", keys, "student_id", "category"):
        hardships.setdefault(student, []).append(category)
    numbers, guardians = numbers_of(revealed & keys), guardians_of(keys, revealed)
    lines = []
    for child in children:
        line = _line(child, school_year) | guardians.get(child.pk, {}) | numbers.get(child.pk, {})
        line["hardships"] = "、".join(CATEGORIES[category] for category in hardships.get(child.pk, ()))
        line.setdefault("phone", line.get("guardian_phone", ""))
        lines.append(line)
    lines.sort(key=lambda line: line.pop("order"))
    return lines


def _line(child: Student, school_year: int) -> dict[str, Any]:
    person = child.person
    place = child.current[0] if child.current else None
    school = place and place.school
    grade = place.grade(school_year) if place else ""
    return {
        "order": (school.code if school else "~", place.stage if place else "", -(place.entered_in or 0) if place else 0,
                  place.class_name if place else "", person.pinyin, str(child.pk)),
        "student": child.pk,
        "name": person.name,
        "sex": person.get_sex_display() if person.sex in ("1", "2") else "",
        "birth_on": person.birth_on.isoformat() if person.birth_on else "",
        "ethnicity": ETHNIC.get(person.ethnicity, ""),
        "school": str(school or (place.outside_school if place else "")),
        "school_code": school.code if school else "",
        "stage": Stage(place.stage).label if place and place.stage else "",
        "grade": grade,
        "class_name": place.class_name if place else "",
        "grade_class": f"{grade}{place.class_name}" if place else "",
        "boarding": YES_NO[place.boarding] if place else "",
        "status": place.state if place else "",
        "township": "外县" if child.hukou_outside else str(child.hukou_township or ""),
        "village": str(child.hukou_village or ""),
        "hukou": child.hukou_text,
    }  # fmt: skip


def numbers_of(keys: set[UUID]) -> dict[UUID, dict[str, str]]:
    """The numbers in force, opened; a derived one is not the child's own."""
    found: dict[UUID, dict[str, str]] = {}
    held = Identifier.objects.filter(valid_to=None, derived=False, kind__in=OF_IDENTIFIER)
    openers = {kind: secrecy.opener(kind) for kind in OF_IDENTIFIER}
    for pk, person, kind, sealed in by_key(held, "person", keys, "pk", "person_id", "kind", "sealed"):
        found.setdefault(person, {})[OF_IDENTIFIER[kind]] = openers[kind](sealed, pk)
    return found


def guardians_of(keys: set[UUID], revealed: set[UUID]) -> dict[UUID, dict[str, str]]:
    """The first guardian of each child, his numbers only for children in `revealed`."""
    found: dict[UUID, dict[str, str]] = {}
    open_number, open_phone = secrecy.opener("citizen_id"), secrecy.opener("phone")
    columns = ("pk", "student_id", "name", "relation", "number_id", "number_sealed", "phone_id", "phone_sealed")
    held = sorted(by_key(Guardianship.objects.filter(valid_to=None), "student", keys, *columns), key=lambda row: row[0])
    for _, student, name, relation, number_id, number, phone_id, phone in held:
        if student in found:
            continue
        found[student] = line = {"guardian_name": name, "guardian_relation": relation}
        if student in revealed and number:
            line["guardian_citizen_id"] = open_number(number, number_id)
        if student in revealed and phone:
            line["guardian_phone"] = open_phone(phone, phone_id)
    return found

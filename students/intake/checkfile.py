"""The checked roll as the rows of a real workbook: the same columns a school sends, so everything after it is the same.

Of a child known before, a cell holds what the registry has, in the form in which reading it changes nothing; a cell
that could not be read back as it is stays blank, and a blank says nothing.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bureau import secrecy
from bureau.bulk import by_key
from bureau.identity.citizen import birth_in, sex_in
from bureau.organisation.models import Stage
from bureau.sheets.grades import MIXED
from students.intake.checkroll import BOARDING, Pupil, Roll, title_of
from students.models import Guardianship, Identifier, Person, Student
from students.models.schooling import GRADE_NAMES, STAGE_OF_LETTER, entry_year, grade_in

KINDS = ("citizen_id", "document", "student_number", "phone", "address")
ANY_DOCUMENT = "Z"  # which paper it was is not kept; any number passes as 其他
COLUMNS = (
    "name", "document_kind", "citizen_id", "sex", "birth_on", "ethnicity", "grade", "class_name", "student_number",
    "hukou", "home", "boarding", "status", "guardian_name", "guardian_relation", "phone",
)  # fmt: skip


class Conflict(Exception):
    """A child who was added is on the roll already."""

    def __init__(self, pupil: Pupil, known: Pupil) -> None:
        super().__init__()
        self.pupil, self.known = pupil, known


def rows_of(roll: Roll, school_year: int) -> Iterator[dict[str, Any]]:
    """One row per child, class by class. Opens the numbers: the caller tells who looked. Raises Conflict."""
    known = {pupil.student: pupil for pupil in (*roll.pupils, *roll.left) if pupil.student}
    facts = _facts(set(known))
    held = {facts[key]["citizen_id"]: pupil for key, pupil in known.items() if "citizen_id" in facts[key]}
    for pupil in roll.pupils:
        place = _place(pupil, school_year)
        if pupil.student:
            yield facts[pupil.student] | place
            continue
        typed = {name: value for name, value in pupil.typed.items() if name in COLUMNS and value not in (None, "")}
        if typed.get("citizen_id") in held:
            raise Conflict(pupil, held[typed["citizen_id"]])
        yield typed | {"birth_on": pupil.birth_on} | place


def _place(pupil: Pupil, school_year: int) -> dict[str, Any]:
    return {
        "grade": grade_code(pupil, school_year),
        "class_name": pupil.class_name,
        "boarding": BOARDING[pupil.boarding],
        "status": pupil.state,
    }


def grade_code(pupil: Pupil, school_year: int) -> str:
    """The grade, where reading it gives the same stage and entry year back."""
    if pupil.stage == Stage.PRESCHOOL and not pupil.entered_in:
        return MIXED
    if not pupil.entered_in or not pupil.stage or pupil.stage == Stage.SPECIAL:
        return ""
    years = pupil.programme_years
    code = grade_in(school_year, stage=pupil.stage, entered_in=pupil.entered_in, years=years)
    same = code in GRADE_NAMES and STAGE_OF_LETTER[code[0]] == pupil.stage
    told = same and not pupil.repeat_offset and entry_year(code, school_year, years=years) == pupil.entered_in
    return ("P6" if code == "J6" else code) if told else ""  # 六年级, as every school writes it


def _facts(students: set[UUID]) -> dict[UUID, dict[str, Any]]:
    facts: dict[UUID, dict[str, Any]] = {}
    people = by_key(Person.objects, "pk", students, "pk", "name", "sex", "birth_on", "ethnicity")
    for pk, name, sex, birth_on, ethnicity in people:
        facts[pk] = {"name": name, "sex": sex if sex in ("1", "2") else "", "birth_on": birth_on, "ethnicity": ethnicity}
    for pk, hukou in by_key(Student.objects, "pk", students, "pk", "hukou_text"):
        facts[pk]["hukou"] = hukou
    for pk, name, relation in guardians(students):
        facts[pk] |= {"guardian_name": name, "guardian_relation": relation}
    opener = {kind: secrecy.opener(kind) for kind in KINDS}
    current = Identifier.objects.filter(kind__in=KINDS, valid_to=None, derived=False).order_by("pk")
    for value_id, person, kind, sealed in by_key(current, "person", students, "pk", "person_id", "kind", "sealed"):
        _number(facts[person], kind, opener[kind](sealed, value_id))
    for known in facts.values():
        if number := known.get("citizen_id") if "document_kind" not in known else None:
            # What another list says otherwise of sex or birth is no fault of this school's.
            known["birth_on"] = known["birth_on"] if known["birth_on"] == birth_in(number) else None
            known["sex"] = known["sex"] if known["sex"] == sex_in(number) else ""
    return facts


def _number(known: dict[str, Any], kind: str, value: str) -> None:
    if kind == "citizen_id":
        known.pop("document_kind", None)
        known["citizen_id"] = value
    elif kind == "document":
        if "citizen_id" not in known or "document_kind" in known:
            known |= {"citizen_id": value, "document_kind": ANY_DOCUMENT}
    else:
        known["home" if kind == "address" else kind] = value


def guardians(students: set[UUID]) -> Iterator[tuple[UUID, str, str]]:
    """The guardian who stands on the roll: the one recorded first."""
    seen: set[UUID] = set()
    current = Guardianship.objects.filter(valid_to=None).order_by("pk")
    for student, name, relation in by_key(current, "student", students, "student_id", "name", "relation"):
        if student not in seen:
            seen.add(student)
            yield student, name, relation


def told(conflict: Conflict, school_year: int) -> str:
    known = conflict.known
    where = "本次已登记离开" if known.has_left else title_of(known.cohort, school_year)
    return f"新增的“{conflict.pupil.name}”已在本校名单上（{known.name}，{where}），请撤回这条新增。"

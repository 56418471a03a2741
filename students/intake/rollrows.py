"""A roll's rows become staged rows: school found, numbers sealed and indexed, keys of a possible new child fixed."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bureau import secrecy
from bureau.identity.citizen import birth_in, sex_in
from bureau.identity.names import name_key, pinyin_key
from bureau.keys import uuid7
from bureau.organisation.models import School, Stage
from bureau.organisation.places import Places, squeeze
from bureau.sheets import ACCEPTED, REJECTED, Problem, Reading, Row
from students.intake.aidlines import aid_line
from students.linkage.embedded import holder_in
from students.models import Roster, RosterRow
from students.models.schooling import FIRST_GRADE, GRADE_NAMES, STAGE_OF_LETTER
from students.models.turning import Lengths

COLUMNS = tuple(field.attname for field in RosterRow._meta.concrete_fields if field.name != "id")
EMPTY: dict[str, Any] = dict.fromkeys(COLUMNS) | {
    field.attname: "" for field in RosterRow._meta.concrete_fields if field.get_internal_type() == "CharField"
}
EMPTY |= {field.attname: False for field in RosterRow._meta.concrete_fields if field.get_default() is False}
EMPTY |= {"sheet": None, "changes": []}
NUMBERS = (
    ("citizen", "citizen_id", "citizen_id"),
    ("number", "student_number", "student_number"),
    ("holder", "holder", "citizen_id"),
    ("phone", "phone", "phone"),
    ("address", "home", "address"),
    ("guardian", "guardian_citizen_id", "citizen_id"),
    ("guardian_phone", "guardian_phone", "phone"),
)  # prefix of the columns, attribute of the sheet, field of secrecy
TEXTS = ("sex", "ethnicity", "class_name", "guardian_name", "guardian_relation", "major", "internship")
USUAL_AGES = {"K": (1, 8), "P": (5, 16), "J": (10, 20), "S": (13, 23), "V": (13, 40)}
LATER_STAGES = {Stage.JUNIOR: "J", Stage.SENIOR_GENERAL: "S", Stage.VOCATIONAL: "V"}
_COHORT_IN_CLASS = re.compile(r"(?:20)?(\d\d)级")


class RollStager:
    """Turns the rows of one roster into dictionaries with the columns of RosterRow."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.school_year = roster.term.school_year.starts_in
        self.places = Places(roster.county)
        self.seal = {
            field: secrecy.sealer(field)
            for field in ("citizen_id", "student_number", "phone", "address", "document", "account")
        }
        blinders = {
            field: secrecy.blinder(field) for field in ("citizen_id", "student_number", "phone", "document", "account")
        }
        digest = secrecy.blinder("payload")
        self.blind = blinders | {"address": lambda text: digest(f"address:{squeeze(text)}")}
        self.lengths = Lengths(roster.county)
        self.stages = dict(School.objects.filter(county=roster.county).values_list("pk", "stages"))

    def find_schools(self, reading: Reading) -> dict[int, UUID | None]:
        """The school of each row by its place in `reading.rows`; marks rows of other or unknown schools as rejected.

        When every data row belongs to another school the file itself is refused (`other_school`).
        """
        own = self.roster.school_id
        found: dict[int, UUID | None] = {}
        foreign, mine = [], 0
        for place, row in enumerate(reading.rows):
            if row.status not in (ACCEPTED, REJECTED):
                continue
            code, name = row.get("school_code"), row.get("school_name")
            template = self._school_of_template(row)
            school = self.places.school(code, name) if code or name else template or own
            if school is None and self.roster.bundle_id:
                school = own  # chosen by its officer or told by the file's name, whatever else the file calls it
            found[place] = school
            if own and school != own and (code or name or template):
                foreign.append((row, "other_school"))
            elif school is None:
                foreign.append((row, "unknown_value"))
            else:
                mine += 1
        if foreign and not mine and all(code == "other_school" for _, code in foreign):
            reading.file_error = Problem(
                None, None, None, "error", "other_school", "文件里全部是其他学校的学生，请核对学校后重新上传。"
            )
        for row, code in foreign:
            reject(reading, row, "school_code" if row.get("school_code") else "school_name", code, SCHOOL_MESSAGES[code])
        return found

    def _school_of_template(self, row: Row) -> UUID | None:
        """The school our own template was made for, as the line above its header says."""
        imprint = row.table.imprint
        return self.places.school(imprint.school, None) if imprint and imprint.school else None

    def staged(self, reading: Reading, schools: dict[int, UUID | None]) -> Iterator[tuple[Row, dict[str, Any]]]:
        """Each data row with its staged row; with several where family members stand side by side."""
        for place, school in schools.items():
            row = reading.rows[place]
            values = row.values
            members = values.get("members") if row.status == ACCEPTED else None
            for member in members or ({},):
                staged = self._staged(row, values | member, school)
                self._doubt_age(reading, row, staged)
                yield row, staged

    def _staged(self, row: Row, values: dict[str, Any], school: UUID | None) -> dict[str, Any]:
        staged = dict(EMPTY)
        staged["roster_id"], staged["sheet"], staged["row"] = self.roster.pk, row.sheet, row.number
        staged["status"], staged["school_id"] = row.status, school
        name = values.get("name") or ""
        staged["name"], staged["name_key"] = name, name_key(name) if name else ""
        staged["pinyin"] = pinyin_key(name)[:200] if name else ""
        for attr in TEXTS:
            staged[attr] = values.get(attr) or ""
        staged["birth_on"] = values.get("birth_on")
        staged["boarding"] = values.get("boarder")
        staged["agricultural"], staged["programme_years"] = values.get("agricultural"), values.get("programme_years")
        staged["state"] = (values.get("status") or "")[:20]
        self._cohort(staged, values.get("grade") or "", self.stages.get(school) or [])
        if hukou := values.get("hukou"):
            town, village, outside = self.places.hukou(hukou)
            staged |= {"hukou_text": hukou[:200], "hukou_township_id": town, "hukou_village_id": village}
            staged["hukou_outside"] = outside
        self._numbers(staged, values)
        if self.roster.kind == Roster.Kind.AID and row.status == ACCEPTED:
            staged["aid"] = aid_line(values, seal=self.seal, blind=self.blind)
        return staged

    def _cohort(self, staged: dict, grade: str, stages: list[str]) -> None:
        """Stage and entry year, from the grade as this school means it, else from a class named after its year."""
        if not grade and (match := _COHORT_IN_CLASS.match(staged["class_name"])):
            grade = f"20{match.group(1)}级"
        grade = grade_at(stages, grade, self.school_year) if stages else grade
        if grade[:1] not in STAGE_OF_LETTER:
            return
        staged["stage"], staged["entered_in"], years = self.lengths.cohort(staged["school_id"], grade, self.school_year)
        staged["programme_years"] = staged["programme_years"] or years
        if staged["class_name"] == GRADE_NAMES.get(grade):  # the one 大班 of a kindergarten
            staged["class_name"] = ""

    def _numbers(self, staged: dict, values: dict) -> None:
        if citizen := values.get("citizen_id"):
            staged["citizen_kind"] = "citizen_id"
            staged["birth_on"] = staged["birth_on"] or birth_in(citizen)
            staged["sex"] = staged["sex"] or sex_in(citizen)
        elif document := values.get("document"):
            staged["citizen_kind"], values["citizen_id"] = "document", document
        number = values.get("student_number")
        if number and (citizen or "?") not in number:
            values["holder"] = holder_in(values)
        if self.roster.kind != Roster.Kind.GUARDIANS:
            values["phone"] = values.get("phone") or values.get("guardian_phone")
            values.setdefault("guardian_legal", True)  # whom a roll names is the guardian
        named = bool(staged["guardian_name"])
        staged["guardian_legal"] = values.get("guardian_legal") if named else None
        for prefix, attr, field in NUMBERS:
            if (text := values.get(attr)) and (named or not prefix.startswith("guardian")):
                if prefix == "citizen":
                    field = staged["citizen_kind"]
                staged[f"{prefix}_uuid"] = value_id = uuid7()
                staged[f"{prefix}_sealed"] = self.seal[field](text, value_id)
                staged[f"{prefix}_index"] = self.blind[field](text)

    def _doubt_age(self, reading: Reading, row: Row, staged: dict) -> None:
        """An age that no child of that grade has is asked about, once the school has said what its grades mean."""
        ages = USUAL_AGES.get(LETTER_OF_STAGE.get(staged["stage"], ""))
        if ages is None or staged["birth_on"] is None or self.roster.kind != Roster.Kind.ROLL:
            return
        age = self.school_year - staged["birth_on"].year
        if not ages[0] <= age <= ages[1]:
            grade = row.raw.get("grade") or row.raw.get("class_name", "")
            warn(reading, row, "grade", "age_out_of_range", f"约 {age} 岁在{grade}，年龄与学段不符，请确认。")


LETTER_OF_STAGE = {stage.value: letter for letter, stage in STAGE_OF_LETTER.items()}


def grade_at(stages: list[str], grade: str, school_year: int) -> str:
    """The grade as a school of these stages means it.

    一年级 at a vocational school is its first year, so is 高一; a cohort (2024级) is of the one stage in which it can be
    now. What stays open is returned as it is. Source: docs/rules/rosters.md, “grades”.
    """
    if grade.endswith("级"):
        return _cohort_at(stages, int(grade[:4]), school_year) or grade
    if not grade[1:] or grade[0] not in "PS" or STAGE_OF_LETTER[grade[0]] in stages or Stage.SPECIAL in stages:
        return grade
    later = [letter for stage, letter in LATER_STAGES.items() if stage in stages and (grade[0] == "P" or letter == "V")]
    first = int(FIRST_GRADE[STAGE_OF_LETTER[later[0]]][1:]) if len(later) == 1 else 0
    found = f"{later[0]}{first + int(grade[1:]) - 1}" if first else ""
    return found if found in GRADE_NAMES else grade


def _cohort_at(stages: list[str], entered_in: int, school_year: int) -> str:
    """The grade of who entered in that year, where only one of the stages has children of it now."""
    found = []
    for stage, letter in (*LATER_STAGES.items(), (Stage.PRIMARY, "P"), (Stage.PRESCHOOL, "K")):
        code = f"{letter}{int(FIRST_GRADE[stage][1:]) + school_year - entered_in}"
        if stage in stages and entered_in <= school_year and code in GRADE_NAMES:
            found.append(code)
    return found[0] if len(found) == 1 else ""


SCHOOL_MESSAGES = {
    "other_school": "这一行是其他学校的学生，不能在本校花名册中导入，请删除或交由该校上报。",
    "unknown_value": "没有找到这所学校，请核对学校标识码或学校名称。",
}


def reject(reading: Reading, row: Row, attr: str, code: str, message: str) -> None:
    """Add an error to a row after reading; its column is the file's own header for `attr`, when it has one."""
    row.status = REJECTED
    reading.problems.append(Problem(row.sheet, row.number, row.table.headers.get(attr), "error", code, message))


def warn(reading: Reading, row: Row, attr: str, code: str, message: str) -> None:
    """Add a warning to a row after reading."""
    row.warned = True
    reading.problems.append(Problem(row.sheet, row.number, row.table.headers.get(attr), "warning", code, message))

"""What a roster would change: each accepted row against the registry as it is now, each open enrolment not on it.

Computed from staged rows by blind index, so nothing is opened; it runs after reading and once more when the roster is
applied. Harmless differences (spaces, full width, aliases) are gone before, because both sides are normalised.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from bureau.bulk import by_key
from bureau.identity.names import names_agree
from bureau.keys import uuid7
from bureau.organisation.models import Stage
from bureau.organisation.places import squeeze
from students.intake import families
from students.models import Enrolment, Identifier, Person, Roster, RosterRow
from students.models.schooling import FIRST_GRADE, grade_in

COMPARED = (
    "entered_in", "class_name", "boarding", "state", "major", "agricultural", "programme_years", "internship"
)  # fmt: skip
KNOWN = ("name", "name_key", "former_names", "ethnicity", "student__hukou_text")
LAST_YEAR = {Stage.PRESCHOOL: 3, Stage.PRIMARY: 6, Stage.JUNIOR: 3, Stage.SENIOR_GENERAL: 3, Stage.VOCATIONAL: 3}


@dataclass
class Preview:
    """Counts, the enrolments the roster leaves out, and rows that cannot be matched for a reason the clerk must see."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    absent: list[UUID] = field(default_factory=list)
    leavers: list[UUID] = field(default_factory=list)
    conflicts: list[tuple[dict, str]] = field(default_factory=list)
    elsewhere: list[dict] = field(default_factory=list)


def preview(roster: Roster, rows: list[dict[str, Any]]) -> Preview:
    """Fill `person_id`, `enrolment_id`, `verdict` and `changes` of the accepted rows, and say what is left out."""
    result = Preview()
    accepted = [row for row in rows if row["status"] == RosterRow.Status.ACCEPTED and not row["settled"]]
    numbers = _persons_by_number(roster, rows)
    if roster.kind == Roster.Kind.GUARDIANS:
        return _preview_families(accepted, numbers)
    for row in accepted:
        row["person_id"] = numbers.get(("citizen", row["citizen_index"])) or numbers.get(("number", row["number_index"]))
    _match_without_number(roster, accepted)
    registry = _Registry({row["person_id"] for row in accepted if row["person_id"]}, numbers, accepted)
    again = {id(row): row for row in _same_child_again(accepted)}
    result.conflicts += [(row, "duplicate_conflict") for row in again.values()]
    for row in accepted:
        if id(row) not in again:
            _judge(row, registry, result)
    _left_out(roster, rows, numbers, result)
    return result


def _same_child_again(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a child who stands at this school already, under a second number that was found to be his.

    Under the same number he may stand again: an aid roster has a row for each programme.
    """
    seen: dict[tuple[UUID, UUID], bytes | None] = {}
    again = []
    for row in rows:
        number = seen.setdefault((row["person_id"], row["school_id"]), row["citizen_index"])
        if row["person_id"] and number != row["citizen_index"]:
            again.append(row)
    return again


def _preview_families(rows: list[dict[str, Any]], numbers: dict[tuple[str, bytes], UUID]) -> Preview:
    """Family members are counted, not children; nobody is absent from such a list."""
    strangers = families.judge(rows, numbers)
    counts = Counter(row["verdict"] for row in rows if row["person_id"])
    result = Preview(*(counts[verdict] for verdict in RosterRow.Verdict))
    result.conflicts = [(row, "unknown_student") for row in strangers]
    return result


class _Registry:
    """What is recorded now about the persons of one roster."""

    def __init__(self, persons: set[UUID], numbers: dict[tuple[str, bytes], UUID], rows: list[dict[str, Any]]) -> None:
        self.people = {
            row[0]: row[1:]
            for row in by_key(Person.objects, "pk", persons, "pk", *KNOWN)
        }
        self.here: dict[tuple[UUID, UUID], tuple] = {}
        self.elsewhere: dict[UUID, set[UUID]] = {}
        self.newcomers: dict[tuple[str, bytes], dict] = {}  # the first row of each number nobody had
        columns = ("student_id", "school_id", "pk", *COMPARED, "stage", "repeat_offset", "is_present")
        for student, school, *facts in by_key(Enrolment.objects.filter(ended_on=None), "student", persons, *columns):
            self.here[student, school] = facts
            if facts[-1]:
                self.elsewhere.setdefault(student, set()).add(school)
        # Whose each number is. An index tells its kind of number: every field has a key of its own.
        self.numbers = {(person, index) for (_, index), person in numbers.items()}
        others = Identifier.objects.filter(valid_to=None, derived=False, kind__in=["phone", "address"])
        for person, index in by_key(others, "person", persons, "person_id", "index"):
            self.numbers.add((person, bytes(index)))
        self.families = families.Families(persons, rows)


def _judge(row: dict, registry: _Registry, result: Preview) -> None:
    person = row["person_id"]
    if person is None or person not in registry.people:
        _welcome(row, registry, result)
        return
    known = registry.here.get((person, row["school_id"]))
    if _somebody_else(row, registry, enrolled_here=known is not None):
        result.conflicts.append((row, "name_conflict"))
        return
    others = registry.elsewhere.get(person, set()) - {row["school_id"]}
    if others:
        result.elsewhere.append(row)
    if known is None:
        row |= {"enrolment_id": uuid7(), "enrolment_is_new": True, "verdict": RosterRow.Verdict.NEW}
        result.new += 1
        return
    row["enrolment_id"] = known[0]
    row["changes"] = list(_changes(row, registry, known))
    row["verdict"] = RosterRow.Verdict.CHANGED if row["changes"] else RosterRow.Verdict.UNCHANGED
    result.changed += bool(row["changes"])
    result.unchanged += not row["changes"]


def _welcome(row: dict, registry: _Registry, result: Preview) -> None:
    """A child nobody knew; in a file of many schools the second row of his number is the same child at another one."""
    number = next(((p, row[f"{p}_index"]) for p in ("citizen", "number") if row[f"{p}_index"]), None)
    first = registry.newcomers.setdefault(number, row) if number else row
    again = first is not row and first["school_id"] != row["school_id"]
    if again and names_agree(row["name"], first["name"]) == "different":
        result.conflicts.append((row, "name_conflict"))
        return
    if again:
        result.elsewhere.append(row)
    row["person_id"] = first["person_id"] if again else row["person_id"] or uuid7()
    row |= {"person_is_new": not again, "enrolment_id": uuid7(), "enrolment_is_new": True}
    row["verdict"] = RosterRow.Verdict.NEW
    result.new += 1


def _somebody_else(row: dict, registry: _Registry, *, enrolled_here: bool) -> bool:
    """The number belongs to a child of another name who is at another school: never one child silently for two."""
    name, _, former, *_ = registry.people[row["person_id"]]
    if enrolled_here or not registry.elsewhere.get(row["person_id"]):
        return False
    return all(names_agree(row["name"], other) == "different" for other in (name, *former))


def _changes(row: dict, registry: _Registry, known: tuple) -> Iterable[list]:
    """[what, old, new] for each field the row states and the registry has otherwise; numbers without their values."""
    facts = dict(zip(("pk", *COMPARED, "stage", "repeat_offset", "is_present"), known, strict=True))
    if facts["entered_in"]:  # a roll tells the cohort he is with now
        facts["entered_in"] += facts["repeat_offset"]
    for name in COMPARED:
        new = row[name]
        if new not in (None, "") and new != facts[name]:
            yield [name, facts[name], new]
    if row["stage"] and row["stage"] != facts["stage"]:
        yield ["stage", facts["stage"], row["stage"]]
    if not facts["is_present"] and is_present(row["state"]):
        yield ["is_present", False, True]
    name, key, _, ethnicity, hukou = registry.people[row["person_id"]]
    if row["name_key"] != key:
        yield ["name", name, row["name"]]
    if row["ethnicity"] and row["ethnicity"] != ethnicity:
        yield ["ethnicity", ethnicity, row["ethnicity"]]
    if row["hukou_text"] and squeeze(row["hukou_text"]) != squeeze(hukou or ""):
        yield ["hukou_text", hukou or "", row["hukou_text"]]
    for prefix, kind in (("citizen", row["citizen_kind"]), ("number", "student_number"), ("phone", "phone"), ("address", "address")):
        index = row[f"{prefix}_index"]
        if index and (row["person_id"], index) not in registry.numbers:
            yield [kind, None, None]
    yield from registry.families.changes(row)


def is_present(state: str) -> bool:
    """Whether a roll that shows the child with this 学籍状态 shows him at school."""
    return not any(word in state for word in ("转出", "休学", "毕业", "结业", "退学", "死亡", "辍学", "离校"))


def _persons_by_number(roster: Roster, rows: list[dict]) -> dict[tuple[str, bytes], UUID]:
    found: dict[tuple[str, bytes], UUID] = {}
    current = Identifier.objects.leading().filter(county=roster.county).order_by("still_used")
    for prefix, kinds in (("citizen", ["citizen_id", "document"]), ("number", ["student_number"])):
        indexes = {row[f"{prefix}_index"] for row in rows if row[f"{prefix}_index"]}
        for index, person in by_key(current.filter(kind__in=kinds), "index", indexes, "index", "person_id"):
            found.setdefault((prefix, bytes(index)), person)
    return found


def _match_without_number(roster: Roster, accepted: list[dict]) -> None:
    """A child admitted without a number is the one of that name and birth date already at this school; and one whose
    number was missing so far is the one who brings it. Of several it is the one in that class, or nobody.

    Source: docs/rules/rosters.md, “先入册、证件待补”.
    """
    here = Enrolment.objects.filter(county=roster.county, ended_on=None)
    unknown = [row for row in accepted if not row["person_id"]]
    bare = [row for row in unknown if row["admitted"] or not (row["citizen_index"] or row["number_index"])]
    numbered = [row for row in unknown if row["citizen_index"]]
    _match_by_birth(bare, by_key(here, "student__person__name_key", {row["name_key"] for row in bare}, *BY_BIRTH))
    if numbered:
        _match_by_birth(numbered, here.filter(student__number_due_on__isnull=False).values_list(*BY_BIRTH))


BY_BIRTH = ("school_id", "student__person__name_key", "student__person__birth_on", "class_name", "student_id")


def _match_by_birth(rows: list[dict], enrolled: Iterable[tuple]) -> None:
    found: dict[tuple[UUID, str, date | None], dict[UUID, str]] = {}
    for school, key, birth, class_name, student in enrolled:
        found.setdefault((school, key, birth), {})[student] = class_name
    for row in rows:
        candidates = found.get((row["school_id"], row["name_key"], row["birth_on"]), {})
        if len(candidates) > 1:
            candidates = {pk: name for pk, name in candidates.items() if name == row["class_name"]}
        if len(candidates) == 1:
            row["person_id"] = next(iter(candidates))


def _left_out(roster: Roster, rows: list[dict], numbers: dict, result: Preview) -> None:
    """Children the last roster of this kind had and this one has not; a child whose row has an error is not absent.

    A school that checked its roll class by class has looked at every child now there, whichever roll he came by, and
    at those whose cohort has finished: all of them are left out where its roster does not have them.
    """
    refused = {id(row) for row, _ in result.conflicts}
    listed, faulty_people, faulty_names = set(), set(), set()
    for row in rows:
        if row["status"] == RosterRow.Status.ACCEPTED:
            listed.add((row["school_id"], row["person_id"]))
        if row["status"] == RosterRow.Status.REJECTED or id(row) in refused:
            faulty_names.add((row["school_id"], row["name_key"]))
            for prefix in ("citizen", "number"):
                faulty_people.add(numbers.get((prefix, row[f"{prefix}_index"])))
    schools = {school for school, _ in listed} | {school for school, _ in faulty_names}
    checked = roster.source == Roster.Source.CHECK
    before = Enrolment.objects.present().filter(school__in=schools - {None}).exclude(roll__roster=roster)
    if not checked:
        before = before.filter(roll__latest=True, roll__kind=roster.kind)
    cohort = ("stage", "entered_in", "repeat_offset", "programme_years")
    columns = ("pk", "student_id", "school_id", "student__person__name_key", *cohort)
    for pk, student, school, key, stage, entered_in, repeat, years in before.values_list(*columns):
        if (school, student) in listed or student in faulty_people or (school, key) in faulty_names:
            continue
        finished = has_finished(stage, entered_in, repeat, roster.term.school_year.starts_in, years)
        if finished and (checked or roster.term.opens_school_year):
            result.leavers.append(pk)
        else:
            result.absent.append(pk)


def has_finished(
    stage: str, entered_in: int | None, repeat: int, school_year: int, programme_years: int | None = None
) -> bool:
    """Whether the cohort left its stage before this school year: year 7 of primary is nobody's grade.

    A programme of five years at a technical school is longer than its stage.
    """
    if not stage or not entered_in or stage == Stage.SPECIAL:
        return False
    grade = grade_in(school_year, stage=stage, entered_in=entered_in, repeat_offset=repeat)
    return int(grade[1:]) - int(FIRST_GRADE[Stage(stage)][1:]) >= (programme_years or LAST_YEAR[Stage(stage)])

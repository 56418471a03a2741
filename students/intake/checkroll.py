"""The pre-filled roll of a check: the classes of a school as they stand now, with what the school has entered.

Everything is computed from the enrolments and the changes of this moment; a check stores only what was typed and which
list of a class was confirmed. Source: docs/rules/rosters.md, “checking instead of uploading”.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from bureau import secrecy
from bureau.identity.names import name_key
from bureau.organisation.models import Stage
from students.intake.preview import has_finished
from students.models import ClassCheck, Enrolment, Person, RollChange, RollCheck
from students.models.schooling import GRADE_NAMES, grade_in

STAGES = list(Stage)
BOARDING = {True: "住校", False: "走读", None: ""}
FACTS = ("stage", "entered_in", "class_name", "boarding", "state")
Cohort = tuple[str, int, str]  # stage, entry year (0: not known), class


@dataclass
class Pupil:
    """One child of the roll. `change` is what the school entered about him; `typed` its facts, opened."""

    enrolment: UUID | None
    student: UUID | None
    name: str
    sex: str
    birth_on: date | None
    stage: str
    entered_in: int
    class_name: str
    boarding: bool | None
    state: str
    repeat_offset: int = 0
    programme_years: int | None = None
    change: RollChange | None = None
    typed: dict[str, Any] = field(default_factory=dict)
    was: Cohort | None = None  # the class he comes from
    goes: Cohort | None = None  # the class he went to: he is shown in this one, and counted there
    guardian: tuple[str, str] = ("", "")  # name and relation, for those pages that show them
    title: str = ""  # of his class, in words
    differences: list[tuple[str, str, str]] = field(default_factory=list)  # what an entry says otherwise: label, old, new

    @property
    def cohort(self) -> Cohort:
        return self.stage, self.entered_in, self.class_name

    @property
    def facts(self) -> list[str]:
        """What tells him apart and what a school looks at, in words; no number."""
        guardian = f"{self.guardian[1] or '监护人'} {self.guardian[0]}" if self.guardian[0] else ""
        born = f"{self.birth_on.year}年{self.birth_on.month}月" if self.birth_on else ""
        state = self.state if self.state != "在籍" else ""
        sex = Person.Sex(self.sex).label if self.sex in ("1", "2") else ""
        return [fact for fact in (sex, born, BOARDING[self.boarding], state, guardian) if fact]

    @property
    def has_left(self) -> bool:
        return self.change is not None and self.change.kind == RollChange.Kind.LEAVE

    @property
    def is_added(self) -> bool:
        return self.change is not None and self.change.kind == RollChange.Kind.ADD

    @property
    def is_edited(self) -> bool:
        return self.change is not None and self.change.kind == RollChange.Kind.EDIT

    @property
    def is_here(self) -> bool:
        return not self.has_left and self.goes is None

    def is_like(self, name: str, birth_on: date | None) -> bool:
        """Whether this is the same child, as far as name and birth date tell."""
        return birth_on is not None and self.birth_on == birth_on and name_key(self.name) == name_key(name)

    @property
    def mark(self) -> str:
        """What must not have changed since the class was confirmed."""
        entered = self.change.sealed_uuid.hex + self.change.kind if self.change else ""
        child = self.enrolment.hex if self.enrolment else "new"
        return f"{child}|{self.name}|{self.boarding}|{self.state}|{entered}|{self.goes or ''}"


@dataclass
class RollClass:
    """One class: the children it has, and those who left it in this check, who stay in sight."""

    stage: str
    entered_in: int
    class_name: str
    school_year: int
    pupils: list[Pupil] = field(default_factory=list)
    confirmed: ClassCheck | None = None  # the last confirmation, of this list or an older one

    @property
    def cohort(self) -> Cohort:
        return self.stage, self.entered_in, self.class_name

    @property
    def key(self) -> str:
        """The class in an address."""
        return key_of(self.cohort)

    @property
    def title(self) -> str:
        return title_of(self.cohort, self.school_year, next((p.programme_years for p in self.pupils), None))

    @property
    def here(self) -> list[Pupil]:
        return [pupil for pupil in self.pupils if pupil.is_here]

    @property
    def changes(self) -> int:
        return sum(pupil.change is not None for pupil in self.pupils)

    @cached_property
    def digest(self) -> str:
        marks = "\n".join(sorted(pupil.mark for pupil in self.pupils))
        return hashlib.sha256(marks.encode()).hexdigest()

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed is not None and self.confirmed.digest == self.digest

    @property
    def is_stale(self) -> bool:
        """Confirmed once, but changed since."""
        return self.confirmed is not None and not self.is_confirmed


@dataclass
class Roll:
    """A school's classes in their order, and the children whose cohort has finished, who are in none."""

    classes: list[RollClass] = field(default_factory=list)
    leavers: list[Pupil] = field(default_factory=list)
    left: list[Pupil] = field(default_factory=list)

    @property
    def confirmed(self) -> int:
        return sum(one.is_confirmed for one in self.classes)

    @property
    def unconfirmed(self) -> int:
        return len(self.classes) - self.confirmed

    @property
    def is_complete(self) -> bool:
        return bool(self.classes) and all(one.is_confirmed for one in self.classes)

    @property
    def pupils(self) -> list[Pupil]:
        return [pupil for one in self.classes for pupil in one.here]

    def find(self, key: str) -> RollClass | None:
        return next((one for one in self.classes if one.key == key), None)

    def next_after(self, key: str) -> RollClass | None:
        """The next class to confirm, from this one on and round again; None when all are."""
        keys = [one.key for one in self.classes]
        start = keys.index(key) + 1 if key in keys else 0
        order = self.classes[start:] + self.classes[:start]
        return next((one for one in order if not one.is_confirmed), None)

    @property
    def summary(self) -> dict[str, int]:
        """What sending will say, in numbers."""
        kinds = RollChange.Kind
        counts = dict.fromkeys(kinds.values, 0)
        for pupil in (*self.pupils, *self.left):
            if pupil.change:
                counts[pupil.change.kind] += 1
        return counts | {"pupils": len(self.pupils), "leavers": len(self.leavers), "classes": len(self.classes)}


def key_of(cohort: Cohort) -> str:
    return hashlib.sha256("|".join(map(str, cohort)).encode()).hexdigest()[:16]


def title_of(cohort: Cohort, school_year: int, years: int | None = None) -> str:
    stage, entered_in, class_name = cohort
    grade = "混龄班" if stage == Stage.PRESCHOOL and not entered_in else ""
    if stage and entered_in:
        code = grade_in(school_year, stage=stage, entered_in=entered_in, years=years)
        grade = GRADE_NAMES.get(code, f"{entered_in}级")
    return f"{grade or '年级不明'}{class_name or '未分班'}"


def roll_of(check: RollCheck) -> Roll:
    return rolls_of([check])[check.pk]


def rolls_of(checks: Iterable[RollCheck]) -> dict[UUID, Roll]:
    """The rolls of several checks in three queries; a check needs its `term__school_year`."""
    checks = list(checks)
    present: dict[UUID, list[Pupil]] = defaultdict(list)
    columns = ("school_id", "pk", "student_id", "student__person__name", "student__person__sex",
               "student__person__birth_on", *FACTS, "repeat_offset", "programme_years")  # fmt: skip
    enrolments = Enrolment.objects.present().filter(school__in={check.school_id for check in checks})
    for school, *facts in enrolments.order_by("student__person__pinyin", "pk").values_list(*columns):
        present[school].append(_pupil(facts))
    changes: dict[UUID, list[RollChange]] = defaultdict(list)
    for change in RollChange.objects.filter(check_of__in=checks).order_by("pk"):
        changes[change.check_of_id].append(change)
    confirmed: dict[UUID, dict[Cohort, ClassCheck]] = defaultdict(dict)
    for one in ClassCheck.objects.filter(check_of__in=checks).select_related("confirmed_by"):
        confirmed[one.check_of_id][one.stage, one.entered_in, one.class_name] = one
    return {
        check.pk: _roll(check, present[check.school_id], changes[check.pk], confirmed[check.pk])
        for check in checks
    }


def opened(change: RollChange) -> dict[str, Any]:
    """What was typed."""
    if change.sealed is None:
        return {}
    return json.loads(secrecy.open_sealed(change.sealed, field="payload", value_id=change.sealed_uuid))


def _pupil(facts: list) -> Pupil:
    pupil = Pupil(*facts)
    pupil.entered_in = pupil.entered_in + pupil.repeat_offset if pupil.entered_in else 0
    return pupil


def _roll(
    check: RollCheck, present: list[Pupil], changes: list[RollChange], confirmed: dict[Cohort, ClassCheck]
) -> Roll:
    year = check.term.school_year.starts_in
    by_child = {change.enrolment_id: change for change in changes if change.enrolment_id}
    roll, classes = Roll(), {}

    def place(pupil: Pupil, cohort: Cohort) -> None:
        pupil.title = title_of(pupil.cohort, year, pupil.programme_years)
        if cohort not in classes:
            classes[cohort] = RollClass(*cohort, year, confirmed=confirmed.get(cohort))
        classes[cohort].pupils.append(pupil)

    for known in present:
        pupil = _as_entered(known, by_child.get(known.enrolment), year)
        if not pupil.is_edited and _has_finished(pupil.stage, pupil.entered_in, pupil, year):
            roll.leavers.append(pupil)
            continue
        place(pupil, pupil.cohort)
        if pupil.has_left:
            roll.left.append(pupil)
        if pupil.was and not _has_finished(*pupil.was[:2], pupil, year):
            place(_gone(known, pupil), pupil.was)
    for change in changes:
        if change.kind == RollChange.Kind.ADD:
            pupil = _added(change)
            place(pupil, pupil.cohort)
    roll.classes = sorted(classes.values(), key=_order)
    return roll


def _has_finished(stage: str, entered_in: int, pupil: Pupil, year: int) -> bool:
    return has_finished(stage, entered_in, 0, year, pupil.programme_years)


def _as_entered(known: Pupil, change: RollChange | None, year: int) -> Pupil:
    if change is None:
        return known
    typed = opened(change)
    pupil = Pupil(**(vars(known) | {"change": change, "typed": typed} | {k: typed[k] for k in FACTS if k in typed}))
    if pupil.cohort != known.cohort:
        pupil.was = known.cohort
    years = known.programme_years
    told = [("班级", title_of(known.cohort, year, years), title_of(pupil.cohort, year, years))]
    told += [("住校", BOARDING[known.boarding], BOARDING[pupil.boarding]), ("学籍状态", known.state, pupil.state)]
    pupil.differences = [(label, old, new) for label, old, new in told if old != new]
    return pupil


def _gone(known: Pupil, moved: Pupil) -> Pupil:
    """The same child as his former class shows him."""
    return Pupil(**(vars(known) | {"change": moved.change, "goes": moved.cohort}))


def _added(change: RollChange) -> Pupil:
    typed = opened(change)
    born = typed.get("birth_on")
    return Pupil(
        enrolment=None, student=None, name=typed["name"], sex=typed.get("sex", ""),
        birth_on=date.fromisoformat(born) if born else None, **{k: typed[k] for k in FACTS}, change=change, typed=typed,
    )  # fmt: skip


def _order(one: RollClass) -> tuple:
    """By stage, from the first grade up; 10班 after 2班."""
    stage = STAGES.index(Stage(one.stage)) if one.stage in Stage.values else len(STAGES)
    digits = re.match(r"\d+", one.class_name)
    return stage, -one.entered_in, int(digits.group()) if digits else 1000, one.class_name

"""Signals become cases: one case per child, set-based, and the same signal twice changes nothing."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from bureau import audit, states
from bureau.access.models import Account
from bureau.bulk import by_key
from bureau.organisation.models import County, Stage, Term
from bureau.organisation.terms import term_on
from dropout.actions.steps import NotDone, State
from dropout.models import Case, Episode, NumberSeries, Reason, Signal
from dropout.models.cases import ENDED
from dropout.models.deadlines import Stage as Step
from dropout.models.deadlines import counted
from students.models import Absence, Discrepancy, Enrolment, Student
from students.rules import school_age_births

ASKED_BY = ("R01", "R05", "R08", "R27", "R28")  # questions that lead to a case when nobody answers them
COMPULSORY = (Stage.PRIMARY, Stage.JUNIOR, Stage.SPECIAL, "")


@dataclass(frozen=True)
class Found:
    """One signal about one child; `key` tells it from every other of its kind."""

    student: UUID
    kind: str
    key: str
    detail: str = ""


@dataclass(frozen=True)
class Opened:
    """What signals did: cases new, cases opened again, signals added."""

    new: int = 0
    reopened: int = 0
    signals: int = 0


@transaction.atomic
def open_cases(*, county: County, found: Iterable[Found], by: Account | None, today: date, on: date | None = None) -> Opened:
    """Each signal not known yet hangs on its child's one case, which is made or opened again where it has to be.

    Source: docs/rules/dropout.md, “立案”.
    """
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    told = {(one.kind, one.key): one for one in found}
    known = {
        (kind, key)
        for kind in {kind for kind, _ in told}
        for _, key in by_key(Signal.objects.filter(kind=kind), "key", [k for t, k in told if t == kind], "kind", "key")
    }
    new = [one for key, one in told.items() if key not in known]
    if not new:
        return Opened()
    day = on or today
    children = list(dict.fromkeys(one.student for one in new))
    held = {student: (case, state) for case, student, state in by_key(Case.objects, "student", children, "pk", "student_id", "state")}
    made = _make(county, [child for child in children if child not in held], day=day, today=today)
    reopened = _open_again([case for case, state in held.values() if state in ENDED], by=by, day=day, today=today, county=county)
    case_of = {student: case for student, (case, _) in held.items()} | made
    Signal.objects.bulk_create(
        [
            Signal(case_id=case_of[one.student], kind=one.kind, key=one.key, detail=one.detail[:400], found_on=day, reported_by=by)
            for one in new
        ],
        batch_size=1_000,
    )
    outcome = Opened(len(made), reopened, len(new))
    detail = {"new": outcome.new, "changed": outcome.reopened, "count": outcome.signals}
    audit.record(by=by, verb="dropout.cases_opened", subject=county, county=county, detail=detail)
    return outcome


def _make(county: County, children: list[UUID], *, day: date, today: date) -> dict[UUID, UUID]:
    numbers = NumberSeries.take(county, "case", len(children)) if children else range(0)
    places = _places(children)
    due_on = counted(county, Step.SUSPECTED, today)
    cases = [
        Case(county=county, student_id=child, number=number, opened_on=day, due_on=due_on, **places[child])
        for child, number in zip(children, numbers, strict=True)
    ]
    Case.objects.bulk_create(cases, batch_size=1_000)
    Episode.objects.bulk_create([Episode(case=case, opened_on=day, school_id=case.school_id) for case in cases], batch_size=1_000)
    return {case.student_id: case.pk for case in cases}


def _places(children: list[UUID]) -> dict[UUID, dict[str, UUID | None]]:
    """Whose the child is: the school that has him or had him last, and the township of his 户口, else of that school."""
    homes = {
        pk: None if outside else township
        for pk, township, outside in by_key(Student.objects, "pk", children, "pk", "hukou_township_id", "hukou_outside")
    }
    columns = ("student_id", "school_id", "school__township_id", "ended_on", "is_present", "started_on")
    stays: dict[UUID, list] = {}
    for student, *stay in by_key(Enrolment.objects.filter(school__isnull=False), "student", children, *columns):
        stays.setdefault(student, []).append(stay)
    places = {}
    for child in children:
        stay = max(stays.get(child, []), key=lambda s: (s[2] is None, s[3], s[2] or date.max, s[4] or date.min), default=None)
        school, at = (stay[0], stay[1]) if stay else (None, None)
        places[child] = {"school_id": school, "township_id": homes.get(child) or at}
    return places


def _open_again(keys: list[UUID], *, by: Account | None, day: date, today: date, county: County) -> int:
    if not keys:
        return 0
    due_on = counted(county, Step.SUSPECTED, today)
    ended = Case.objects.filter(pk__in=keys)
    count = states.move(ended, to=State.SUSPECTED, by=None, reason="又有新的线索", effective_on=day, also={"due_on": due_on})
    Episode.objects.bulk_create(
        [Episode(case_id=case, opened_on=day, school_id=school) for case, school in ended.values_list("pk", "school_id")]
    )
    return count


@transaction.atomic
def report(*, student: Student, detail: str, reason: str, on: date, today: date, late_because: str = "", by: Account) -> Case:
    """A clue somebody reports by hand. A second report of the child hangs on the same case. Raises NotDone."""
    if not detail.strip():
        raise NotDone("detail_required", "请写明发现的情况。")
    if on > today:
        raise NotDone("in_the_future", "日期不能晚于今天。")
    if on < today and not late_because.strip():
        raise NotDone("reason_required", "日期早于今天的，请写明补录的原因。")
    told = detail.strip() + (f"（补录：{late_because.strip()}）" if on < today else "")
    before = Case.objects.filter(student=student).first()
    ended = before.episodes.exclude(ended_on=None).order_by("-ended_on").first() if before and not before.is_open else None
    if ended and on < ended.ended_on:
        raise NotDone("before_last_step", f"日期不能早于上一次结案（{ended.ended_on}）。")
    key = f"{student.pk.hex}:{on.isoformat()}:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
    open_cases(county=student.county, found=[Found(student.pk, Signal.Kind.REPORT, key, told)], by=by, today=today, on=on)
    case = Case.objects.get(student=student)
    if reason in Reason.values and not case.reason:
        Case.objects.filter(pk=case.pk).update(reason=reason)
    return case


def of_questions(questions: QuerySet[Discrepancy]) -> list[Found]:
    """Questions about known children, as signals: one per question and occurrence."""
    rows = questions.filter(student__isnull=False).order_by("pk").values_list("pk", "occurrence", "student_id", "rule")
    return [Found(student, Signal.Kind.QUESTION, f"{pk}:{occurrence}", rule) for pk, occurrence, student, rule in rows]


@transaction.atomic
def gather(*, county: County, today: date) -> Opened:
    """The night's work: questions nobody answered in time, and children whose schools never said where they are.

    A question counts from the day after the last day the bureau gives; a suspicion of a roll at once.
    """
    found = of_questions(_unanswered(county, today)) + _missing_from_rolls(county)
    return open_cases(county=county, found=found, by=None, today=today)


def _unanswered(county: County, today: date) -> QuerySet[Discrepancy]:
    waiting = Discrepancy.objects.filter(county=county, rule__in=ASKED_BY, state__in=["new", "assigned"], student__isnull=False)
    term: Term | None = term_on(county, today)
    if term is None:
        return waiting.none()
    births = school_age_births(county, school_year=term.school_year.starts_in, as_of=today)
    days = waiting.order_by().values_list("opened_on", flat=True).distinct()
    late = [day for day in days if (last := counted(county, Step.SIGNAL, day)) and last < today]
    return waiting.filter(opened_on__in=late, student__person__birth_on__range=births)


def _missing_from_rolls(county: County) -> list[Found]:
    signalled = Absence.objects.filter(county=county, state=Absence.State.SIGNALLED, enrolment__stage__in=COMPULSORY)
    rows = signalled.order_by("pk").values_list("pk", "enrolment__student_id")
    return [Found(student, Signal.Kind.ABSENCE, str(pk), "名册未出现") for pk, student in rows]

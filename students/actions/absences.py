"""Children a new roll leaves out: noticed, explained by their school, found elsewhere, or a suspicion of dropping out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from bureau import audit, states
from bureau.bulk import by_key
from bureau.calendars import BeyondTerms, schooldays
from bureau.organisation.models import County, School, Stage
from bureau.sheets.grades import school_year_of
from students.actions import moving
from students.intake.preview import LAST_YEAR, has_finished
from students.intake.undoing import Book, replaced
from students.models import Absence, Enrolment, Movement, Roster, RosterEffect, RosterSchool, Whereabouts
from students.models.schooling import FIRST_GRADE, grade_in

State, Kind = Absence.State, Absence.Kind
VOCATIONAL_AGE = 16  # 义务教育法第十四条、未成年人保护法第六十一条: before it a child belongs in school
MOVES = (Kind.IN_COUNTY, Kind.OTHER_COUNTY, Kind.OUT_OF_PROVINCE, Kind.SUSPENDED, Kind.ABROAD, Kind.DECEASED)
NEEDS_EVIDENCE = (*MOVES[1:], Kind.VOCATIONAL)  # inside the county the other school is the proof
CHANGES_ENROLMENT = (Kind.GRADUATED, Kind.STILL_HERE)


class NotExplained(Exception):
    """The explanation cannot be taken; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Explanation:
    """What a school says became of some children. `since_on` is the day they left, `until_on` the last day of a 休学."""

    kind: str
    since_on: date
    evidence: str = ""
    place: str = ""
    to_school: School | None = None
    until_on: date | None = None


# When a roster is applied; within its transaction.


def follow_roster(*, roster: Roster, absent: Iterable[UUID], book: Book, on: date) -> None:
    """Ask what became of the children it leaves out, and answer what it tells of those others left out.

    A child another school of the county has present is found there at once.
    """
    if roster.kind != Roster.Kind.ROLL:
        return
    rows = by_key(Enrolment.objects, "pk", list(absent), "pk", "school_id")
    due_on = _due_on(roster.county, on)
    Absence.objects.bulk_create(
        (
            Absence(county=roster.county, roster=roster, school_id=school, enrolment_id=pk, due_on=due_on)
            for pk, school in rows
        ),
        batch_size=1_000,
    )
    elsewhere = Enrolment.objects.present().filter(student=OuterRef("enrolment__student"))
    own = Absence.objects.filter(roster=roster).filter(Exists(elsewhere.exclude(school=OuterRef("school"))))
    states.move(own, to=State.CLAIMED, by=None)
    here = Enrolment.objects.filter(roll__roster=roster, is_present=True, ended_on=None)
    told = Absence.objects.filter(county=roster.county, enrolment__student__in=here.values("student"))
    told = told.exclude(roster=roster).exclude(state__in=[State.RETURNED, State.CANCELLED])
    same = here.filter(student=OuterRef("enrolment__student"), school=OuterRef("school"))
    back, claimed = told.filter(Exists(same)), told.exclude(state=State.CLAIMED).filter(~Exists(same))
    for found, to in ((list(back), State.RETURNED), (list(claimed), State.CLAIMED)):
        if found:
            keys = [absence.pk for absence in found]
            book.keep_rows(Absence, keys)
            evidence = [absence.whereabouts_id for absence in found if absence.whereabouts_id]
            book.keep_rows(Whereabouts, evidence)
            Whereabouts.objects.filter(pk__in=evidence, withdrawn_at=None).update(withdrawn_at=timezone.now())
            states.move(Absence.objects.filter(pk__in=keys), to=to, by=None)
    moving.follow_roster(roster=roster, book=book)


def unfollow_roster(*, roster: Roster, by) -> None:
    """The roster is undone: its questions are off, with what schools answered; answers it gave itself are taken back."""
    own = Absence.objects.filter(roster=roster).exclude(state=State.CANCELLED)
    _take_back(own, by=by)
    states.move(own, to=State.CANCELLED, by=by)
    for state, keys in _states_before(roster, Absence).items():
        states.move(Absence.objects.filter(pk__in=keys), to=state, by=by)
    moving.unfollow_roster(before=_states_before(roster, Movement), by=by)


def _states_before(roster: Roster, model) -> dict[str, list[str]]:
    before: dict[str, list[str]] = {}
    for effect in replaced(roster, model):
        before.setdefault(effect.before["state"], []).append(effect.key)
    return before


def _due_on(county: County, on: date) -> date | None:
    """The last 教学日 for an explanation; None while the term it falls into is not entered."""
    try:
        return schooldays(county).add(on, county.absence_days)
    except BeyondTerms:
        return None


# What the school says.


@transaction.atomic
def explain(*, absences: QuerySet[Absence], explanation: Explanation, today: date, by) -> tuple[int, int]:
    """Take one explanation for every child of the queryset it is lawful for; (explained, left as they were).

    Said again, it replaces what was said before: older evidence is withdrawn. `去向不明` explains nothing, it is the
    suspicion itself. Source: docs/rules/rosters.md, “未出现的学生”. Raises NotExplained when something is missing.
    """
    check(explanation, today)
    locked = absences.standing().select_for_update(of=["self"]).select_related(
        "enrolment__student__person", "roster__term__school_year", "county"
    )
    found = list(locked.order_by("pk"))
    fitting = [absence for absence in found if explanation.kind in kinds_for(absence, explanation.since_on)]
    if explanation.to_school:
        fitting = [absence for absence in fitting if absence.school_id != explanation.to_school.pk]
    busy = _under_way_otherwise(fitting)
    fitting = [absence for absence in fitting if absence.enrolment_id not in busy]
    if not fitting:
        return 0, len(found)
    chosen = Absence.objects.filter(pk__in=[absence.pk for absence in fitting])
    _take_back(chosen, by=by)
    said = {
        "kind": explanation.kind, "to_school": explanation.to_school, "place": explanation.place[:200],
        "since_on": explanation.since_on, "evidence": explanation.evidence[:400], "whereabouts": None,
        "explained_by": by, "explained_at": timezone.now(),
    }  # fmt: skip
    states.move(chosen.filter(state=State.EXPLAINED), to=State.OPEN, by=by)
    if explanation.kind == Kind.UNKNOWN:
        chosen.update(**said)
        states.move(chosen.exclude(state=State.SIGNALLED), to=State.SIGNALLED, by=by)
    else:
        states.move(chosen, to=State.EXPLAINED, by=by, also=said)
        _act(fitting, explanation, today=today, by=by)
    detail = {"explained": str(explanation.kind), "count": len(fitting)}
    audit.record(by=by, verb="students.absences_explained", subject=fitting[0], county=fitting[0].county, detail=detail)
    return len(fitting), len(found) - len(fitting)


def _under_way_otherwise(absences: list[Absence]) -> set[UUID]:
    """Children of whom the school has announced something else beside their absence: that has to be withdrawn first."""
    under_way = Movement.objects.under_way().filter(enrolment__in=[absence.enrolment_id for absence in absences])
    own = {absence.pk for absence in absences}
    return {enrolment for enrolment, absence in under_way.values_list("enrolment", "absence") if absence not in own}


def kinds_for(absence: Absence, day: date) -> list[str]:
    """The explanations that can be true of this child: no vocational school before the age in law, no leaving
    certificate in the middle of a stage."""
    kinds = [str(kind) for kind in Kind]
    if not may_be_vocational(absence, day):
        kinds.remove(Kind.VOCATIONAL)
    if not _may_have_graduated(absence):
        kinds.remove(Kind.GRADUATED)
    return kinds


def may_be_vocational(absence: Absence, day: date) -> bool:
    """Sixteen on `day`, or through with the ninth grade by then; never where no birth date is known.

    Source: docs/rules/rosters.md, “职业学校”.
    """
    born = absence.enrolment.student.person.birth_on
    if born is None:
        return False
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if age >= VOCATIONAL_AGE:
        return True
    enrolment = absence.enrolment
    if enrolment.stage in (Stage.SENIOR_GENERAL, Stage.VOCATIONAL):
        return True
    cohort = (enrolment.stage, enrolment.entered_in, enrolment.repeat_offset)
    return enrolment.stage == Stage.JUNIOR and has_finished(*cohort, school_year_of(day))


def _may_have_graduated(absence: Absence) -> bool:
    """In the last year of the stage or beyond it; true as well where the cohort is not known."""
    enrolment = absence.enrolment
    if not enrolment.stage or not enrolment.entered_in or enrolment.stage == Stage.SPECIAL:
        return True
    stage = Stage(enrolment.stage)
    year = absence.roster.term.school_year.starts_in
    grade = grade_in(year, stage=stage, entered_in=enrolment.entered_in, repeat_offset=enrolment.repeat_offset)
    return int(grade[1:]) - int(FIRST_GRADE[stage][1:]) >= (enrolment.programme_years or LAST_YEAR[stage]) - 1


def check(explanation: Explanation, today: date) -> None:
    """Raises NotExplained when something is missing."""
    if explanation.since_on > today:
        raise NotExplained("in_the_future", "离校日期不能晚于今天。")
    if explanation.kind == Kind.IN_COUNTY and explanation.to_school is None:
        raise NotExplained("school_required", "请选择转到本县哪所学校。")
    if explanation.kind == Kind.SUSPENDED and not (explanation.until_on and explanation.until_on >= explanation.since_on):
        raise NotExplained("until_required", "请填写休学到哪一天，不能早于休学开始的日期。")
    if explanation.kind in NEEDS_EVIDENCE and not explanation.evidence.strip():
        raise NotExplained("evidence_required", "请写明佐证，例如转学手续、就读证明、与监护人的通话记录。")


def _act(absences: list[Absence], explanation: Explanation, *, today: date, by) -> None:
    """What an explanation changes beside itself: a 学籍异动, evidence of whereabouts, an end, or back on the roll."""
    if explanation.kind in MOVES:
        _move(absences, explanation, today=today, by=by)
    elif explanation.kind == Kind.VOCATIONAL:
        for absence in absences:
            absence.whereabouts = Whereabouts(
                county_id=absence.county_id, student_id=absence.enrolment.student_id,
                kind=Whereabouts.Kind.VOCATIONAL_EARLY, place=explanation.place[:200],
                evidence=explanation.evidence[:400], valid_from=explanation.since_on,
                valid_to=moving.asked_again_on(absence.county_id, today), recorded_by=by,
            )  # fmt: skip
        Whereabouts.objects.bulk_create([absence.whereabouts for absence in absences], batch_size=500)
        Absence.objects.bulk_update(absences, ["whereabouts"], batch_size=500)
    enrolments = Enrolment.objects.filter(absences__in=[absence.pk for absence in absences])
    if explanation.kind == Kind.GRADUATED:
        enrolments.update(ended_on=explanation.since_on, exit_kind="毕业")
    elif explanation.kind == Kind.STILL_HERE:
        _bring_back(absences)


def _move(absences: list[Absence], explanation: Explanation, *, today: date, by) -> None:
    """The same record a school makes that announces the change before a roll leaves the child out."""
    of_enrolment = {absence.enrolment_id: absence for absence in absences}
    enrolments = Enrolment.objects.select_for_update().filter(pk__in=of_enrolment).order_by("pk")
    movements = moving.begin(
        enrolments=enrolments, kind=explanation.kind, since_on=explanation.since_on, until_on=explanation.until_on,
        place=explanation.place, to_school=explanation.to_school, evidence=explanation.evidence, absences=of_enrolment,
        by=by, today=today,
    )  # fmt: skip
    for movement in movements:
        of_enrolment[movement.enrolment_id].whereabouts = movement.whereabouts
    Absence.objects.bulk_update(absences, ["whereabouts"], batch_size=500)


def _bring_back(absences: list[Absence]) -> None:
    """The roll forgot him: he is at school as before, and counts as listed, so that the next roll must have him."""
    before = _before(absences)
    parts = {
        (part.roster_id, part.school_id): part
        for part in RosterSchool.objects.filter(roster__in={absence.roster_id for absence in absences})
    }
    changed = []
    for absence in absences:
        enrolment = absence.enrolment
        enrolment.is_present = True
        enrolment.is_registered = bool(before[absence.pk].get("is_registered", enrolment.is_registered))
        enrolment.roll = parts.get((absence.roster_id, absence.school_id), enrolment.roll)
        changed.append(enrolment)
    Enrolment.objects.bulk_update(changed, ["is_present", "is_registered", "roll"], batch_size=500)


def _take_back(absences: QuerySet[Absence], *, by) -> None:
    """What was said of these is withdrawn with everything it had changed."""
    moving.withdraw(moving.of_absences(absences), by=by, reason="重新说明去向")
    said = list(absences.exclude(kind="").select_related("enrolment"))
    evidence = [absence.whereabouts_id for absence in said if absence.whereabouts_id]
    Whereabouts.objects.filter(pk__in=evidence, withdrawn_at=None).update(withdrawn_at=timezone.now())
    acted = [absence for absence in said if absence.state == State.EXPLAINED and absence.kind in CHANGES_ENROLMENT]
    before = _before(acted)
    for absence in acted:
        enrolment = absence.enrolment
        if absence.kind == Kind.GRADUATED:
            enrolment.ended_on, enrolment.exit_kind = None, ""
        else:
            kept = before[absence.pk]
            enrolment.is_present = False
            enrolment.is_registered = bool(kept["after"].get("is_registered", enrolment.is_registered))
            enrolment.roll_id = kept.get("roll_id", enrolment.roll_id)
    columns = ["ended_on", "exit_kind", "is_present", "is_registered", "roll"]
    Enrolment.objects.bulk_update([absence.enrolment for absence in acted], columns, batch_size=500)


def _before(absences: list[Absence]) -> dict[int, dict[str, Any]]:
    """The enrolment of each absence as it was before its roster left the child out; `after` is how it was then."""
    found: dict[tuple, dict[str, Any]] = {}
    for roster in {absence.roster_id for absence in absences}:
        keys = [absence.enrolment_id.hex for absence in absences if absence.roster_id == roster]
        effects = RosterEffect.objects.filter(roster=roster, table=Enrolment._meta.db_table, key__in=keys)
        for effect in effects:
            found[roster, effect.key] = (effect.before or {}) | {"after": effect.after or {}}
    nothing: dict[str, Any] = {"after": {}}
    return {absence.pk: found.get((absence.roster_id, absence.enrolment_id.hex), nothing) for absence in absences}


# What the night finds.


@transaction.atomic
def signal_overdue(*, county: County, today: date) -> int:
    """Children nobody has explained in time become a suspicion (疑似辍学); how many. In a vacation none does.

    Where the due day could not be counted yet because the next term was not entered, it is counted now.
    """
    calendar = schooldays(county)
    waiting = Absence.objects.filter(county=county, state=State.OPEN, due_on=None).select_related("roster")
    counted = []
    for absence in waiting.select_for_update(of=["self"]):
        try:
            applied_on = timezone.localdate(absence.roster.applied_at)
            absence.due_on = calendar.add(applied_on, county.absence_days)
        except BeyondTerms:
            continue
        counted.append(absence)
    Absence.objects.bulk_update(counted, ["due_on"], batch_size=500)
    if today not in calendar:
        return 0
    late = Absence.objects.filter(county=county).overdue(today)
    count = states.move(late, to=State.SIGNALLED, by=None, reason="逾期未说明去向", effective_on=today)
    if count:
        audit.record(by=None, verb="students.absences_signalled", subject=county, county=county, detail={"count": count})
    return count

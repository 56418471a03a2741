"""What a 学籍异动 changes in the registry, and how it is given back; what a roster tells of children under way.

An explanation of an absence (students.actions.absences) and a change a school announces (students.actions.transfers)
are the same record, made and withdrawn here. Source: docs/rules/school-year.md, “学籍异动”.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from bureau import states
from bureau.calendars import workdays
from bureau.organisation.models import School, Term
from students.intake.undoing import Book
from students.models import Enrolment, Movement, Roster, Whereabouts

Kind, State = Movement.Kind, Movement.State
EVIDENCE_OF = {
    Kind.OTHER_COUNTY: Whereabouts.Kind.OTHER_COUNTY,
    Kind.OUT_OF_PROVINCE: Whereabouts.Kind.OUT_OF_PROVINCE,
    Kind.SUSPENDED: Whereabouts.Kind.SUSPENDED,
    Kind.ABROAD: Whereabouts.Kind.ABROAD,
    Kind.DECEASED: Whereabouts.Kind.DECEASED,
}
FIRST_STATE = {Kind.SUSPENDED: State.RUNNING, Kind.ABROAD: State.CONFIRMED, Kind.DECEASED: State.CONFIRMED}
EXIT_OF = {Kind.ABROAD: "出国", Kind.DECEASED: "死亡"}  # the words of students.rules.schooling.MOVES
KEPT = ("is_present", "is_registered", "state", "ended_on", "exit_kind", "destination")


def begin(
    *, enrolments: Iterable[Enrolment], kind: str, since_on: date, by, today: date, evidence: str = "", place: str = "",
    to_school: School | None = None, until_on: date | None = None, absences: dict[UUID, Any] | None = None,
) -> list[Movement]:  # fmt: skip
    """Write the change down for each enrolment and let it take effect; the caller holds them and has judged it lawful.

    `absences` are those it explains, by enrolment. A move waits for the other school, a suspension runs, a death or a
    journey abroad is over at once. The answer is due after `County.transfer_days` 工作日.
    """
    made = []
    calendar = {}
    for enrolment in enrolments:
        county = enrolment.county_id
        if county not in calendar:
            calendar[county] = workdays(enrolment.county).add(today, enrolment.county.transfer_days)
        movement = Movement(
            county_id=county, enrolment=enrolment, school_id=enrolment.school_id, kind=kind,
            state=FIRST_STATE.get(kind, State.ANNOUNCED), to_school=to_school, place=place[:200], since_on=since_on,
            until_on=until_on if kind == Kind.SUSPENDED else None, evidence=evidence[:400], announced_by=by,
            absence=(absences or {}).get(enrolment.pk), before=_image(enrolment),
            due_on=None if kind in FIRST_STATE else calendar[county],
            finished_on=today if kind in EXIT_OF else None,
        )  # fmt: skip
        if kind in EVIDENCE_OF:
            movement.whereabouts = Whereabouts(
                county_id=county, student_id=enrolment.student_id, kind=EVIDENCE_OF[kind], place=place[:200],
                evidence=evidence[:400], valid_from=since_on, valid_to=_proved_until(movement, today), recorded_by=by,
            )  # fmt: skip
        made.append(movement)
    Whereabouts.objects.bulk_create([m.whereabouts for m in made if m.whereabouts], batch_size=500)
    Movement.objects.bulk_create(made, batch_size=500)
    for movement in made:
        _take_effect(movement)
    changed = [movement.enrolment for movement in made if kind != Kind.FROM_OUTSIDE]
    Enrolment.objects.bulk_update(changed, KEPT, batch_size=500)
    return made


def end(movement: Movement, *, exit_kind: str, destination: str) -> None:
    """The stay is over: he is 在籍 and 在校 there no more since the day he left."""
    enrolment = movement.enrolment
    enrolment.is_present = enrolment.is_registered = False
    enrolment.ended_on = max(movement.since_on, enrolment.started_on or movement.since_on)
    enrolment.exit_kind, enrolment.destination = exit_kind, destination[:200]


def give_back(movements: QuerySet[Movement]) -> None:
    """The enrolments are as they were before these changes, and their evidence is withdrawn."""
    found = list(movements.select_related("enrolment"))
    withdraw_evidence([movement.whereabouts_id for movement in found])
    changed = [movement for movement in found if movement.kind != Kind.FROM_OUTSIDE]
    for movement in changed:
        for name, value in movement.before.items():
            field = Enrolment._meta.get_field(name)
            setattr(movement.enrolment, name, field.to_python(value))
    Enrolment.objects.bulk_update([movement.enrolment for movement in changed], KEPT, batch_size=500)


def withdraw(movements: QuerySet[Movement], *, by, reason: str) -> int:
    """Off with everything they had changed; how many."""
    keys = list(movements.values_list("pk", flat=True))
    if not keys:
        return 0
    chosen = Movement.objects.filter(pk__in=keys)
    give_back(chosen)
    return states.move(chosen, to=State.WITHDRAWN, by=by, reason=reason)


def withdraw_evidence(keys: Iterable[Any]) -> None:
    keys = [key for key in keys if key]
    Whereabouts.objects.filter(pk__in=keys, withdrawn_at=None).update(withdrawn_at=timezone.now())


def follow_roster(*, roster: Roster, book: Book) -> None:
    """A school's roll has a child who is under way: he has arrived, he has come back, or what was said of him was wrong.

    Called when a roster is applied, within its transaction; what was so before stands in the book.
    """
    here = Enrolment.objects.filter(roll__roster=roster, is_present=True, ended_on=None)
    told = Movement.objects.filter(
        county=roster.county, enrolment__student__in=here.values("student")
    ).under_way()
    same = Exists(here.filter(student=OuterRef("enrolment__student"), school=OuterRef("school")))
    found = list(told.exclude(kind=Kind.FROM_OUTSIDE).annotate(is_back=same).select_related("enrolment"))
    to: dict[str, list[Movement]] = {}
    for movement in found:
        if movement.is_back:
            to.setdefault(State.RESUMED if movement.state == State.RUNNING else State.WITHDRAWN, []).append(
                movement
            )
        elif movement.kind == Kind.IN_COUNTY and movement.state == State.ANNOUNCED:
            to.setdefault(State.CLAIMED, []).append(movement)
        elif movement.kind != Kind.IN_COUNTY:
            to.setdefault(State.WITHDRAWN, []).append(movement)
    for state, movements in to.items():
        keys = [movement.pk for movement in movements]
        book.keep_rows(Movement, keys)
        if state == State.CLAIMED:
            _redirect(movements, here)
        else:
            evidence = Whereabouts.objects.filter(
                pk__in=[m.whereabouts_id for m in movements], withdrawn_at=None
            )
            evidence = list(evidence.values_list("pk", flat=True))
            book.keep_rows(Whereabouts, evidence)
            withdraw_evidence(evidence)
        if state == State.RESUMED:
            Enrolment.objects.filter(movements__in=keys, state="休学").update(state="")
        states.move(Movement.objects.filter(pk__in=keys), to=state, by=None, reason="花名册上有该生")


def unfollow_roster(*, before: dict[str, list[str]], by) -> None:
    """The roster is undone: the answers it gave itself are taken back. `before` are the keys by the state they had."""
    for state, keys in before.items():
        states.move(
            Movement.objects.filter(pk__in=keys).exclude(state=state),
            to=state,
            by=by,
            reason="花名册入库已撤销",
        )


def _redirect(found: list[Movement], here: QuerySet[Enrolment]) -> None:
    """Announced for one school and arrived at another: it is that one's answer."""
    at = dict(
        here.filter(student__in=[m.enrolment.student_id for m in found]).values_list("student", "school")
    )
    for movement in found:
        movement.to_school_id = at[movement.enrolment.student_id]
    Movement.objects.bulk_update(found, ["to_school"], batch_size=500)


def _image(enrolment: Enrolment) -> dict[str, Any]:
    values = {name: getattr(enrolment, name) for name in KEPT}
    return values | {"ended_on": values["ended_on"] and values["ended_on"].isoformat()}


def _take_effect(movement: Movement) -> None:
    """Who has left is not 在校; whoever is suspended keeps his 学籍; the dead and those abroad have neither."""
    enrolment = movement.enrolment
    if movement.kind == Kind.FROM_OUTSIDE:
        return
    if movement.kind in EXIT_OF:
        end(movement, exit_kind=EXIT_OF[movement.kind], destination=movement.place)
        return
    enrolment.is_present = False
    if movement.kind == Kind.SUSPENDED:
        enrolment.state = "休学"


def _proved_until(movement: Movement, today: date) -> date | None:
    """A suspension proves itself to its last day, a death for ever, the rest until the end of the term."""
    if movement.kind == Kind.DECEASED:
        return None
    if movement.kind == Kind.SUSPENDED:
        return movement.until_on
    return asked_again_on(movement.county_id, today)


def asked_again_on(county: Any, today: date) -> date:
    """Evidence is asked for anew at the end of the term: of this one, or of the next that is entered."""
    coming = Term.objects.filter(county=county, ends_on__gte=today).order_by("ends_on").first()
    latest = coming or Term.objects.filter(county=county).order_by("-ends_on").first()
    return max(latest.ends_on, today) if latest else today + timedelta(days=180)


def of_absences(absences: QuerySet) -> QuerySet[Movement]:
    """The standing changes that explain these absences."""
    return Movement.objects.standing().filter(absence__in=absences.values("pk"))

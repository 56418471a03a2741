"""学籍异动 step by step: announced, claimed by the receiving school, confirmed or denied, answered, resumed, taken back.

Source: docs/rules/school-year.md, “学籍异动”.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from bureau import audit, states
from bureau.calendars import schooldays, workdays
from bureau.organisation.models import County, School
from bureau.scans import cleaned
from students.actions import absences as left_out
from students.actions import moving
from students.actions.absences import Explanation
from students.actions.files import display_name, keep_file
from students.actions.moving import Kind, State
from students.models import Absence, Enrolment, Movement, MovementPaper, Whereabouts

LETTERS = (Kind.OTHER_COUNTY, Kind.OUT_OF_PROVINCE, Kind.FROM_OUTSIDE)
MOST_PAPERS = 20


class NotMoved(Exception):
    """The change cannot be taken so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@transaction.atomic
def announce(*, enrolment: Enrolment, change: Explanation, today: date, by) -> Movement:
    """A school says that a child leaves it (or came to it from outside). Where a roll already left him out, this is the
    explanation of that absence and nothing beside it. Raises NotMoved, NotExplained.
    """
    enrolment = Enrolment.objects.select_for_update().get(pk=enrolment.pk)

    if enrolment.ended_on:
        raise NotMoved("ended", "该生在这所学校的就读已经结束，请刷新页面查看。")
    if enrolment.movements.under_way().exists():
        raise NotMoved("under_way", "该生已有一项没有办结的异动，请先办结或撤回。")
    if change.kind == Kind.FROM_OUTSIDE:
        return _take_in(enrolment, change, today=today, by=by)
    left_out.check(change, today)
    if change.to_school and change.to_school.pk == enrolment.school_id:
        raise NotMoved("same_school", "转入学校不能是本校。")
    asked = Absence.objects.filter(enrolment=enrolment).standing()
    if asked.exists():
        explained, _ = left_out.explain(absences=asked, explanation=change, today=today, by=by)
        if not explained:
            raise NotMoved("not_fitting", "这种异动对该生不适用。")
        return moving.of_absences(Absence.objects.filter(enrolment=enrolment)).latest("pk")
    [movement] = moving.begin(
        enrolments=[enrolment], kind=change.kind, since_on=change.since_on, until_on=change.until_on, place=change.place,
        to_school=change.to_school, evidence=change.evidence, by=by, today=today,
    )  # fmt: skip
    audit.record(verb="students.movement_announced", **_about(movement, by))
    return movement


def _take_in(enrolment: Enrolment, change: Explanation, *, today: date, by) -> Movement:
    if change.since_on > today:
        raise NotMoved("in_the_future", "转入日期不能晚于今天。")
    if not change.place.strip():
        raise NotMoved("place_required", "请写明从哪所学校转入。")
    if not enrolment.is_present:
        raise NotMoved("not_present", "该生现在不在本校就读，请先在花名册中补上。")
    [movement] = moving.begin(
        enrolments=[enrolment], kind=change.kind, since_on=change.since_on, place=change.place, evidence=change.evidence,
        by=by, today=today,
    )  # fmt: skip
    audit.record(verb="students.movement_announced", **_about(movement, by))
    return movement


@transaction.atomic
def claim(*, movement: Movement, arrived_on: date, class_name: str, today: date, by) -> Movement:
    """The receiving school has the child: he is at school there from that day; 学籍 follows when the other one confirms."""
    movement = _held(movement)
    _refuse_unless(movement, Kind.IN_COUNTY)
    if not movement.since_on <= arrived_on <= today:
        raise NotMoved("wrong_day", "到校日期应在离校日期与今天之间。")
    states.move(_one(movement), to=State.CLAIMED, by=by, effective_on=arrived_on)
    leaving, student = movement.enrolment, movement.enrolment.student_id
    stay = Enrolment.objects.filter(student=student, school=movement.to_school, ended_on=None).first()
    if stay is None:
        stay = Enrolment.objects.create(
            county_id=movement.county_id, student_id=student, school=movement.to_school, stage=leaving.stage,
            entered_in=leaving.entered_in, repeat_offset=leaving.repeat_offset, class_name=class_name[:40],
            programme_years=leaving.programme_years, is_present=True, started_on=arrived_on,
        )  # fmt: skip
        movement.received = stay.pk
    elif not stay.is_present:
        stay.is_present = True
        stay.save(update_fields=["is_present"])
    movement.due_on = workdays(movement.county).add(today, movement.county.transfer_days)
    movement.save(update_fields=["received", "due_on"])
    explained = Absence.objects.filter(pk=movement.absence_id).standing()
    states.move(explained, to=Absence.State.CLAIMED, by=None)
    audit.record(verb="students.movement_claimed", **_about(movement, by))
    return movement


@transaction.atomic
def unclaim(*, movement: Movement, reason: str, by) -> Movement:
    """The receiving school takes its word back: the stay it opened goes, unless something else came to stand on it."""
    movement = _held(movement)
    states.move(_one(movement), to=State.ANNOUNCED, by=by, reason=reason)
    _close_received(movement, movement.since_on)
    Movement.objects.filter(pk=movement.pk).update(received=None)
    back = Absence.objects.filter(pk=movement.absence_id, state=Absence.State.CLAIMED)
    states.move(back, to=Absence.State.EXPLAINED, by=None)
    audit.record(verb="students.movement_unclaimed", **_about(movement, by))
    return movement


@transaction.atomic
def confirm(*, movement: Movement, today: date, by) -> Movement:
    """The school he left lets him go: his stay there ends on the day he left, the 学籍 is at the school that has him."""
    movement = _held(movement)
    _refuse_unless(movement, Kind.IN_COUNTY)
    if movement.state == State.ANNOUNCED:
        raise NotMoved("not_claimed", "接收学校还没有确认接收。")
    states.move(_one(movement), to=State.CONFIRMED, by=by, also={"finished_on": today, "due_on": None})
    moving.end(movement, exit_kind="转出", destination=movement.to_school.name)
    movement.enrolment.save(update_fields=[*moving.KEPT])
    arrived = Enrolment.objects.filter(
        student=movement.enrolment.student_id, school=movement.to_school, ended_on=None
    )
    arrived.update(is_registered=True)
    audit.record(verb="students.movement_confirmed", **_about(movement, by))
    return movement


@transaction.atomic
def deny(*, movement: Movement, reason: str, by) -> Movement:
    """The school he is said to have left does not let him go; the bureau sees it, and that both schools have him."""
    movement = _held(movement)
    states.move(_one(movement), to=State.DENIED, by=by, reason=reason)
    audit.record(verb="students.movement_denied", **_about(movement, by))
    return movement


@transaction.atomic
def answer(*, movement: Movement, evidence: str, today: date, by) -> Movement:
    """Another county has answered that it has (or lets go) the child; its answer is the evidence from now on."""
    movement = _held(movement)
    _refuse_unless(movement, *LETTERS)
    if not evidence.strip():
        raise NotMoved("evidence_required", "请写明对方的答复，例如回执的日期和经办人。")
    also = {"finished_on": today, "due_on": None, "evidence": evidence[:400]}
    states.move(_one(movement), to=State.CONFIRMED, by=by, also=also)
    if movement.kind == Kind.FROM_OUTSIDE:
        Enrolment.objects.filter(pk=movement.enrolment_id, ended_on=None).update(is_registered=True)
    else:
        moving.end(movement, exit_kind="转出", destination=movement.place)
        movement.enrolment.save(update_fields=[*moving.KEPT])
        Whereabouts.objects.filter(pk=movement.whereabouts_id).update(evidence=evidence[:400])
    audit.record(verb="students.movement_confirmed", **_about(movement, by))
    return movement


@transaction.atomic
def refuse(*, movement: Movement, reason: str, by) -> Movement:
    """Nobody has the child where he was said to be: the move is off, and his school owes another explanation.

    A child a roll had left out is a question again; of another the enrolment is as it was before.
    """
    movement = _held(movement)
    states.move(_one(movement), to=State.REFUSED, by=by, reason=reason)
    moving.give_back(_one(movement))
    asked = Absence.objects.filter(pk=movement.absence_id, state=Absence.State.EXPLAINED)
    states.move(asked, to=Absence.State.OPEN, by=None, reason="对方没有接收")
    audit.record(verb="students.movement_refused", **_about(movement, by))
    return movement


@transaction.atomic
def withdraw(*, movement: Movement, reason: str, by) -> Movement:
    """Taken back by whoever said it, with everything it had changed; also after it was finished."""
    movement = _held(movement)
    if movement.enrolment.ended_on and _other_open_stay(movement):
        raise NotMoved("here_again", "该生在本校已有新的就读记录，不能再撤销这项异动。")
    was = movement.state
    moving.withdraw(_one(movement), by=by, reason=reason)
    if movement.received and was in (State.CONFIRMED, State.CLAIMED, State.DENIED):
        _close_received(movement, movement.since_on)
    elif was == State.CONFIRMED and movement.kind == Kind.IN_COUNTY:
        arrived = Enrolment.objects.filter(
            student=movement.enrolment.student_id, school=movement.to_school, ended_on=None
        )
        arrived.update(is_registered=False)
    asked = Absence.objects.filter(pk=movement.absence_id, state=Absence.State.EXPLAINED)
    states.move(asked, to=Absence.State.OPEN, by=None, reason="异动已撤回")
    audit.record(verb="students.movement_withdrawn", **_about(movement, by))
    return movement


@transaction.atomic
def resume(*, movement: Movement, back_on: date, evidence: str, today: date, by) -> Movement:
    """复学: he is at school again from `back_on`; his evidence of whereabouts ends the day before."""
    movement = _held(movement)
    _refuse_unless(movement, Kind.SUSPENDED)
    if not movement.since_on < back_on <= today:
        raise NotMoved("wrong_day", "复学日期应在休学开始之后、今天或以前。")
    if not evidence.strip():
        raise NotMoved("evidence_required", "请写明佐证，例如复学申请和批准日期、医院证明。")
    told = f"{movement.evidence}；复学：{evidence.strip()}"[:400]
    states.move(
        _one(movement),
        to=State.RESUMED,
        by=by,
        effective_on=back_on,
        also={"finished_on": back_on, "evidence": told},
    )
    last = back_on - timedelta(days=1)
    Whereabouts.objects.filter(pk=movement.whereabouts_id).update(valid_to=last)
    stay = movement.enrolment
    stay.is_present = stay.is_registered = True
    stay.state = movement.before.get("state", "")
    stay.save(update_fields=["is_present", "is_registered", "state"])
    asked = Absence.objects.filter(pk=movement.absence_id).standing()
    states.move(asked, to=Absence.State.RETURNED, by=None)
    audit.record(verb="students.movement_resumed", **_about(movement, by))
    return movement


@transaction.atomic
def suspend_again(*, movement: Movement, reason: str, by) -> Movement:
    """The return was entered by mistake: he is suspended as before."""
    movement = _held(movement)
    states.move(_one(movement), to=State.RUNNING, by=by, reason=reason, also={"finished_on": None})
    Whereabouts.objects.filter(pk=movement.whereabouts_id).update(valid_to=movement.until_on)
    stay = movement.enrolment
    stay.is_present, stay.is_registered = False, bool(movement.before.get("is_registered"))
    stay.state = "休学"
    stay.save(update_fields=["is_present", "is_registered", "state"])
    audit.record(verb="students.movement_unresumed", **_about(movement, by))
    return movement


@transaction.atomic
def extend(*, movement: Movement, until_on: date, evidence: str, by) -> Movement:
    """The suspension goes on to a later day, with what proves it; said again with the same day, nothing changes."""
    movement = _held(movement)
    _refuse_unless(movement, Kind.SUSPENDED)
    if movement.state != State.RUNNING:
        raise NotMoved("not_running", "该生不在休学中。")
    if until_on == movement.until_on:
        return movement
    if until_on < movement.until_on:
        raise NotMoved("wrong_day", "延长后的日期应晚于原来的日期。提前回校的请登记复学。")
    if not evidence.strip():
        raise NotMoved("evidence_required", "请写明延长休学的佐证。")
    movement.until_on = until_on
    movement.evidence = f"{movement.evidence}；延长：{evidence.strip()}"[:400]
    movement.save(update_fields=["until_on", "evidence"])
    Whereabouts.objects.filter(pk=movement.whereabouts_id).update(valid_to=until_on)
    audit.record(verb="students.movement_extended", **_about(movement, by, to=until_on))
    return movement


def add_paper(*, movement: Movement, path: Path, file_name: str, kind: str, by) -> MovementPaper:
    """Keep a scan or photograph sealed. Raises NotMoved for one paper too many, NotTaken for what is no scan."""
    with cleaned(path) as scan, transaction.atomic():
        movement = Movement.objects.select_for_update().get(pk=movement.pk)
        if movement.papers.count() >= MOST_PAPERS:
            raise NotMoved("too_many", f"一项异动最多 {MOST_PAPERS} 份材料。")
        shown = Path(display_name(file_name)).stem[:190] + f".{scan.kind}"
        paper = MovementPaper(movement=movement, kind=kind, file_name=shown, size=scan.size, added_by=by)
        keep_file(scan.path, value_id=paper.pk)
        paper.save(force_insert=True)
        audit.record(verb="students.movement_paper_added", **_about(movement, by))
    return paper


@transaction.atomic
def watch(*, county: County, today: date) -> int:
    """Children announced to a school of the county that did not take them in time are no move: 疑似辍学. How many.

    In vacations and on days without school nobody is signalled, as with absences.
    """
    if today not in schooldays(county):
        return 0
    late = Movement.objects.filter(county=county, kind=Kind.IN_COUNTY, state=State.ANNOUNCED).overdue(today)
    waiting = Absence.objects.filter(movements__in=late, state=Absence.State.EXPLAINED)
    count = states.move(
        waiting, to=Absence.State.SIGNALLED, by=None, reason="转学逾期无学校接收", effective_on=today
    )
    if count:
        audit.record(
            by=None,
            verb="students.absences_signalled",
            subject=county,
            county=county,
            detail={"count": count},
        )
    return count


def schools_of(movement: Movement, account) -> set[str]:
    """On which side of a move the account stands: `sends`, `receives`, both (the county), or neither (a township)."""
    mine = set(
        School.objects.visible_to(account)
        .filter(pk__in=[movement.school_id, movement.to_school_id])
        .values_list("pk", flat=True)
    )
    return {
        side
        for side, school in (("sends", movement.school_id), ("receives", movement.to_school_id))
        if school in mine
    }


def _held(movement: Movement) -> Movement:
    """The change with its enrolment, both locked: the enrolment first, as a roster that is applied takes them."""
    pk = Movement.objects.values_list("enrolment", flat=True).get(pk=movement.pk)
    enrolment = Enrolment.objects.select_for_update().get(pk=pk)
    held = Movement.objects.select_for_update().get(pk=movement.pk)
    if held.enrolment_id == enrolment.pk:
        held.enrolment = enrolment
    return held


def _one(movement: Movement):
    return Movement.objects.filter(pk=movement.pk)


def _refuse_unless(movement: Movement, *kinds: str) -> None:
    if movement.kind not in kinds:
        raise NotMoved("other_kind", "这种异动没有这一步，请刷新页面查看。")


def _other_open_stay(movement: Movement) -> bool:
    stays = Enrolment.objects.filter(
        student=movement.enrolment.student_id, school=movement.school_id, ended_on=None
    )
    return stays.exclude(pk=movement.enrolment_id).exists()


def _close_received(movement: Movement, day: date) -> None:
    """The stay a claim opened is gone again; one that a roll has confirmed since is that roll's, and only unregistered."""
    stay = (
        Enrolment.objects.filter(pk=movement.received, ended_on=None).first() if movement.received else None
    )
    if stay is None:
        return
    if stay.roll_id is None:
        stay.ended_on, stay.exit_kind = stay.started_on or day, "接收撤回"
        stay.is_present = False
    stay.is_registered = False
    stay.save(update_fields=["ended_on", "exit_kind", "is_present", "is_registered"])


def _about(movement: Movement, by, **detail: Any) -> dict[str, Any]:
    """What every line of the log says of a step."""
    told = {"moved": str(movement.kind), **detail}
    return {"by": by, "subject": movement, "county": movement.county, "detail": told}

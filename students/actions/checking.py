"""核对代替上报: a school goes through its pre-filled roll class by class; what comes of it is a roster like any other.

Every verb holds the check while it works, so two clerks of one school (or two tabs) never overwrite each other unseen.
Raises NotApplicable with words for the clerk. Source: docs/rules/rosters.md, “checking instead of uploading”.
"""

import json
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from bureau import audit, secrecy, states
from bureau.keys import uuid7
from bureau.organisation.models import School, Term
from bureau.sheets import write_workbook
from students.actions import admitting, rosters
from students.actions.files import private_folder
from students.actions.refusals import NotApplicable
from students.intake import checkfile
from students.intake.checkroll import FACTS, RollClass, roll_of
from students.intake.locks import refuse_if_locked
from students.models import ClassCheck, Enrolment, RollChange, RollCheck, Roster, RosterRow
from students.sheets import ROSTERS

UNDERWAY = (Roster.State.READING, Roster.State.STAGED)
ENDED = (Roster.State.REFUSED, Roster.State.WITHDRAWN, Roster.State.UNDONE)


@transaction.atomic
def open_check(*, school: School, term: Term, on: date, by) -> tuple[RollCheck, bool]:
    """Begin a check, or go on with the one under way; whether it is new.

    Where the result of an earlier one still waits to be applied, that one is it. Raises Locked.
    """
    School.objects.select_for_update(no_key=True).get(pk=school.pk)  # two clerks begin at once: the second joins the first
    known = RollCheck.objects.filter(school=school, term=term)
    underway = known.filter(state="open").first() or known.filter(state="sent", roster__status__in=UNDERWAY).first()
    if underway:
        return underway, False
    refuse_if_locked(term=term, kind=Roster.Kind.ROLL, school=school, on=on)
    check = RollCheck.objects.create(county=school.county, school=school, term=term, opened_by=by)
    audit.record(by=by, verb="students.check_opened", subject=check, county=check.county)
    return check, True


@transaction.atomic
def note_leavers(*, check: RollCheck, enrolments: Collection[UUID], by) -> int:
    """These children are not in the class any more; how many. What was entered about them before is replaced."""
    check = _held(check)
    leaving = Enrolment.objects.present().filter(school=check.school, pk__in=enrolments)
    for enrolment in leaving:
        _enter(check, RollChange.Kind.LEAVE, by, enrolment=enrolment)
    _note(check, by, RollChange.Kind.LEAVE, len(leaving))
    return len(leaving)


@transaction.atomic
def edit_pupil(*, check: RollCheck, enrolment: Enrolment, facts: dict[str, Any], by) -> bool:
    """Class, boarding and state of a child as the school has them now; the same as recorded takes an entry back.

    False when nothing differs from the record. A child of a finished cohort stays on the roll by such an entry alone.
    """
    check = _held(check)
    entered_in = (enrolment.entered_in or 0) + (enrolment.repeat_offset if enrolment.entered_in else 0)
    recorded = {name: getattr(enrolment, name) for name in FACTS} | {"entered_in": entered_in}
    if facts == recorded:
        RollChange.objects.filter(check_of=check, enrolment=enrolment).delete()
    else:
        _enter(check, RollChange.Kind.EDIT, by, enrolment=enrolment, typed=facts)
    _note(check, by, RollChange.Kind.EDIT, 1)
    return facts != recorded


@transaction.atomic
def add_pupil(*, check: RollCheck, typed: dict[str, Any], by, change: RollChange | None = None) -> RollChange:
    """A child who came, or `change`, an earlier such entry, as corrected."""
    check = _held(check)
    if change is None:
        change = RollChange(check_of=check, kind=RollChange.Kind.ADD)
    _seal(change, typed)
    change.entered_by = by
    change.save()
    _note(check, by, RollChange.Kind.ADD, 1)
    return change


@transaction.atomic
def take_back(*, check: RollCheck, change: RollChange, by) -> None:
    """The entry is gone; the child stands on the roll as recorded, or not at all where he was added."""
    check = _held(check)
    if RollChange.objects.filter(pk=change.pk, check_of=check).delete()[0]:
        audit.record(by=by, verb="students.check_change_taken_back", subject=check, detail={"entry": change.kind})


@transaction.atomic
def confirm_class(*, check: RollCheck, key: str, seen: str, by) -> RollClass:
    """The class stands as the clerk saw it (`seen`, the digest of what was shown); confirming twice is once."""
    check = _held(check)
    one = roll_of(check).find(key)
    if one is None:
        raise NotApplicable("class_gone", "名单上已没有这个班，请从班级列表重新进入。")
    if one.digest != seen:
        raise NotApplicable("class_changed", f"{one.title}的名单刚有变动（可能是同事录入的），请再看一遍后确认。")
    if not one.is_confirmed:
        stage, entered_in, class_name = one.cohort
        one.confirmed, _ = ClassCheck.objects.update_or_create(
            check_of=check, stage=stage, entered_in=entered_in, class_name=class_name,
            defaults={"digest": one.digest, "pupils": len(one.here), "confirmed_by": by},
        )  # fmt: skip
        detail = {"count": len(one.here), "changed": one.changes}
        audit.record(by=by, verb="students.class_confirmed", subject=check, county=check.county, detail=detail)
    return one


@transaction.atomic
def send_check(*, check: RollCheck, by) -> Roster:
    """Write the checked roll as a workbook and take it in as a roster; sent before, the same roster again."""
    check = RollCheck.objects.select_for_update(of=["self"]).select_related("school__county", "term__school_year").get(pk=check.pk)
    if check.state == RollCheck.State.SENT and check.roster:
        return check.roster
    check = _held(check)
    roll, year = roll_of(check), check.term.school_year.starts_in
    if not roll.is_complete:
        raise NotApplicable("classes_open", f"还有 {roll.unconfirmed} 个班没有确认，全部确认后才能提交。")
    if not roll.pupils:
        raise NotApplicable("nobody_left", "名单上没有学生，无法提交；学校停办、撤并请联系县局。")
    try:
        rows = list(checkfile.rows_of(roll, year))
    except checkfile.Conflict as conflict:
        raise NotApplicable("on_the_roll", checkfile.told(conflict, year)) from conflict
    with private_folder() as folder:
        path = folder / "checked.xlsx"
        write_workbook(path, ROSTERS[Roster.Kind.ROLL][0], rows, attrs=checkfile.COLUMNS)
        roster = rosters.receive_roster(
            file=path, file_name=f"{check.school.name}逐班核对.xlsx", term=check.term, kind=Roster.Kind.ROLL,
            school=check.school, county=check.county, source=Roster.Source.CHECK, by=by,
        )  # fmt: skip
    states.move(RollCheck.objects.filter(pk=check.pk), to="sent", by=by, also={"roster": roster})
    told = roll.summary
    detail = {"classes": told["classes"], "rows": len(rows), "new": told["add"], "changed": told["edit"], "left": told["leave"]}
    audit.record(by=by, verb="students.check_sent", subject=check, county=check.county, detail=detail)
    return roster


def admit_numberless(roster: Roster) -> None:
    """Children without a number stay on the roll of a school that has just confirmed them (先入册、证件待补)."""
    rejected = roster.staged.filter(status=RosterRow.Status.REJECTED).values_list("pk", flat=True)
    if rejected:
        admitting.admit_rows(
            roster=roster, rows=dict.fromkeys(rejected), today=timezone.localdate(), by=roster.uploaded_by
        )


@transaction.atomic
def give_up(*, check: RollCheck, by) -> None:
    """The check ends without a result; what was typed is deleted."""
    check = _held(check)
    states.move(RollCheck.objects.filter(pk=check.pk), to="given_up", by=by)
    check.changes.all().delete()
    check.classes.all().delete()
    audit.record(by=by, verb="students.check_given_up", subject=check, county=check.county)


@transaction.atomic
def reopen(*, check: RollCheck, by) -> None:
    """Go on with a check whose roster was given up, not readable, or undone: all that was entered is still there."""
    School.objects.select_for_update(no_key=True).get(pk=check.school_id)
    check = RollCheck.objects.select_for_update().get(pk=check.pk)
    if check.state == RollCheck.State.OPEN:
        return
    if not may_reopen(check):
        raise NotApplicable("not_reopened", "这次核对的结果还在办理或已入库，不能继续核对；需要更改时请重新开始一次核对。")
    if RollCheck.objects.filter(school=check.school_id, term=check.term_id, state="open").exists():
        raise NotApplicable("another_open", "本校已另外开始了一次核对，请在那一次中继续。")
    states.move(RollCheck.objects.filter(pk=check.pk), to="open", by=by, also={"roster": None})
    audit.record(by=by, verb="students.check_reopened", subject=check, county=check.county)


def refuse_unless_open(check: RollCheck) -> None:
    if check.state != RollCheck.State.OPEN:
        raise NotApplicable("check_closed", f"这次核对{check.get_state_display()}，不能再录入或确认。")


def may_reopen(check: RollCheck) -> bool:
    return check.state == RollCheck.State.SENT and (check.roster is None or check.roster.status in ENDED)


def _held(check: RollCheck) -> RollCheck:
    """The check as it is now, held until the end of the transaction; raises NotApplicable when it is not open."""
    held = RollCheck.objects.select_for_update(of=["self"]).select_related("school__county", "term__school_year")
    check = held.get(pk=check.pk)
    refuse_unless_open(check)
    return check


def _enter(check: RollCheck, kind: str, by, *, enrolment: Enrolment, typed: dict[str, Any] | None = None) -> None:
    change = RollChange.objects.filter(check_of=check, enrolment=enrolment).first()
    change = change or RollChange(check_of=check, enrolment=enrolment)
    change.kind, change.entered_by = kind, by
    _seal(change, typed)
    change.save()


def _seal(change: RollChange, typed: dict[str, Any] | None) -> None:
    change.sealed_uuid = uuid7()
    text = typed and json.dumps(typed, ensure_ascii=False)
    change.sealed = secrecy.seal(text, field="payload", value_id=change.sealed_uuid) if text else None


def _note(check: RollCheck, by, kind: str, count: int) -> None:
    detail = {"entry": kind, "count": count}
    audit.record(by=by, verb="students.check_changed", subject=check, county=check.county, detail=detail)

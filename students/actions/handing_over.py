"""小升初 and its kin: leavers are handed over class by class, report at the next school, or are recorded elsewhere.

Source: docs/rules/school-year.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from bureau import audit
from bureau.bulk import chunks
from bureau.organisation.models import School, Stage
from students.actions import reconciling
from students.actions.refusals import NotApplicable
from students.models import Absence, Enrolment, Leaver, PromotionRow, RosterSchool, Whereabouts
from students.models.turning import LATER_STAGES, NEXT_STAGE, Lengths

Destination, Where, Aid = Leaver.Destination, Leaver.Where, Leaver.Aid
OFFERED: dict[str, tuple[str, ...]] = {  # 义务教育 is not finished before the ninth grade: nobody goes to work from primary school
    Stage.PRESCHOOL: (Destination.PRIMARY, Destination.STAYS, Destination.SPECIAL, Destination.ABROAD, Destination.DECEASED),
    Stage.PRIMARY: (Destination.JUNIOR, Destination.SPECIAL, Destination.ABROAD, Destination.DECEASED),
    Stage.JUNIOR: (
        Destination.GENERAL, Destination.VOCATIONAL, Destination.SPECIAL, Destination.WORK, Destination.HOME,
        Destination.ABROAD, Destination.DECEASED,
    ),
}  # fmt: skip
SCHOOLS = (Destination.GENERAL, Destination.VOCATIONAL, Destination.JUNIOR, Destination.PRIMARY)
EVIDENCE_OF = {
    Destination.STAYS: Whereabouts.Kind.DEFERRED,
    Destination.SPECIAL: Whereabouts.Kind.HOME_TEACHING,
    Destination.WORK: Whereabouts.Kind.GRADUATED_EARLY,
    Destination.HOME: Whereabouts.Kind.GRADUATED_EARLY,
    Destination.ABROAD: Whereabouts.Kind.ABROAD,
    Destination.DECEASED: Whereabouts.Kind.DECEASED,
}
EVIDENCE_WHERE = {
    Where.PROVINCE: Whereabouts.Kind.OTHER_COUNTY,
    Where.OUTSIDE: Whereabouts.Kind.OUT_OF_PROVINCE,
}


@dataclass(frozen=True)
class Told:
    """What is recorded of some leavers: where they went."""

    destination: str
    where: str = ""
    place: str = ""
    evidence: str = ""


@transaction.atomic
def hand_over(*, leavers: QuerySet[Leaver], to_school: School | None, on: date, by) -> tuple[int, int]:
    """整班移交: these children are awaited at `to_school` (None: at no school yet); (handed over, left as they were).

    Who has reported somewhere, or whose aid has been checked, stays as he is. Raises NotApplicable.
    """
    found = _held(leavers)
    arrived = set(
        Leaver.objects.filter(pk__in=[one.pk for one in found]).arrived().values_list("pk", flat=True)
    )
    fitting = [
        one
        for one in found
        if one.pk not in arrived
        and not one.aid
        and NEXT_STAGE.get(one.enrolment.stage)
        and one.to_school_id != (to_school and to_school.pk)
    ]
    if to_school:
        fitting = [one for one in fitting if NEXT_STAGE[one.enrolment.stage] in to_school.stages]
        if found and not any(NEXT_STAGE.get(one.enrolment.stage) in to_school.stages for one in found):
            raise NotApplicable("other_stage", f"{to_school}没有这些学生要升入的学段，请选择另一所学校。")
    if fitting:
        handed = {
            "to_school": to_school,
            "handed_on": on if to_school else None,
            "handed_by": by if to_school else None,
        }
        Leaver.objects.filter(pk__in=[one.pk for one in fitting]).update(**handed)
        detail = {"count": len(fitting), "place": to_school.code if to_school else None}
        audit.record(
            by=by, verb="students.leavers_handed", subject=fitting[0], county=fitting[0].county, detail=detail
        )
    return len(fitting), len(found) - len(fitting)


@transaction.atomic
def report_in(*, leavers: QuerySet[Leaver], school: School, on: date, by) -> tuple[int, int]:
    """报到: these children have come to `school`, which has them present from `on`; (reported, left as they were).

    They count as listed on the school's last roll, so that its next one must have them.
    """
    found = [
        one for one in _held(leavers.not_arrived()) if NEXT_STAGE.get(one.enrolment.stage) in school.stages
    ]
    early = next((one for one in found if one.enrolment.ended_on and on <= one.enrolment.ended_on), None)
    if early:
        raise NotApplicable("too_early", "报到日期应在毕业离校日期之后。")
    here = Enrolment.objects.filter(
        school=school, ended_on=None, student__in=[one.enrolment.student_id for one in found]
    )
    taken = set(here.values_list("student", flat=True))
    fitting = [one for one in found if one.enrolment.student_id not in taken]
    roll = RosterSchool.objects.filter(school=school, kind="roll", latest=True).first()
    lengths = Lengths(school.county)
    for one in fitting:
        year, stage = one.school_year.starts_in, NEXT_STAGE[one.enrolment.stage]
        one.arrival = Enrolment(
            county=one.county, student_id=one.enrolment.student_id, school=school, stage=stage, entered_in=year,
            programme_years=lengths.of(school.pk, stage, year), is_present=True, started_on=on, roll=roll,
        )  # fmt: skip
    Enrolment.objects.bulk_create([one.arrival for one in fitting], batch_size=500)
    Leaver.objects.bulk_update(fitting, ["arrival"], batch_size=500)
    if fitting:
        audit.record(by=by, verb="students.leavers_reported", **_of(fitting, place=school.code))
    return len(fitting), len(leavers) - len(fitting)


@transaction.atomic
def withdraw_report(*, leavers: QuerySet[Leaver], by) -> tuple[int, int]:
    """A tick by mistake: what it made goes, where no roll and nobody else has written to it since."""
    found = _held(leavers.filter(arrival__isnull=False))
    arrivals = {one.arrival_id: one for one in found}
    asked = Absence.objects.filter(enrolment=OuterRef("pk"))
    free = Enrolment.objects.filter(
        ~Exists(asked),
        pk__in=arrivals,
        ended_on=None,
        is_present=True,
        is_registered=False,
        class_name="",
        state="",
    )
    fitting = [arrivals[pk] for pk in free.values_list("pk", flat=True) if not arrivals[pk].aid]
    keys = [one.arrival_id for one in fitting]
    Leaver.objects.filter(pk__in=[one.pk for one in fitting]).update(arrival=None)
    Enrolment.objects.filter(pk__in=keys).delete()
    if fitting:
        audit.record(by=by, verb="students.report_withdrawn", **_of(fitting))
    return len(fitting), len(found) - len(fitting)


@transaction.atomic
def record_destinations(*, leavers: QuerySet[Leaver], told: Told, by) -> tuple[int, int]:
    """Where these leavers went; (recorded, left as they were). Said again, it replaces what was said before.

    Whatever no roll of the county can prove needs evidence, and becomes evidence of whereabouts to the end of the school
    year. Raises NotApplicable.
    """
    outside = told.destination in EVIDENCE_OF or told.where in EVIDENCE_WHERE
    if told.destination in SCHOOLS and told.where not in Where.values:
        raise NotApplicable("where_required", "请选择学校在本县还是外地。")
    if told.where == Where.HERE and told.destination in (Destination.JUNIOR, Destination.PRIMARY):
        raise NotApplicable("hand_over_instead", "升入本县学校的请用“移交”，由接收学校登记报到或随花名册入库。")
    if outside and not told.evidence.strip():
        raise NotApplicable("evidence_required", "请写明佐证，例如录取通知书、就读证明、与监护人的通话记录。")
    found = _held(leavers.filter(aid=""))
    fitting = [one for one in found if told.destination in OFFERED.get(one.enrolment.stage, ())]
    if not fitting:
        return 0, len(found)
    _withdraw_evidence(fitting)
    for one in fitting:
        one.destination, one.where = told.destination, told.where if told.destination in SCHOOLS else ""
        one.place, one.evidence = told.place[:200], told.evidence[:400]
        one.recorded_by, one.recorded_at, one.whereabouts = by, timezone.now(), None
        if outside:
            one.whereabouts = _evidence(one, told, by)
    Whereabouts.objects.bulk_create([one.whereabouts for one in fitting if one.whereabouts], batch_size=500)
    columns = ["destination", "where", "place", "evidence", "recorded_by", "recorded_at", "whereabouts"]
    Leaver.objects.bulk_update(fitting, columns, batch_size=500)
    detail = {"count": len(fitting), "explained": told.destination}
    audit.record(
        by=by,
        verb="students.destinations_recorded",
        subject=fitting[0],
        county=fitting[0].county,
        detail=detail,
    )
    return len(fitting), len(found) - len(fitting)


def _evidence(leaver: Leaver, told: Told, by) -> Whereabouts:
    kind = EVIDENCE_OF.get(told.destination) or EVIDENCE_WHERE[told.where]
    last = date(leaver.school_year.starts_in + 1, 8, 31)
    return Whereabouts(
        county=leaver.county, student_id=leaver.enrolment.student_id, kind=kind, place=told.place[:200],
        evidence=told.evidence[:400], valid_from=leaver.enrolment.ended_on, recorded_by=by,
        valid_to=None if told.destination == Destination.DECEASED else last,
    )  # fmt: skip


@transaction.atomic
def withdraw_destinations(*, leavers: QuerySet[Leaver], by) -> int:
    """What was recorded of these is not so; their evidence goes with it."""
    found = _held(leavers.exclude(destination=""))
    _withdraw_evidence(found)
    nothing = {
        "destination": "",
        "where": "",
        "place": "",
        "evidence": "",
        "recorded_by": None,
        "recorded_at": None,
    }
    Leaver.objects.filter(pk__in=[one.pk for one in found]).update(whereabouts=None, **nothing)
    if found:
        audit.record(by=by, verb="students.destinations_withdrawn", **_of(found))
    return len(found)


@transaction.atomic
def return_leaver(*, leaver: Leaver, reason: str, by) -> Enrolment:
    """退回在读: he has not finished after all, and is at his school as before. Raises NotApplicable."""
    if not reason.strip():
        raise NotApplicable("reason_required", "请写明退回在读的理由。")
    held = _held(Leaver.objects.filter(pk=leaver.pk))
    if not held:
        raise NotApplicable("gone", "这名学生已经不在应届毕业名单上。")
    one = held[0]
    again = Enrolment.objects.open().filter(student=one.enrolment.student_id).exclude(pk=one.enrolment_id)
    if again.exists() or one.destination:
        raise NotApplicable("went_on", "这名学生已经报到或登记了去向，请先撤回。")
    before = PromotionRow.objects.filter(promotion=one.promotion_id, enrolment=one.enrolment_id).first()
    from_roll = before is None or before.verdict == PromotionRow.Verdict.LEFT
    stay = one.enrolment
    stay.ended_on, stay.exit_kind = None, ""
    stay.is_present = True if from_roll else before.was_present
    stay.is_registered = stay.is_registered if from_roll else before.was_registered
    stay.save(update_fields=["ended_on", "exit_kind", "is_present", "is_registered"])
    audit.record(
        by=by, verb="students.leavers_returned", subject=stay, county=one.county, detail={"count": 1}
    )
    PromotionRow.objects.filter(promotion=one.promotion_id, enrolment=one.enrolment_id).delete()
    one.delete()
    reconciling.ask(
        county=stay.county, by=by, inputs={"enrolment"}, cause=f"returned:{stay.pk}:{timezone.now():%s}"
    )
    return stay


@transaction.atomic
def check_aid(*, leavers: QuerySet[Leaver], answer: str, note: str = "", by) -> tuple[int, int]:
    """升学资助交接: aid goes on, the child no longer fits, or he has not come; (answered, left as they were).

    It goes on only for who has arrived, and who has arrived cannot be missing. An empty answer takes it back.
    """
    if answer == Aid.ENDED and not note.strip():
        raise NotApplicable("note_required", "不再符合的，请写明原因，例如已退出低保名单。")
    found = _held(leavers.aided())
    arrived = set(
        Leaver.objects.filter(pk__in=[one.pk for one in found]).arrived().values_list("pk", flat=True)
    )
    wanted = {Aid.CONTINUES: True, Aid.NOT_ARRIVED: False}.get(answer)
    fitting = [one for one in found if wanted is None or (one.pk in arrived) is wanted]
    told = {"aid": answer, "aid_note": note[:200] if answer else "", "aid_by": by if answer else None}
    Leaver.objects.filter(pk__in=[one.pk for one in fitting]).update(
        aid_at=timezone.now() if answer else None, **told
    )
    if fitting:
        detail = {"count": len(fitting), "answer": answer}
        audit.record(
            by=by, verb="students.aid_checked", subject=fitting[0], county=fitting[0].county, detail=detail
        )
    return len(fitting), len(found) - len(fitting)


def _held(leavers: QuerySet[Leaver]) -> list[Leaver]:
    """The rows, locked, as far as they are still meant once they are ours: two who press the same button do it once."""
    rows = Leaver.objects.select_for_update(of=["self"]).select_related("enrolment", "county", "school_year")
    held = list(rows.filter(pk__in=list(leavers.values_list("pk", flat=True))).order_by("pk"))
    still = set(leavers.filter(pk__in=[one.pk for one in held]).values_list("pk", flat=True))
    return [one for one in held if one.pk in still]


def _withdraw_evidence(leavers: Iterable[Leaver]) -> None:
    keys = [one.whereabouts_id for one in leavers if one.whereabouts_id]
    Whereabouts.objects.filter(pk__in=keys, withdrawn_at=None).update(withdrawn_at=timezone.now())


def _of(leavers: list[Leaver], **more: str) -> dict[str, Any]:
    """What an audit line of these leavers says beside its verb."""
    return {"subject": leavers[0], "county": leavers[0].county, "detail": {"count": len(leavers)} | more}


def arrivals_of(leavers: Iterable[Leaver]) -> dict[int, Enrolment]:
    """Where each of these leavers is in a later stage now, by the leaver's key: the school that has him present first."""
    rows, found = list(leavers), {}
    for chunk in chunks(rows, 900):
        stays: dict[UUID, list[Enrolment]] = {}
        here = Enrolment.objects.open().filter(student__in=[one.enrolment.student_id for one in chunk])
        for stay in here.select_related("school").order_by("-is_present", "pk"):
            stays.setdefault(stay.student_id, []).append(stay)
        for one in chunk:
            later = ("", *LATER_STAGES[one.enrolment.stage])
            fitting = [stay for stay in stays.get(one.enrolment.student_id, ()) if stay.stage in later]
            if fitting:
                found[one.pk] = fitting[0]
    return found

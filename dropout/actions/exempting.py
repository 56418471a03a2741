"""缓学、休学: approved with an end; when it ends the case opens again, once."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from bureau import audit, states
from bureau.access.models import Account
from bureau.calendars import add_workdays
from bureau.organisation.models import County
from dropout.actions.steps import NotDone, State, When, check_day, locked, needed, take
from dropout.models import Case, Episode, Exemption, Signal
from dropout.models.cases import VERIFIED
from dropout.models.deadlines import Stage, Unit, counted, length_of
from students.models import Enrolment, Whereabouts


@dataclass(frozen=True)
class Approval:
    """What the guardian applied for and who approved it."""

    kind: str
    applicant: str
    applied_on: date
    ground: str
    document: str
    valid_from: date
    valid_to: date


@transaction.atomic
def exempt(*, case: Case, approval: Approval, when: When, by: Account) -> Exemption:
    """Approved on `when.on` by the township or the bureau the approver works for. At most one year. Raises NotDone.

    Source: docs/rules/dropout.md, “缓学、休学”.
    """
    case, episode = locked(case, State.VERIFYING, *VERIFIED)
    check_day(case, episode, when)
    ground = needed(approval.ground, "evidence_required", "请写明身体状况和佐证（县级医院证明或残疾人证）。")
    applicant = needed(approval.applicant, "applicant_required", "请写明申请人（监护人）。")
    if approval.applied_on > when.on:
        raise NotDone("applied_later", "申请日期不能晚于批准日期。")
    if approval.valid_to < approval.valid_from:
        raise NotDone("ends_before", "终止日期不能早于开始日期。")
    if approval.valid_to >= _a_year_after(approval.valid_from):
        raise NotDone("over_a_year", "缓学、休学一次最长一年，到期可以续批。")
    if approval.valid_to < when.today:
        raise NotDone("ended_already", "终止日期已过。")
    in_township = bool(by.scope.townships) and not by.scope.whole_county
    known = Whereabouts.objects.create(
        county=case.county, student_id=case.student_id, kind=approval.kind, evidence=f"{approval.document} {ground}".strip()[:400],
        valid_from=approval.valid_from, valid_to=approval.valid_to, recorded_by=by,
    )  # fmt: skip
    made = Exemption.objects.create(
        case=case, kind=approval.kind, applicant=applicant[:120], applied_on=approval.applied_on, ground=ground[:400],
        document=approval.document.strip()[:80], valid_from=approval.valid_from, valid_to=approval.valid_to, approved_on=when.on,
        approver=Exemption.Approver.TOWNSHIP if in_township else Exemption.Approver.BUREAU, approved_by=by,
        filed_on=None if in_township else when.on, whereabouts=known,
    )  # fmt: skip
    take(case, episode, to=State.EXEMPT, when=when, by=by, reason=f"{made.get_kind_display()}至{made.valid_to}", due_on=made.valid_to)
    audit.record(by=by, verb="dropout.exempted", subject=case, detail={"to": made.valid_to, "explained": approval.kind})
    return made


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return date(day.year + 1, 3, 1)


@transaction.atomic
def close_ended(*, county: County, today: date) -> tuple[int, int]:
    """Exemptions past their end and the days of grace: back in school where a roll has the child, else open again.

    Each is answered exactly once, however often this runs. (opened again, back).
    """
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    grace = length_of(county, Stage.EXEMPTION, today)
    ended = [
        one
        for one in Exemption.objects.filter(case__county=county, case__state=State.EXEMPT).ended_before(today).select_related("case")
        if _grace_until(county, one.valid_to, grace) < today
    ]
    if not ended:
        return 0, 0
    Exemption.objects.filter(pk__in=[one.pk for one in ended], closed_on=None).update(closed_on=today)
    children = [one.case.student_id for one in ended]
    there = set(Enrolment.objects.present().filter(student__in=children).values_list("student_id", flat=True))
    back = [one.case_id for one in ended if one.case.student_id in there]
    out = [one for one in ended if one.case.student_id not in there]
    if back:
        due = counted(county, Stage.RETURNED, today)
        states.move(Case.objects.filter(pk__in=back), to=State.RETURNED, by=None, reason="缓学、休学期满，花名册上已在校", effective_on=today, also={"due_on": due})
        Episode.objects.filter(case__in=back, ended_on=None).update(returned_on=today, placement=Episode.Placement.ORIGINAL)
    if out:
        due = counted(county, Stage.SUSPECTED, today)
        again = Case.objects.filter(pk__in=[one.case_id for one in out])
        states.move(again, to=State.SUSPECTED, by=None, reason="缓学、休学期满，未见复学", effective_on=today, also={"due_on": due})
        Signal.objects.bulk_create(
            [Signal(case_id=one.case_id, kind=Signal.Kind.EXEMPTION, key=str(one.pk), detail=f"{one.get_kind_display()}至{one.valid_to}", found_on=today) for one in out],
            ignore_conflicts=True,
        )
    detail = {"count": len(ended), "found": len(out)}
    audit.record(by=None, verb="dropout.exemptions_ended", subject=county, county=county, detail=detail)
    return len(out), len(back)


def _grace_until(county: County, last: date, grace: tuple[int, str]) -> date:
    days, unit = grace
    if unit == Unit.DAYS:
        return date.fromordinal(last.toordinal() + days)
    return add_workdays(last, days, county)

"""学年升级: staged, looked at, applied in one short transaction, taken back whole or not at all.

The grade is computed from the cohort, so an ordinary child is not written to. Source: docs/rules/school-year.md.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from bureau import audit, jobs, states
from bureau.bulk import refresh_statistics
from bureau.organisation.models import County, School, SchoolYear
from students.actions import reconciling
from students.actions.refusals import NotApplicable
from students.intake import turning
from students.models import Enrolment, Leaver, Promotion, PromotionRow, Repeat, Roster, YearPlan
from students.models.turning import plan_for

State, Verdict = Promotion.State, PromotionRow.Verdict


@dataclass(frozen=True)
class Obstacle:
    """Later work that stands on a promotion, and what to do about it."""

    title: str
    count: int
    remedy: str


@transaction.atomic
def start_promotion(*, school_year: SchoolYear, school: School | None, by) -> Promotion:
    """Ask for a preview; the one still open for the same scope is computed again instead of a second one."""
    County.objects.select_for_update(no_key=True).get(pk=school_year.county_id)
    underway = Promotion.objects.filter(
        school_year=school_year, school=school, state__in=[State.STAGING, State.STAGED]
    )
    found = underway.order_by("-pk").first()
    if found is None:
        found = Promotion.objects.create(
            county_id=school_year.county_id, school_year=school_year, school=school, asked_by=by,
            leaves_on=plan_for(school_year).leaves_on,
        )  # fmt: skip
        audit.record(by=by, verb="students.promotion_started", subject=found, county=found.county)
    elif found.state == State.STAGED:
        states.move(Promotion.objects.filter(pk=found.pk), to=State.STAGING, by=by)
        found.state = State.STAGING
    elif found.job and not found.job.is_finished:
        return found
    found.leaves_on = plan_for(school_year).leaves_on
    found.job = jobs.enqueue("students.stage_promotion", by=by, county=found.county, promotion=found.pk)
    found.save(update_fields=["leaves_on", "job"])
    return found


def stage_promotion(*, promotion: Promotion) -> Promotion:
    """Write down what the turn of the year would change. Nothing of the registry is touched."""
    with transaction.atomic():
        held = _held(promotion)
        if held.state != State.STAGING:
            return held
        _stage(held)
        states.move(Promotion.objects.filter(pk=held.pk), to=State.STAGED, by=None)
    held.state = State.STAGED
    return held


def ask_to_apply(*, promotion: Promotion, shown: int, by) -> Promotion:
    """A worker applies it; `shown` is the number of the preview somebody has looked at."""
    with transaction.atomic():
        held = _held(promotion)
        if held.state != State.STAGED:
            raise NotApplicable("not_staged", "这次升级现在不能确认，请刷新页面查看状态。")
        if not held.job or held.job.is_finished:
            held.job = jobs.enqueue(
                "students.apply_promotion", by=by, county=held.county, promotion=held.pk, shown=shown
            )
            held.save(update_fields=["job"])
    return held


@transaction.atomic
def apply_promotion(*, promotion: Promotion, by, shown: int | None = None) -> Promotion:
    """Turn the year: what was staged is computed once more and written, all or nothing.

    What nobody has seen is not applied: where the preview came out otherwise it stays staged under a new number. Applied
    twice it changes nothing more. Raises NotApplicable.
    """
    held = _held(promotion)
    if held.state == State.APPLIED:
        return held
    if held.state != State.STAGED:
        raise NotApplicable("not_staged", "这次升级现在不能确认，请刷新页面查看状态。")
    _stage(held)
    if shown is not None and shown != held.preview_no:
        return held
    plan = plan_for(held.school_year)
    if plan.pk is None:  # the dates by which its leavers are expected stand from now on
        plan.save()
    counts = turning.apply(held)
    held.applied_by, held.applied_at = by, timezone.now()
    states.move(
        Promotion.objects.filter(pk=held.pk), to=State.APPLIED, by=by,
        also={"applied_by": by, "applied_at": held.applied_at},
    )  # fmt: skip
    held.state = State.APPLIED
    audit.record(by=by, verb="students.promoted", subject=held, county=held.county, detail=counts)
    reconciling.ask(county=held.county, by=by, inputs={"enrolment"}, cause=f"promotion:{held.pk}")
    return held


@transaction.atomic
def give_up(*, promotion: Promotion, by) -> None:
    held = _held(promotion)
    if held.state not in (State.STAGING, State.STAGED):
        raise NotApplicable("not_open", "这次升级已经办结，不能放弃。")
    states.move(Promotion.objects.filter(pk=held.pk), to=State.GIVEN_UP, by=by)
    held.rows.all().delete()
    audit.record(by=by, verb="students.promotion_given_up", subject=held, county=held.county)


def obstacles(promotion: Promotion) -> list[Obstacle]:
    """What hinders taking it back; empty when nothing does."""
    made = Leaver.objects.filter(promotion=promotion)
    schools = promotion.rows.values("school")
    rolls = Roster.objects.filter(
        county=promotion.county_id, kind=Roster.Kind.ROLL, status=Roster.State.APPLIED,
        term__school_year=promotion.school_year, applied_at__gt=promotion.applied_at, parts__school__in=schools,
    ).distinct()  # fmt: skip
    again = Enrolment.objects.open().filter(
        started_on__gt=promotion.leaves_on, student__enrolments__leaver__promotion=promotion
    )
    return [
        one
        for one in (
            Obstacle("毕业学生已在下一学段报到", made.arrived().count(), "请先撤销报到或对方学校的花名册。"),
            Obstacle("已登记毕业去向", made.exclude(destination="").count(), "请先撤回登记的去向。"),
            Obstacle("已核对升学资助", made.exclude(aid="").count(), "请先撤回核对结果。"),
            Obstacle("新学年的花名册已入库", rolls.count(), "请先撤销这些学校的花名册。"),
            Obstacle("毕业学生又登记了新的就读", again.count(), "请先核对这些学生在哪里就读。"),
            Obstacle("学生后来又有变动", turning.moved_again(promotion), "请逐人核对，改用学籍异动办理。"),
        )
        if one.count
    ]


@transaction.atomic
def undo_promotion(*, promotion: Promotion, by, reason: str) -> Promotion:
    """Everything as it was before the turn. Raises NotApplicable when later work stands on it, or without a reason."""
    held = _held(promotion)
    if held.state != State.APPLIED:
        raise NotApplicable("not_applied", "这次升级没有生效，不需要撤销。")
    if not reason.strip():
        raise NotApplicable("reason_required", "请写明撤销的理由。")
    list(
        Leaver.objects.select_for_update().filter(promotion=held).order_by("pk").values_list("pk")
    )  # nobody reports meanwhile
    if hindering := obstacles(held):
        told = "；".join(f"{one.title}（{one.count}）" for one in hindering)
        raise NotApplicable("blocked", f"之后已有别的办理，现在不能撤销：{told}。")
    turning.take_back(held)
    held.undone_by, held.undone_at = by, timezone.now()
    states.move(
        Promotion.objects.filter(pk=held.pk), to=State.UNDONE, by=by, reason=reason,
        also={"undone_by": by, "undone_at": held.undone_at},
    )  # fmt: skip
    held.state = State.UNDONE
    audit.record(by=by, verb="students.promotion_undone", subject=held, county=held.county)
    reconciling.ask(county=held.county, by=by, inputs={"enrolment"}, cause=f"promotion-undo:{held.pk}")
    return held


@transaction.atomic
def decide_repeat(*, enrolment: Enrolment, school_year: SchoolYear, evidence: str, by) -> Repeat:
    """A child will stay in his grade at this turn; the next promotion writes it. Raises NotApplicable."""
    if not evidence.strip():
        raise NotApplicable("evidence_required", "留级须写明佐证，例如监护人申请和学校、县局的批件。")
    held = Enrolment.objects.select_for_update(of=["self"]).select_related("county").get(pk=enrolment.pk)
    if held.ended_on is not None:
        raise NotApplicable("left", "这名学生已经离校。已按毕业办理的，请先在应届毕业名单中退回在读。")
    if not held.stage or not held.entered_in:
        raise NotApplicable("no_cohort", "这名学生的年级还没有登记，请先在花名册中补上。")
    found, is_new = Repeat.objects.get_or_create(
        enrolment=held, school_year=school_year,
        defaults={"county": held.county, "evidence": evidence[:400], "decided_by": by},
    )  # fmt: skip
    if not is_new:
        raise NotApplicable("decided", "这名学生本学年的留级已经登记过了。")
    audit.record(by=by, verb="students.repeat_decided", subject=found, county=held.county)
    return found


@transaction.atomic
def withdraw_repeat(*, repeat: Repeat, by) -> None:
    """Not to be repeated after all; what a promotion has written is taken back with the promotion."""
    held = Repeat.objects.select_for_update(of=["self"]).select_related("county").get(pk=repeat.pk)
    if held.applied_id:
        raise NotApplicable("applied", "这名学生已按留级升级，请先撤销那次升级。")
    audit.record(by=by, verb="students.repeat_withdrawn", subject=held, county=held.county)
    held.delete()


@transaction.atomic
def save_plan(*, plan: YearPlan, values: dict[str, Any], by) -> YearPlan:
    """The dates of one turn."""
    held = YearPlan.objects.select_for_update().filter(school_year=plan.school_year).first() or plan
    for name, value in values.items():
        setattr(held, name, value)
    held.save()
    audit.record(by=by, verb="students.year_planned", subject=held, county=held.county)
    return held


def _held(promotion: Promotion) -> Promotion:
    """The row, locked, and with it the county: nothing else of it is applied meanwhile."""
    held = Promotion.objects.select_for_update(of=["self"]).select_related("county", "school_year", "school")
    found = held.get(pk=promotion.pk)
    County.objects.select_for_update(no_key=True).get(pk=found.county_id)
    return found


def _stage(promotion: Promotion) -> None:
    """Compute the rows; a preview that comes out otherwise than the one stored gets the next number."""
    PromotionRow.objects.filter(promotion=promotion).delete()
    turning.stage(promotion)
    refresh_statistics(PromotionRow)
    summary = turning.summary(promotion)
    if summary != promotion.summary or not promotion.preview_no:
        promotion.preview_no += 1
    promotion.summary = summary
    promotion.save(update_fields=["summary", "preview_no"])

"""学年升级: asked for, looked at school by school, confirmed, and taken back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from bureau import audit
from bureau.jobs.views import told
from bureau.lists import Choice, Listing, Order
from bureau.organisation.models import School, Stage
from students.actions import promoting
from students.actions.refusals import NotApplicable
from students.models import Enrolment, Promotion, PromotionRow
from students.views.places import schools
from students.views.turning import asked_year, bureau_only
from students.views.turning_forms import ReasonForm, ScopeForm

KINDS = [*PromotionRow.Verdict.values, "children", "going_on", "unknown", "on_leave", "stuck"]


def _found(request: HttpRequest, promotion_id: UUID) -> Promotion:
    visible = Promotion.objects.visible_to(request.user).select_related(
        "school_year", "school", "county", "job", "applied_by", "undone_by"
    )
    return get_object_or_404(visible, pk=promotion_id)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    bureau_only(request)
    form = ScopeForm(request.POST, schools=School.objects.visible_to(request.user))
    if not form.is_valid():
        messages.error(request, "请选择列出的学校，或选择全县。")
        return redirect("students:year")
    found = promoting.start_promotion(
        school_year=asked_year(request), school=form.cleaned_data["school"], by=request.user
    )
    return redirect(found)


@require_safe
def promotion(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    """One page for the whole life of a promotion."""
    found = _found(request, promotion_id)
    if found.state == Promotion.State.STAGING or (found.job and not found.job.is_finished):
        page = "students/_turning_progress.html" if request.htmx else "students/turning_staging.html"
        context = {"promotion": found, "told": told(found.job) if found.job else None, "url": request.path}
        return render(request, page, context)
    if request.htmx:  # the progress asked: now there is a page to see
        return HttpResponseClientRefresh()
    lines = [line | {"stages": _stages(line)} for line in found.summary]
    context = {
        "promotion": found,
        "lines": [line for line in lines if _touched(line)],
        "quiet": len([line for line in lines if not _touched(line)]),
        "total": {kind: sum(line.get(kind, 0) for line in lines) for kind in KINDS},
        "obstacles": promoting.obstacles(found) if found.state == Promotion.State.APPLIED else [],
        "form": ReasonForm() if found.state == Promotion.State.APPLIED else None,
        "failed": found.state == Promotion.State.STAGED and found.job and found.job.state == "failed",
        "not_applied": found.state == Promotion.State.STAGED
        and found.job
        and (found.job.result or {}).get("applied") is False,
        "early": found.leaves_on > timezone.localdate(),
        "may_turn": request.user.scope.whole_county,
    }
    return render(request, "students/turning_promotion.html", context)


class Rows(Listing):
    """What a promotion writes to, child by child."""

    unit = "人"
    orders = [Order("id", "先后", "id")]
    filters = [
        Choice(
            "verdict",
            "内容",
            lambda rows, verdict: rows.filter(verdict=verdict),
            options=PromotionRow.Verdict.choices,
        ),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
    ]

    def decorate(self, queryset):
        return queryset.select_related("school", "to_school")


@require_safe
def children(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    """The rows behind the numbers of a preview."""
    found = _found(request, promotion_id)
    page = Rows(found.rows.all(), request.GET, account=request.user).page()
    stays = Enrolment.objects.select_related("student__person", "student__hukou_village")
    known = stays.in_bulk([row.enrolment for row in page.rows])
    year = found.school_year.starts_in
    for row in page.rows:
        row.stay = known.get(row.enrolment)
        row.class_name = f"{row.stay.grade(year - 1)}{row.stay.class_name}" if row.stay else ""
    audit.saw(request, [row.stay.student_id for row in page.rows if row.stay])
    return render(request, "students/turning_children.html", {"promotion": found, "page": page})


def _stages(line: dict) -> str:
    return "、".join(f"{Stage(stage).label} {count}" for stage, count in line["stages"].items())


def _touched(line: dict) -> bool:
    return any(line.get(kind) for kind in (*PromotionRow.Verdict.values, "unknown", "on_leave", "stuck"))


@require_POST
def again(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    """Compute the preview anew."""
    bureau_only(request)
    found = _found(request, promotion_id)
    if found.state not in (Promotion.State.STAGING, Promotion.State.STAGED):
        messages.info(request, "这次升级已经办结。")
        return redirect(found)
    return redirect(
        promoting.start_promotion(school_year=found.school_year, school=found.school, by=request.user)
    )


@require_POST
def apply(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    bureau_only(request)
    found = _found(request, promotion_id)
    shown = request.POST.get("shown", "")
    try:
        promoting.ask_to_apply(
            promotion=found, shown=int(shown) if shown.isdigit() and len(shown) < 9 else 0, by=request.user
        )
    except NotApplicable as refused:
        messages.error(request, refused.message)
    return redirect(found)


@require_POST
def undo(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    bureau_only(request)
    found = _found(request, promotion_id)
    try:
        promoting.undo_promotion(
            promotion=found, by=request.user, reason=request.POST.get("reason", "")[:200]
        )
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已撤销升级，学生信息恢复到升级之前。")
    return redirect(found)


@require_POST
def give_up(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    bureau_only(request)
    found = _found(request, promotion_id)
    try:
        promoting.give_up(promotion=found, by=request.user)
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已放弃这次升级，没有改动任何学生信息。")
    return redirect("students:year")

"""学年: the dates of the turn, how it stands, how long schools teach, and who stays in his grade."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.organisation.models import School, SchoolYear, Stage
from students.actions import areas, promoting
from students.actions.refusals import NotApplicable
from students.models import Catchment, Leaver, Promotion, Repeat, Schooling
from students.models.turning import plan_for
from students.views.turning_forms import PlanForm, RepeatForm, SchoolingForm, ScopeForm

STAGES = (Stage.PRESCHOOL, Stage.PRIMARY, Stage.JUNIOR)


@dataclass(frozen=True)
class Standing:
    """How the leavers of one stage stand: handed over, reported, recorded, still awaited."""

    stage: str
    label: str
    due_on: date
    leavers: int
    handed: int
    arrived: int
    recorded: int

    @property
    def waiting(self) -> int:
        return self.leavers - self.arrived - self.recorded


def school_years(account: Account) -> list[SchoolYear]:
    return list(SchoolYear.objects.filter(county__in=account.scope.counties).order_by("-starts_in"))


def turning_year(account: Account, today: date) -> SchoolYear | None:
    """The school year that is turned to: from May on the coming one, where its terms have been entered."""
    latest, years = latest_year(today), school_years(account)
    return next((year for year in years if year.starts_in <= latest), years[-1] if years else None)


def latest_year(today: date) -> int:
    return today.year if today.month >= 5 else today.year - 1


def asked_year(request: HttpRequest) -> SchoolYear:
    """The one the address names, else the one under way. Raises Http404."""
    years = {str(year.starts_in): year for year in school_years(request.user)}
    if asked := request.GET.get("year"):
        if asked not in years:
            raise Http404
        return years[asked]
    if not (found := turning_year(request.user, timezone.localdate())):
        raise Http404
    return found


def may_turn(request: HttpRequest) -> bool:
    return request.user.scope.whole_county and request.user.may("year.turn")


def bureau_only(request: HttpRequest) -> None:
    """The turn concerns every school, so whoever sees only a part of the county changes nothing of it."""
    if not request.user.scope.whole_county:
        raise PermissionDenied


def standings(account: Account, year: SchoolYear) -> list[Standing]:
    plan, found = plan_for(year), []
    rows = Leaver.objects.visible_to(account).filter(school_year=year)
    for stage in STAGES:
        mine = rows.filter(enrolment__stage=stage)
        counts = mine.aggregate(all=Count("pk"), handed=Count("pk", filter=Q(to_school__isnull=False)))
        if not counts["all"]:
            continue
        arrived = mine.arrived().count()
        recorded = mine.not_arrived().exclude(destination="").count()
        found.append(
            Standing(
                stage.value,
                stage.label,
                plan.due_on(stage),
                counts["all"],
                counts["handed"],
                arrived,
                recorded,
            )
        )
    return found


@require_safe
def year(request: HttpRequest) -> HttpResponse:
    """The start page of the turn: what is set, what is done, what is still open."""
    years = school_years(request.user)
    if not years:
        return render(request, "students/turning_year.html", {"year": None})
    found, coming = asked_year(request), latest_year(timezone.localdate())
    promotions = (
        Promotion.objects.visible_to(request.user)
        .filter(school_year=found)
        .select_related("school", "school_year")
    )
    context = {
        "year": found,
        "years": years,
        "plan": plan_for(found),
        "missing_year": coming if may_turn(request) and years[0].starts_in < coming else None,
        "standings": standings(request.user, found),
        "aided": Leaver.objects.visible_to(request.user)
        .filter(school_year=found)
        .aided()
        .filter(aid="")
        .count(),
        "promotions": promotions.order_by("-pk")[:10] if request.user.may("year.turn") else [],
        "scope": ScopeForm(schools=School.objects.visible_to(request.user)),
        "may_turn": may_turn(request),
        "areas": Catchment.objects.visible_to(request.user).covering(timezone.localdate()).exists(),
    }
    return render(request, "students/turning_year.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    bureau_only(request)
    found = plan_for(asked_year(request))
    form = PlanForm(request.POST or None, plan=found)
    if form.is_valid():
        promoting.save_plan(plan=found, values=form.cleaned_data, by=request.user)
        messages.success(request, f"已保存{found.school_year}的日期安排。")
        return redirect("students:year")
    return render(
        request,
        "students/turning_plan.html",
        {"form": form, "year": found.school_year, "is_set": bool(found.pk)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def schooling(request: HttpRequest) -> HttpResponse:
    """学制与办学年级: what is set, and a form for one more."""
    bureau_only(request)
    schools = School.objects.visible_to(request.user)
    form = SchoolingForm(request.POST or None, schools=schools)
    if form.is_valid():
        saved = areas.save_schooling(by=request.user, **form.cleaned_data)
        messages.success(
            request,
            f"已登记{saved.school}：{saved.get_stage_display()}{saved.get_kind_display()} {saved.years}。",
        )
        return redirect("students:schooling")
    rows = (
        Schooling.objects.visible_to(request.user)
        .select_related("school__managed_by")
        .order_by("school__code", "kind", "stage", "from_year")
    )
    return render(request, "students/turning_schooling.html", {"form": form, "rows": rows})


@require_POST
def remove_schooling(request: HttpRequest, schooling_id: int) -> HttpResponse:
    bureau_only(request)
    found = get_object_or_404(
        Schooling.objects.visible_to(request.user).select_related("school"), pk=schooling_id
    )
    areas.remove_schooling(schooling=found, by=request.user)
    messages.success(request, f"已删除{found.school}的登记。")
    return redirect("students:schooling")


@require_http_methods(["GET", "HEAD", "POST"])
def repeats(request: HttpRequest) -> HttpResponse:
    """留级: who is to stay in his grade at this turn."""
    bureau_only(request)
    found = asked_year(request)
    form = RepeatForm(request.POST or None, schools=School.objects.visible_to(request.user))
    if form.is_valid():
        try:
            promoting.decide_repeat(
                enrolment=form.enrolment,
                school_year=found,
                evidence=form.cleaned_data["evidence"],
                by=request.user,
            )
        except NotApplicable as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已登记留级，确认升级时生效。")
            return redirect(request.get_full_path())
    rows = list(
        Repeat.objects.visible_to(request.user)
        .filter(school_year=found)
        .select_related("enrolment__student__person", "enrolment__school", "decided_by")
        .order_by("-pk")[:200]
    )
    for row in rows:
        row.grade_name = row.enrolment.grade(
            found.starts_in - 1 if row.applied_id is None else found.starts_in
        )
    audit.saw(request, [row.enrolment.student_id for row in rows])
    return render(request, "students/turning_repeats.html", {"form": form, "rows": rows, "year": found})


@require_POST
def withdraw_repeat(request: HttpRequest, repeat_id: int) -> HttpResponse:
    bureau_only(request)
    found = get_object_or_404(Repeat.objects.visible_to(request.user), pk=repeat_id)
    try:
        promoting.withdraw_repeat(repeat=found, by=request.user)
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已取消留级登记。")
    return redirect("students:repeats")

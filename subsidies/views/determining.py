"""困难认定: the list of a school year, an application, and the panel's and the bureau's decision."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.terms import term_on
from bureau.states import IllegalMove
from students.models import Determination, Enrolment, Entry, Student
from students.models.determining import Tier
from students.views.places import schools
from subsidies.actions import determining
from subsidies.actions.granting import exercising
from subsidies.actions.refusals import NotDone
from subsidies.forms import DeterminationForm


class Determinations(Listing):
    unit = "人"
    orders = [Order("new", "申请先后", "id", descending=True)]
    filters = [
        Search(
            "q",
            "姓名",
            lambda rows, text: rows.filter(student__person__name_key__startswith=name_key(text)),
            hint="姓名",
        ),
        Choice(
            "state", "状态", lambda rows, state: rows.filter(state=state), options=Determination.State.choices
        ),
        Choice("tier", "等级", lambda rows, tier: rows.filter(tier=tier), options=Tier.choices),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
    ]

    def decorate(self, queryset):
        return queryset.select_related(
            "student__person", "school", "school_year", "applied_by", "reviewed_by", "confirmed_by"
        )


@require_safe
def determinations(request: HttpRequest) -> HttpResponse:
    page = Determinations(
        Determination.objects.visible_to(request.user), request.GET, account=request.user
    ).page()
    for row in page.rows:
        row.moves = Determination.STATES.moves_from(row.state, request.user)
    audit.saw(request, [row.student_id for row in page.rows])
    return render(request, "subsidies/determinations.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, student_id: UUID) -> HttpResponse:
    """What the lists say of the family is known already and not asked again."""
    child = get_object_or_404(
        Student.objects.visible_to(request.user).select_related("person", "county"), pk=student_id
    )
    today = timezone.localdate()
    term = term_on(child.county, today)
    listed = list(
        Entry.objects.filter(person=child.pk).exclude(category="").covering(today).select_related("register")
    )
    initial = {
        "category": listed[0].category if listed else "",
        "valid_from": term.starts_on if term else today,
    }
    form = DeterminationForm(request.POST or None, initial=initial)
    if form.is_valid() and term is not None:
        place = (
            Enrolment.objects.open()
            .filter(student=child.pk, school__isnull=False)
            .order_by("-is_present", "pk")
            .first()
        )
        try:
            determining.apply(
                student=child,
                school_year=term.school_year,
                school=place.school if place else None,
                by=request.user,
                **form.cleaned_data,
            )
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已提交困难认定申请，等学校评审、县级确认。")
            return redirect("subsidies:determinations")
    audit.saw(request, [child])
    return render(
        request, "subsidies/determine.html", {"form": form, "child": child, "listed": listed, "term": term}
    )


@require_POST
def decide(request: HttpRequest, determination_id: UUID) -> HttpResponse:
    """One button of the list: the move decides which right counts, and whose places."""
    found = get_object_or_404(Determination.objects.visible_to(request.user), pk=determination_id)
    to, reason = request.POST.get("to", ""), request.POST.get("reason", "").strip()
    move = next(
        (m for m in Determination.STATES.moves_from(found.state, request.user) if m.target == to), None
    )
    if move is None:
        messages.error(request, "这条认定的状态已变，请刷新后重试。")
        return redirect("subsidies:determinations")
    rows = Determination.objects.filter(pk=found.pk)
    try:
        with exercising(move.right, request.user):
            moved = determining.move(
                determinations=rows,
                to=to,
                by=request.user,
                reason=reason,
                on=max(timezone.localdate(), found.valid_from),
            )
    except (NotDone, IllegalMove) as refused:
        messages.error(request, refused.message)
    else:
        if moved:
            messages.success(request, f"已办理：{move.label}。")
        else:
            messages.error(request, "这名学生不在您的办理范围内。")
    return redirect("subsidies:determinations")

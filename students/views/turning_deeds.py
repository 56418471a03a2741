"""What is done to many leavers at once: handed over, reported, recorded elsewhere, their aid checked; each can be taken back."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bureau import audit
from bureau.lists import Listing
from bureau.organisation.models import School
from students.actions import handing_over
from students.actions.refusals import NotApplicable
from students.models import Leaver
from students.views.turning_forms import (
    AidForm,
    DestinationForm,
    HandOverForm,
    Nothing,
    ReasonForm,
    ReportForm,
    receiving,
)
from students.views.turning_leavers import AidedLeavers, Leavers, listing_for, told, with_children

SHOWN = 10
MOST_AT_ONCE = 5_000


def _chosen(request: HttpRequest, kind: type[Listing] = Leavers) -> QuerySet[Leaver]:
    if "all" in request.GET:
        return listing_for(request.user, request.GET, kind).queryset
    ids = [int(key) for key in request.GET.getlist("ids") if key.isdigit() and len(key) < 19]
    rows = Leaver.objects.visible_to(request.user).filter(pk__in=ids)
    return rows.aided() if kind is AidedLeavers else rows


@dataclass(frozen=True)
class Deed:
    """One thing done to chosen leavers: its words, its form, and the action that does it."""

    heading: str
    button: str
    back: str
    form: Callable
    act: Callable
    done: str
    listing: type[Listing] = Leavers
    side: str = ""  # whose deed it is: of the school they left, or of the one they come to; empty: of both


def _do(request: HttpRequest, deed: Deed) -> HttpResponse:
    rows = with_children(_chosen(request, deed.listing))
    if deed.side:
        rows = rows.filter(**{f"{deed.side}__in": School.objects.visible_to(request.user).values("pk")})
    found = list(rows.order_by("pk")[:MOST_AT_ONCE])
    if not found:
        messages.info(request, "没有选中学生，或不在您的范围内。")
        return redirect(deed.back)
    form = deed.form(request, found)
    if request.method == "POST" and request.POST.get("count") != str(len(found)):
        form.add_error(None, f"页面打开后情况有变化，现在是 {len(found)} 人。请核对后再确认。")
    if request.method == "POST" and form.is_valid():
        try:
            done, left = deed.act(Leaver.objects.filter(pk__in=[one.pk for one in found]), form, request.user)
        except NotApplicable as refused:
            form.add_error(None, refused.message)
        else:
            if done:
                messages.success(request, deed.done.format(count=done))
            if left:
                messages.warning(request, f"有 {left} 人没有办理：已经办过，或情况不符。请逐人查看。")
            return redirect(deed.back)
    shown = told(found[:SHOWN])
    audit.saw(request, [row.enrolment.student_id for row in shown])
    context = {
        "deed": deed, "form": form, "count": len(found), "shown": shown, "left": len(found) - len(shown),
        "action": request.get_full_path(), "back": reverse(deed.back),
    }  # fmt: skip
    return render(request, "students/turning_deed.html", context)


def _stages(found: list[Leaver]) -> set[str]:
    return {one.enrolment.stage for one in found}


def _open_schools(request: HttpRequest, found: list[Leaver], *, own: bool) -> QuerySet[School]:
    """Schools of the county that have the next stage; `own`: only those the account works for."""
    county = found[0].county_id
    known = School.objects.visible_to(request.user) if own else School.objects.filter(county=county)
    return receiving(known.open_on(timezone.localdate()), _stages(found))


@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest) -> HttpResponse:
    def act(rows, form, by):
        return handing_over.hand_over(
            leavers=rows, to_school=form.cleaned_data["to_school"], on=timezone.localdate(), by=by
        )

    return _do(
        request,
        Deed(
            "移交毕业学生", "移交", "students:handover",
            lambda request, found: HandOverForm(request.POST or None, schools=_open_schools(request, found, own=False)),
            act, "已移交 {count} 人，接收学校现在就能看到名单。", side="enrolment__school",
        ),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def report_in(request: HttpRequest) -> HttpResponse:
    def form(request, found):
        own = _open_schools(request, found, own=True)
        return ReportForm(request.POST or None, schools=own, today=timezone.localdate())

    def act(rows, form, by):
        return handing_over.report_in(leavers=rows, by=by, **form.cleaned_data)

    return _do(
        request,
        Deed("登记报到", "已报到", "students:leavers", form, act, "已登记 {count} 人报到，即日起在校。"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_report(request: HttpRequest) -> HttpResponse:
    def act(rows, form, by):
        return handing_over.withdraw_report(leavers=rows, by=by)

    return _do(
        request,
        Deed(
            "撤回报到",
            "撤回报到",
            "students:leavers",
            lambda request, found: Nothing(request.POST or None),
            act,
            "已撤回 {count} 人的报到。",
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def destinations(request: HttpRequest) -> HttpResponse:
    def act(rows, form, by):
        return handing_over.record_destinations(leavers=rows, told=form.told(), by=by)

    return _do(
        request,
        Deed(
            "登记毕业去向", "登记去向", "students:leavers",
            lambda request, found: DestinationForm(request.POST or None, stages=_stages(found)), act, "已登记 {count} 人的去向。",
        ),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_destinations(request: HttpRequest) -> HttpResponse:
    def act(rows, form, by):
        return handing_over.withdraw_destinations(leavers=rows, by=by), 0

    return _do(
        request,
        Deed(
            "撤回毕业去向",
            "撤回去向",
            "students:leavers",
            lambda request, found: Nothing(request.POST or None),
            act,
            "已撤回 {count} 人的去向。",
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def check_aid(request: HttpRequest) -> HttpResponse:
    def act(rows, form, by):
        return handing_over.check_aid(leavers=rows, by=by, **form.cleaned_data)

    return _do(
        request,
        Deed(
            "核对升学资助", "保存核对结果", "students:aided", lambda request, found: AidForm(request.POST or None), act,
            "已核对 {count} 人。", listing=AidedLeavers, side="to_school",
        ),
    )  # fmt: skip


@require_POST
def return_leaver(request: HttpRequest, leaver_id: int) -> HttpResponse:
    """退回在读, by the bureau."""
    found = get_object_or_404(Leaver.objects.visible_to(request.user), pk=leaver_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "请写明退回在读的理由。")
        return redirect("students:leavers")
    try:
        stay = handing_over.return_leaver(leaver=found, reason=form.cleaned_data["reason"], by=request.user)
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"已退回在读，仍在{stay.school}就读。")
    return redirect("students:leavers")

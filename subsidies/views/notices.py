"""公示: posters by school, the poster to print, objections and their answers."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bureau import audit
from bureau.lists import Choice, Listing, Order
from students.views.places import schools
from subsidies.actions import noticing
from subsidies.actions.refusals import NotDone
from subsidies.forms import AnswerForm, ObjectionForm
from subsidies.models import Grant, Objection, PublicNotice


def _by_state(rows, state):
    today = timezone.localdate()
    return {
        "hanging": rows.filter(ends_on__gte=today),
        "contested": rows.contested(),
        "down": rows.to_take_down(today),
    }[state]


class Notices(Listing):
    unit = "份"
    orders = [Order("new", "张贴先后", "id", descending=True)]
    filters = [
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
        Choice(
            "state",
            "状态",
            _by_state,
            options=[("hanging", "公示期内"), ("contested", "有异议未答复"), ("down", "期满应撤下")],
        ),
    ]

    def decorate(self, queryset):
        return queryset.select_related("programme", "term", "school").prefetch_related("objections")


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    page = Notices(PublicNotice.objects.visible_to(request.user), request.GET, account=request.user).page()
    for row in page.rows:
        row.waiting = sum(one.answered_on is None for one in row.objections.all())
    return render(request, "subsidies/notices.html", {"page": page, "today": timezone.localdate()})


def _found(request: HttpRequest, notice_id: UUID) -> PublicNotice:
    visible = PublicNotice.objects.visible_to(request.user).select_related(
        "programme", "term", "school", "county", "posted_by"
    )
    return get_object_or_404(visible, pk=notice_id)


@require_safe
def notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """The poster as it hangs; printed, nothing else is on the sheet."""
    found, today = _found(request, notice_id), timezone.localdate()
    lines = list(found.grants.order_by("class_name", "name"))
    audit.saw(request, [line.student_id for line in lines])
    objections = list(
        found.objections.select_related("grant", "recorded_by", "answered_by").order_by("received_on", "pk")
    )
    hanging = found.posted_on <= today <= found.ends_on
    context = {
        "found": found,
        "objections": objections,
        "answer_form": AnswerForm(),
        "form": _objection_form(found, today) if hanging and request.user.may("aid.apply") else None,
        "may_answer": request.user.may("aid.review"),
        "may_take_down": today > found.ends_on and not found.removed_on and request.user.may("aid.apply"),
        "today": today,
    }
    return render(request, "subsidies/notice.html", context)


def _objection_form(found: PublicNotice, today, data=None) -> ObjectionForm:
    lines = [
        (str(line.pk), f"{line.name} {line.class_name}")
        for line in found.grants.filter(state=Grant.State.IN_NOTICE).order_by("class_name", "name")
    ]
    return ObjectionForm(data, lines=lines, today=today)


@require_POST
def object_to(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    found = _found(request, notice_id)
    form = _objection_form(found, timezone.localdate(), request.POST)
    if not form.is_valid():
        messages.error(request, "请写明异议内容和收到日期。")
        return redirect(found)
    given = form.cleaned_data
    line = found.grants.get(pk=given["line"]) if given["line"] else None
    if given["received_on"] > timezone.localdate():
        messages.error(request, "收到日期不能晚于今天。")
        return redirect(found)
    try:
        noticing.object_to(
            notice=found, grant=line, text=given["text"], received_on=given["received_on"], by=request.user
        )
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已登记异议，答复之前这些人不能上报。")
    return redirect(found)


@require_POST
def answer(request: HttpRequest, objection_id: UUID) -> HttpResponse:
    found = get_object_or_404(
        Objection.objects.visible_to(request.user).select_related("notice__county"), pk=objection_id
    )
    form = AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "请写明核实结果和答复。")
        return redirect(found.notice)
    try:
        noticing.answer(
            objection=found,
            upheld=form.cleaned_data["upheld"] == "yes",
            text=form.cleaned_data["text"],
            on=timezone.localdate(),
            by=request.user,
        )
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已答复。")
    return redirect(found.notice)


@require_POST
def take_down(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    found = _found(request, notice_id)
    try:
        noticing.take_down(notice=found, on=timezone.localdate(), by=request.user)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已登记撤下。")
    return redirect(found)

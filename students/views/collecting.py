"""上报安排: windows and locks, who has delivered and who has not, 催办, and requests to unlock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.lists import Choice, Listing, Order
from bureau.organisation.models import School, Township
from bureau.sheets import Column, Sheet
from bureau.sheets.kinds import Text
from bureau.templatetags.bureau import date_cn
from students.actions import collecting
from students.actions.refusals import NotApplicable
from students.intake.deliveries import LATE, MISSING, STAGED, WORDS, Delivery, Tally, deliveries
from students.models import Collection, UnlockRequest
from students.views import exporting
from students.views.collection_forms import AnswerForm, CollectionForm, UnlockForm

STATES = [("delivered", "已上报"), (LATE, "其中迟报"), (STAGED, "已上传待确认"), (MISSING, "未上报"), ("owed", "尚欠（含待确认）")]


class OwedSheet(Sheet):
    title = "未上报学校"
    township = Column("乡镇", width=14)
    center = Column("中心校（学区）", width=26)
    code = Column("学校标识码", kind=Text(20, digits=True), width=16)
    school = Column("学校名称", width=30)
    stages = Column("学段", width=16)
    state = Column("状态", width=16)


@dataclass(frozen=True)
class Overview:
    """One collection with how far it is."""

    collection: Collection
    tally: Tally
    phase: str
    tone: str


@dataclass(frozen=True)
class Place:
    """One township's line of the drill-down."""

    township: Township
    tally: Tally


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    today, schools = timezone.localdate(), School.objects.visible_to(request.user)
    rows = Collection.objects.visible_to(request.user).select_related("term__school_year", "county")
    overviews = [
        Overview(one, Tally.of(deliveries(one, schools)), *phase(one, today))
        for one in rows.order_by("-term__starts_on", "kind", "stage")
    ]
    context = {
        "overviews": [one for one in overviews if one.tally.asked or request.user.scope.whole_county],
        "waiting": UnlockRequest.objects.visible_to(request.user).waiting().count(),
        "may_edit": _may_edit(request),
    }
    return render(request, "students/collections.html", context)


def phase(collection: Collection, today: date) -> tuple[str, str]:
    """What stage of its life a collection is in on `today`, and the colour of it."""
    if collection.is_locked:
        return "已锁定", "grey"
    if today < collection.opens_on:
        return "未开始", "violet"
    return ("已截止，未锁定", "amber") if collection.is_late(today) else ("进行中", "blue")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_collection(request: HttpRequest, collection_id: int | None = None) -> HttpResponse:
    _bureau_only(request)
    found = _found(request, collection_id) if collection_id else Collection(county=request.user.county)
    form = CollectionForm(
        request.POST or None, collection=found, account=request.user, today=timezone.localdate()
    )
    if form.is_valid():
        values = form.cleaned_data
        if term := values.get("term"):
            values |= {"county": term.county}
        try:
            saved = collecting.save_collection(collection=found, values=values, by=request.user)
        except NotApplicable as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, f"已保存：{saved}，{date_cn(saved.opens_on)}至{date_cn(saved.closes_on)}。")
            return redirect(saved)
    back = found.get_absolute_url() if found.pk else reverse("students:collections")
    context = {"form": form, "noun": "上报安排", "instance": found, "is_new": not found.pk, "back_url": back}
    return render(request, "bureau/place_form.html", context)


@require_safe
def collection(request: HttpRequest, collection_id: int) -> HttpResponse:
    """By township, and school by school; `state` and `township` narrow it."""
    found = _found(request, collection_id)
    everyone = _deliveries(request, found)
    by_township: dict[Township, list[Delivery]] = {}
    for delivery in everyone:
        by_township.setdefault(delivery.school.township, []).append(delivery)
    chosen = _chosen(request, everyone)
    context = {
        "collection": found,
        "phase": phase(found, timezone.localdate()),
        "tally": Tally.of(everyone),
        "places": [Place(township, Tally.of(rows)) for township, rows in by_township.items()],
        "rows": chosen,
        "told": _told(request, everyone, len(chosen)),
        "is_narrowed": bool(request.GET.get("state") or request.GET.get("township")),
        "requests": UnlockRequest.objects.visible_to(request.user).filter(collection=found).select_related("school", "asked_by").order_by("-pk")[:20],
        "may_edit": _may_edit(request),
        "may_ask": found.is_locked and request.user.may("rosters.upload"),
        "may_export": request.user.may("figures.export"),
    }
    return render(request, "students/collection.html", context)


@require_safe
def export_owed(request: HttpRequest, collection_id: int) -> FileResponse:
    """The schools that have not delivered, those waiting for a confirmation among them."""
    found = _found(request, collection_id)
    owed = [delivery for delivery in _deliveries(request, found) if delivery.is_owed]
    audit.record(by=request.user, verb="students.owed_exported", subject=found, detail={"rows": len(owed)})
    return exporting.workbook(OwedSheet, map(_line, owed), name=f"{found}未上报学校")


def _line(delivery: Delivery) -> dict[str, Any]:
    school = delivery.school
    return {
        "township": school.township.name,
        "center": school.managed_by.name if school.managed_by else "",
        "code": school.code,
        "school": school.name,
        "stages": school.get_stages_display(),
        "state": delivery.words,
    }


@require_safe
def remind(request: HttpRequest, collection_id: int) -> HttpResponse:
    """催办: a text to copy into whatever the office sends messages with."""
    found, today = _found(request, collection_id), timezone.localdate()
    owed = [delivery for delivery in _deliveries(request, found) if delivery.is_owed]
    context = {"collection": found, "owed": owed, "text": reminder(found, owed, today) if owed else ""}
    return render(request, "students/remind.html", context)


def reminder(found: Collection, owed: Iterable[Delivery], today: date) -> str:
    """The words to the schools that owe a roll, grouped by 中心校, else by township."""
    owed = list(owed)
    centres = {delivery.school.managed_by_id for delivery in owed}
    groups: dict[str, list[str]] = {}
    for delivery in owed:
        own = delivery.school if delivery.school.pk in centres else delivery.school.township
        head = delivery.school.managed_by or own
        tail = "（已上传，请确认入库）" if delivery.state == STAGED else ""
        groups.setdefault(head.name, []).append(f"{delivery.school.name}{tail}")
    count = sum(map(len, groups.values()))
    deadline = f"应于{date_cn(found.closes_on)}（含）前上报" + ("，现已过截止日期" if found.is_late(today) else "")
    lines = [
        "各有关学校：",
        f"    {found}{deadline}。截至{date_cn(today)}，以下 {count} 所学校尚未完成，请尽快登录系统，在“花名册”中上传名册并确认入库，或逐班核对后提交。",
        *(f"【{name}】{len(schools)} 所：{'、'.join(schools)}。" for name, schools in groups.items()),
        "    如有困难，请及时与县教育局联系。感谢支持！",
        f"{found.county.name}教育局",
        date_cn(today),
    ]
    return "\n".join(lines)


@require_POST
def lock(request: HttpRequest, collection_id: int) -> HttpResponse:
    _bureau_only(request)
    found = _found(request, collection_id)
    if collecting.lock_collection(collection=found, by=request.user):
        messages.success(request, f"已锁定{found}。学校不能再上传和入库，确需更改的可以申请解锁。")
    return redirect(found)


@require_POST
def unlock(request: HttpRequest, collection_id: int) -> HttpResponse:
    _bureau_only(request)
    found = _found(request, collection_id)
    if collecting.unlock_collection(collection=found, by=request.user):
        messages.success(request, f"已解除{found}的锁定，所有学校都可以上报。")
    return redirect(found)


class Requests(Listing):
    unit = "件"
    orders = [Order("new", "申请先后", "id", descending=True)]
    filters = [
        Choice(
            "state",
            "状态",
            lambda rows, state: rows.waiting() if state == "waiting" else rows.filter(granted=state == "granted"),
            options=[("waiting", "待答复"), ("granted", "已同意"), ("refused", "未同意")],
        )
    ]

    def decorate(self, queryset):
        return queryset.select_related("collection__term__school_year", "school__township", "asked_by")


@require_safe
def unlock_requests(request: HttpRequest) -> HttpResponse:
    page = Requests(UnlockRequest.objects.visible_to(request.user), request.GET, account=request.user).page()
    return render(request, "students/unlock_requests.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def ask_to_unlock(request: HttpRequest, collection_id: int) -> HttpResponse:
    found = _found(request, collection_id)
    schools = School.objects.visible_to(request.user)
    asked = {school.pk for school in found.schools(schools)}
    form = UnlockForm(request.POST or None, schools=schools.filter(pk__in=asked))
    if form.is_valid():
        try:
            collecting.ask_to_unlock(collection=found, by=request.user, **form.cleaned_data)
        except NotApplicable as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, "已提交解锁申请。县局答复后，工作台上会有提示。")
        return redirect("students:unlock_requests")
    return render(request, "students/ask_to_unlock.html", {"collection": found, "form": form})


@require_safe
def unlock_request(request: HttpRequest, request_id: int) -> HttpResponse:
    return _request_page(request, _asked(request, request_id), AnswerForm(today=timezone.localdate()))


@require_POST
def answer_unlock(request: HttpRequest, request_id: int) -> HttpResponse:
    _bureau_only(request)
    asked = _asked(request, request_id)
    form = AnswerForm(request.POST, today=timezone.localdate())
    if not form.is_valid():
        return _request_page(request, asked, form)
    given = form.cleaned_data
    try:
        collecting.answer_unlock(
            request=asked,
            granted=given["granted"] == "yes",
            until_on=given["until_on"],
            answer=given["answer"],
            by=request.user,
        )
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"已答复{asked.school}的申请，学校会在工作台上看到。")
    return redirect("students:unlock_request", asked.pk)


def _request_page(request: HttpRequest, asked: UnlockRequest, form: AnswerForm) -> HttpResponse:
    may_answer = asked.granted is None and _may_edit(request)
    return render(request, "students/unlock_request.html", {"asked": asked, "form": form if may_answer else None})


def _may_edit(request: HttpRequest) -> bool:
    return request.user.scope.whole_county and request.user.may("collections.edit")


def _bureau_only(request: HttpRequest) -> None:
    """A collection concerns every school of the county, so whoever sees only a part of it changes none."""
    if not request.user.scope.whole_county:
        raise PermissionDenied


def _found(request: HttpRequest, collection_id: int) -> Collection:
    visible = Collection.objects.visible_to(request.user).select_related("term__school_year", "county", "locked_by")
    return get_object_or_404(visible, pk=collection_id)


def _asked(request: HttpRequest, request_id: int) -> UnlockRequest:
    visible = UnlockRequest.objects.visible_to(request.user).select_related(
        "collection__term__school_year", "school__township", "asked_by", "decided_by"
    )
    return get_object_or_404(visible, pk=request_id)


def _deliveries(request: HttpRequest, found: Collection) -> list[Delivery]:
    return deliveries(found, School.objects.visible_to(request.user))


def _chosen(request: HttpRequest, everyone: list[Delivery]) -> list[Delivery]:
    state, township = request.GET.get("state", ""), request.GET.get("township", "")
    wanted = {"delivered": {"delivered", LATE}, "owed": {STAGED, MISSING}}.get(state, {state} if state else set(WORDS))
    return [d for d in everyone if d.state in wanted and township in ("", str(d.school.township_id))]


def _told(request: HttpRequest, everyone: list[Delivery], count: int) -> str:
    """Why these rows are listed, and how many."""
    township = request.GET.get("township", "")
    named = next((d.school.township.name for d in everyone if str(d.school.township_id) == township), "")
    state = dict(STATES).get(request.GET.get("state", ""), "").removeprefix("其中")
    return " · ".join(filter(None, [named, state, f"共 {count} 所学校"]))

"""工作日历, the two lists of a term, and the figures a closed term keeps."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import desk
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.access.workbook import schools_without_clerk
from bureau.audit import telling
from bureau.desk import ToDo
from bureau.organisation.models import Holiday, Term
from bureau.organisation.terms import term_on
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from bureau.year import actions, checklists
from bureau.year.actions import NotClosed, days_of
from bureau.year.checklists import CLOSING, OPENING, Check, Tick
from bureau.year.forms import ReasonForm, WorkDateForm
from bureau.year.models import FrozenFigure, TermClosing, WorkDate

SOON = timedelta(days=14)
FIELDS = ("title", "kind", "starts_on", "due_on", "roles", "note")


# 工作日历.


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    year = _school_year(request, today)
    rows = list(WorkDate.objects.visible_to(request.user).within(*days_of(year)))
    mine = request.GET.get("who", "") == "mine"
    if mine:
        rows = [row for row in rows if row.concerns(request.user.scope.roles)]
    labels = dict(Role.choices)
    for row in rows:
        row.who = "、".join(labels[role] for role in row.roles if role in labels) or "所有岗位"
        row.is_over, row.is_running = row.due_on < today, row.starts_on <= today <= row.due_on
    context = {"rows": rows, "year": year, "mine": mine, "may_edit": _may_arrange(request.user)}
    return render(request, "bureau/work_calendar.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_work_date(request: HttpRequest, work_date_id: int | None = None) -> HttpResponse:
    _county_only(request)
    found = WorkDate(county=request.user.county)
    if work_date_id:
        found = get_object_or_404(WorkDate.objects.visible_to(request.user), pk=work_date_id)
    initial = {name: getattr(found, name) for name in FIELDS} if work_date_id else None
    form = WorkDateForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            actions.save_work_date(work_date=found, values=form.cleaned_data, by=request.user)
        except NotClosed as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已保存“{found}”，相关岗位的工作台上会看到。")
            return redirect("bureau:work_calendar")
    return render(
        request, "bureau/work_date.html", {"form": form, "work_date": found if work_date_id else None}
    )


@require_POST
def delete_work_date(request: HttpRequest, work_date_id: int) -> HttpResponse:
    _county_only(request)
    found = get_object_or_404(WorkDate.objects.visible_to(request.user), pk=work_date_id)
    actions.delete_work_date(work_date=found, by=request.user)
    messages.success(request, "已删除。")
    return redirect("bureau:work_calendar")


@require_POST
def copy_work_dates(request: HttpRequest) -> HttpResponse:
    _county_only(request)
    year = _school_year(request, timezone.localdate())
    count = actions.copy_year(county=request.user.county, school_year=year, by=request.user)
    messages.success(
        request,
        f"已按上一学年安排 {count} 项，请逐项核对日期。"
        if count
        else "上一学年没有可以照搬的安排，或已经照搬过。",
    )
    return redirect(f"{reverse('bureau:work_calendar')}?year={year}")


def _school_year(request: HttpRequest, today) -> int:
    asked = request.GET.get("year", "") or request.POST.get("year", "")
    if asked.isascii() and asked.isdigit() and 2000 <= int(asked) <= 2100:
        return int(asked)
    return today.year if today.month >= 8 else today.year - 1


def dates_ahead(account: Account) -> list[ToDo]:
    """What the bureau has set for these weeks, for whoever it is: running, or beginning within a fortnight."""
    if not account.may("desk") or account.county is None:
        return []
    today, url = timezone.localdate(), f"{reverse('bureau:work_calendar')}?who=mine"
    rows = WorkDate.objects.filter(county=account.county, starts_on__lte=today + SOON, due_on__gte=today)
    return [
        ToDo(
            row.title, 1, url, due_on=row.due_on, tone="amber" if row.due_on <= today + timedelta(days=3) else "blue",
            detail=f"工作日历 · {row.get_kind_display()}" + (f" · {row.starts_on:%-m月%-d日}开始" if row.starts_on > today else ""),
            unit="项", icon="calendar-days",
        )
        for row in rows
        if row.concerns(account.scope.roles)
    ]  # fmt: skip


# Opening and closing a term.


@require_safe
def term_lists(request: HttpRequest, term_id: UUID) -> HttpResponse:
    return _term_page(request, _term(request, term_id))


@require_POST
def close_term(request: HttpRequest, term_id: UUID) -> HttpResponse:
    term = _term(request, term_id)
    try:
        closing = actions.close_term(term=term, today=timezone.localdate(), by=request.user)
    except NotClosed as refusal:
        messages.error(request, refusal.message)
        return redirect("bureau:term_lists", term.pk)
    messages.success(request, f"{term}已收尾，统计数已冻结，以后的变动不再影响它们。")
    return redirect(closing)


@require_safe
def frozen_figures(request: HttpRequest, closing_id: UUID) -> HttpResponse:
    return _frozen_page(request, _closing(request, closing_id), ReasonForm())


@require_POST
def reopen_term(request: HttpRequest, closing_id: UUID) -> HttpResponse:
    closing = _closing(request, closing_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _frozen_page(request, closing, form)
    if actions.reopen_term(closing=closing, by=request.user, **form.cleaned_data):
        messages.success(request, "已重新打开。原来冻结的数保留，再次收尾时另存一份。")
    else:
        messages.info(request, "已由他人重新打开。")
    return redirect("bureau:term_lists", closing.term_id)


def _term_page(request: HttpRequest, term: Term) -> HttpResponse:
    lists = [
        {"phase": phase, "title": title, "ticks": checklists.ticks(phase, term, request.user)}
        for phase, title in ((OPENING, "开学"), (CLOSING, "学期结束"))
    ]
    for one in lists:
        one["done"] = sum(tick.done for _, tick in one["ticks"])
    today = timezone.localdate()
    closings = term.closings.select_related("closed_by").order_by("-number")
    context = {
        "term": term,
        "lists": lists,
        "closings": closings,
        "standing": next((one for one in closings if one.reopened_at is None), None),
        "may_close": _may_arrange(request.user) and today >= term.ends_on,
        "ended": today >= term.ends_on,
    }
    return render(request, "bureau/term_lists.html", context)


def _frozen_page(request: HttpRequest, closing: TermClosing, form: ReasonForm) -> HttpResponse:
    rows = list(closing.figures.order_by("code", "part", "place_name"))
    parts = {"township": "按乡镇", "school": "按学校", "stage": "按学段"}
    tables = []
    for part, title in parts.items():
        cells = [row for row in rows if row.part == part]
        places = sorted({(row.place, row.place_name) for row in cells}, key=lambda place: place[1])
        shown = {row.code: row.name for row in cells}
        values = {(row.place, row.code): row.value for row in cells}
        if cells:
            lines = [(name, [values.get((place, code), 0) for code in shown]) for place, name in places]
            tables.append({"title": title, "columns": shown.values(), "lines": lines})
    context = {
        "closing": closing,
        "whole": [row for row in rows if not row.part],
        "tables": tables,
        "form": form if _may_arrange(request.user) and closing.reopened_at is None else None,
    }
    return render(request, "bureau/frozen_figures.html", context)


def _term(request: HttpRequest, term_id: UUID) -> Term:
    """Both lists are about the county as a whole: whoever sees a part of it has no such page."""
    _county_only(request)
    return get_object_or_404(
        Term.objects.visible_to(request.user).select_related("county", "school_year"), pk=term_id
    )


def _closing(request: HttpRequest, closing_id: UUID) -> TermClosing:
    visible = TermClosing.objects.visible_to(request.user).select_related(
        "term__county", "term__school_year", "closed_by", "reopened_by"
    )
    return get_object_or_404(visible, pk=closing_id)


def _may_arrange(account: Account) -> bool:
    return account.scope.whole_county and account.may("year.arrange")


def _county_only(request: HttpRequest) -> None:
    if not request.user.scope.whole_county:
        raise PermissionDenied


# What the ground floor can tell of a term.


def _days_off(term: Term, account: Account) -> Tick:
    count = Holiday.objects.filter(county=term.county_id, date__range=(term.starts_on, term.ends_on)).count()
    return Tick(bool(count), f"本学期已设 {count} 天" if count else "还没有设置", reverse("bureau:holidays"))


def _clerks(term: Term, account: Account) -> Tick:
    count = schools_without_clerk(account).count()
    told = f"{count} 所学校没有经办人账号" if count else "每所学校都有经办人"
    return Tick(not count, told, reverse("bureau:accounts"))


def _work_dates(term: Term, account: Account) -> Tick:
    count = WorkDate.objects.filter(county=term.county_id).within(term.starts_on, term.ends_on).count()
    return Tick(bool(count), f"本学期 {count} 项" if count else "还没有安排", reverse("bureau:work_calendar"))


def _next_term(term: Term, account: Account) -> Tick:
    following = (
        Term.objects.filter(county=term.county_id, starts_on__gt=term.ends_on).order_by("starts_on").first()
    )
    told = (
        f"{following}，{following.starts_on:%-m月%-d日}开学" if following else "还没有录入，教学日期限会停住"
    )
    return Tick(following is not None, told, reverse("bureau:terms"))


def _frozen(term: Term, account: Account) -> Tick:
    standing = term.closings.standing().first()
    told = (
        f"{standing.closed_on:%-m月%-d日}冻结 {FrozenFigure.objects.filter(closing=standing).count()} 个数"
        if standing
        else "收尾时自动冻结"
    )
    return Tick(standing is not None, told, standing.get_absolute_url() if standing else "")


def terms_to_close(account: Account) -> list[ToDo]:
    """The term that is over and not closed, for whoever arranges the year."""
    if not _may_arrange(account) or account.county is None:
        return []
    today = timezone.localdate()
    last = term_on(account.county, today)
    if last is None or today < last.ends_on or last.closings.standing().exists():
        return []
    url = reverse("bureau:term_lists", args=[last.pk])
    return [
        ToDo(
            f"{last}已结束，请收尾",
            1,
            url,
            tone="amber",
            detail="核对未办结事项，锁定上报，冻结统计数",
            unit="项",
            icon="archive",
        )
    ]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    checklists.register(
        Check("days_off", OPENING, "节假日已设置", _days_off),
        Check("clerks", OPENING, "账号已交接，每所学校有经办人", _clerks),
        Check("work_dates", OPENING, "工作日历已安排", _work_dates),
        Check("next_term", CLOSING, "下一学期已录入", _next_term),
        Check("frozen", CLOSING, "统计数已冻结", _frozen),
    )
    desk.register(dates_ahead)
    desk.register(terms_to_close)
    navigation.register(NavItem("工作日历", "calendar-days", "bureau:work_calendar", "desk", 5))
    telling.register_codes("work", dict(WorkDate.Kind.choices))

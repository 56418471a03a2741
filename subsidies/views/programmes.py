"""资助项目: the term at a glance, a programme's facts and rates, and what a new rate would change."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau.organisation.terms import term_on
from students.models import Category
from subsidies.actions import programmes as actions
from subsidies.actions.refusals import NotDone
from subsidies.forms import ExclusionForm, ProgrammeForm, RateForm
from subsidies.models import CategoryGroup, Exclusion, Grant, Programme, Rate
from subsidies.models.grants import LIVE
from subsidies.terms import ordinal, told
from subsidies.views.common import programme_of, term_of, terms_offered
from subsidies.whatif import what_if


@require_safe
def programmes(request: HttpRequest) -> HttpResponse:
    """Every programme with what it pays this term and how far its lines are."""
    term = term_of(request)
    rows = list(Programme.objects.visible_to(request.user).order_by("ended", "position", "code"))
    if term is not None:
        _tell(rows, request, term)
    context = {
        "programmes": rows,
        "term": term,
        "terms": terms_offered(request),
        "may_edit": request.user.may("aid.programmes") and request.user.scope.whole_county,
    }
    return render(request, "subsidies/programmes.html", context)


def _tell(rows: list[Programme], request: HttpRequest, term) -> None:
    counted = (
        Grant.objects.visible_to(request.user)
        .filter(term=term)
        .order_by()
        .values("programme")
        .annotate(
            listed=Count("pk"),
            applied=Count("pk", filter=Q(state__in=LIVE)),
            approved=Count("pk", filter=Q(state="finance_approved")),
            fen=Sum("amount_fen", filter=Q(state="finance_approved"), default=0),
        )
    )
    by_programme = {line["programme"]: line for line in counted}
    rates: dict = {}
    in_force = Rate.objects.visible_to(request.user).in_term(ordinal(term.code))
    for rate in in_force.order_by("pk"):
        rates.setdefault(rate.programme_id, []).append(rate)
    for row in rows:
        row.lines = by_programme.get(row.pk, {})
        amounts = [rate.amount_fen for rate in rates.get(row.pk, [])]
        row.least, row.most = min(amounts, default=None), max(amounts, default=None)
        row.unconfirmed = any(not rate.confirmed for rate in rates.get(row.pk, []))


@require_POST
def install(request: HttpRequest) -> HttpResponse:
    """Load what the catalogue has and the county has not."""
    count = actions.install(request.user.county, by=request.user)
    messages.success(
        request,
        f"已载入 {count} 个项目及历年标准。请逐项核对标准，填写文号后标为已核定。"
        if count
        else "常用项目都已在列，没有变动。",
    )
    return redirect("subsidies:programmes")


@require_safe
def rates(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """The programme as the bureau decided it: facts, rates of all years, groups, exclusions."""
    programme = programme_of(request, programme_id)
    lines: dict[tuple, list[Rate]] = {}
    groups = CategoryGroup.objects.filter(county=programme.county_id).order_by("from_term")
    names = dict(groups.values_list("code", "name"))
    for rate in programme.rates.order_by("stage", "boarding", "group", "tier", "year_from", "from_term"):
        rate.group_name = names.get(rate.group, rate.group) if rate.group else "全体学生"
        lines.setdefault(rate.line, []).append(rate)
    for line in lines.values():
        for rate, after in zip(line, [*line[1:], None], strict=True):
            rate.until_text = told(after.from_term - 1) if after else ""
        line.reverse()
    meant = [
        group for group in groups if any(group.code == rate.group for line in lines.values() for rate in line)
    ]
    for group in meant:
        group.since = told(group.from_term)
        group.words = "、".join(Category(code).label for code in group.categories if code in Category.values)
    context = {
        "programme": programme,
        "lines": list(lines.values()),
        "groups": meant,
        "exclusions": [
            (one, one.other(programme))
            for one in Exclusion.objects.of(programme).select_related("first", "second")
        ],
        "form": ExclusionForm(programme=programme),
        "may_edit": request.user.may("aid.programmes") and request.user.scope.whole_county,
    }
    return render(request, "subsidies/rates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_programme(request: HttpRequest, programme_id: UUID | None = None) -> HttpResponse:
    found = (
        programme_of(request, programme_id)
        if programme_id
        else Programme(county=request.user.county, position=900)
    )
    form = ProgrammeForm(request.POST or None, instance=found)
    if form.is_valid():
        try:
            saved = actions.save_programme(programme=found, values=form.cleaned_data, by=request.user)
        except NotDone as refused:
            form.add_error("code", refused.message)
        else:
            messages.success(request, f"已保存{saved}。")
            return redirect("subsidies:rates", saved.pk)
    back = reverse("subsidies:rates", args=[found.pk]) if programme_id else reverse("subsidies:programmes")
    context = {
        "form": form,
        "noun": "资助项目",
        "instance": found,
        "is_new": not programme_id,
        "back_url": back,
    }
    return render(request, "bureau/place_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_rate(request: HttpRequest, programme_id: UUID, rate_id: int | None = None) -> HttpResponse:
    """With `look` the change is only shown: heads and yuan by township; then it is saved."""
    programme = programme_of(request, programme_id)
    held = get_object_or_404(programme.rates, pk=rate_id) if rate_id else None
    now = term_on(programme.county, timezone.localdate())
    number = ordinal(now.code) if now else ordinal("2026-autumn")
    form = RateForm(request.POST or None, programme=programme, now=number, rate=held)
    context = {"programme": programme, "form": form, "rate": held}
    if form.is_valid():
        rate = held or Rate(programme=programme)
        for name, value in form.cleaned_data.items():
            setattr(rate, name, value)
        if "look" in request.POST:
            context |= _looked(programme, rate)
        else:
            try:
                actions.save_rate(rate=rate, by=request.user)
            except NotDone as refused:
                form.add_error(None, refused.message)
            else:
                messages.success(
                    request,
                    f"已保存：{rate.line_text}，自{rate.from_text}起。已申请的资助按原标准，须退回后重新申请。",
                )
                return redirect("subsidies:rates", programme.pk)
    return render(request, "subsidies/edit_rate.html", context)


def _looked(programme: Programme, rate: Rate) -> dict:
    """The effect in the first term the county has from which the rate counts, at the earliest the one under way."""
    now = term_on(programme.county, timezone.localdate())
    later = [
        term
        for term in programme.county.terms.select_related("school_year").order_by("starts_on")
        if ordinal(term.code) >= rate.from_term
    ]
    term = now if now and ordinal(now.code) >= rate.from_term else next(iter(later), None)
    if term is None:
        return {"nothing": f"{told(rate.from_term)}还没有录入学期，保存后到时执行。"}
    clash = next(
        (other for other in actions.lines_with(programme, rate) if actions.fits_the_same(rate, other)), None
    )
    if clash:
        return {"nothing": f"与“{clash.line_text}”重叠，不能保存。"}
    changes = what_if(programme, term, rate)
    return {"changes": changes[:-1], "sum": changes[-1], "looked_term": term}


@require_POST
def delete_rate(request: HttpRequest, programme_id: UUID, rate_id: int) -> HttpResponse:
    programme = programme_of(request, programme_id)
    rate = get_object_or_404(programme.rates, pk=rate_id)
    try:
        actions.delete_rate(rate=rate, by=request.user)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已删除这条标准。")
    return redirect("subsidies:rates", programme.pk)


@require_POST
def exclude(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    programme = programme_of(request, programme_id)
    form = ExclusionForm(request.POST, programme=programme)
    if not form.is_valid():
        messages.error(request, "请选择项目和范围。")
        return redirect("subsidies:rates", programme.pk)
    given = form.cleaned_data
    try:
        actions.exclude(
            first=programme,
            second=given["other"],
            scope=given["scope"],
            basis=given["basis"],
            by=request.user,
        )
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"已登记：{programme}与{given['other']}不能同时享受。")
    return redirect("subsidies:rates", programme.pk)

"""Organisation pages: townships with their schools and villages, terms, holidays."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau.access.models import Account
from bureau.organisation import actions
from bureau.organisation.forms import (
    HolidayForm,
    PastedHolidaysForm,
    SchoolForm,
    SettingsForm,
    TermForm,
    TownshipForm,
    VillageForm,
)
from bureau.organisation.models import County, Holiday, School, Term, Township, Village


def _county_to_edit(request: HttpRequest) -> County:
    """Terms, holidays and townships are the whole county's: a right held at one school does not reach them."""
    if not request.user.scope.whole_county:
        raise PermissionDenied
    return request.user.county


@require_safe
def organisation(request: HttpRequest) -> HttpResponse:
    schools = School.objects.visible_to(request.user).open_on(timezone.localdate())
    townships = Township.objects.visible_to(request.user).annotate(
        school_count=Count("schools", filter=Q(schools__in=schools), distinct=True),
        village_count=Count("villages", distinct=True),
    )
    return render(
        request,
        "bureau/organisation.html",
        {
            "townships": townships,
            "schools": schools.select_related("township", "managed_by"),
            "closed": School.objects.visible_to(request.user)
            .exclude(pk__in=schools)
            .select_related("succeeded_by"),
            "terms": Term.objects.visible_to(request.user)[:2],
        },
    )


@require_safe
def township(request: HttpRequest, township_id: UUID) -> HttpResponse:
    found = get_object_or_404(Township.objects.visible_to(request.user), pk=township_id)
    return render(
        request,
        "bureau/township.html",
        {
            "township": found,
            "schools": School.objects.visible_to(request.user)
            .filter(township=found)
            .select_related("managed_by"),
            "villages": found.villages.all(),
        },
    )


def edit_township(request: HttpRequest, township_id: UUID | None = None) -> HttpResponse:
    county = _county_to_edit(request)
    found = Township(county=county)
    if township_id:
        found = get_object_or_404(Township.objects.visible_to(request.user), pk=township_id)
    form = TownshipForm(request.POST or None, township=found)
    if form.is_valid():
        saved = actions.save_township(township=found, by=request.user, **form.cleaned_data)
        messages.success(request, f"已保存乡镇“{saved}”。")
        return redirect("bureau:township", saved.pk)
    back = reverse("bureau:township", args=[township_id]) if township_id else reverse("bureau:organisation")
    return _form_page(request, form, "乡镇", found, back)


def edit_village(
    request: HttpRequest, township_id: UUID | None = None, village_id: UUID | None = None
) -> HttpResponse:
    county = _county_to_edit(request)
    if village_id:
        found = get_object_or_404(Village.objects.visible_to(request.user), pk=village_id)
    else:
        township = get_object_or_404(Township.objects.visible_to(request.user), pk=township_id)
        found = Village(county=county, township=township)
    form = VillageForm(request.POST or None, village=found)
    if form.is_valid():
        saved = actions.save_village(village=found, values=form.cleaned_data, by=request.user)
        messages.success(request, f"已保存“{saved}”。")
        return redirect("bureau:township", saved.township_id)
    return _form_page(
        request, form, "村（社区）", found, reverse("bureau:township", args=[found.township_id])
    )


@require_safe
def school(request: HttpRequest, school_id: UUID) -> HttpResponse:
    found = get_object_or_404(
        School.objects.visible_to(request.user).select_related("township", "managed_by", "succeeded_by"),
        pk=school_id,
    )
    accounts = Account.objects.none()
    if request.user.may("accounts.view"):
        accounts = Account.objects.visible_to(request.user).working_at(found, timezone.localdate())
    return render(
        request,
        "bureau/school.html",
        {
            "school": found,
            "managed": School.objects.visible_to(request.user).filter(managed_by=found),
            "former_codes": found.former_codes.all(),
            "accounts": accounts,
        },
    )


def edit_school(request: HttpRequest, school_id: UUID | None = None) -> HttpResponse:
    if school_id:
        found = get_object_or_404(School.objects.visible_to(request.user), pk=school_id)
    else:
        found = School(county=_county_to_edit(request))
    form = SchoolForm(request.POST or None, school=found)
    if form.is_valid():
        saved = actions.save_school(school=found, values=form.cleaned_data, by=request.user)
        messages.success(request, f"已保存学校“{saved}”。")
        return redirect("bureau:school", saved.pk)
    back = reverse("bureau:school", args=[school_id]) if school_id else reverse("bureau:organisation")
    return _form_page(request, form, "学校", found, back)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    found = Term.objects.visible_to(request.user).select_related("school_year").prefetch_related("closings")
    return render(request, "bureau/terms.html", {"terms": found, "today": timezone.localdate()})


def edit_term(request: HttpRequest, term_id: UUID | None = None) -> HttpResponse:
    county = _county_to_edit(request)
    found = get_object_or_404(Term.objects.visible_to(request.user), pk=term_id) if term_id else None
    form = TermForm(request.POST or None, county=county, term=found)
    if form.is_valid():
        given = form.cleaned_data
        saved = actions.save_term(
            county=county,
            code=given["code"],
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            by=request.user,
        )
        messages.success(request, f"已保存{saved}。")
        return redirect("bureau:terms")
    return _form_page(request, form, "学期", found, reverse("bureau:terms"))


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """What the bureau decides for the whole county: ages, shares, days."""
    county = _county_to_edit(request)
    form = SettingsForm(request.POST or None, county=county)
    if form.is_valid():
        changed = actions.change_settings(county=county, values=form.cleaned_data, by=request.user)
        messages.success(request, f"已保存 {len(changed)} 项改动。" if changed else "没有改动。")
        return redirect("bureau:settings")
    return render(request, "bureau/settings.html", {"form": form, "county": county})


@require_safe
def holidays(request: HttpRequest) -> HttpResponse:
    return _holidays_page(request, HolidayForm(), _pasted())


@require_POST
def add_holiday(request: HttpRequest) -> HttpResponse:
    form = HolidayForm(request.POST)
    return _set_holidays(request, form) or _holidays_page(request, form, _pasted())


@require_POST
def paste_holidays(request: HttpRequest) -> HttpResponse:
    form = _pasted(request.POST)
    return _set_holidays(request, form) or _holidays_page(request, HolidayForm(), form)


@require_POST
def delete_holiday(request: HttpRequest, holiday_id: int) -> HttpResponse:
    _county_to_edit(request)
    holiday = get_object_or_404(Holiday.objects.visible_to(request.user), pk=holiday_id)
    actions.delete_holiday(holiday=holiday, by=request.user)
    messages.success(request, "已删除，该日恢复为平常日。")
    return redirect("bureau:holidays")


def _form_page(request: HttpRequest, form, noun: str, instance, back_url: str) -> HttpResponse:
    is_new = instance is None or instance._state.adding
    context = {"form": form, "noun": noun, "instance": instance, "is_new": is_new, "back_url": back_url}
    return render(request, "bureau/place_form.html", context)


def _set_holidays(request: HttpRequest, form: HolidayForm | PastedHolidaysForm) -> HttpResponse | None:
    county = _county_to_edit(request)
    if not form.is_valid():
        return None
    count = actions.set_holidays(county=county, days=form.days(), by=request.user)
    messages.success(request, f"已保存 {count} 天。")
    return redirect("bureau:holidays")


def _holidays_page(request: HttpRequest, one: HolidayForm, pasted: PastedHolidaysForm) -> HttpResponse:
    found = Holiday.objects.visible_to(request.user).order_by("date")
    years = sorted({day.year for day in found.values_list("date", flat=True)}, reverse=True)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in years else _default_year(years)
    return render(
        request,
        "bureau/holidays.html",
        {
            "holidays": found.filter(date__year=year),
            "years": years,
            "year": year,
            "one": one,
            "pasted": pasted,
        },
    )


def _pasted(data: QueryDict | None = None) -> PastedHolidaysForm:
    return PastedHolidaysForm(data, auto_id="id_pasted_%s")  # two forms stand on the page


def _default_year(years: list[int]) -> int:
    today: date = timezone.localdate()
    return today.year if today.year in years or not years else years[0]

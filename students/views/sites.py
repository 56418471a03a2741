"""安置点: where families were moved to, which schools are near, and whether their children are there."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau import audit
from students.actions import grouping
from students.actions.grouping import NotGrouped, placement
from students.models import Enrolment, RelocationSite, Student
from students.views.group_forms import SiteForm


@require_safe
def sites(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    found = list(
        RelocationSite.objects.visible_to(request.user).select_related("township").prefetch_related("schools")
    )
    for one in found:
        one.tally = {name: rows.count() for name, rows in placement(one, today).items()}
        one.share = _share(one.tally)
    return render(request, "students/sites.html", {"sites": found, "may_edit": _may_edit_sites(request)})


@require_safe
def site(request: HttpRequest, site_id: UUID) -> HttpResponse:
    found = get_object_or_404(
        RelocationSite.objects.visible_to(request.user).select_related("township"), pk=site_id
    )
    today = timezone.localdate()
    parts = placement(found, today)
    tally = {name: rows.count() for name, rows in parts.items()}
    here = Enrolment.objects.present().filter(student__in=parts["all"].values("pk"), school__isnull=False)
    at = (
        here.order_by()
        .values_list("school__name")
        .annotate(children=Count("student", distinct=True))
        .order_by("-children")
    )
    mine = Student.objects.visible_to(request.user)
    shown = parts["nowhere"].filter(pk__in=mine.values("pk")).select_related("person", "hukou_village")[:200]
    audit.saw(request, [child.pk for child in shown])
    context = {
        "site": found, "tally": tally, "share": _share(tally), "at": at, "nowhere": shown,
        "schools": found.schools.select_related("township"), "may_edit": _may_edit_sites(request),
    }  # fmt: skip
    return render(request, "students/site.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_site(request: HttpRequest, site_id: UUID | None = None) -> HttpResponse:
    if not request.user.scope.whole_county:
        raise PermissionDenied
    county = request.user.county
    found = (
        get_object_or_404(RelocationSite.objects.visible_to(request.user), pk=site_id) if site_id else None
    )
    initial = (
        {
            "name": found.name,
            "township": found.township_id,
            "schools": found.schools.all(),
            "opened_on": found.opened_on,
        }
        if found
        else None
    )
    form = SiteForm(request.POST or None, county=county, initial=initial)
    if form.is_valid():
        try:
            saved = grouping.save_site(
                site=found or RelocationSite(county=county), values=dict(form.cleaned_data), by=request.user
            )
        except NotGrouped as refusal:
            form.add_error("name", refusal.message)
        else:
            messages.success(request, f"已保存安置点“{saved}”。")
            return redirect(saved)
    return render(request, "students/edit_site.html", {"form": form, "site": found})


def _share(tally: dict[str, int]) -> str:
    """近安置入学率, to one decimal; told as a dash where nobody was moved there."""
    return f"{tally['near'] * 1000 // tally['all'] / 10:g}%" if tally["all"] else "—"


def _may_edit_sites(request: HttpRequest) -> bool:
    return request.user.scope.whole_county and request.user.may("year.arrange")

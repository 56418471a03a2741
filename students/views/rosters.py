"""花名册: upload, what was understood, problems, preview, confirmation and receipt."""

from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from bureau import audit
from bureau.lists import Choice, Listing, Order
from bureau.organisation.terms import term_on
from bureau.states import IllegalMove, Transition
from students.actions import marking
from students.actions import rosters as roster_actions
from students.forms import RosterForm, terms_of
from students.models import Roster
from students.sheets.templates import DEFAULT_STAGE, STAGES, stages_of
from students.views import beside, exporting, previews
from students.views.bundles import take_bundle
from students.views.completing import Marking
from students.views.places import only_school, schools
from students.views.problems import grouped_of
from students.views.reading import reading_page
from students.views.tallies import Tally, tally_of, warnings_of
from students.views.windows import collections_of, told_when_locked, window_of


def terms(listing: Listing) -> list[tuple[str, str]]:
    return [(term.code, str(term)) for term in terms_of(listing.account)]


class Rosters(Listing):
    unit = "份"
    orders = [Order("new", "上传先后", "id", descending=True)]
    filters = [
        Choice("term", "学期", lambda rows, term: rows.filter(term__code=term), options=terms),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
        Choice("kind", "类型", lambda rows, kind: rows.filter(kind=kind), options=Roster.Kind.choices),
        Choice("state", "状态", lambda rows, state: rows.filter(status=state), options=Roster.State.choices),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.light().select_related("term", "school", "uploaded_by")


@require_safe
def rosters(request: HttpRequest) -> HttpResponse:
    page = Rosters(Roster.objects.visible_to(request.user), request.GET, account=request.user).page()
    context = {"page": page, "may_upload": request.user.may("rosters.upload")}
    return render(request, "students/rosters.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@told_when_locked
def upload_roster(request: HttpRequest) -> HttpResponse:
    form = RosterForm(
        request.POST or None, request.FILES or None, account=request.user, today=timezone.localdate()
    )
    if form.is_valid():
        given = form.cleaned_data
        if form.is_bundle:
            return redirect(take_bundle(given, by=request.user))
        school = given.get("school")
        roster = roster_actions.receive_roster(
            file=Path(given["file"].temporary_file_path()),
            file_name=given["file"].name,
            term=given["term"],
            kind=given["kind"],
            school=school,
            county=school.county if school else given["term"].county,
            by=request.user,
        )
        return redirect(roster)
    recent = (
        Roster.objects.visible_to(request.user)
        .select_related("term", "school")
        .light()
        .order_by("-id")[:5]
    )
    windows = collections_of(request.user, timezone.localdate())
    school = only_school(request.user, timezone.localdate())
    context = {
        "form": form,
        "recent": recent,
        "windows": windows,
        "may_reveal": request.user.may("students.reveal"),
        "others": beside.underway_at(request.user, timezone.localdate()),
        "stages": [(stage, STAGES[stage][0]) for stage in stages_of(school.stages if school else [])],
    }
    return render(request, "students/upload_roster.html", context)


@require_safe
def roster_template(request: HttpRequest, kind: str) -> FileResponse:
    """A blank file for schools of one group of stages (`stage`), made out to the school and term it is asked for at."""
    stage = request.GET.get("stage", DEFAULT_STAGE)
    if kind not in Roster.Kind.values or stage not in STAGES:
        raise BadRequest
    today = timezone.localdate()
    return exporting.blank_roster(
        kind, stage, school=only_school(request.user, today), term=term_on(request.user.county, today)
    )


@require_safe
def roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    """One page for the whole life of an upload: reading, refused, staged, applied, withdrawn."""
    found = _found(request, roster_id)
    context = {
        "roster": found,
        "others": beside.underway(found, request.user),
        "applied_since": beside.applied_since(found),
    }
    if found.status == Roster.State.UNDONE:
        context["step"] = Transition.objects.of(found).select_related("by").last()
        return render(request, "students/roster_undone.html", context)
    if found.status == Roster.State.READING:
        again = reverse("students:read_roster", args=[found.pk])
        return reading_page(request, "students/roster_reading.html", context, job=found.job, again=again)
    if request.htmx.target == "reading":
        return HttpResponseClientRefresh()
    preview = previews.preview_of(found, request)
    audit.saw(request, preview.students)
    context |= {
        "problems": grouped_of(found, request.GET),
        "preview": preview,
        "window": window_of(found),
        "tally": (tally := tally_of(found)),
        "tabs": previews.tabs_of(found),
        "warnings": warnings_of(found) if found.status == Roster.State.STAGED else [],
        "marking": Marking.of(found),
        "completed_by": found.completions.living().first(),
        "may_upload": request.user.may("rosters.upload"),
        "may_accept_good": _may_accept_good(found, tally),
    }
    if request.htmx and request.htmx.target in ("preview", "problems", "marked"):
        return render(request, f"students/_roster_{request.htmx.target}.html", context)
    return render(request, "students/roster.html", context)


@require_safe
def roster_errors(request: HttpRequest, roster_id: UUID) -> HttpResponse | FileResponse:
    """His own file back, the bad cells coloured and commented."""
    found = _found(request, roster_id)
    if not marking.is_marked(found):
        messages.info(request, "标注文件还没有生成好，或花名册已有变动。请点“生成错误标注文件”。")
        return redirect(found)
    shown = found.staged.filter(status="accepted", person_is_new=False, person_id__isnull=False, carried=False)
    audit.saw(request, list(shown.values_list("person_id", flat=True)))
    return exporting.marked_roster(found)


@require_POST
def apply_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    found = _found(request, roster_id)
    good_only = request.POST.get("accept_good") == "yes"
    if found.status == Roster.State.STAGED and (left := _not_ticked(found, request.POST.getlist("seen"))):
        messages.error(request, f"请先核对并勾选：{'、'.join(left)}。")
        return redirect(found)
    try:
        roster_actions.confirm_roster(
            roster=found, by=request.user, accept_good=good_only, shown=_shown(request.POST.get("preview", ""))
        )
    except roster_actions.NotApplicable as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已入库。下面是回执，可打印留存。")
    return redirect(found)


@require_POST
def discard_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    found = _found(request, roster_id)
    try:
        roster_actions.discard_roster(roster=found, by=request.user)
    except IllegalMove as error:
        messages.error(request, str(error))
        return redirect(found)
    messages.success(request, f"“{found.file_name}”已撤回，没有改动任何学生信息。修改后可重新上传。")
    return redirect("students:upload_roster")


def _shown(text: str) -> int | None:
    """The number of the preview that the page with this button showed."""
    return int(text) if text.isdigit() and len(text) < 10 else None


def _may_accept_good(roster: Roster, tally: Tally) -> bool:
    """Some rows are good, some are not, and the bad ones do not exceed the bureau's share."""
    most = roster.county.reject_share * (tally.accepted + tally.rejected)
    return tally.accepted > 0 and 0 < tally.rejected <= most


def _not_ticked(roster: Roster, ticked: list[str]) -> list[str]:
    """The kinds of warnings nobody has ticked yet, in words."""
    return [seen.title for seen in warnings_of(roster) if seen.code not in ticked]


def _found(request: HttpRequest, roster_id: UUID) -> Roster:
    visible = Roster.objects.visible_to(request.user).select_related(
        "term__school_year", "school", "county", "job", "marking", "completes"
    )
    return get_object_or_404(visible, pk=roster_id)

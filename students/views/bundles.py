"""A zip of roll files: what became of each file, which school it is of, and the button that applies the good ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from bureau.access.models import Account
from bureau.jobs import Job
from bureau.organisation.models import School
from students.actions import bundles as actions
from students.actions.refusals import NotApplicable
from students.intake.bundled import told_twice, twice
from students.models import Bundle, Roster
from students.views.reading import reading_page


@dataclass
class Entry:
    """One file of the zip as the page tells it."""

    name: str
    why: str = ""  # it was not read, or cannot go on
    roster: Roster | None = None
    opens: bool = False  # the reader may open the roster's own page
    placeable: bool = False


def take_bundle(given: dict[str, Any], *, by: Account) -> Bundle:
    """A zip from the upload form."""
    return actions.receive_bundle(
        file=Path(given["file"].temporary_file_path()), file_name=given["file"].name, term=given["term"],
        kind=given["kind"], county=given["term"].county, by=by,
    )  # fmt: skip


@require_safe
def bundle(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    found = _found(request, bundle_id)
    busy = found.job is not None and found.job.state in (Job.State.QUEUED, Job.State.RUNNING)
    context: dict[str, Any] = {"bundle": found}
    if found.is_reading or (busy and found.job.kind == "students.apply_bundle"):
        again = reverse("students:open_bundle", args=[found.pk])
        return reading_page(request, "students/bundle_reading.html", context, job=found.job, again=again)
    if request.htmx.target == "reading":
        return HttpResponseClientRefresh()
    entries = _entries(found, request.user)
    doubled = twice(found)
    schools = School.objects.in_bulk(doubled)
    may_upload = request.user.may("rosters.upload")
    context |= {
        "entries": entries,
        "waiting": sum(entry.roster is not None and entry.roster.status == Roster.State.READING for entry in entries),
        "ready": actions.ready(found, by=request.user),
        "doubled": [told_twice(found, schools[school], files) for school, files in doubled.items()],
        "outcome": _outcome(found, entries),
        "schools": School.objects.visible_to(request.user).open_on(timezone.localdate()),
        "may_upload": may_upload,
    }
    template = "students/_bundle_files.html" if request.htmx.target == "files" else "students/bundle.html"
    return render(request, template, context)


@require_POST
def open_bundle(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Once more, after taking the zip apart was stopped or failed."""
    found = _found(request, bundle_id)
    actions.open_again(bundle=found, by=request.user)
    return redirect(found)


@require_POST
def place_file(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Of which school a file is."""
    found = _found(request, bundle_id)
    schools = School.objects.visible_to(request.user).open_on(timezone.localdate())
    school = next((one for one in schools if str(one.pk) == request.POST.get("school")), None)
    roster = next((one for one in found.rosters.all() if str(one.pk) == request.POST.get("roster")), None)
    if school is None or roster is None:
        messages.error(request, "请选择学校。")
        return redirect(found)
    try:
        actions.choose_school(roster=roster, school=school, by=request.user)
    except NotApplicable as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{roster.file_name}”按{school}重新读取。")
    return redirect(found)


@require_POST
def apply_bundle(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    found = _found(request, bundle_id)
    try:
        actions.ask_to_apply(bundle=found, by=request.user)
    except NotApplicable as error:
        messages.error(request, error.message)
    return redirect(found)


def _entries(found: Bundle, account: Account) -> list[Entry]:
    rosters = {str(one.pk): one for one in found.rosters.select_related("school").defer("problems", "tables")}
    visible = set(Roster.objects.visible_to(account).filter(bundle=found).values_list("pk", flat=True))
    entries = []
    for entry in found.entries:
        roster = rosters.get(entry["roster"] or "")
        why = entry["why"] or (roster.file_error or {}).get("message", "") if roster else entry["why"]
        opens = roster is not None and roster.pk in visible
        entries.append(Entry(entry["name"], why, roster, opens, roster is not None and actions.may_place(roster)))
    return entries


def _outcome(found: Bundle, entries: list[Entry]) -> dict[str, Any] | None:
    """What the last 全部入库 did."""
    job = found.job
    if job is None or job.kind != "students.apply_bundle" or job.state != Job.State.DONE:
        return None
    names = {str(entry.roster.pk): entry.name for entry in entries if entry.roster}
    refused = [(names.get(one["roster"], ""), one["why"]) for one in job.result["refused"]]
    return {"applied": job.result["applied"], "refused": refused}


def _found(request: HttpRequest, bundle_id: UUID) -> Bundle:
    visible = Bundle.objects.visible_to(request.user).select_related("term", "county", "job", "uploaded_by")
    return get_object_or_404(visible, pk=bundle_id)

"""The auditor's pages: what was done, who looked at which child, and whether the log is whole."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bureau import jobs
from bureau.audit import sealing
from bureau.audit.checking import check
from bureau.audit.forms import CheckForm, FindChildForm
from bureau.audit.listings import Events, Looks
from bureau.audit.models import AccessLog, AuditEvent
from bureau.audit.recording import record
from bureau.audit.tasks import CHECK
from bureau.audit.telling import tell_events, tell_looks
from bureau.jobs import Job, results
from bureau.lists import count_up_to

MOST_CHECKED_AT_ONCE = 20_000  # about a second; more is a job


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    page = Events(AuditEvent.objects.visible_to(request.user), request.GET, account=request.user).page()
    page.rows = tell_events(page.rows)
    return render(request, "bureau/audit.html", {"page": page})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def looks(request: HttpRequest) -> HttpResponse:
    """POST turns a number into the list of those who looked at its child; the look-up itself goes into the log."""
    counties = request.user.scope.counties
    form = FindChildForm(request.POST if request.method == "POST" else None, counties=counties)
    if form.is_valid():
        found = sorted(form.cleaned_data["number"])
        record(by=request.user, verb="audit.child_looked_up", detail={"found": len(found)})
        return redirect(f"{reverse('bureau:access_log')}?{urlencode({'child': ','.join(map(str, found))})}")
    page = Looks(AccessLog.objects.visible_to(request.user), request.GET, account=request.user).page()
    page.rows = tell_looks(page.rows)
    return render(request, "bureau/audit_looks.html", {"page": page, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def check_log(request: HttpRequest) -> HttpResponse:
    """Checks at once, or as a job where that would take long; `?job=` shows what such a job found."""
    form = CheckForm(request.POST if request.method == "POST" else None)
    found, at = None, None
    if form.is_valid():
        paper = form.cleaned_data["paper"]
        if count_up_to(AuditEvent.objects.all(), MOST_CHECKED_AT_ONCE) > MOST_CHECKED_AT_ONCE:
            asked = jobs.enqueue(CHECK, by=request.user, paper=str(paper) if paper else "")
            return redirect("bureau:job", job_id=asked.pk)
        found, at = check(by=request.user, paper=paper), timezone.now()
    elif job := _finished_check(request):
        found, at = job.result, job.finished_at
    context = {"form": form, "found": found, "at": at, "head": sealing.head()}
    return render(request, "bureau/audit_check.html", context)


def _finished_check(request: HttpRequest) -> Job | None:
    try:
        key = UUID(request.GET.get("job", ""))
    except ValueError:
        return None
    own = Job.objects.visible_to(request.user).filter(kind=CHECK, state=Job.State.DONE)
    return own.filter(pk=key).first()


results.register(CHECK, lambda job: f"{reverse('bureau:check_log')}?job={job.pk}")

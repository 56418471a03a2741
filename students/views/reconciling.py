"""比对: start a run, and what the last runs found."""

from datetime import date

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bureau import jobs
from students.forms import ReconcileForm
from students.models import Snapshot
from students.rules import RULES
from students.views.registers import all_registers

KIND = "students.reconcile"
RUNS = 10


@require_http_methods(["GET", "HEAD", "POST"])
def run_reconcile(request: HttpRequest) -> HttpResponse:
    form = ReconcileForm(request.POST or None, account=request.user, today=timezone.localdate())
    if form.is_valid():
        term = form.cleaned_data["term"]
        with transaction.atomic():
            job = jobs.enqueue(
                KIND,
                by=request.user,
                county=term.county,
                term=term.code,
                rules=form.cleaned_data["rules"] or None,
                as_of=None,
            )
        messages.info(request, "已开始比对，完成后在下面查看结果。")
        return redirect("bureau:job", job.pk)
    counties = request.user.scope.counties
    runs = jobs.Job.objects.filter(kind=KIND, county__in=counties).select_related("by").order_by("-id")[:RUNS]
    closed = (
        Snapshot.objects.closed().filter(county__in=counties).order_by("as_of").defer("problems", "tables")
    )
    newest = {snapshot.register_id: snapshot for snapshot in closed}
    context = {
        "form": form,
        "runs": [{"job": run, "as_of": _as_of(run), "rules": _told(run)} for run in runs],
        "lists": [(r, newest.get(r.pk)) for r in all_registers(counties)],
    }
    return render(request, "students/run_reconcile.html", context)


def _as_of(run: jobs.Job) -> date | None:
    told = (run.result or {}).get("as_of")
    return date.fromisoformat(told) if told else None


def _told(run: jobs.Job) -> list[dict]:
    """What a finished run found, by rule."""
    by_rule = (run.result or {}).get("rules", {})
    return [
        {"code": code, "title": RULES[code].title if code in RULES else code, **found}
        for code, found in sorted(by_rule.items())
    ]

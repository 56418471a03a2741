"""比对: start a run for the county or one place, and what the runs found."""

from datetime import date

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau.access.models import Account
from bureau.jobs import Job, enqueue
from bureau.lists import Choice, Listing, Order
from bureau.organisation.models import School, Township
from students.forms import ReconcileForm, terms_of
from students.models import Snapshot
from students.rules import RULES
from students.views.registers import all_registers

KIND = "students.reconcile"
RUNS = 5


@require_http_methods(["GET", "HEAD", "POST"])
def run_reconcile(request: HttpRequest) -> HttpResponse:
    asked = request.GET if "township" in request.GET or "school" in request.GET else None
    form = ReconcileForm(request.POST or None, account=request.user, today=timezone.localdate(), initial=asked and asked.dict())
    if form.is_valid():
        term = form.cleaned_data["term"]
        with transaction.atomic():
            job = enqueue(
                KIND,
                by=request.user,
                county=term.county,
                term=term.code,
                rules=form.cleaned_data["rules"] or None,
                as_of=None,
                **form.place,
            )
        messages.info(request, "已开始比对，完成后在“比对记录”里查看结果。")
        return redirect("bureau:job", job.pk)
    counties = request.user.scope.counties
    closed = (
        Snapshot.objects.closed().filter(county__in=counties).order_by("as_of").defer("problems", "tables")
    )
    newest = {snapshot.register_id: snapshot for snapshot in closed}
    recent = list(runs_visible_to(request.user).select_related("by").order_by("-id")[:RUNS])
    context = {
        "form": form,
        "recent": {"rows": told(recent)},
        "lists": [(r, newest.get(r.pk)) for r in all_registers(counties)],
        "may_read_runs": request.user.may("differences.view"),
    }
    return render(request, "students/run_reconcile.html", context)


def runs_visible_to(account: Account) -> QuerySet[Job]:
    """The county's offices see every run; a township or school those for it alone."""
    scope = account.scope
    found = Job.objects.filter(kind=KIND, county__in=scope.counties)
    if scope.whole_county:
        return found
    return found.filter(
        Q(params__township__in=[str(pk) for pk in scope.townships]) | Q(params__school__in=[str(pk) for pk in scope.schools])
    )


def terms(listing: Listing) -> list[tuple[str, str]]:
    return [(term.code, str(term)) for term in terms_of(listing.account)]


def rules(listing: Listing) -> list[tuple[str, str]]:
    return [(rule.code, f"{rule.code} {rule.title}") for rule in RULES.values()]


class Runs(Listing):
    unit = "次"
    orders = [Order("new", "先后", "id", descending=True)]
    filters = [
        Choice("term", "学期", lambda rows, term: rows.filter(params__term=term), options=terms),
        Choice("rule", "比对了", lambda rows, rule: rows.filter(result__rules__has_key=rule), options=rules),
        Choice("state", "状态", lambda rows, state: rows.filter(state=state), options=Job.State.choices),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.select_related("by")


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    page = Runs(runs_visible_to(request.user), request.GET, account=request.user).page()
    told(page.rows)
    whole_county = request.user.scope.whole_county
    context = {"page": page, "may_run": request.user.may("reconcile.run"), "whole_county": whole_county}
    return render(request, "students/runs.html", context)


def told(found: list[Job]) -> list[Job]:
    """Runs with their place, their day and what they found, by rule: counted as the run left it."""
    places = {
        str(place.pk): place
        for model, word in ((Township, "township"), (School, "school"))
        for place in model.objects.filter(pk__in=[run.params[word] for run in found if run.params.get(word)])
    }
    for run in found:
        place = run.params.get("township") or run.params.get("school")
        run.place = places.get(place, "全县" if not place else "已撤并的单位")
        run.where = {word: run.params[word] for word in ("township", "school") if run.params.get(word)}
        told = run.result or {}
        run.judged_on = date.fromisoformat(told["as_of"]) if told.get("as_of") else None
        run.seconds = told.get("seconds")
        run.rules = [
            {"code": code, "title": RULES[code].title if code in RULES else code, **counts}
            for code, counts in sorted(told.get("rules", {}).items())
        ]
        run.sums = {word: sum(rule[word] for rule in run.rules) for word in ("opened", "open", "resolved")}
    return found

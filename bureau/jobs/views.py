"""Pages of long work: what runs, how far it is, how it ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from bureau.jobs import asking, registry, results
from bureau.jobs.errors import UnknownKind
from bureau.jobs.models import Job
from bureau.lists import Choice, Listing, Order


class Jobs(Listing):
    orders = [Order("new", "发起时间", "pk", descending=True)]
    filters = [
        Choice("state", "状态", lambda jobs, state: jobs.filter(state=state), options=Job.State.choices)
    ]

    def decorate(self, queryset):
        return queryset.select_related("by")


@dataclass(frozen=True)
class Told:
    """A job as a person reads it: speed and time left while it runs, what it took when it is over."""

    job: Job
    title: str
    seconds: float | None
    rate: int | None
    left: int | None

    @property
    def url(self) -> str | None:
        """The page that shows what came out of it."""
        return results.url_of(self.job) if self.job.state == Job.State.DONE else None

    @property
    def can_be_cancelled(self) -> bool:
        return not self.job.is_finished and self.job.cancel_asked_at is None

    @property
    def doing(self) -> str:
        if self.job.state == Job.State.QUEUED:
            return "排队等候，轮到时自动开始"
        if self.job.cancel_asked_at:
            return "正在停止，已完成的部分会保留或撤回到一致状态"
        return self.job.message or "正在准备"


def told(job: Job, *, now: datetime | None = None) -> Told:
    """`rate` and `left` only when the job counts and has run long enough to tell: both are those of its present step."""
    now = now or timezone.now()
    seconds = ((job.finished_at or now) - job.started_at).total_seconds() if job.started_at else None
    counting = ((job.finished_at or now) - job.counting_since).total_seconds() if job.counting_since else seconds
    rate = left = None
    if seconds and seconds >= 1 and counting and job.done:
        rate = round(job.done / counting)
        if job.state == Job.State.RUNNING and job.total > job.done:
            left = round(counting * (job.total - job.done) / job.done)
    return Told(job, title_of(job.kind), seconds, rate or None, left)


def title_of(kind: str) -> str:
    """The kind in the office's words; a kind whose code is gone keeps its name."""
    try:
        return registry.find(kind).title
    except UnknownKind:
        return kind


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    page = Jobs(Job.objects.visible_to(request.user), request.GET, account=request.user).page()
    page.rows = [told(job) for job in page.rows]
    return render(request, "bureau/jobs.html", {"page": page})


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The page of one job; htmx asks the same address every second and gets the fragment until the job is over."""
    found = get_object_or_404(Job.objects.visible_to(request.user).select_related("by"), pk=job_id)
    context = {"told": told(found), "brief": "brief" in request.GET}
    return render(request, "bureau/_job.html" if request.htmx else "bureau/job.html", context)


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    if asking.cancel(found, by=request.user):
        messages.info(request, f"已要求停止“{title_of(found.kind)}”，尚未写入的内容不会写入。")
    else:
        messages.warning(request, "这项任务已经结束，或者已经要求过停止。")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("bureau:job", job_id=found.pk)

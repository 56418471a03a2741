"""While a file is being read: one page that asks for itself again until it is done."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bureau.jobs import Job
from bureau.jobs.views import told


def reading_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, job: Job | None, again: str
) -> HttpResponse:
    """The whole page, or for htmx only the part with the progress. `again` is where to ask for another reading."""
    context = context | {
        "told": told(job) if job else None,
        "url": request.path,
        "again": again,
        "may_stop": bool(job and job.by_id == request.user.pk),
    }
    return render(request, "students/_reading.html" if request.htmx else template, context)

"""The marked file, and the choice not to carry rows over."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from bureau.jobs.views import Told, told
from students.actions import completing, marking
from students.actions.refusals import NotApplicable
from students.models import Roster

MARKED_IN = (Roster.State.STAGED, Roster.State.APPLIED, Roster.State.SUPERSEDED)


@dataclass(frozen=True)
class Marking:
    """How it stands with the marked file: ready, on its way (`told`), failed, or not asked for."""

    ready: bool
    told: Told | None
    failed: str

    @classmethod
    def of(cls, roster: Roster) -> Self | None:
        """None where there is nothing to mark."""
        if not (roster.rejected or roster.warned) or roster.status not in MARKED_IN:
            return None
        job = roster.marking
        under_way = told(job) if job and not job.is_finished else None
        return cls(marking.is_marked(roster), under_way, job.error_text if job else "")


@require_POST
def mark_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    """Ask for the marked file; the page tells how far it is and then offers it."""
    found = get_object_or_404(Roster.objects.visible_to(request.user), pk=roster_id)
    if found.rejected or found.warned:
        marking.ask_for_marked(roster=found, by=request.user)
    return redirect(found)


@require_POST
def stand_alone(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    found = get_object_or_404(Roster.objects.visible_to(request.user), pk=roster_id)
    try:
        completing.stand_alone(roster=found, by=request.user)
    except NotApplicable as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "不再沿用上次的行，下面只有这份文件里的学生。请再看一遍“本次未出现”。")
    return redirect(found)

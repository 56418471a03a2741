"""What the pages of a roster say about windows and locks: refused, late, too early, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bureau.access.models import Account
from bureau.organisation.models import School
from bureau.organisation.terms import term_on
from students.actions.refusals import Locked
from students.intake.deliveries import awaited, missed
from students.intake.locks import Locks
from students.models import Collection, Roster
from students.views.collection_forms import UnlockForm

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Window:
    """At most one of these is worth telling, the lock before the date."""

    lock: Collection | None = None
    late: Collection | None = None
    early: Collection | None = None


def window_of(roster: Roster) -> Window:
    """How a file stands: a waiting one under today's locks, and any by the day it came."""
    asked = Locks(term=roster.term, kind=roster.kind, on=timezone.localdate())
    lock = None
    if roster.status == Roster.State.STAGED:
        lock = asked.lock_on(roster.school_id) if roster.school_id else asked.lock_on_all()
    came = timezone.localdate(roster.uploaded_at)
    return Window(lock, missed(asked.asked, roster.school, came), awaited(asked.asked, roster.school, came))


def collections_of(account: Account, today: date) -> list[tuple[Collection, bool]]:
    """What the account's schools are asked for this term, and whether its closing day is over."""
    term = account.county and term_on(account.county, today)
    rows = Collection.objects.visible_to(account).filter(term=term).select_related("term").order_by("closes_on", "pk")
    schools = School.objects.visible_to(account)
    return [(one, one.is_late(today)) for one in rows if one.schools(schools)]


def told_when_locked(view: View) -> View:
    """An upload that meets a lock is answered with the reason, and with the form to ask for opening."""

    @wraps(view)
    def answered(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Locked as refused:
            schools = School.objects.visible_to(request.user)
            owing = [school.pk for school in refused.lock.schools(schools)]
            context = {
                "lock": refused.lock,
                "message": refused.message,
                "form": UnlockForm(schools=schools.filter(pk__in=owing), initial={"school": request.POST.get("school")}),
            }
            return render(request, "students/locked.html", context, status=409)

    return answered

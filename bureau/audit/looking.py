"""Which children a request shows. Views say so; the middleware writes it once the page is made."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone

from bureau.audit.models import AccessLog, AccessLogChild

ROWS_PER_STATEMENT = 2000


@dataclass
class Seen:
    """What one request has shown so far."""

    students: set[UUID] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)


def saw(request: HttpRequest, students: Iterable[UUID | str | models.Model], *, reason: str = "") -> None:
    """Note that this request shows these children: keys, rows, or a queryset of students.

    Call it before the response is returned, also for exports. `reason` is what the person gave for a reveal; it is
    kept, so the form that asks for it tells him not to write numbers there.
    """
    seen = request.__dict__.setdefault("_children_seen", Seen())
    if isinstance(students, models.QuerySet) and students._result_cache is None:
        students = students.values_list("pk", flat=True)
    for student in students:
        key = student.pk if isinstance(student, models.Model) else student
        seen.students.add(key if isinstance(key, UUID) else UUID(key))
    if reason and reason not in seen.reasons:
        seen.reasons.append(reason)


def write_access_log(request: HttpRequest, seen: Seen) -> AccessLog:
    return note_look(
        by=request.user if request.user.is_authenticated else None,
        method=request.method or "",
        view=request.resolver_match.view_name if request.resolver_match else "",
        path=request.path,
        students=seen.students,
        reason="；".join(seen.reasons),
    )


@transaction.atomic
def note_look(*, by, view: str, path: str, students: Iterable[UUID], reason: str = "", method: str = "JOB") -> AccessLog:
    """Note at once that these children were shown; for a job that writes them into a file somebody asked for."""
    keys = sorted(set(students))
    log = AccessLog.objects.create(
        at=timezone.now(),
        by=by,
        county_id=by.county_id if by else None,
        method=method[:8],
        view=view[:100],
        path=path[:200],
        reason=reason[:200],
        count=len(keys),
    )
    children = (AccessLogChild(log=log, student_id=key) for key in keys)
    AccessLogChild.objects.bulk_create(children, batch_size=ROWS_PER_STATEMENT)
    return log

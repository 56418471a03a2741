"""动态调整: who entered and left a list between any two of its issues, by township, and how many of them are at school."""

from collections import defaultdict
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from bureau.organisation.models import Township
from students.desk import period
from students.models import Enrolment, Entry, Snapshot
from students.views.registers import DIFFERENCES, DIFFERS


@require_safe
def changes(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    """The list against an older one the reader chooses (`against`), else the one before it."""
    visible = Snapshot.objects.visible_to(request.user).closed().select_related("register", "township")
    found = get_object_or_404(visible, pk=snapshot_id)
    older = list(_older(visible, found))
    against = next((one for one in older if str(one.pk) == request.GET.get("against")), None)
    against = against or (older[0] if older else None)
    context = {
        "snapshot": found,
        "issue": period(found.as_of),
        "older": [(one, period(one.as_of)) for one in older],
        "against": against,
        "titles": list(DIFFERENCES.values()),
        "lines": _by_township(request, found, against) if against else [],
    }
    return render(request, "students/changes.html", context)


def _older(visible: QuerySet, found: Snapshot) -> QuerySet:
    same = visible.filter(register=found.register, township=found.township, partial=False, as_of__lt=found.as_of)
    return same.defer("problems", "tables").order_by("-as_of", "-received_at")


def _by_township(request: HttpRequest, found: Snapshot, against: Snapshot) -> list[tuple]:
    """(township or None, [(people, of them at school) for each kind of change]), in the county's order, and the sum."""
    entries = Entry.objects.visible_to(request.user).filter(register=found.register)
    at_school = Q(Exists(Enrolment.objects.open().filter(student=OuterRef("person"))))
    counted: dict = defaultdict(lambda: [(0, 0)] * len(DIFFERS))
    for place, differs in enumerate(DIFFERS.values()):
        rows = differs(entries, found, against).order_by().values("township")
        for line in rows.annotate(people=Count("pk"), pupils=Count("pk", filter=at_school)):
            counted[line["township"]][place] = (line["people"], line["pupils"])
    names = Township.objects.filter(pk__in=[key for key in counted if key]).order_by("position", "code")
    lines = [(township, counted[township.pk]) for township in names]
    if None in counted:
        lines.append((None, counted[None]))
    total = [tuple(map(sum, zip(*column, strict=True))) for column in zip(*(row for _, row in lines), strict=True)]
    return [*lines, ("合计", total)] if lines else []

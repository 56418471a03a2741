"""Who has how much to do: questions that wait, by place and kind; every number opens exactly its rows."""

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau.access.models import Account
from bureau.organisation.models import School, Township
from students.models import Discrepancy
from students.models.differences import Office
from students.rules import RULES
from students.views.discrepancies import NO_PLACE


@dataclass(frozen=True)
class Cell:
    count: int
    late: int
    query: str


@dataclass(frozen=True)
class Row:
    place: str
    cells: list[Cell]


@require_safe
def worklist(request: HttpRequest) -> HttpResponse:
    """Townships down, kinds across; whoever works for schools alone sees schools instead."""
    office = request.GET.get("office", "")
    office = office if office in Office.values else ""
    codes, rows = tally(request.user, office)
    context = {
        "heads": [(code, RULES[code].title if code in RULES else code) for code in codes],
        "rows": rows,
        "offices": Office.choices,
        "office": office,
        "office_name": dict(Office.choices).get(office, ""),
        "by_school": _by(request.user) == "school",
    }
    return render(request, "students/worklist.html", context)


def tally(account: Account, office: str) -> tuple[list[str], list[Row]]:
    """The kinds that wait anywhere, and a row for each place that has some, the sum last."""
    today, by = timezone.localdate(), _by(account)
    waiting = Discrepancy.objects.visible_to(account).open(on=today)
    if office:
        waiting = waiting.filter(office=office)
    lines = waiting.order_by().values_list(by, "rule").annotate(count=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)))
    counts, late = Counter(), Counter()
    for place, rule, count, overdue in lines:
        for cell in ((place, rule), (place, ""), ("", rule), ("", "")):
            counts[cell] += count
            late[cell] += overdue
    codes = sorted({rule for _, rule in counts if rule})
    model = Township if by == "township" else School
    places = model.objects.filter(pk__in=[place for place, _ in counts if place])
    shown = [*((place.pk, str(place)) for place in places), *([(None, "未注明")] if (None, "") in counts else [])]
    found = []
    for key, name in [*shown, ("", "合计")]:
        asked = {by: NO_PLACE if key is None else key} if key != "" else {}
        asked |= {"office": office} if office else {}
        cells = [
            Cell(counts[key, code], late[key, code], urlencode(asked | ({"rule": code} if code else {}) | {"state": "open"}))
            for code in [*codes, ""]
        ]
        found.append(Row(name, cells))
    return codes, found


def _by(account: Account) -> str:
    scope = account.scope
    return "township" if scope.whole_county or scope.townships else "school"

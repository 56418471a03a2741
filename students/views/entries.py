"""名单记录: every row of every register that the account may see, by register and by how far it is linked."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.identity.names import name_key
from bureau.lists import Choice, Day, Listing, Order, Search
from students.models import Category, Entry, Register, Student
from students.views.places import townships

GROWN_UP = 18
GROWN_UPS = "grown_up"
STATES = [*Entry.LinkState.choices, (GROWN_UPS, "成年人（不是学生）")]


def registers(listing: Listing) -> list[tuple[str, str]]:
    known = Register.objects.filter(county__in=listing.account.scope.counties).order_by("id")
    return list(known.values_list("name", "title"))


def not_students(today: date) -> Q:
    """Grown-ups nobody of ours was found for: the parents and grandparents a household's list names.

    18 years on `today`; an older student is found by his number and stands among the linked.
    """
    return Q(link_state=Entry.LinkState.UNLINKED, birth_on__lte=_born_by(today))


def mark_grown_ups(entries: list[Entry], today: date) -> None:
    born_by, unlinked = _born_by(today), Entry.LinkState.UNLINKED
    for entry in entries:
        entry.is_grown_up = entry.link_state == unlinked and entry.birth_on and entry.birth_on <= born_by


def _born_by(today: date) -> date:
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return date(today.year - GROWN_UP, today.month, day)


def by_link(rows: QuerySet, state: str) -> QuerySet:
    grown_up = not_students(timezone.localdate())
    if state == GROWN_UPS:
        return rows.filter(grown_up)
    return rows.filter(~grown_up, link_state=state)


class Entries(Listing):
    unit = "条"
    orders = [Order("new", "收录先后", "id", descending=True)]
    filters = [
        Search("q", "姓名", lambda rows, text: rows.filter(name_key__startswith=name_key(text)), hint="姓名"),
        Choice("register", "名单", lambda rows, name: rows.filter(register__name=name), options=registers),
        Choice("state", "身份匹配", by_link, options=STATES),
        Choice(
            "category",
            "类别",
            lambda rows, category: rows.filter(category=category),
            options=Category.choices,
        ),
        Choice("township", "乡镇", lambda rows, township: rows.filter(township=township), options=townships),
        Day("on", "在册日期", lambda rows, day: rows.covering(day)),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        known = Student.objects.visible_to(self.account).filter(pk=OuterRef("person"))
        return queryset.select_related("register", "township", "village", "person").annotate(
            is_student=Exists(known)
        )


@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    page = Entries(Entry.objects.visible_to(request.user), request.GET, account=request.user).page()
    audit.saw(request, [entry.person_id for entry in page.rows if entry.is_student])
    mark_grown_ups(page.rows, today := timezone.localdate())
    return render(request, "students/entries.html", {"page": page, "today": today})

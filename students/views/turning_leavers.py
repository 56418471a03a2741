"""应届毕业与新生: the lists of the school that hands over and of the one that receives, and what is done in bulk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.models import School, Stage
from bureau.sheets import Column, Sheet
from bureau.templatetags.bureau import month_cn
from students.actions import handing_over
from students.models import Hardship, Leaver
from students.models.turning import plan_for
from students.views import exporting
from students.views.places import schools
from students.views.turning import STAGES, asked_year, school_years, turning_year

STATES = [
    ("unhanded", "未移交"),
    ("handed", "已移交"),
    ("missing", "未报到"),
    ("arrived", "已报到"),
    ("elsewhere", "已在他校报到"),
    ("recorded", "已登记去向"),
    ("unknown", "没有去向"),
]
BY_STATE: dict[str, Callable[[QuerySet], QuerySet]] = {
    "unhanded": lambda rows: rows.not_arrived().filter(to_school=None, destination=""),
    "handed": lambda rows: rows.filter(to_school__isnull=False),
    "missing": lambda rows: rows.missing(),
    "arrived": lambda rows: rows.arrived(),
    "elsewhere": lambda rows: rows.elsewhere(),
    "recorded": lambda rows: rows.not_arrived().exclude(destination=""),
    "unknown": lambda rows: rows.not_arrived().filter(destination=""),
}
AID_STATES = [("open", "待核对"), *Leaver.Aid.choices]


def years(listing: Listing) -> list[tuple[str, str]]:
    return [(str(year.starts_in), str(year)) for year in school_years(listing.account)]


def receivers(listing: Listing) -> list[tuple[str, str]]:
    """Only schools that somebody is handed over to."""
    found = School.objects.filter(awaited__in=listing.all).distinct().order_by("township__position", "code")
    return [(str(pk), name) for pk, name in found.values_list("pk", "name")]


class Leavers(Listing):
    """Class by class, as they were enrolled; a whole class fits on one page, and on paper."""

    unit = "人"
    size = 100
    orders = [
        Order("class", "班级", "enrolment__class_name"),
        Order("name", "姓名", "enrolment__student__person__pinyin"),
    ]
    filters = [
        Search(
            "q",
            "姓名",
            lambda rows, text: rows.filter(enrolment__student__person__name_key__startswith=name_key(text)),
            hint="姓名",
        ),
        Choice(
            "year", "学年", lambda rows, year: rows.filter(school_year__starts_in=int(year)), options=years
        ),
        Choice(
            "stage",
            "学段",
            lambda rows, stage: rows.filter(enrolment__stage=stage),
            options=[(s.value, s.label) for s in STAGES],
        ),
        Choice(
            "school", "毕业学校", lambda rows, school: rows.filter(enrolment__school=school), options=schools
        ),
        Search("class", "班级", lambda rows, text: rows.filter(enrolment__class_name=text), hint="例如：1班"),
        Choice("to", "移交到", lambda rows, school: rows.filter(to_school=school), options=receivers),
        Choice("state", "状态", lambda rows, state: BY_STATE[state](rows), options=STATES),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return with_children(queryset)


class LeaverSheet(Sheet):
    title = "毕业学生移交名单"
    name_ = Column("姓名", width=12)
    sex = Column("性别", width=6)
    born = Column("出生年月", width=12)
    village = Column("户籍村", width=14)
    school = Column("毕业学校", width=26)
    class_name = Column("毕业班级", width=14)
    to_school = Column("移交到", width=26)
    handed_on = Column("移交日期", width=12)
    now = Column("现在", width=14)
    place = Column("学校或去向", width=30)


class AidedLeavers(Listing):
    unit = "人"
    orders = [Order("name", "姓名", "enrolment__student__person__pinyin")]
    filters = [
        Choice(
            "year", "学年", lambda rows, year: rows.filter(school_year__starts_in=int(year)), options=years
        ),
        Choice("to", "接收学校", lambda rows, school: rows.filter(to_school=school), options=receivers),
        Choice(
            "state",
            "核对",
            lambda rows, state: rows.filter(aid="" if state == "open" else state),
            options=AID_STATES,
        ),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return with_children(queryset)


def with_children(rows: QuerySet) -> QuerySet:
    return rows.select_related(
        "enrolment__student__person",
        "enrolment__student__hukou_village",
        "enrolment__school",
        "to_school",
        "school_year",
    )


def told(rows: list[Leaver]) -> list[Leaver]:
    """Where each of them is now, and in which class he was."""
    places = handing_over.arrivals_of(rows)
    for row in rows:
        stay = row.enrolment
        row.class_name = f"{stay.grade(row.school_year.starts_in - 1)}{stay.class_name}"
        row.now = places.get(row.pk)
        row.is_elsewhere = bool(row.now and row.to_school_id and row.now.school_id != row.to_school_id)
    return rows


def listing_for(account: Account, params: QueryDict, kind: type[Listing] = Leavers) -> Listing:
    """Of the school year under way, unless the address names another."""
    asked = params.copy()
    if "year" not in asked and (year := turning_year(account, timezone.localdate())):
        asked["year"] = str(year.starts_in)
    rows = Leaver.objects.visible_to(account)
    return kind(rows.aided() if kind is AidedLeavers else rows, asked, account=account)


@require_safe
def leavers(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    told(page.rows)
    audit.saw(request, [row.enrolment.student_id for row in page.rows])
    context = {
        "page": page,
        "may_act": request.user.may("rosters.upload"),
        "may_turn": request.user.may("year.turn"),
        "may_export": request.user.may("figures.export"),
    }
    return render(request, "students/turning_leavers.html", context)


@require_safe
def export_leavers(request: HttpRequest) -> FileResponse:
    """The rows the filters leave, for the school that receives them or for the file; no number of anybody."""
    listing = listing_for(request.user, request.GET)
    rows = told(list(listing.sorted[: exporting.MOST_ROWS]))
    audit.saw(request, [row.enrolment.student_id for row in rows])
    audit.record(
        by=request.user, verb="students.leavers_exported", subject=request.user, detail={"rows": len(rows)}
    )
    return exporting.workbook(LeaverSheet, map(_line, rows), name="毕业学生移交名单")


def _line(row: Leaver) -> dict[str, Any]:
    person, stay = row.enrolment.student.person, row.enrolment
    state = (
        "已在他校报到"
        if row.is_elsewhere
        else "已报到"
        if row.now
        else row.get_destination_display() or "未报到"
    )
    place = str(row.now.school or row.now.outside_school) if row.now else row.place
    return {
        "name_": person.name, "sex": person.get_sex_display(), "born": month_cn(person.birth_on),
        "village": str(stay.student.hukou_village or ""), "school": str(stay.school), "class_name": row.class_name,
        "to_school": str(row.to_school or ""), "handed_on": row.handed_on.isoformat() if row.handed_on else "",
        "now": state, "place": place,
    }  # fmt: skip


@dataclass(frozen=True)
class ClassOfLeavers:
    """One class that finishes: how many, and how many of them are handed over and have reported."""

    school: str
    school_id: object
    stage: str
    class_name: str
    count: int
    handed: int
    to: str
    url: str
    hand_over: str


@require_safe
def handover(request: HttpRequest) -> HttpResponse:
    """整班移交: the classes that finish, and where each goes."""
    year = asked_year(request)
    rows = Leaver.objects.visible_to(request.user).filter(
        school_year=year, enrolment__stage__in=["preschool", "primary"]
    )
    mine = School.objects.visible_to(request.user).values("pk")
    columns = ("enrolment__school", "enrolment__school__name", "enrolment__stage", "enrolment__class_name")
    counted = rows.filter(enrolment__school__in=mine).order_by(*columns[1:]).values(*columns).annotate(
        count=Count("pk"), handed=Count("pk", filter=Q(to_school__isnull=False)), schools=Count("to_school", distinct=True)
    )  # fmt: skip
    named = {
        (school, stage, class_name): to
        for school, stage, class_name, to in rows.filter(to_school__isnull=False).values_list(
            "enrolment__school", "enrolment__stage", "enrolment__class_name", "to_school__name"
        )
    }
    classes = [_class(line, named, year.starts_in) for line in counted]
    context = {
        "classes": classes,
        "year": year,
        "plan": plan_for(year),
        "may_act": request.user.may("rosters.upload"),
    }
    return render(request, "students/turning_handover.html", context)


def _class(line: dict, named: dict, year: int) -> ClassOfLeavers:
    school, stage, class_name = (
        line["enrolment__school"],
        line["enrolment__stage"],
        line["enrolment__class_name"],
    )
    query = QueryDict(mutable=True)
    query.update({"year": str(year), "school": str(school), "stage": stage, "class": class_name})
    to = named.get((school, stage, class_name), "")
    return ClassOfLeavers(
        line["enrolment__school__name"], school, Stage(stage).label, class_name,
        line["count"], line["handed"], f"{to}等 {line['schools']} 所" if line["schools"] > 1 else to,
        f"{reverse('students:leavers')}?{query.urlencode()}",
        f"{reverse('students:hand_over')}?{query.urlencode()}&all=1",
    )  # fmt: skip


@require_safe
def aided(request: HttpRequest) -> HttpResponse:
    """升学资助交接单."""
    page = listing_for(request.user, request.GET, AidedLeavers).page()
    told(page.rows)
    held: dict = {}
    students = [row.enrolment.student_id for row in page.rows]
    for hardship in Hardship.objects.filter(student__in=students):
        held.setdefault(hardship.student_id, []).append(hardship)
    for row in page.rows:
        row.hardships = [
            one.get_category_display()
            for one in held.get(row.enrolment.student_id, [])
            if one.valid_from <= row.handed_on and (one.valid_to is None or one.valid_to >= row.handed_on)
        ]
    audit.saw(request, students)
    year = turning_year(request.user, timezone.localdate())
    context = {
        "page": page,
        "may_act": request.user.may("rosters.upload"),
        "plan": plan_for(year) if year else None,
    }
    return render(request, "students/turning_aided.html", context)

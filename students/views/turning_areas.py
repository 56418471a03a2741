"""学区: whose villages are whose, this year's six-year-olds of each, and the letters that call them to school."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau import audit
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import School, SchoolYear, Stage, Term, Village
from students.actions import areas as actions
from students.models import Catchment, Enrolment, Student, Whereabouts
from students.models.turning import LATER_STAGES, plan_for
from students.rules.turning import births_of_entrants
from students.views.turning import asked_year, bureau_only

MOST = 2_000


class AreaForm(OfficeForm):
    """The villages of one school's area, from a day on."""

    villages = forms.ModelMultipleChoiceField(
        label="村（社区）",
        queryset=Village.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    on = DateField(label="自哪一天起", help_text="这一天之前仍按原来的学区。")

    def __init__(self, *args, school: School, today: date, **kwargs):
        now = Catchment.objects.filter(school=school, stage=Stage.PRIMARY, valid_to=None).values_list(
            "village", flat=True
        )
        super().__init__(*args, initial={"villages": list(now), "on": today}, **kwargs)
        self.fields["villages"].queryset = Village.objects.filter(county=school.county_id).select_related(
            "township"
        )
        self.fields["villages"].label_from_instance = lambda village: f"{village.township} {village}"


@dataclass(frozen=True)
class Area:
    """One school's area, counted: this year's six-year-olds and how many of them are in grade one."""

    school: School
    villages: int
    children: int
    entered: int

    @property
    def waiting(self) -> int:
        return self.children - self.entered


@dataclass
class Entrant:
    """One six-year-old of an area and where he is."""

    student: Student
    where: str
    tone: str
    detail: str = ""


def _schools(request: HttpRequest) -> QuerySet[School]:
    keys = [
        s.pk
        for s in School.objects.visible_to(request.user).open_on(timezone.localdate())
        if Stage.PRIMARY in s.stages
    ]
    return School.objects.filter(pk__in=keys).select_related("township", "county")


def _school(request: HttpRequest, school_id: UUID) -> School:
    return get_object_or_404(
        School.objects.visible_to(request.user).select_related("township", "county"), pk=school_id
    )


def entrants_of(school: School, year: SchoolYear, day: date) -> QuerySet[Student]:
    """Children of the area's villages who turn six in the year up to 31 August, registered there by the police list."""
    area = Catchment.objects.filter(school=school, stage=Stage.PRIMARY).covering(day)
    births = births_of_entrants(school.county, year.starts_in)
    return Student.objects.filter(
        county=school.county, hukou_village__in=area.values("village"), person__birth_on__range=births
    )


def _in_grade_one() -> Exists:
    return Exists(
        Enrolment.objects.open().filter(student=OuterRef("pk"), stage__in=LATER_STAGES[Stage.PRESCHOOL])
    )


@require_safe
def areas(request: HttpRequest) -> HttpResponse:
    """Every primary school the account sees, its villages, and its six-year-olds against grade one."""
    year, day = asked_year(request), timezone.localdate()
    schools = list(_schools(request))
    open_ones = Catchment.objects.filter(school__in=schools, stage=Stage.PRIMARY).covering(day)
    counted = dict(open_ones.order_by().values("school").annotate(n=Count("pk")).values_list("school", "n"))
    villages: dict = {}
    for school, village in open_ones.values_list("school", "village"):
        villages.setdefault(school, []).append(village)
    births = births_of_entrants(request.user.county, year.starts_in)
    born = Student.objects.filter(
        county=year.county_id, person__birth_on__range=births, hukou_village__isnull=False
    )
    per_village = dict(
        born.order_by().values("hukou_village").annotate(n=Count("pk")).values_list("hukou_village", "n")
    )
    inside = born.filter(_in_grade_one()).order_by().values("hukou_village").annotate(n=Count("pk"))
    entered = dict(inside.values_list("hukou_village", "n"))
    rows = [
        Area(
            school, counted.get(school.pk, 0),
            sum(per_village.get(one, 0) for one in villages.get(school.pk, ())),
            sum(entered.get(one, 0) for one in villages.get(school.pk, ())),
        )
        for school in schools
    ]  # fmt: skip
    without = (
        born.exclude(hukou_village__in=open_ones.values("village")).count()
        if request.user.scope.whole_county
        else 0
    )
    context = {"areas": rows, "year": year, "without": without, "may_turn": request.user.may("year.turn")}
    return render(request, "students/turning_areas.html", context)


@require_safe
def area(request: HttpRequest, school_id: UUID) -> HttpResponse:
    school, year, day = _school(request, school_id), asked_year(request), timezone.localdate()
    rows = _told(entrants_of(school, year, day), day)
    audit.saw(request, [row.student.pk for row in rows])
    context = {
        "school": school, "year": year, "plan": plan_for(year), "rows": rows,
        "villages": Village.objects.filter(
            pk__in=Catchment.objects.filter(school=school, stage=Stage.PRIMARY).covering(day).values("village")
        ),
        "outside": sum(row.tone == "red" for row in rows),
        "may_turn": request.user.may("year.turn") and request.user.scope.whole_county,
    }  # fmt: skip
    return render(request, "students/turning_area.html", context)


def _told(students: QuerySet[Student], day: date) -> list[Entrant]:
    found = list(
        students.select_related("person", "hukou_village").order_by("hukou_village", "person__pinyin")[:MOST]
    )
    keys = [student.pk for student in found]
    stays: dict = {}
    for stay in (
        Enrolment.objects.open()
        .filter(student__in=keys)
        .select_related("school")
        .order_by("is_present", "pk")
    ):
        known = stays.get(stay.student_id)
        if known is None or known.stage == Stage.PRESCHOOL:
            stays[stay.student_id] = stay
    explained = {one.student_id: one for one in Whereabouts.objects.covering(day).filter(student__in=keys)}
    return [_entrant(student, stays.get(student.pk), explained.get(student.pk)) for student in found]


def _entrant(student: Student, stay: Enrolment | None, known: Whereabouts | None) -> Entrant:
    if stay and stay.stage != Stage.PRESCHOOL:
        return Entrant(student, "已入学", "green", str(stay.school or stay.outside_school))
    if known:
        return Entrant(student, known.get_kind_display(), "grey", known.place)
    if stay:
        return Entrant(student, "在幼儿园", "amber", str(stay.school or stay.outside_school))
    return Entrant(student, "未入学", "red")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_area(request: HttpRequest, school_id: UUID) -> HttpResponse:
    bureau_only(request)
    school = _school(request, school_id)
    form = AreaForm(request.POST or None, school=school, today=timezone.localdate())
    if form.is_valid():
        new, gone = actions.save_area(
            school=school, stage=Stage.PRIMARY, by=request.user, **form.cleaned_data
        )
        messages.success(request, f"已划定{school}的学区：新增 {new} 个村，调出 {gone} 个村。")
        return redirect("students:area", school.pk)
    return render(request, "students/turning_edit_area.html", {"form": form, "school": school})


@require_safe
def letters(request: HttpRequest, school_id: UUID) -> HttpResponse:
    """入学通知书, one to a page: a name, when and where. Only for children who are in no grade one yet."""
    school, year, day = _school(request, school_id), asked_year(request), timezone.localdate()
    students = entrants_of(school, year, day).filter(~_in_grade_one())
    found = list(students.select_related("person").order_by("hukou_village", "person__pinyin")[:MOST])
    audit.saw(request, [student.pk for student in found])
    audit.record(
        by=request.user,
        verb="students.letters_printed",
        subject=school,
        county=school.county,
        detail={"count": len(found)},
    )
    first = Term.objects.filter(school_year=year).order_by("starts_on").first()
    context = {
        "school": school,
        "year": year,
        "students": found,
        "opens_on": first and first.starts_on,
        "plan": plan_for(year),
        "today": day,
    }
    return render(request, "students/turning_letters.html", context)

"""学生: the list and the export of it."""

from django.db.models import Exists, F, OuterRef, Prefetch, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.lists import Choice, Listing, Order, Search
from students.figures import STUDENT_FIGURES
from students.forms import current_school_year
from students.models import Category, Enrolment, Guardianship, Hardship, Student
from students.models.schooling import GRADE_NAMES, STAGE_OF_LETTER, entry_year
from students.views import exporting
from students.views.neighbours import concealed
from students.views.places import schools, townships
from students.views.searching import by_words

PRESENCE = [
    ("both", "在籍在校"),
    ("registered", "在籍不在校"),
    ("present", "在校不在籍"),
    ("nowhere", "不在任何学校"),
]


def grades(listing: Listing) -> list[tuple[str, str]]:
    """Grades of the school year that is running; the value is the cohort, so a kept link follows the children."""
    year = current_school_year(listing.account, timezone.localdate())
    ours = [(code, name) for code, name in GRADE_NAMES.items() if code != "J6"]  # 六年级 of the 五四 system
    return [(f"{STAGE_OF_LETTER[code[0]].value}-{entry_year(code, year)}", name) for code, name in ours]


def _now_at(**conditions) -> Exists:
    return Exists(Enrolment.objects.open().filter(student=OuterRef("pk"), **conditions))


def by_township(students: QuerySet, township: str) -> QuerySet:
    return students.filter(hukou_township=township)


def by_school(students: QuerySet, school: str) -> QuerySet:
    return students.filter(_now_at(school=school))


def by_cohort(students: QuerySet, cohort: str) -> QuerySet:
    stage, entered_in = cohort.split("-")
    enrolled = Enrolment.objects.open().annotate(cohort=F("entered_in") + F("repeat_offset"))
    return students.filter(
        Exists(enrolled.filter(student=OuterRef("pk"), stage=stage, cohort=int(entered_in)))
    )


def by_hardship(students: QuerySet, category: str) -> QuerySet:
    held = Hardship.objects.covering(timezone.localdate()).filter(student=OuterRef("pk"), category=category)
    return students.filter(Exists(held))


def by_presence(students: QuerySet, presence: str) -> QuerySet:
    if presence == "nowhere":
        return students.enrolled_nowhere()
    registered, present = presence != "present", presence != "registered"
    return students.filter(_now_at(is_registered=registered, is_present=present))


def by_number(students: QuerySet, pending: str) -> QuerySet:
    return students.number_pending()


class Children(Listing):
    """Names in pinyin order, or the newest files first."""

    unit = "人"
    orders = [Order("name", "姓名", "person__pinyin"), Order("new", "建档先后", "pk", descending=True)]
    filters = [
        Search("q", "姓名、拼音或号码", by_words, hint="姓名 / 拼音首字母 / 完整号码"),
        Choice("township", "户籍乡镇", by_township, options=townships),
        Choice("school", "就读学校", by_school, options=schools),
        Choice("grade", "年级", by_cohort, options=grades),
        Choice("hardship", "困难身份", by_hardship, options=Category.choices),
        Choice("presence", "在籍、在校", by_presence, options=PRESENCE),
        Choice("number", "证件", by_number, options=[("pending", "证件待补")]),
        STUDENT_FIGURES,
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        if not any(field.text for field in self.fields):
            # A person's county is his student's; said so, the whole list is read off the index in its order.
            queryset = queryset.filter(person__county=self.account.county_id)
        today = timezone.localdate()
        enrolments = (
            Enrolment.objects.filter(ended_on=None).select_related("school").order_by("-is_present", "id")
        )
        return queryset.select_related("person", "hukou_township", "hukou_village").prefetch_related(
            Prefetch("enrolments", enrolments, to_attr="current"),
            Prefetch("hardships", Hardship.objects.covering(today), to_attr="held"),
            Prefetch(
                "guardianships",
                Guardianship.objects.filter(valid_to=None, legal=True).order_by("id"),
                to_attr="guardians",
            ),
        )


@require_safe
def students(request: HttpRequest) -> HttpResponse:
    page = _listing(request).page()
    audit.saw(request, page.rows)
    _tell_grades(page.rows, request)
    context = {"page": page, "may_export": request.user.may("figures.export")}
    return render(request, "students/students.html", context)


@require_safe
def export(request: HttpRequest) -> FileResponse:
    """The list as filtered, without any number of a person."""
    rows = list(_listing(request).export_rows(most=exporting.MOST_ROWS))
    audit.saw(request, rows)
    _tell_grades(rows, request)
    audit.record(
        by=request.user, verb="students.exported", county=request.user.county, detail={"rows": len(rows)}
    )
    return exporting.workbook(exporting.StudentSheet, map(exporting.student_line, rows), name="学生名单")


def _tell_grades(rows: list[Student], request: HttpRequest) -> None:
    """A grade is told for a school year, which the enrolment itself does not know."""
    year = current_school_year(request.user, timezone.localdate())
    for student in rows:
        student.current = concealed(student.current, request.user)
        for enrolment in student.current:
            enrolment.grade_name = enrolment.grade(year)


def _listing(request: HttpRequest) -> Children:
    return Children(Student.objects.visible_to(request.user), request.GET, account=request.user)

"""学生群体: the ledger with its termly re-check, counts per school, one child's entry, and the 安置点."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.models import School, Term
from bureau.organisation.terms import term_on
from bureau.sheets import Column, Sheet
from bureau.states.models import key_text
from bureau.templatetags.bureau import month_cn
from students.actions import grouping
from students.actions.grouping import LISTS, NotGrouped
from students.desk_groups import DUE, UNLISTED
from students.forms import current_school_year
from students.models import Enrolment, Group, GroupFact, RelocationSite, Student
from students.views import exporting
from students.views.group_forms import EndForm, GroupForm
from students.views.neighbours import concealed
from students.views.places import schools, townships

NOW, OVER = "now", "over"
STATES = [(NOW, "现在属于"), (DUE, "本学期还没有复核"), (UNLISTED, "部门名单上已没有"), (OVER, "已结束")]


def _term(account: Account) -> Term | None:
    return term_on(account.county, timezone.localdate()) if account.county else None


def by_state(rows: QuerySet, state: str) -> QuerySet:
    today = timezone.localdate()
    if state == OVER:
        return rows.filter(valid_to__lt=today)
    if state == UNLISTED:
        return rows.off_the_list(today)
    rows = rows.covering(today)
    if state == NOW:
        return rows
    terms = Term.objects.filter(starts_on__lte=today).order_by("county", "-starts_on")
    begun = {term.county_id: term for term in reversed(terms)}
    due = Q(pk=None)
    for term in begun.values():
        due |= Q(county=term.county_id, valid_to=None, checked_on__lt=term.starts_on)
    return rows.filter(due)


def at_school(rows: QuerySet, school: str) -> QuerySet:
    here = Enrolment.objects.open().filter(student=OuterRef("student"), school=school)
    return rows.filter(Exists(here))


class Facts(Listing):
    """Every child once per group; without a word about the state, those who belong to it now."""

    unit = "人次"
    orders = [Order("name", "姓名", "student__person__pinyin"), Order("checked", "最近复核", "checked_on")]
    filters = [
        Search(
            "q",
            "姓名",
            lambda rows, text: rows.filter(student__person__name_key__startswith=name_key(text)),
            hint="姓名",
        ),
        Choice("group", "群体", lambda rows, group: rows.filter(group=group), options=Group.choices),
        Choice("state", "状态", by_state, options=STATES),
        Choice("school", "就读学校", at_school, options=schools),
        Choice(
            "township",
            "户籍乡镇",
            lambda rows, town: rows.filter(student__hukou_township=town),
            options=townships,
        ),
        Choice(
            "site",
            "安置点",
            lambda rows, site: rows.filter(site=site),
            options=lambda listing: sites_of(listing.account),
        ),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        current = (
            Enrolment.objects.filter(ended_on=None).select_related("school").order_by("-is_present", "id")
        )
        return queryset.select_related(
            "student__person", "student__hukou_village", "student__hukou_township", "site", "checked_by"
        ).prefetch_related(Prefetch("student__enrolments", current, to_attr="current"))


def sites_of(account: Account) -> list[tuple[str, str]]:
    return [
        (str(pk), name) for pk, name in RelocationSite.objects.visible_to(account).values_list("pk", "name")
    ]


def listing_for(account: Account, params: QueryDict) -> Facts:
    asked = params.copy()
    asked.setdefault("state", NOW)
    return Facts(GroupFact.objects.visible_to(account).standing(), asked, account=account)


class GroupSheet(Sheet):
    title = "学生群体台账"
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    group = Column("群体", width=18)
    school = Column("学校", width=26)
    grade = Column("年级班级", width=14)
    township = Column("户籍乡镇", width=14)
    village = Column("户籍村", width=14)
    since = Column("自", width=12)
    until = Column("至", width=12)
    source = Column("来源", width=14)
    evidence = Column("依据", width=30)
    site = Column("安置点", width=20)
    checked = Column("最近复核", width=12)


@require_safe
def groups(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    audit.saw(request, [row.student_id for row in page.rows])
    _tell_places(request, page.rows)
    term = _term(request.user)
    context = {
        "page": page,
        "may_edit": request.user.may("rosters.upload"),
        "may_export": request.user.may("figures.export"),
        "begun": term and term.starts_on,
        "end_form": EndForm(),
        "adoptable": _adoptable(request.user),
    }
    return render(request, "students/groups.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    listing = listing_for(request.user, request.GET)
    rows = list(listing.export_rows(most=exporting.MOST_ROWS))
    audit.saw(request, [row.student_id for row in rows])
    audit.record(
        by=request.user,
        verb="students.groups_exported",
        county=request.user.county,
        detail={"rows": len(rows)},
    )
    _tell_places(request, rows)
    lines = (
        {
            "name_": row.student.person.name, "born": month_cn(row.student.person.birth_on), "group": row.get_group_display(),
            "school": row.place_name, "grade": row.grade_name, "township": str(row.student.hukou_township or ""),
            "village": str(row.student.hukou_village or ""), "since": row.valid_from.isoformat(),
            "until": row.valid_to.isoformat() if row.valid_to else "", "source": row.get_source_display(),
            "evidence": row.evidence, "site": str(row.site or ""), "checked": row.checked_on.isoformat(),
        }
        for row in rows
    )  # fmt: skip
    return exporting.workbook(GroupSheet, lines, name="学生群体台账")


@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """How many of each group sit at each school; a child counts at the school he is present at."""
    today = timezone.localdate()
    visible = School.objects.visible_to(request.user).open_on(today)
    facts = GroupFact.objects.visible_to(request.user).covering(today)
    present = Enrolment.objects.present().filter(student=OuterRef("student"), school__in=visible.values("pk"))
    placed = facts.annotate(at=Subquery(present.order_by("pk").values("school")[:1])).filter(at__isnull=False)
    table: dict[str, dict[str, int]] = {}
    for school, group, children in (
        placed.order_by().values_list("at", "group").annotate(children=Count("pk"))
    ):
        table.setdefault(key_text(school), {})[group] = children
    lines = [
        (school, [(group, table[key_text(school.pk)].get(group, 0)) for group in Group.values])
        for school in visible.select_related("township")
        if key_text(school.pk) in table
    ]
    totals = [(group, sum(counted.get(group, 0) for counted in table.values())) for group in Group.values]
    context = {"lines": lines, "labels": Group.labels, "totals": totals, "today": today}
    return render(request, "students/group_counts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def record(request: HttpRequest, student_id: UUID) -> HttpResponse:
    student = get_object_or_404(
        Student.objects.visible_to(request.user).select_related("person"), pk=student_id
    )
    audit.saw(request, [student])
    form = GroupForm(request.POST or None, account=request.user)
    if form.is_valid():
        try:
            made, _ = grouping.record(
                students=[student], today=timezone.localdate(), by=request.user, **form.cleaned_data
            )
        except NotGrouped as refusal:
            form.add_error("since_on" if refusal.code == "in_the_future" else None, refusal.message)
        else:
            messages.success(request, "已登记。" if made else "该生已在这个群体中，没有重复登记。")
            return redirect(student)
    return render(request, "students/record_group.html", {"student": student, "form": form})


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Those ticked, or all the filters leave: still so."""
    count = grouping.check(facts=_chosen(request), today=timezone.localdate(), by=request.user)
    messages.success(request, f"已复核 {count} 人次，情况不变。" if count else "没有需要复核的。")
    return redirect("students:groups")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    form = EndForm(request.POST)
    if not form.is_valid():
        messages.error(request, "没有结束：请填写最后一天和依据。")
        return redirect("students:groups")
    try:
        count = grouping.end(
            facts=_chosen(request), today=timezone.localdate(), by=request.user, **form.cleaned_data
        )
    except NotGrouped as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"已结束 {count} 人次。")
    return redirect("students:groups")


@require_POST
def withdraw(request: HttpRequest, fact_id: int) -> HttpResponse:
    fact = get_object_or_404(GroupFact.objects.visible_to(request.user).select_related("student"), pk=fact_id)
    done = grouping.withdraw(fact=fact, by=request.user)
    messages.success(request, "已撤回，视为没有登记过。" if done else "已由他人撤回。")
    return redirect(fact.student)


@require_POST
def adopt(request: HttpRequest, group: str) -> HttpResponse:
    if group not in LISTS:
        messages.error(request, "这个群体没有对应的部门名单。")
        return redirect("students:groups")
    visible = Student.objects.visible_to(request.user)
    count = grouping.adopt(
        county=request.user.county, group=group, students=visible, today=timezone.localdate(), by=request.user
    )
    messages.success(request, f"已按名单登记 {count} 人。" if count else "名单上的学生都已登记。")
    return redirect(f"{reverse('students:groups')}?group={group}")


def _chosen(request: HttpRequest) -> QuerySet[GroupFact]:
    if "all" in request.POST:
        return listing_for(request.user, request.GET).queryset
    ids = [int(key) for key in request.POST.getlist("ids") if key.isdigit() and len(key) < 19]
    return GroupFact.objects.visible_to(request.user).filter(pk__in=ids)


def _adoptable(account: Account) -> list[tuple[str, str, int]]:
    """Groups a list knows children of whom nobody has recorded: (group, label, how many)."""
    if not account.may("rosters.upload"):
        return []
    visible, today = Student.objects.visible_to(account), timezone.localdate()
    found = [
        (
            group.value,
            group.label,
            grouping.on_a_list(account.county, group, today).filter(pk__in=visible.values("pk")).count(),
        )
        for group in LISTS
    ]
    return [one for one in found if one[2]]


def _tell_places(request: HttpRequest, rows: list[GroupFact]) -> None:
    year = current_school_year(request.user, timezone.localdate())
    for row in rows:
        stay = next(iter(concealed(row.student.current, request.user)), None)
        row.place_name = str(stay.school or stay.outside_school) if stay else ""
        row.grade_name = stay.grade(year) + stay.class_name if stay else ""

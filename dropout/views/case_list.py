"""控辍保学台账: the list with its filters, the export in the office's layout, and giving cases to people."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max, OuterRef, Prefetch, QuerySet, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.sheets import Column, Sheet
from dropout.actions import handling
from dropout.actions.steps import NotDone
from dropout.figures import CASE_FIGURES
from dropout.forms import AssignForm
from dropout.models import Case, Episode, Reason, ReturnOrder, Visit
from students.models import Category, GroupFact, Guardianship, Hardship
from students.views import exporting
from students.views.places import schools, townships

SHOWN = 12
OPEN = "open"
STATES = [
    (OPEN, "在办的全部"), ("overdue", "已逾期"), ("out", "失学、辍学未复学"), ("seen", "失学、辍学，花名册上已在校"),
    ("poor", "脱贫（监测）家庭，失学、辍学"), ("unsigned_government", "观察期满，政府线未签字"),
    ("unsigned_education", "观察期满，教育线未签字"), ("to_strike_off", "可以销号"), ("all", "全部"), *Case.State.choices,
]  # fmt: skip


def by_state(rows: QuerySet, state: str) -> QuerySet:
    today = timezone.localdate()
    special = {
        OPEN: rows.open, "overdue": lambda: rows.overdue(today), "out": rows.verified, "seen": rows.seen_at_school,
        "unsigned_government": lambda: rows.unsigned("government", today),
        "unsigned_education": lambda: rows.unsigned("education", today), "to_strike_off": lambda: rows.to_strike_off(today),
        "poor": lambda: rows.poor(today), "all": rows.all,
    }  # fmt: skip
    return special[state]() if state in special else rows.filter(state=state)


class Cases(Listing):
    """Newest first. Without a word about the state only what is not ended is shown."""

    unit = "人"
    orders = [Order("new", "立案先后", "id", descending=True), Order("name", "姓名", "student__person__pinyin")]

    filters = [
        Search("q", "姓名", lambda rows, text: rows.filter(student__person__name_key__startswith=name_key(text)), hint="姓名"),
        Choice("state", "状态", by_state, options=STATES),
        Choice("township", "乡镇", lambda rows, place: rows.filter(township=place), options=townships),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
        Choice("reason", "原因", lambda rows, reason: rows.filter(reason=reason), options=Reason.choices),
        CASE_FIGURES,
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        last = Visit.objects.filter(case=OuterRef("pk")).order_by().values("case").annotate(last=Max("visited_on")).values("last")
        many = Visit.objects.filter(case=OuterRef("pk")).order_by().values("case").annotate(many=Count("pk")).values("many")
        return queryset.select_related(
            "student__person", "student__hukou_village", "school", "township", "government_lead", "education_lead", "county"
        ).annotate(last_visit=Subquery(last), visit_count=Subquery(many))


def listing_for(account: Account, params) -> Cases:
    asked = params.copy()
    visible = Case.objects.visible_to(account)
    if "figure" not in asked:
        asked.setdefault("state", OPEN)
    return Cases(visible, asked, account=account)


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    audit.saw(request, [row.student_id for row in page.rows])
    context = {"page": page, "may_work": request.user.may("dropout.work"), "may_export": request.user.may("dropout.export"), "today": timezone.localdate()}
    return render(request, "dropout/cases.html", context)


class CaseSheet(Sheet):
    """The county's 总台账. Numbers of persons stay blank: they are filled in by who may see them."""

    title = "控辍保学台账"
    position = Column("序号", width=6)
    township = Column("乡镇", width=12)
    village = Column("村", width=12)
    name_ = Column("姓名", width=10)
    sex = Column("性别", width=6)
    citizen = Column("身份证号", width=20)
    born = Column("出生日期", width=12)
    home = Column("户籍地址", width=20)
    guardian = Column("监护人", width=12)
    phone = Column("电话", width=14)
    hardships = Column("是否脱贫户/监测/低保/残疾/留守", width=24)
    school = Column("原就读学校", width=20)
    grade = Column("年级", width=8)
    student_number = Column("学籍号", width=20)
    left_on = Column("失辍学时间", width=12)
    reason = Column("原因", width=16)
    state = Column("去向（状态）", width=16)
    leads = Column("包保责任人（乡镇/村/学校/教师）", width=26)
    visits = Column("劝返次数", width=8)
    last_visit = Column("最近劝返时间", width=12)
    plan = Column("措施", width=24)
    order = Column("是否下达限期复学通知书/时间", width=22)
    penalty = Column("是否处罚", width=8)
    returned = Column("是否复学", width=8)
    returned_on = Column("复学时间", width=12)
    placement = Column("安置学校及方式", width=22)
    evidence = Column("佐证", width=24)
    struck_off_on = Column("销号时间", width=12)
    note = Column("备注", width=14)


@require_safe
def export(request: HttpRequest) -> FileResponse:
    today = timezone.localdate()
    listing = listing_for(request.user, request.GET)
    rows = listing.sorted.prefetch_related(
        Prefetch("episodes", Episode.objects.select_related("school").order_by("opened_on", "pk")),
        Prefetch("orders", ReturnOrder.objects.filter(cancelled_on=None).order_by("issued_on")),
        "team",
        Prefetch("student__hardships", Hardship.objects.covering(today), to_attr="held"),
        Prefetch("student__groups", GroupFact.objects.covering(today), to_attr="grouped"),
        Prefetch("student__guardianships", Guardianship.objects.filter(valid_to=None, legal=True), to_attr="guardians"),
    )
    found = list(rows[: exporting.MOST_ROWS])
    audit.saw(request, [row.student_id for row in found])
    audit.record(by=request.user, verb="dropout.exported", county=request.user.county, detail={"rows": len(found)})
    return exporting.workbook(CaseSheet, (_line(n, row) for n, row in enumerate(found, 1)), name="控辍保学台账")


def _line(position: int, case: Case) -> dict:
    person, episodes = case.student.person, list(case.episodes.all())
    episode = episodes[-1]
    orders, team = list(case.orders.all()), list(case.team.all())
    marks = [Category(one.category).label for one in case.student.held] + [one.get_group_display() for one in case.student.grouped]
    leads = [str(one) for one in (case.government_lead, case.education_lead) if one] + [one.name for one in team]
    placed = [one for one in (episode.placed_at, episode.get_placement_display()) if one]
    return {
        "position": position,
        "township": str(case.township or ""),
        "village": str(case.student.hukou_village or ""),
        "name_": person.name,
        "sex": person.get_sex_display() if person.sex in ("1", "2") else "",
        "citizen": "",
        "born": _day(person.birth_on),
        "home": case.student.hukou_text,
        "guardian": "、".join(one.name for one in case.student.guardians),
        "phone": "",
        "hardships": "、".join(marks),
        "school": str(episode.school or ""),
        "grade": episode.grade,
        "student_number": "",
        "left_on": _day(episode.left_on),
        "reason": case.get_reason_display(),
        "state": case.get_state_display(),
        "leads": "、".join(leads),
        "visits": case.visit_count or 0,
        "last_visit": _day(case.last_visit),
        "plan": case.plan,
        "order": f"是，{_day(orders[-1].issued_on)}" if orders else "否",
        "penalty": "否",
        "returned": "是" if episode.returned_on else "否",
        "returned_on": _day(episode.returned_on),
        "placement": "，".join(placed),
        "evidence": episode.evidence,
        "struck_off_on": _day(episode.ended_on) if episode.outcome == "struck_off" else "",
        "note": f"第 {len(episodes)} 次" if len(episodes) > 1 else "",
    }


def _day(day) -> str:
    return day.isoformat() if day else ""


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest) -> HttpResponse:
    """Those ticked, or all the filters leave; what was counted when the page was shown is what is given."""
    chosen = _chosen(request)
    count = chosen.count()
    if not count:
        messages.info(request, "请先勾选要交办的学生。")
        return redirect("dropout:cases")
    form = AssignForm(request.POST or None, account=request.user)
    if request.method == "POST" and request.POST.get("count") != str(count):
        form.add_error(None, f"页面打开后情况有变化，现在是 {count} 人。请核对后再确认。")
    if form.is_valid():
        try:
            given, left = handling.assign(cases=chosen, today=timezone.localdate(), by=request.user, **form.cleaned_data)
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, f"已交办 {given} 人。" + (f"已结案的 {left} 人没有动。" if left else ""))
            return redirect("dropout:cases")
    shown = list(chosen.select_related("student__person", "school", "township").order_by("pk")[:SHOWN])
    audit.saw(request, [row.student_id for row in shown])
    context = {"form": form, "count": count, "shown": shown, "left": max(0, count - len(shown)), "action": request.get_full_path()}
    return render(request, "dropout/assign.html", context)


def _chosen(request: HttpRequest) -> QuerySet[Case]:
    if "all" in request.GET:
        return listing_for(request.user, request.GET).queryset.open().order_by()
    ids = [key for key in request.GET.getlist("ids") if _is_key(key)]
    return Case.objects.visible_to(request.user).open().filter(pk__in=ids[:1000]).order_by()


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

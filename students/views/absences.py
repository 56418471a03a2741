"""名册未出现的学生: who they are, and what became of them, one by one or many at once; children two schools have."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.states import IllegalMove
from students.actions import absences as actions
from students.actions.absences import NotExplained, kinds_for
from students.forms import ExplainForm, current_school_year
from students.models import Absence, Enrolment, Roster
from students.views.places import only_school, schools

WAITING = "waiting"
STATES = [(WAITING, "待说明（含疑似辍学）"), *Absence.State.choices]
SHOWN = 10
MOST_AT_ONCE = 2_000


def by_state(rows: QuerySet, state: str) -> QuerySet:
    return rows.to_explain() if state == WAITING else rows.filter(state=state)


def by_name(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(enrolment__student__person__name_key__startswith=name_key(text))


def by_class(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(enrolment__class_name__startswith=text)


def rosters_of(listing: Listing) -> list[tuple[str, str]]:
    found = Roster.objects.visible_to(listing.account).filter(absences__isnull=False).distinct().order_by("-id")
    return [(str(pk), name) for pk, name in found.values_list("pk", "file_name")[:200]]


class Absences(Listing):
    """Who waits longest comes first. Without a word about the state only what must be explained is shown."""

    unit = "人"
    orders = [Order("waiting", "登记先后", "id"), Order("name", "姓名", "enrolment__student__person__pinyin")]
    filters = [
        Search("q", "姓名", by_name, hint="姓名"),
        Choice("state", "状态", by_state, options=STATES),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
        Search("class", "班级", by_class, hint="例如：1班"),
        Choice("roster", "花名册", lambda rows, roster: rows.filter(roster=roster), options=rosters_of),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return with_children(queryset)


def with_children(rows: QuerySet) -> QuerySet:
    return rows.select_related(
        "enrolment__student__person", "enrolment__student__hukou_village", "school", "to_school", "roster__term__school_year",
        "explained_by",
    ).defer("roster__problems", "roster__tables")  # fmt: skip


def listing_for(account: Account, params: QueryDict) -> Absences:
    asked = params.copy()
    asked.setdefault("state", WAITING)
    return Absences(Absence.objects.visible_to(account), asked, account=account)


def _told(rows: list[Absence]) -> list[Absence]:
    for row in rows:
        row.class_name = row.enrolment.grade(row.roster.term.school_year.starts_in) + row.enrolment.class_name
        row.waits_for_school = row.state == Absence.State.EXPLAINED and row.kind == Absence.Kind.IN_COUNTY
        row.can_be_explained = row.state in (
            Absence.State.OPEN,
            Absence.State.SIGNALLED,
            Absence.State.EXPLAINED,
        )
    return rows


@require_safe
def absences(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    _told(page.rows)
    audit.saw(request, [row.enrolment.student_id for row in page.rows])
    context = {
        "page": page,
        "may_explain": request.user.may("rosters.upload"),
        "one_school": only_school(request.user, timezone.localdate()) is not None,
    }
    return render(request, "students/absences.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def explain_absences(request: HttpRequest) -> HttpResponse:
    """`ids` are the children ticked; `all` means every child the filters in the address leave.

    What was counted when the page was shown must still be what is explained.
    """
    today = timezone.localdate()
    chosen = _chosen(request)
    found = list(with_children(chosen).order_by("pk")[:MOST_AT_ONCE])
    if not found:
        messages.info(request, "所选学生已有去向，或不在您的范围内。")
        return redirect("students:absences")
    offered = set.intersection(*(set(kinds_for(absence, today)) for absence in found))
    form = ExplainForm(request.POST or None, account=request.user, kinds=sorted(offered), today=today)
    if request.method == "POST" and request.POST.get("count") != str(len(found)):
        form.add_error(None, f"页面打开后情况有变化，现在是 {len(found)} 人。请核对后再确认。")
    if form.is_valid():
        try:
            explained, left = actions.explain(
                absences=Absence.objects.filter(pk__in=[absence.pk for absence in found]),
                explanation=form.explanation(),
                today=today,
                by=request.user,
            )
        except (NotExplained, IllegalMove) as error:
            form.add_error(None, error.message)
        else:
            _tell(request, form, explained, left)
            return redirect("students:absences")
    shown = _told(found[:SHOWN])
    audit.saw(request, [row.enrolment.student_id for row in shown])
    context = {
        "form": form,
        "count": len(found),
        "shown": shown,
        "left": len(found) - len(shown),
        "withheld": Absence.Kind.VOCATIONAL not in offered,
        "action": request.get_full_path(),
    }
    return render(request, "students/explain_absences.html", context)


def _tell(request: HttpRequest, form: ExplainForm, explained: int, left: int) -> None:
    kind = Absence.Kind(form.cleaned_data["kind"])
    if explained and kind == Absence.Kind.UNKNOWN:
        messages.warning(request, f"{explained} 人去向不明，已列为疑似辍学，请立即家访并报告乡镇。")
    elif explained and kind == Absence.Kind.IN_COUNTY:
        messages.success(request, f"已说明 {explained} 人转到{form.cleaned_data['to_school']}，等该校的花名册入库后自动核销。")
    elif explained:
        messages.success(request, f"已说明 {explained} 人的去向：{kind.label}。")
    if left:
        messages.warning(request, f"有 {left} 人没有登记：这种去向不适用，或刚由别人说明。请逐人查看。")


def _chosen(request: HttpRequest) -> QuerySet[Absence]:
    """What can be said something about: not found elsewhere, not back. Said already, it may be said anew."""
    if "all" in request.GET:
        return listing_for(request.user, request.GET).queryset.standing()
    ids = [int(key) for key in request.GET.getlist("ids") if key.isdigit() and len(key) < 19]
    return Absence.objects.visible_to(request.user).standing().filter(pk__in=ids)


class Contested(Listing):
    """Children two schools have present. A school sees its own children only, and nothing of the other school."""

    unit = "人"
    orders = [Order("name", "姓名", "student__person__pinyin")]
    filters = [Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools)]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.select_related("student__person", "student__hukou_village", "school")


@require_safe
def contested(request: HttpRequest) -> HttpResponse:
    rows = Enrolment.objects.visible_to(request.user).contested()
    page = Contested(rows, request.GET, account=request.user).page()
    year = current_school_year(request.user, timezone.localdate())
    for row in page.rows:
        row.grade_name = row.grade(year)
    audit.saw(request, [row.student_id for row in page.rows])
    return render(request, "students/contested.html", {"page": page, "whole_county": request.user.scope.whole_county})

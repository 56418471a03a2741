"""撤销入库: what changes back, what stands in the way, and the reason."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from bureau import audit
from students.actions import undoing
from students.actions.undoing import NotUndone, Undo
from students.forms import UndoForm
from students.intake.undoing import replaced
from students.models import Enrolment, Roster, RosterRow, Student
from students.views.previews import PAGE, Change, Line, change_of
from students.views.windows import told_when_locked

TABS = {
    "new": ("从本校移出", "因这份花名册登记到本校的学生；系统中因此新建的档案一并删除。"),
    "changed": ("改回原样", "因这份花名册更新的内容，恢复为原来的。"),
    "absent": ("恢复在校", "因这份花名册登记为不在校的学生。"),
    "leavers": ("恢复就读", "因这份花名册按毕业离校处理的学生。"),
}


@dataclass(frozen=True)
class Tab:
    show: str
    title: str
    hint: str
    count: int


@require_http_methods(["GET", "HEAD", "POST"])
@told_when_locked
def undo_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    visible = Roster.objects.visible_to(request.user).select_related("term__school_year", "school", "county")
    found = get_object_or_404(visible, pk=roster_id)
    form = UndoForm(request.POST or None)
    if found.status == Roster.State.APPLIED and form.is_valid():
        try:
            undoing.undo_roster(roster=found, by=request.user, **form.cleaned_data)
        except NotUndone as error:
            messages.error(request, error.message)
            return redirect(request.path if error.code == "blocked" else found.get_absolute_url())
        messages.success(request, "已撤销入库，学生信息恢复到入库之前。修改后的花名册可以重新上传。")
        return redirect(found)
    if found.status != Roster.State.APPLIED:
        messages.info(request, f"这份花名册现在是“{found.get_status_display()}”，没有可以撤销的。")
        return redirect(found)
    undo = undoing.undo_preview(roster=found)
    tabs = _tabs(found, undo)
    shown = next((tab for tab in tabs if tab.show == request.GET.get("show")), _first(tabs))
    lines, after = _lines(found, shown.show, request.GET.get("after", ""))
    named = _named([pk for obstacle in undo.obstacles for pk in obstacle.students])
    audit.saw(request, [line.student for line in lines if line.student] + list(named))
    context = {
        "roster": found,
        "form": form,
        "undo": undo,
        "obstacles": [
            (obstacle, [named[pk] for pk in obstacle.students if pk in named]) for obstacle in undo.obstacles
        ],
        "tabs": tabs,
        "shown": shown,
        "lines": lines,
        "after": after,
    }
    if request.htmx and request.htmx.target == "back":
        return render(request, "students/_undo_back.html", context)
    return render(request, "students/undo_roster.html", context)


def _tabs(roster: Roster, undo: Undo) -> list[Tab]:
    counts = {
        "new": undo.enrolments,
        "changed": undo.changed,
        "absent": undo.returning,
        "leavers": undo.leavers,
    }
    return [Tab(show, *words, counts[show]) for show, words in TABS.items()]


def _first(tabs: list[Tab]) -> Tab:
    return next((tab for tab in tabs if tab.count), tabs[0])


def _named(keys: list[UUID]) -> dict[UUID, Student]:
    return Student.objects.select_related("person").in_bulk(keys)


def _lines(roster: Roster, show: str, after: str) -> tuple[list[Line], str]:
    if show in ("absent", "leavers"):
        return _left_out(roster, show, after)
    rows = RosterRow.objects.filter(roster=roster, status="accepted", verdict=show, settled=False)
    rows = rows.select_related("hukou_village", "school").order_by("id")
    if after.isdigit() and len(after) < 19:
        rows = rows.filter(pk__gt=int(after))
    page = list(rows[: PAGE + 1])
    lines = [_line(roster, row) for row in page[:PAGE]]
    return lines, str(page[PAGE - 1].pk) if len(page) > PAGE else ""


def _line(roster: Roster, row: RosterRow) -> Line:
    cohort = Enrolment(stage=row.stage, entered_in=row.entered_in)
    changes = [change_of(*change) for change in row.changes]
    return Line(
        name=row.name,
        class_name=_at(roster, row.school, cohort, row.class_name),
        birth_on=row.birth_on,
        village=str(row.hukou_village or ""),
        student=row.person_id,
        changes=[Change(change.label, old=change.new, new=change.old) for change in changes],
    )


def _left_out(roster: Roster, show: str, after: str) -> tuple[list[Line], str]:
    keys = [
        effect.key
        for effect in replaced(roster, Enrolment)
        if effect.before["is_present"] and not effect.after["is_present"]
        if bool(effect.after["ended_on"]) == (show == "leavers")
    ]
    left = Enrolment.objects.filter(pk__in=keys).select_related(
        "student__person", "student__hukou_village", "school"
    )
    start = int(after) if after.isdigit() and len(after) < 9 else 0
    page = list(left.order_by("school", "stage", "entered_in", "class_name", "id")[start : start + PAGE + 1])
    lines = [
        Line(
            name=enrolment.student.person.name,
            class_name=_at(roster, enrolment.school, enrolment, enrolment.class_name),
            birth_on=enrolment.student.person.birth_on,
            village=str(enrolment.student.hukou_village or ""),
            student=enrolment.student_id,
        )
        for enrolment in page[:PAGE]
    ]
    return lines, str(start + PAGE) if len(page) > PAGE else ""


def _at(roster: Roster, school, cohort: Enrolment, class_name: str) -> str:
    place = f"{school}，" if roster.school_id is None and school else ""
    return f"{place}{cohort.grade(roster.term.school_year.starts_in)}{class_name}"

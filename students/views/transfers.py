"""学籍异动: the ledger, one child's change with its papers and answers, and the letter to another county."""

import io
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.scans import NotTaken
from bureau.sheets import Column, Sheet
from bureau.states import IllegalMove, Transition
from bureau.templatetags.bureau import month_cn
from students.actions import transfers
from students.actions.absences import NotExplained
from students.actions.files import opened_file, private_folder
from students.actions.transfers import NotMoved, schools_of
from students.forms import current_school_year
from students.models import Enrolment, Movement, MovementPaper
from students.views import exporting
from students.views.places import schools
from students.views.transfer_forms import (
    AnswerForm,
    ClaimForm,
    ExtendForm,
    MovementForm,
    PaperForm,
    ReasonForm,
    ResumeForm,
)

Kind, State = Movement.Kind, Movement.State
WAITING, LATE, LAPSED = "waiting", "late", "lapsed"
STATES = [(WAITING, "没有办结的"), (LATE, "逾期未答复"), (LAPSED, "休学到期"), *State.choices]


def by_state(rows: QuerySet, state: str) -> QuerySet:
    today = timezone.localdate()
    special = {WAITING: rows.under_way, LATE: lambda: rows.overdue(today), LAPSED: lambda: rows.lapsed(today)}
    return special[state]() if state in special else rows.filter(state=state)


class Movements(Listing):
    unit = "人"
    orders = [
        Order("new", "登记先后", "id", descending=True),
        Order("name", "姓名", "enrolment__student__person__pinyin"),
    ]
    filters = [
        Search(
            "q",
            "姓名",
            lambda rows, text: rows.filter(enrolment__student__person__name_key__startswith=name_key(text)),
            hint="姓名",
        ),
        Choice("state", "状态", by_state, options=STATES),
        Choice("kind", "异动", lambda rows, kind: rows.filter(kind=kind), options=Kind.choices),
        Choice("school", "登记学校", lambda rows, school: rows.filter(school=school), options=schools),
        Choice("to", "转入学校", lambda rows, school: rows.filter(to_school=school), options=schools),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.select_related("enrolment__student__person", "school", "to_school", "announced_by")


class MovementSheet(Sheet):
    title = "学籍异动台账"
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    school = Column("登记学校", width=24)
    grade = Column("年级班级", width=14)
    kind = Column("异动", width=14)
    to = Column("转往（来自）", width=26)
    since_on = Column("自", width=12)
    until_on = Column("休学至", width=12)
    state = Column("状态", width=18)
    due_on = Column("答复期限", width=12)
    evidence = Column("佐证", width=30)


@require_safe
def movements(request: HttpRequest) -> HttpResponse:
    page = Movements(Movement.objects.visible_to(request.user), request.GET, account=request.user).page()
    audit.saw(request, [row.enrolment.student_id for row in page.rows])
    _name_grades(request, page.rows)
    return render(
        request, "students/movements.html", {"page": page, "may_export": request.user.may("figures.export")}
    )


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    listing = Movements(Movement.objects.visible_to(request.user), request.GET, account=request.user)
    rows = list(listing.export_rows(most=exporting.MOST_ROWS))
    audit.saw(request, [row.enrolment.student_id for row in rows])
    audit.record(
        by=request.user,
        verb="students.movements_exported",
        county=request.user.county,
        detail={"rows": len(rows)},
    )
    _name_grades(request, rows)
    lines = (
        {
            "name_": row.enrolment.student.person.name,
            "born": month_cn(row.enrolment.student.person.birth_on),
            "school": str(row.school),
            "grade": row.grade_name,
            "kind": row.get_kind_display(),
            "to": str(row.to_school or row.place),
            "since_on": row.since_on.isoformat(),
            "until_on": row.until_on.isoformat() if row.until_on else "",
            "state": row.get_state_display(),
            "due_on": row.due_on.isoformat() if row.due_on else "",
            "evidence": row.evidence,
        }
        for row in rows
    )
    return exporting.workbook(MovementSheet, lines, name="学籍异动台账")


@require_http_methods(["GET", "HEAD", "POST"])
def announce(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    visible = Enrolment.objects.visible_to(request.user).filter(ended_on=None, school__isnull=False)
    stay = get_object_or_404(visible.select_related("student__person", "school", "county"), pk=enrolment_id)
    audit.saw(request, [stay.student_id])
    today = timezone.localdate()
    standing = stay.movements.under_way().first()
    form = MovementForm(request.POST or None, account=request.user, own=stay.school, today=today)
    if not standing and form.is_valid():
        try:
            movement = transfers.announce(enrolment=stay, change=form.change(), today=today, by=request.user)
        except (NotMoved, NotExplained, IllegalMove) as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已登记：{movement.get_kind_display()}。{_next_step(movement)}")
            return redirect(movement)
    context = {
        "stay": stay,
        "grade": stay.grade(current_school_year(request.user, today)),
        "form": form,
        "standing": standing,
    }
    return render(request, "students/announce.html", context)


def _next_step(movement: Movement) -> str:
    if movement.kind == Kind.IN_COUNTY:
        return f"{movement.to_school}会在工作台上看到，请等待确认接收。"
    if movement.leads_outside:
        return "请打印联系函寄出，收到回执后登记答复。"
    return "请上传佐证材料。"


@require_safe
def movement(request: HttpRequest, movement_id: UUID) -> HttpResponse:
    return _page(request, _found(request, movement_id))


# What may be done next: word of the address -> (side that does it, states it starts from, form, what it does).

Step = tuple[str, tuple[str, ...], type, Callable[..., Movement]]
RECEIVER = "receives"


def _today(step: Callable[..., Movement]) -> Callable[..., Movement]:
    return lambda **given: step(today=timezone.localdate(), **given)


STEPS: dict[str, Step] = {  # what leads on first
    "claim": (RECEIVER, (State.ANNOUNCED,), ClaimForm, _today(transfers.claim)),
    "confirm": ("sends", (State.CLAIMED, State.DENIED), None, _today(transfers.confirm)),
    "answer": ("sends", (State.ANNOUNCED,), AnswerForm, _today(transfers.answer)),
    "resume": ("sends", (State.RUNNING,), ResumeForm, _today(transfers.resume)),
    "extend": ("sends", (State.RUNNING,), ExtendForm, transfers.extend),
    "refuse": (RECEIVER, (State.ANNOUNCED,), ReasonForm, transfers.refuse),
    "deny": ("sends", (State.CLAIMED,), ReasonForm, transfers.deny),
    "unclaim": (RECEIVER, (State.CLAIMED,), ReasonForm, transfers.unclaim),
    "suspend_again": ("sends", (State.RESUMED,), ReasonForm, transfers.suspend_again),
    "withdraw": (
        "sends",
        (State.ANNOUNCED, State.DENIED, State.CONFIRMED, State.RUNNING),
        ReasonForm,
        transfers.withdraw,
    ),
}
LEADS_ON = ("claim", "confirm", "answer", "resume", "extend")
OF_KIND = {
    "claim": (Kind.IN_COUNTY,), "unclaim": (Kind.IN_COUNTY,), "confirm": (Kind.IN_COUNTY,), "deny": (Kind.IN_COUNTY,),
    "refuse": (Kind.IN_COUNTY, *transfers.LETTERS), "answer": transfers.LETTERS, "resume": (Kind.SUSPENDED,),
    "extend": (Kind.SUSPENDED,), "suspend_again": (Kind.SUSPENDED,),
}  # fmt: skip
WORDS = {
    "claim": "确认接收", "unclaim": "撤回接收", "refuse": "没有接收", "confirm": "确认转出", "deny": "不同意转出",
    "answer": "登记答复：已接收", "resume": "登记复学", "extend": "延长休学", "suspend_again": "撤销复学", "withdraw": "撤回这项异动",
}  # fmt: skip
FROM_OUTSIDE_WORDS = {"answer": "登记答复：同意转出", "refuse": "登记答复：不同意"}
DONE = {
    "claim": "已确认接收，等待转出学校确认。", "unclaim": "已撤回接收。", "refuse": "已登记：没有接收。请转出学校重新核实孩子去向。",
    "confirm": "已确认转出，学籍随人转移。", "deny": "已登记：不同意转出。县局会看到两校的意见。", "answer": "已登记答复，异动办结。",
    "resume": "已登记复学。", "extend": "已延长休学。", "suspend_again": "已撤销复学。", "withdraw": "已撤回，学籍恢复到异动之前。",
}  # fmt: skip


def steps_for(request: HttpRequest, found: Movement) -> list[str]:
    """The steps this account may take now. Where only another county answers, the school that wrote does all of them."""
    if not request.user.may("rosters.upload"):
        return []
    sides = schools_of(found, request.user)
    open_ones = []
    for word, (side, states, _, _) in STEPS.items():
        side = "sends" if found.kind != Kind.IN_COUNTY else side
        if found.state in states and found.kind in OF_KIND.get(word, Kind) and side in sides:
            open_ones.append(word)
    return open_ones


@require_POST
def step(request: HttpRequest, movement_id: UUID, word: str) -> HttpResponse:
    """One step; taken already by somebody else, the page says so."""
    found = _found(request, movement_id)
    if word not in STEPS:
        raise Http404
    if word not in steps_for(request, found):
        if not schools_of(found, request.user):
            raise PermissionDenied
        messages.error(request, "这一步现在不能办，可能刚被他人办理，请看下面的状态。")
        return redirect(found)
    _, _, form_class, act = STEPS[word]
    form = form_class(request.POST, prefix=word) if form_class else None
    if form and not form.is_valid():
        return _page(request, found, wrong={word: form})
    try:
        act(movement=found, by=request.user, **(form.cleaned_data if form else {}))
    except (NotMoved, IllegalMove) as refusal:
        if form is None:
            messages.error(request, refusal.message)
            return redirect(found)
        form.add_error(None, refusal.message)
        return _page(request, found, wrong={word: form})
    messages.success(request, DONE[word])
    return redirect(found)


@require_POST
def add_paper(request: HttpRequest, movement_id: UUID) -> HttpResponse:
    found = _found(request, movement_id)
    if not schools_of(found, request.user):
        raise PermissionDenied
    form = PaperForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, paper=form)
    upload = form.cleaned_data["file"]
    with private_folder() as folder:
        path = folder / "scan"
        with path.open("wb") as file:
            for chunk in upload.chunks():
                file.write(chunk)
        try:
            transfers.add_paper(
                movement=found,
                path=path,
                file_name=upload.name,
                kind=form.cleaned_data["kind"],
                by=request.user,
            )
        except (NotMoved, NotTaken) as refusal:
            form.add_error("file", refusal.message)
            return _page(request, found, paper=form)
    messages.success(request, "已上传，加密保存。")
    return redirect(found)


@require_safe
def paper(request: HttpRequest, paper_id: UUID) -> HttpResponse:
    visible = MovementPaper.objects.filter(movement__in=Movement.objects.visible_to(request.user))
    found = get_object_or_404(visible.select_related("movement__enrolment"), pk=paper_id)
    audit.saw(request, [found.movement.enrolment.student_id])
    try:
        with opened_file(value_id=found.pk, file_name=found.file_name) as path:
            content = io.BytesIO(path.read_bytes())
    except FileNotFoundError:  # a database restored without its files
        messages.error(request, "这份材料的文件不在服务器上，请重新上传。")
        return redirect(found.movement)
    return FileResponse(content, as_attachment=True, filename=found.file_name)


@require_safe
def letter(request: HttpRequest, movement_id: UUID) -> HttpResponse:
    """转学联系函, on A4, with the slip the other county sends back."""
    found = _found(request, movement_id)
    if not found.leads_outside:
        raise Http404
    child = found.enrolment.student
    audit.saw(request, [child.pk])
    context = {
        "movement": found,
        "child": child.person,
        "grade": found.enrolment.grade(current_school_year(request.user, found.since_on))
        + found.enrolment.class_name,
        "guardian": child.guardianships.filter(valid_to=None, legal=True).order_by("id").first(),
        "incoming": found.kind == Kind.FROM_OUTSIDE,
        "school_name": found.school.name_on(timezone.localdate(found.announced_at)),
    }
    return render(request, "students/movement_letter.html", context)


def _found(request: HttpRequest, movement_id: UUID) -> Movement:
    visible = Movement.objects.visible_to(request.user).select_related(
        "enrolment__student__person", "enrolment__student__hukou_village", "school__township", "to_school", "county",
        "announced_by", "absence__roster",
    )  # fmt: skip
    return get_object_or_404(visible, pk=movement_id)


def _page(
    request: HttpRequest, found: Movement, *, wrong: dict | None = None, paper: PaperForm | None = None
) -> HttpResponse:
    audit.saw(request, [found.enrolment.student_id])
    _name_grades(request, [found])
    forms = []
    for word in steps_for(request, found):
        form_class = STEPS[word][2]
        form = (wrong or {}).get(word) or (form_class(prefix=word) if form_class else None)
        forms.append(
            {
                "word": word,
                "title": _word(found, word),
                "form": form,
                "open": word in LEADS_ON or word in (wrong or ()),
            }
        )
    labels = dict(State.choices)
    history = [
        {"at": t.at, "by": t.by, "to": labels.get(t.to_state, ""), "reason": t.reason}
        for t in Transition.objects.of(found).select_related("by")
    ]
    today = timezone.localdate()
    context = {
        "movement": found,
        "child": found.enrolment.student.person,
        "steps": forms,
        "history": history,
        "papers": found.papers.select_related("added_by").order_by("added_at"),
        "paper_form": (paper or PaperForm())
        if request.user.may("rosters.upload") and schools_of(found, request.user)
        else None,
        "late": found.state in (State.ANNOUNCED, State.CLAIMED) and found.due_on and found.due_on < today,
        "lapsed": found.state == State.RUNNING and found.until_on < today,
    }
    return render(request, "students/movement.html", context)


def _word(found: Movement, word: str) -> str:
    asks_for_registration = found.kind == Kind.FROM_OUTSIDE
    return FROM_OUTSIDE_WORDS.get(word, WORDS[word]) if asks_for_registration else WORDS[word]


def _name_grades(request: HttpRequest, rows: list[Movement]) -> None:
    year = current_school_year(request.user, timezone.localdate())
    for row in rows:
        row.grade_name = row.enrolment.grade(year) + row.enrolment.class_name

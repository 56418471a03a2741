"""一生一案: one child's page with its timeline and the next step, the step pages, the visit on a phone, the signatures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.states import IllegalMove
from dropout import forms
from dropout.actions import exempting, handling, opening, ordering
from dropout.actions.exempting import Approval
from dropout.actions.handling import Leaving, Visited
from dropout.actions.steps import NotDone
from dropout.merging import steps_of
from dropout.models import Case, Episode, SignOff
from dropout.models.cases import ENDED, VERIFIED
from students.models import Enrolment, Student


@dataclass(frozen=True)
class Step:
    """One thing that can be done with a case from some states, and the page that asks for what it needs."""

    title: str
    sources: tuple[str, ...]
    right: str
    form: type[forms.StepForm]
    act: Callable[[Case, forms.StepForm, Account], Any]
    done: str
    icon: str = "check"


def _confirm(case, form, by):
    handling.confirm(case=case, leaving=Leaving(**form.facts()), when=form.when, by=by)


def _issue(case, form, by):
    in_township = not by.scope.whole_county and case.township_id in by.scope.townships
    return ordering.issue(case=case, township=case.township if in_township else None, when=form.when, by=by, **form.facts())


def _exempt(case, form, by):
    exempting.exempt(case=case, approval=Approval(**form.facts()), when=form.when, by=by)


def _plain(action: Callable) -> Callable:
    return lambda case, form, by: action(case=case, when=form.when, by=by, **form.facts())


STEPS = {
    "confirm": Step("确认失学、辍学", ("verifying",), "dropout.decide", forms.ConfirmForm, _confirm, "已确认。请组成专班劝返。"),
    "team": Step("组成专班，开始劝返", ("confirmed",), "dropout.work", forms.TeamForm, _plain(handling.form_team), "已组成专班，请按期走访。", "users-round"),
    "order": Step("下达限期复学通知书", ("persuading",), "dropout.order", forms.OrderForm, _issue, "已下达。请打印、送达并登记送达日期。", "file-text"),
    "back": Step("登记复学", (*VERIFIED, "placed_special"), "dropout.work", forms.PlaceForm, _plain(handling.bring_back), "已登记复学。", "school"),
    "watch": Step("进入巩固观察", ("returned",), "dropout.work", forms.WatchForm, _plain(handling.watch), "已进入巩固观察。", "eye"),
    "strike_off": Step("销号", ("stabilising",), "dropout.decide", forms.StrikeOffForm, _plain(handling.strike_off), "已销号。", "check-check"),
    "relapse": Step("又离校（二次辍学）", ("returned", "stabilising"), "dropout.work", forms.RelapseForm, _plain(handling.relapse), "已登记，继续劝返。", "undo-2"),
    "exempt": Step("批准缓学、休学", ("verifying", *VERIFIED), "dropout.order", forms.ExemptForm, _exempt, "已登记，到期自动重新核查。", "stethoscope"),
    "place": Step("特教、送教安置", ("verifying", *VERIFIED), "dropout.decide", forms.PlaceForm, _plain(handling.place), "已决定安置，落实后登记就学。", "accessibility"),
    "exclude": Step("排除", ("verifying", *VERIFIED), "dropout.decide", forms.ExcludeForm, _plain(handling.exclude), "已排除。", "circle-x"),
    "hand_over": Step("移交外县", ("verifying", *VERIFIED), "dropout.decide", forms.HandOverForm, _plain(handling.hand_over), "已移交。", "send"),
}  # fmt: skip
NEXT = {
    "suspected": "assign", "verifying": "confirm", "confirmed": "team", "persuading": "visit", "ordered": "back",
    "placed_special": "back", "returned": "watch", "stabilising": "strike_off",
}  # fmt: skip


def case_of(request: HttpRequest, case_id: UUID) -> Case:
    visible = Case.objects.visible_to(request.user).select_related(
        "county", "student__person", "student__hukou_village", "school", "township", "government_lead", "education_lead"
    )
    return get_object_or_404(visible, pk=case_id)


@require_safe
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found, today = case_of(request, case_id), timezone.localdate()
    audit.saw(request, [found.student_id])
    episodes = list(found.episodes.select_related("school").prefetch_related(Prefetch("signoffs", SignOff.objects.select_related("signed_by"))).order_by("opened_on", "pk"))
    episode = next((one for one in episodes if one.ended_on is None), None)
    signed = list(episode.signoffs.all()) if episode else []
    lines = _lines_to_sign(found, signed, request.user)
    context = {
        "found": found,
        "episodes": episodes,
        "episode": episode,
        "timeline": timeline(found, episodes),
        "buttons": buttons(found, request.user),
        "orders": list(found.orders.select_related("township", "county").order_by("-issued_on", "-pk")),
        "exemptions": list(found.exemptions.order_by("-valid_from")),
        "team": list(found.team.order_by("post", "pk")),
        "signed": signed,
        "sign_form": forms.SignForm(initial={"line": lines[0]}) if lines else None,
        "missing": handling.missing_for_strike_off(found, episode, today) if found.state == "stabilising" and episode else [],
        "present": list(Enrolment.objects.open().filter(student=found.student_id).select_related("school")),
        "seen": found.state in VERIFIED and Enrolment.objects.present().filter(student=found.student_id).exists(),
        "today": today,
    }
    return render(request, "dropout/case.html", context)


def buttons(found: Case, account: Account) -> list[tuple[str, str, str, bool]]:
    """(word, label, icon, is it the next step) of what this person may do now; the next step comes first."""
    next_word, made = NEXT.get(found.state, ""), []
    if account.may("dropout.work") and found.is_open:
        made.append(("visit", "登记走访", "footprints", next_word == "visit"))
        made.append(("assign", "交办核查" if found.state == "suspected" else "交办", "user-check", next_word == "assign"))
    for word, step in STEPS.items():
        if found.state in step.sources and account.may(step.right):
            made.append((word, step.title, step.icon, word == next_word))
    return sorted(made, key=lambda button: not button[3])


def _lines_to_sign(found: Case, signed: list[SignOff], account: Account) -> list[str]:
    if found.state != "stabilising" or any(one.signed_by_id == account.pk for one in signed):
        return []
    given = {one.line for one in signed}
    return [line for line in SignOff.Line.values if line not in given and account.may(f"dropout.sign_{line}")]


@dataclass(frozen=True)
class Moment:
    on: date
    title: str
    detail: str = ""
    by: str = ""
    at: float = 0.0  # of one day, what was entered last comes first


def timeline(found: Case, episodes: list[Episode]) -> list[Moment]:
    """Everything that happened, newest first. What was entered later than it happened says so."""
    words = dict(Case.State.choices)
    moments = [Moment(one.opened_on, f"第 {place} 次立案" if place > 1 else "立案") for place, one in enumerate(episodes, 1)]
    moments += [
        Moment(one.found_on, f"线索：{one.get_kind_display()}", one.detail, str(one.reported_by or "系统"))
        for one in found.signals.select_related("reported_by")
    ]
    moments += [
        Moment(
            one.effective_on or timezone.localdate(one.at), words.get(one.to_state, one.to_state), one.reason,
            str(one.by or "系统"), one.at.timestamp(),
        )
        for one in steps_of(found).select_related("by")
    ]  # fmt: skip
    moments += [
        Moment(
            one.visited_on, f"{one.get_way_display()}：{one.get_outcome_display()}",
            f"{one.visitors}，在{one.place}见到{one.met}。{one.content}", str(one.recorded_by), one.recorded_at.timestamp(),
        )
        for one in found.visits.select_related("recorded_by")
    ]  # fmt: skip
    for one in found.orders.select_related("township", "county").exclude(served_on=None):
        moments.append(Moment(one.served_on, f"{one.get_service_display()}限期复学通知书", f"{one.issuer}{one}，限{one.due_on}前复学"))
    return sorted(moments, key=lambda moment: (moment.on, moment.at), reverse=True)


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, case_id: UUID, word: str) -> HttpResponse:
    found = case_of(request, case_id)
    if word not in STEPS:
        raise Http404
    chosen = STEPS[word]
    if found.state not in chosen.sources or not request.user.may(chosen.right):
        messages.error(request, f"这个个案现在是“{found.get_state_display()}”，不能在这里办理“{chosen.title}”，或这一步不归您办理。")
        return redirect(found)
    audit.saw(request, [found.student_id])
    form = chosen.form(request.POST or None, today=timezone.localdate())
    if form.is_valid():
        try:
            made = chosen.act(found, form, request.user)
        except (NotDone, IllegalMove) as refused:
            form.add_error(None, refused.message)
        except PermissionDenied:
            form.add_error(None, "这一步不归您办理。")
        else:
            messages.success(request, chosen.done)
            return redirect(made if word == "order" else found)
    return render(request, "dropout/step.html", {"found": found, "step": chosen, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found, today = case_of(request, case_id), timezone.localdate()
    episode = found.episode
    if episode is None or found.state in ENDED:
        messages.error(request, "这个个案已经结束。又离校的，请重新上报线索。")
        return redirect(found)
    audit.saw(request, [found.student_id])
    form = forms.VisitForm(request.POST or None, today=today, opened_on=episode.opened_on)
    if form.is_valid():
        try:
            handling.record_visit(case=found, visited=Visited(**form.cleaned_data), today=today, by=request.user)
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已登记这次走访。")
            return redirect(found)
    return render(request, "dropout/visit.html", {"found": found, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, student_id: UUID) -> HttpResponse:
    student = get_object_or_404(Student.objects.visible_to(request.user).select_related("person", "county"), pk=student_id)
    audit.saw(request, [student])
    form = forms.ReportForm(request.POST or None, today=timezone.localdate())
    if form.is_valid():
        given = form.facts()
        try:
            made = opening.report(
                student=student, detail=given["detail"], reason=given["reason"], on=form.when.on, today=form.today,
                late_because=form.when.late_because, by=request.user,
            )  # fmt: skip
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已上报，线索记在这个孩子的个案里。")
            seen = Case.objects.visible_to(request.user).filter(pk=made.pk).exists()
            return redirect(made if seen else student)
    return render(request, "dropout/report.html", {"student": student, "form": form})


@require_POST
def sign(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found = case_of(request, case_id)
    form = forms.SignForm(request.POST)
    if not form.is_valid():
        messages.error(request, "请选择哪一线签字。")
        return redirect(found)
    try:
        handling.sign(case=found, today=timezone.localdate(), by=request.user, **form.cleaned_data)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "已签字。")
    return redirect(found)

"""学校撤并、分设、更名、换代码: planned, looked at, applied, taken back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import desk
from bureau.access.models import Account
from bureau.audit import telling
from bureau.desk import ToDo
from bureau.lists import Choice, Listing, Order
from bureau.organisation import changing
from bureau.organisation.change_forms import ReasonForm, SchoolChangeForm
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.changing import NotChanged
from bureau.organisation.models import School
from bureau.states import IllegalMove

State = SchoolChange.State


class Changes(Listing):
    unit = "项"
    orders = [
        Order("new", "登记先后", "id", descending=True),
        Order("day", "生效日期", "effective_on", descending=True),
    ]
    filters = [
        Choice("state", "状态", lambda rows, state: rows.filter(state=state), options=State.choices),
        Choice("kind", "内容", lambda rows, kind: rows.filter(kind=kind), options=SchoolChange.Kind.choices),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.select_related("school", "successor")


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    page = Changes(SchoolChange.objects.visible_to(request.user), request.GET, account=request.user).page()
    return render(request, "bureau/school_changes.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, school_id: UUID) -> HttpResponse:
    _county_only(request)
    school = get_object_or_404(School.objects.visible_to(request.user), pk=school_id)
    form = SchoolChangeForm(request.POST or None, school=school)
    if form.is_valid():
        try:
            change = changing.plan(school=school, by=request.user, **form.plan())
        except NotChanged as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "已登记。请看清下面会变动什么，再执行。")
            return redirect(change)
    return render(request, "bureau/plan_change.html", {"school": school, "form": form})


@require_safe
def change(request: HttpRequest, change_id: UUID) -> HttpResponse:
    return _page(request, _found(request, change_id), ReasonForm())


@require_POST
def apply(request: HttpRequest, change_id: UUID) -> HttpResponse:
    found = _own(request, change_id)
    try:
        changing.apply(change=found, today=timezone.localdate(), by=request.user)
    except (NotChanged, IllegalMove) as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已执行。")
    return redirect(found)


@require_POST
def cancel(request: HttpRequest, change_id: UUID) -> HttpResponse:
    found = _own(request, change_id)
    try:
        changing.cancel(change=found, by=request.user)
    except IllegalMove as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已取消，没有改动任何信息。")
    return redirect(found)


@require_POST
def undo(request: HttpRequest, change_id: UUID) -> HttpResponse:
    found = _own(request, change_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        changing.undo(change=found, by=request.user, **form.cleaned_data)
    except (NotChanged, IllegalMove) as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "已撤销，恢复到变更之前。")
    return redirect(found)


def _page(request: HttpRequest, found: SchoolChange, form: ReasonForm) -> HttpResponse:
    may_edit = request.user.scope.whole_county and request.user.may("organisation.edit")
    planned, applied = found.state == State.PLANNED, found.state == State.APPLIED
    context = {
        "change": found,
        "lines": changing.preview(found)
        if planned
        else [(what, count, "") for what, count in found.counts.items()],
        "classes": [label for key, label, _ in changing.classes_of(found.school) if key in found.classes],
        "may_apply": may_edit and planned and found.effective_on <= timezone.localdate(),
        "may_cancel": may_edit and planned,
        "hinders": changing.hinders(found) if may_edit and applied else [],
        "form": form if may_edit and applied else None,
    }
    return render(request, "bureau/school_change.html", context)


def _county_only(request: HttpRequest) -> None:
    """Which schools there are is the whole county's: a right held at one school does not reach that."""
    if not request.user.scope.whole_county:
        raise PermissionDenied


def _found(request: HttpRequest, change_id: UUID) -> SchoolChange:
    visible = SchoolChange.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("school__county", "successor", "planned_by", "applied_by"), pk=change_id
    )


def _own(request: HttpRequest, change_id: UUID) -> SchoolChange:
    found = _found(request, change_id)
    _county_only(request)
    return found


def changes_due(account: Account) -> list[ToDo]:
    """Decisions whose day has come and which nobody has carried out."""
    if not account.may("organisation.edit") or not account.scope.whole_county:
        return []
    due = SchoolChange.objects.visible_to(account).due(timezone.localdate())
    first = due.order_by("effective_on").values_list("effective_on", flat=True).first()
    url = f"{reverse('bureau:school_changes')}?state={State.PLANNED}"
    return [
        ToDo(
            "学校撤并、更名到日子了，请执行",
            due.count(),
            url,
            due_on=first,
            tone="red",
            unit="项",
            icon="school",
        )
    ]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.register(changes_due)
    telling.register_codes("school_change", dict(SchoolChange.Kind.choices))

"""Account pages: whoever carries `accounts.view` or `accounts.edit`, within the places he may see or give."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bureau.access import actions, second_factor
from bureau.access.forms import AssignmentForm, EditAccountForm, EndAssignmentForm, NewAccountForm, RightsForm
from bureau.access.models import Account, Assignment, RoleRights
from bureau.access.roles import Role
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.models import School, Township

MOST_RESET = 500


def _by_words(rows: QuerySet[Account], words: str) -> QuerySet[Account]:
    return rows.filter(Q(username__icontains=words) | Q(display_name__icontains=words))


def _holding(rows: QuerySet[Account], **where) -> QuerySet[Account]:
    running = Assignment.objects.not_ended(timezone.localdate()).filter(**where)
    return rows.filter(pk__in=running.values("account"))


def _in_state(rows: QuerySet[Account], state: str) -> QuerySet[Account]:
    match state:
        case "disabled":
            return rows.filter(is_active=False)
        case "waiting":
            return rows.filter(is_active=True, must_change_password=True)
    return rows.filter(is_active=True, must_change_password=False)


class Accounts(Listing):
    unit = "个账号"
    orders = [Order("username", "账号", "username"), Order("name", "姓名", "display_name")]
    filters = [
        Search("q", "关键字", _by_words, hint="账号 / 姓名"),
        Choice("role", "角色", lambda rows, role: _holding(rows, role=role), Role.choices),
        Choice(
            "township",
            "乡镇",
            lambda rows, pk: rows.filter(
                pk__in=_holding(rows, township=pk) | _holding(rows, school__township=pk),
            ),
            lambda listing: [(str(t.pk), t.name) for t in Township.objects.visible_to(listing.account)],
        ),
        Choice(
            "school",
            "学校",
            lambda rows, pk: _holding(rows, school=pk),
            lambda listing: [(str(s.pk), s.name) for s in School.objects.visible_to(listing.account)],
        ),
        Choice(
            "state",
            "状态",
            _in_state,
            [("active", "在用"), ("waiting", "未首次登录"), ("disabled", "已停用")],
        ),
    ]

    def decorate(self, queryset):
        running = Assignment.objects.not_ended(timezone.localdate()).select_related(
            "school", "township", "county"
        )
        return queryset.prefetch_related(Prefetch("assignments", running, to_attr="running"))


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    page = Accounts(Account.objects.visible_to(request.user), request.GET, account=request.user).page()
    editable = set()
    if request.user.may("accounts.edit"):
        keys = [account.pk for account in page.rows]
        editable = set(
            Account.objects.editable_by(request.user).filter(pk__in=keys).values_list("pk", flat=True)
        )
    return render(request, "bureau/accounts.html", {"page": page, "editable": editable})


@require_safe
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    found = get_object_or_404(Account.objects.visible_to(request.user), pk=account_id)
    editable = request.user.may("accounts.edit") and Account.objects.editable_by(request.user).contains(found)
    held = found.assignments.select_related("school", "township", "county").order_by("-valid_from", "-pk")
    return render(
        request,
        "bureau/account.html",
        {"account": found, "editable": editable, "factor": second_factor.confirmed(found), "assignments": held, "today": timezone.localdate()},
    )


def create_account(request: HttpRequest) -> HttpResponse:
    form = NewAccountForm(request.POST or None, by=request.user)
    if form.is_valid():
        try:
            slip = actions.create_account(county=request.user.county, by=request.user, **form.cleaned_data)
        except actions.UsernameTaken:
            form.add_error("username", ValidationError("这个账号刚刚被别人开设了，请换一个。", code="taken"))
        else:
            return show_slips(request, [slip], "账号已开设")
    return render(request, "bureau/account_form.html", {"form": form, "title": "新建账号"})


def edit_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    found = _editable(request, account_id)
    form = EditAccountForm(
        request.POST or None, initial={"display_name": found.display_name, "post": found.post}
    )
    if form.is_valid():
        actions.edit_account(account=found, by=request.user, **form.cleaned_data)
        messages.success(request, f"已保存账号“{found.username}”。")
        return redirect("bureau:account", found.pk)
    return render(request, "bureau/account_form.html", {"form": form, "title": "修改账号", "account": found})


def assign(request: HttpRequest, account_id: UUID) -> HttpResponse:
    found = _editable(request, account_id)
    form = AssignmentForm(request.POST or None, by=request.user)
    if form.is_valid():
        held = actions.assign(account=found, by=request.user, **form.cleaned_data)
        messages.success(request, f"已为“{found}”添加任职：{held.get_role_display()}（{held.place}）。")
        return redirect("bureau:account", found.pk)
    return render(request, "bureau/account_form.html", {"form": form, "title": "添加任职", "account": found})


def end_assignment(request: HttpRequest, assignment_id: int) -> HttpResponse:
    editable = Account.objects.editable_by(request.user)
    found = get_object_or_404(
        Assignment.objects.not_ended(timezone.localdate()).select_related("account"),
        pk=assignment_id,
        account__in=editable,
    )
    form = EndAssignmentForm(
        request.POST or None, assignment=found, initial={"ended_on": timezone.localdate()}
    )
    if form.is_valid():
        actions.end_assignment(assignment=found, by=request.user, **form.cleaned_data)
        messages.success(
            request, f"“{found.account}”的任职“{found.get_role_display()}（{found.place}）”已结束。"
        )
        return redirect("bureau:account", found.account_id)
    title = f"结束任职：{found.get_role_display()}（{found.place}）"
    return render(
        request, "bureau/account_form.html", {"form": form, "title": title, "account": found.account}
    )


@require_POST
def disable_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    return _switch(request, account_id, active=False)


@require_POST
def enable_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    return _switch(request, account_id, active=True)


@require_POST
def reset_password(request: HttpRequest, account_id: UUID) -> HttpResponse:
    found = _editable(request, account_id)
    return show_slips(request, actions.reset_passwords(accounts=[found], by=request.user), "密码已重置")


@require_POST
def reset_passwords(request: HttpRequest) -> HttpResponse:
    """The accounts ticked in the list; what lies outside the editor's scope is left out, and said."""
    asked = [key for key in request.POST.getlist("account") if _is_uuid(key)][:MOST_RESET]
    found = list(Account.objects.editable_by(request.user).filter(pk__in=asked).order_by("username"))
    if not found:
        messages.warning(request, "没有可以重置的账号，请先勾选。")
        return redirect("bureau:accounts")
    if len(found) < len(asked):
        messages.warning(request, f"有 {len(asked) - len(found)} 个账号不在您的管理范围内，没有重置。")
    return show_slips(request, actions.reset_passwords(accounts=found, by=request.user), "密码已重置")


def rights(request: HttpRequest) -> HttpResponse:
    county = request.user.county
    form = RightsForm(request.POST or None, county=county, held=RoleRights.objects.by_role(county.pk))
    if request.method == "POST" and form.is_valid():
        for role, wanted in form.wanted().items():
            actions.set_role_rights(county=county, role=role, rights=wanted, by=request.user)
        messages.success(request, "各角色权限已保存，从下一次点击起生效。")
        return redirect("bureau:rights")
    return render(request, "bureau/rights.html", {"form": form, "roles": Role})


def show_slips(request: HttpRequest, slips: list[actions.Slip], title: str) -> HttpResponse:
    """Passwords are shown in this answer only: they are stored nowhere, and the answer is not cached."""
    response = render(
        request,
        "bureau/slips.html",
        {
            "slips": slips,
            "title": title,
            "address": request.build_absolute_uri("/"),
            "today": timezone.localdate(),
        },
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _editable(request: HttpRequest, account_id: UUID) -> Account:
    return get_object_or_404(Account.objects.editable_by(request.user), pk=account_id)


def _switch(request: HttpRequest, account_id: UUID, *, active: bool) -> HttpResponse:
    found = _editable(request, account_id)
    actions.switch_account(account=found, active=active, by=request.user)
    messages.success(
        request, f"账号“{found.username}”已{'启用' if active else '停用，打开的页面已同时失效'}。"
    )
    return redirect("bureau:account", found.pk)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

"""资助: the lines of all programmes, one line with its history, and taking lines off the way."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.money import format_yuan
from bureau.organisation.models import Term
from bureau.sheets import Column, Sheet
from bureau.states import IllegalMove, Transition
from students.views import exporting
from students.views.places import schools, townships
from subsidies.actions import granting
from subsidies.actions.refusals import WORDS, NotDone
from subsidies.figures import GRANT_FIGURES
from subsidies.forms import LeaveForm
from subsidies.models import Grant, Programme
from subsidies.models.grants import LIVE, SIDE

LEAVING = (Grant.State.RETURNED, *SIDE)
SHOWN = 12


def programmes(listing: Listing) -> list[tuple[str, str]]:
    return [
        (str(pk), name)
        for pk, name in Programme.objects.visible_to(listing.account).values_list("pk", "name")
    ]


def terms(listing: Listing) -> list[tuple[str, str]]:
    return [(term.code, str(term)) for term in Term.objects.visible_to(listing.account)]


def by_state(rows: QuerySet, state: str) -> QuerySet:
    return rows.filter(state__in=LIVE) if state == "live" else rows.filter(state=state)


class Grants(Listing):
    unit = "条"
    orders = [
        Order("new", "列出先后", "id", descending=True),
        Order("amount", "金额", "amount_fen", descending=True),
    ]
    filters = [
        Search(
            "q",
            "姓名",
            lambda rows, text: rows.filter(student__person__name_key__startswith=name_key(text)),
            hint="姓名",
        ),
        Choice("programme", "项目", lambda rows, key: rows.filter(programme=key), options=programmes),
        Choice("term", "学期", lambda rows, code: rows.filter(term__code=code), options=terms),
        Choice("state", "状态", by_state, options=[("live", "已申请的全部"), *Grant.State.choices]),
        Choice("hold", "未能办理", lambda rows, code: rows.filter(hold=code), options=list(WORDS.items())),
        Choice(
            "township", "乡镇", lambda rows, place: rows.filter(school__township=place), options=townships
        ),
        Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
        GRANT_FIGURES,
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.select_related("programme", "term", "school", "student__person")


class GrantSheet(Sheet):
    title = "资助名册"
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    school = Column("学校", width=26)
    class_name = Column("年级班级", width=14)
    programme = Column("项目", width=26)
    term = Column("学期", width=16)
    category = Column("依据", width=18)
    tier = Column("认定等级", width=12)
    reference_on = Column("基准日", width=12)
    amount = Column("金额（元）", width=12)
    state = Column("状态", width=14)
    hold = Column("未能办理的原因", width=26)


def listing_for(account: Account, params) -> Grants:
    return Grants(Grant.objects.visible_to(account), params, account=account)


def told(rows: list[Grant]) -> list[Grant]:
    for row in rows:
        row.hold_text = WORDS.get(row.hold, row.hold)
    return rows


@require_safe
def grants(request: HttpRequest) -> HttpResponse:
    listing = listing_for(request.user, request.GET)
    page = listing.page()
    told(page.rows)
    audit.saw(request, [row.student_id for row in page.rows])
    context = {
        "page": page,
        "sum_fen": listing.queryset.order_by().aggregate(fen=Sum("amount_fen", default=0))["fen"],
        "may_leave": bool(leaving_for(request.user)),
        "may_export": request.user.may("figures.export"),
    }
    return render(request, "subsidies/grants.html", context)


@require_safe
def export(request: HttpRequest) -> FileResponse:
    rows = told(list(listing_for(request.user, request.GET).export_rows(most=exporting.MOST_ROWS)))
    audit.saw(request, [row.student_id for row in rows])
    audit.record(
        by=request.user, verb="subsidies.exported", county=request.user.county, detail={"rows": len(rows)}
    )
    return exporting.workbook(GrantSheet, map(_line, rows), name="资助名册")


def _line(row: Grant) -> dict:
    born = row.student.person.birth_on
    return {
        "name_": row.name,
        "born": f"{born.year}年{born.month}月" if born else "",
        "school": str(row.school or ""),
        "class_name": row.class_name,
        "programme": str(row.programme),
        "term": str(row.term),
        "category": row.get_category_display(),
        "tier": row.get_tier_display(),
        "reference_on": row.reference_on.isoformat(),
        "amount": format_yuan(row.amount_fen),
        "state": row.get_state_display(),
        "hold": row.hold_text,
    }


@require_safe
def grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    visible = Grant.objects.visible_to(request.user).select_related(
        "programme",
        "term",
        "school",
        "student__person",
        "notice",
        "applied_by",
        "reviewed_by",
        "submitted_by",
        "approved_by",
        "finance_by",
    )
    found = get_object_or_404(visible, pk=grant_id)
    told([found])
    audit.saw(request, [found.student_id])
    history = list(Transition.objects.of(found).select_related("by"))
    for step in history:
        step.to_name = dict(Grant.State.choices).get(step.to_state, step.to_state)
    choices = [
        (move.target, move.label)
        for move in Grant.STATES.moves_from(found.state, request.user)
        if move.target in LEAVING
    ]
    context = {
        "found": found,
        "history": history,
        "signatures": [
            ("申请", found.applied_by),
            ("学校评审", found.reviewed_by),
            ("上报", found.submitted_by),
            ("县级审核", found.approved_by),
            ("财政审核", found.finance_by),
        ],
        "genuine": found.is_genuine,
        "form": LeaveForm(choices=choices) if choices else None,
        "others": Grant.objects.visible_to(request.user)
        .filter(student=found.student_id, term=found.term_id)
        .exclude(pk=found.pk)
        .select_related("programme"),
    }
    return render(request, "subsidies/grant.html", context)


def leaving_for(account: Account) -> list[tuple[str, str]]:
    """Ways off the road this account may take for some state, each once."""
    moves = [
        move
        for move in Grant.STATES.moves
        if move.target in LEAVING and move.right and account.may(move.right)
    ]
    return list({move.target: move.label for move in moves}.items())


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Return, refuse, give up, suspend or stop the ticked lines, or all the filters leave; with a reason.

    What was counted when the page was shown must still be what is moved.
    """
    choices = leaving_for(request.user)
    if not choices:
        messages.error(request, "您的岗位不办理退回、不予资助。")
        return redirect("subsidies:grants")
    chosen = _chosen(request)
    count, fen = chosen.count(), chosen.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    if not count:
        messages.info(request, "所选资助不在可办理的范围内。")
        return redirect("subsidies:grants")
    form = LeaveForm(request.POST or None, choices=choices)
    if request.method == "POST" and request.POST.get("count") != f"{count}:{fen}":
        form.add_error(None, f"页面打开后情况有变化，现在是 {count} 条。请核对后再确认。")
    if form.is_valid() and (done := _left(request, chosen, form)):
        return done
    shown = list(chosen.select_related("programme", "school").order_by("pk")[:SHOWN])
    audit.saw(request, [row.student_id for row in shown])
    states = chosen.order_by().values_list("state").annotate(Count("pk"))
    context = {
        "form": form, "count": count, "fen": fen, "shown": shown, "left": max(0, count - len(shown)),
        "states": [(Grant.State(state).label, number) for state, number in states], "action": request.get_full_path(),
    }  # fmt: skip
    return render(request, "subsidies/leave.html", context)


@require_POST
def leave_one(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    found = get_object_or_404(Grant.objects.visible_to(request.user), pk=grant_id)
    choices = [
        (m.target, m.label) for m in Grant.STATES.moves_from(found.state, request.user) if m.target in LEAVING
    ]
    form = LeaveForm(request.POST, choices=choices)
    if not form.is_valid():
        messages.error(request, "请选择办理方式，并写明原因。")
        return redirect(found)
    return _left(request, Grant.objects.filter(pk=found.pk), form, back=found) or redirect(found)


def _left(
    request: HttpRequest, chosen: QuerySet[Grant], form: LeaveForm, *, back: Grant | None = None
) -> HttpResponse | None:
    to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
    act = granting.send_back if to == Grant.State.RETURNED else granting.turn_away
    more = {} if to == Grant.State.RETURNED else {"to": to}
    try:
        moved = act(grants=chosen, by=request.user, reason=reason, **more)
    except (NotDone, IllegalMove) as refused:
        form.add_error(None, refused.message)
        if back is not None:
            messages.error(request, refused.message)
        return None
    except PermissionDenied:
        form.add_error(None, "所选资助里有不在您办理范围内的，或这一步不归您办理。")
        return None
    messages.success(request, f"已办理 {moved} 条（{dict(form.fields['to'].choices)[to]}）。")
    return redirect(back) if back is not None else redirect("subsidies:grants")


def _chosen(request: HttpRequest) -> QuerySet[Grant]:
    if "all" in request.GET:
        return listing_for(request.user, request.GET).queryset.order_by()
    ids = [key for key in request.GET.getlist("ids") if _is_key(key)]
    return Grant.objects.visible_to(request.user).filter(pk__in=ids[:1000]).order_by()


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

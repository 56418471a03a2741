"""One step of the way on one page: who waits, what it costs, what stands in the way, and the signature."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bureau import audit
from bureau.states import IllegalMove
from subsidies.actions import funding, granting, listing
from subsidies.actions.refusals import NotDone
from subsidies.models import Grant
from subsidies.views.common import programme_of, term_of

State = Grant.State
SHOWN = 60
EXPLAINED = {
    State.APPLIED: "列入申请名单。名单按应助情况预先填好，家庭自愿放弃的请先在名单里办理放弃。",
    State.SCHOOL_REVIEWED: "学校评审组逐人看过名单。签名的人不能是列名单的人。",
    State.IN_NOTICE: "每所学校生成一张公示表（姓名、班级、项目），张贴后从次日起算工作日。",
    State.NOTICE_PASSED: "公示期满、没有未答复异议的，进入上报。",
    State.SUBMITTED: "校长签名上报县资助中心。",
    State.COUNTY_APPROVED: "县资助中心审核。再次按名单和学籍核对，情况有变的不会通过。",
    State.FINANCE_APPROVED: "财政审核。通过后占用资金指标，等待发放。",
}


def page_of(to: str) -> Callable[..., HttpResponse]:
    """The view of one step, for urls.py."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def step(request: HttpRequest, programme_id: UUID) -> HttpResponse:
        programme, term = programme_of(request, programme_id), term_of(request)
        if term is None:
            raise Http404
        lines = (
            Grant.objects.visible_to(request.user)
            .of(programme, term)
            .filter(state__in=granting.ready_for(to, programme))
            .order_by()
        )
        back = f"{reverse('subsidies:programme', args=[programme.pk])}?term={term.code}"
        if request.method == "POST":
            return _taken(request, programme, term, to) or redirect(back)
        sums = lines.aggregate(count=Count("pk"), fen=Sum("amount_fen", default=0))
        shown = list(lines.select_related("school").order_by("school", "class_name", "pk")[:SHOWN])
        audit.saw(request, [row.student_id for row in shown])
        context = {
            "programme": programme, "term": term, "to": to, "label": _label(to), "explained": EXPLAINED[to], "back": back,
            "count": sums["count"], "fen": sums["fen"], "shown": shown, "left": max(0, sums["count"] - len(shown)),
            "schools": lines.values("school__name").annotate(count=Count("pk"), fen=Sum("amount_fen")).order_by("school__name"),
            "available": funding.available(programme, term) if to == State.FINANCE_APPROVED else None,
            "asks_place": to == State.IN_NOTICE,
        }  # fmt: skip
        return render(request, "subsidies/step.html", context)

    return step


def _label(to: str) -> str:
    return next(move.label for move in Grant.STATES.moves_to(to) if move.right)


def _taken(request: HttpRequest, programme, term, to: str) -> HttpResponse | None:
    """Take the step with what was shown; the page behind tells what stayed and why."""
    try:
        shown = tuple(int(number) for number in request.POST.get("shown", "").split(":"))
        expected = shown if len(shown) == 2 else None
    except ValueError:
        expected = None
    if expected is None:
        messages.error(request, "请从办理页面确认。")
        return None
    place = request.POST.get("place", "").strip()[:80]
    try:
        outcome = granting.advance(
            programme=programme,
            term=term,
            to=to,
            by=request.user,
            today=timezone.localdate(),
            expected=expected,
            place=place,
        )
    except (NotDone, IllegalMove) as refused:
        messages.error(request, refused.message)
        return None
    if outcome.moved:
        messages.success(request, f"{_label(to)}：已办理 {outcome.moved} 条。")
    if outcome.refused:
        messages.warning(request, f"没有办理：{outcome.told}。点“未能办理”可逐人查看。")
    return None


@require_POST
def list_candidates(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """Put down everybody entitled who has no line yet."""
    programme, term = programme_of(request, programme_id), term_of(request)
    if term is None:
        raise Http404
    try:
        count = listing.list_candidates(programme=programme, term=term, by=request.user)
    except NotDone as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"已按应助名单列出 {count} 人。" if count else "应助的学生都已列出。")
    return redirect(f"{reverse('subsidies:programme', args=[programme.pk])}?term={term.code}")

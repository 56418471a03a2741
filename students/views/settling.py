"""办理 one or many 待核实问题: what is chosen, by which remedy, with what proof."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bureau import audit
from bureau.states import IllegalMove
from students.actions import settling
from students.forms import SettleForm, rules_of
from students.models import Discrepancy
from students.rules import RULES
from students.views.discrepancies import children_of, listing_for, told, with_children

SHOWN = 10
AFTERWARDS = {
    Discrepancy.State.FIXED: "下次比对会复核，仍有问题的会再次列出。",
    Discrepancy.State.ACCEPTED: "到期或情况变化后会再次列出。",
    Discrepancy.State.EXPLAINED: "承办单位核定之前，仍在待办之中。",
    Discrepancy.State.ASSIGNED: "对方的工作台上会看到。",
}


@require_http_methods(["GET", "HEAD", "POST"])
def settle(request: HttpRequest) -> HttpResponse:
    """`ids` are the rows ticked; `all` means every row the filters in the address leave.

    What was counted when the page was shown must still be what is settled: otherwise the page comes back with the
    new count instead of settling something nobody has seen.
    """
    chosen = _chosen(request)
    count = chosen.count()
    if not count:
        messages.info(request, "所选问题都已办理，或不在您的办理范围内。")
        return redirect("students:discrepancies")
    form = SettleForm(request.POST or None, account=request.user, work=chosen, today=timezone.localdate())
    moved_on = request.method == "POST" and request.POST.get("count") != str(count)
    if moved_on:
        form.add_error(None, f"页面打开后情况有变化，现在是 {count} 件。请核对后再确认。")
    if form.is_valid() and (done := _settled(request, chosen, form)):
        return done
    shown = told(list(with_children(chosen).order_by("due_on", "pk")[:SHOWN]))
    audit.saw(request, children_of(shown))
    context = {
        "form": form,
        "count": count,
        "rules": [RULES[code] for code in sorted(rules_of(chosen)) if code in RULES],
        "shown": shown,
        "left": max(0, count - len(shown)),
        "action": request.get_full_path(),
    }
    return render(request, "students/settle.html", context)


def _settled(request: HttpRequest, chosen: QuerySet, form: SettleForm) -> HttpResponse | None:
    """The page that follows, or None with the form saying what stood in the way."""
    ids = request.GET.getlist("ids")
    try:
        settled, left = settling.settle(
            discrepancies=chosen,
            remedy=form.cleaned_data["remedy"],
            by=request.user,
            reason=form.cleaned_data["reason"],
            values=form.values(),
        )
    except (settling.NotSettled, IllegalMove) as error:
        form.add_error(None, str(error))
        return None
    words = dict(form.fields["remedy"].choices)[form.cleaned_data["remedy"]]
    if settled:
        after = AFTERWARDS.get(settling.REMEDIES[form.cleaned_data["remedy"]].to, "")
        messages.success(request, f"已办理 {settled} 件（{words}）。{after}")
    if left:
        messages.warning(request, f"有 {left} 件没有办理：情况已变化，或这种办理方式不适用。请逐件查看。")
    if len(ids) == 1:
        return redirect(reverse("students:discrepancy", args=[ids[0]]))
    return redirect("students:discrepancies")


def _chosen(request: HttpRequest) -> QuerySet[Discrepancy]:
    """Open rows only: what is settled already is not settled again."""
    if "all" in request.GET:
        return listing_for(request.user, request.GET).queryset.open()
    ids = [int(key) for key in request.GET.getlist("ids") if key.isdigit() and len(key) < 19]
    return Discrepancy.objects.visible_to(request.user).open().filter(pk__in=ids)

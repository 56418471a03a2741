"""办理期限: how long each stage lasts, as the bureau sets it from a day on."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dropout.actions.deadlines import set_deadline
from dropout.forms import DeadlineForm
from dropout.models import Deadline
from dropout.models.deadlines import DEFAULTS, Stage, Unit


@require_http_methods(["GET", "HEAD"])
def deadlines(request: HttpRequest, form: DeadlineForm | None = None) -> HttpResponse:
    today = timezone.localdate()
    rows = list(Deadline.objects.visible_to(request.user).select_related("set_by").order_by("stage", "-valid_from"))
    lines = []
    for stage, label in Stage.choices:
        own = [row for row in rows if row.stage == stage]
        now = next((row for row in own if row.valid_from <= today), None)
        days, unit = (now.days, now.unit) if now else DEFAULTS[stage]
        lines.append((label, f"{days} {Unit(unit).label}", now, [row for row in own if row is not now]))
    if form is None and request.user.may("dropout.decide"):
        form = DeadlineForm(initial={"valid_from": today})
    return render(request, "dropout/deadlines.html", {"lines": lines, "form": form})


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    if not request.user.county:
        raise PermissionDenied
    form = DeadlineForm(request.POST)
    if not form.is_valid():
        messages.error(request, "没有保存：请把阶段、天数和起始日期填写完整。")
        return redirect("dropout:deadlines")
    set_deadline(by=request.user, **form.cleaned_data)
    messages.success(request, "已保存。已经在这个阶段的个案仍按原来的期限。")
    return redirect("dropout:deadlines")

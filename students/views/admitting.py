"""先入册、证件待补: rows of a staged roll whose only fault is the number are let in, ticked or all."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST

from students.actions import admitting
from students.actions.refusals import NotApplicable
from students.models import Roster


@require_POST
def admit_rows(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    """`rows` are the ticked ones, `all` every row that can be; `born_<row>` is a birth date typed for one."""
    found = get_object_or_404(Roster.objects.visible_to(request.user), pk=roster_id)
    if "all" in request.POST:
        places = admitting.admissible(found)
        rejected = found.staged.filter(status="rejected").values_list("pk", "sheet", "row")
        keys = [pk for pk, sheet, number in rejected if (sheet, number) in places]
    else:
        keys = [int(key) for key in request.POST.getlist("rows") if key.isdigit() and len(key) < 19]
    rows = {key: _day(request.POST.get(f"born_{key}", "")) for key in keys}
    try:
        admitted, left = admitting.admit_rows(
            roster=found, rows=rows, today=timezone.localdate(), by=request.user
        )
    except NotApplicable as refusal:
        messages.error(request, refusal.message)
        return redirect(found)
    if admitted:
        messages.success(request, f"{admitted} 人先入册、证件待补。入库后请在期限内补齐，补齐前不发放资助。")
    if left or not rows:
        words = f"有 {left} 人没有先入册：" if left else "没有选择学生。"
        messages.warning(request, f"{words}须有姓名、班级和出生日期，并且只有证件号码有问题。")
    return redirect(f"{found.get_absolute_url()}?{urlencode({'show': 'rejected'})}#preview")


def _day(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None

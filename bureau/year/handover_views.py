"""换人交接: what lies on a desk, the step itself, and the sheet both sign."""

from datetime import date
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from bureau.access.actions import Slip, UsernameTaken
from bureau.access.forms import NewAccountForm
from bureau.access.models import Account
from bureau.forms import OfficeForm
from bureau.year import handing_over
from bureau.year.handing_over import NotHandedOver
from bureau.year.models import Handover


class HandoverForm(OfficeForm):
    """Who comes; the roles and places are those of the one who leaves."""

    username = NewAccountForm.base_fields["username"]
    display_name = forms.CharField(label="接手人姓名", max_length=60)
    post = forms.CharField(label="岗位", max_length=60, required=False, help_text="如：资助专干。")
    note = forms.CharField(
        label="另行交代", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="纸质材料放在哪里、正在和谁联系等，打印在交接单上。请勿填写学生姓名和号码。",
    )  # fmt: skip

    clean_username = NewAccountForm.clean_username


@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, account_id: UUID) -> HttpResponse:
    editable = Account.objects.editable_by(request.user).filter(is_active=True)
    leaving = get_object_or_404(editable.select_related("county"), pk=account_id)
    today = timezone.localdate()
    form = HandoverForm(request.POST or None, initial={"post": leaving.post})
    if form.is_valid():
        try:
            done, slip = handing_over.hand_over(
                leaving=leaving, today=today, by=request.user, **form.cleaned_data
            )
        except UsernameTaken:
            form.add_error("username", ValidationError("这个账号刚刚被别人开设了，请换一个。", code="taken"))
        except NotHandedOver as refusal:
            form.add_error(None, refusal.message)
        else:
            return _sheet(request, done, slip)
    context = {
        "leaving": leaving,
        "form": form,
        "posts": leaving.assignments.not_ended(today).select_related("school", "township", "county"),
        "items": _told(handing_over.items_of(leaving), "due_on"),
        "dates": _told(handing_over.year_of(leaving, today), "first", "last"),
    }
    return render(request, "bureau/hand_over.html", context)


@require_safe
def handover(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    visible = Handover.objects.visible_to(request.user).select_related(
        "leaving", "coming", "done_by", "county"
    )
    return _sheet(request, get_object_or_404(visible, pk=handover_id))


def _sheet(request: HttpRequest, done: Handover, slip: Slip | None = None) -> HttpResponse:
    """The sheet to sign. The password is in the answer to the step itself only, which nothing keeps."""
    context = {
        "handover": done,
        "slip": slip,
        "address": request.build_absolute_uri("/"),
        "items": _told(done.items, "due_on"),
        "dates": _told(done.dates, "first", "last"),
    }
    response = render(request, "bureau/handover.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _told(rows: list[dict], *days: str) -> list[dict]:
    return [row | {day: date.fromisoformat(row[day]) if row[day] else None for day in days} for row in rows]

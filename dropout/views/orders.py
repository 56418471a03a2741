"""《限期复学通知书》: the sheet to print, its service, and a wrong one cancelled."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bureau import audit
from dropout.actions import ordering
from dropout.actions.steps import NotDone
from dropout.forms import ReasonForm, ServeForm
from dropout.models import ReturnOrder


def order_of(request: HttpRequest, order_id: UUID) -> ReturnOrder:
    visible = ReturnOrder.objects.visible_to(request.user).select_related(
        "county", "township", "case__county", "case__student__person", "case__student__hukou_village", "episode__school"
    )
    return get_object_or_404(visible, pk=order_id)


def _page(request: HttpRequest, found: ReturnOrder, *, serve_form=None, cancel_form=None) -> HttpResponse:
    audit.saw(request, [found.case.student_id])
    may = request.user.may("dropout.order") and not found.cancelled_on and found.case.state == "ordered"
    context = {
        "found": found,
        "serve_form": serve_form or (ServeForm(initial={"handed_on": timezone.localdate()}) if may and not found.served_on else None),
        "cancel_form": cancel_form or (ReasonForm() if may else None),
    }
    return render(request, "dropout/order.html", context)


@require_safe
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    return _page(request, order_of(request, order_id))


@require_POST
def serve(request: HttpRequest, order_id: UUID) -> HttpResponse:
    found = order_of(request, order_id)
    form = ServeForm(request.POST)
    if form.is_valid():
        try:
            ordering.serve(order=found, today=timezone.localdate(), by=request.user, **form.cleaned_data)
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已登记送达，限期从送达之日算起。")
            return redirect(found)
    return _page(request, found, serve_form=form)


@require_POST
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    found = order_of(request, order_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            ordering.cancel(order=found, today=timezone.localdate(), by=request.user, reason=form.cleaned_data["reason"])
        except NotDone as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "已作废，号码不再使用。")
            return redirect(found.case)
    return _page(request, found, cancel_form=form)

"""A file that did not get read: its password, or once more from the beginning."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from students.actions import opening
from students.models import Roster, Snapshot

LONGEST_PASSWORD = 255  # what the file format allows


@sensitive_post_parameters("password")
@require_POST
def unlock_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    found = get_object_or_404(Roster.objects.visible_to(request.user).select_related("county"), pk=roster_id)
    if password := _password(request):
        try:
            opening.open_roster(roster=found, password=password, by=request.user)
        except opening.NotOpened as error:
            messages.error(request, error.message)
    return redirect(found)


@sensitive_post_parameters("password")
@require_POST
def unlock_snapshot(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    visible = Snapshot.objects.visible_to(request.user).select_related("county", "register")
    found = get_object_or_404(visible, pk=snapshot_id)
    if password := _password(request):
        try:
            opening.open_snapshot(snapshot=found, password=password, by=request.user)
        except opening.NotOpened as error:
            messages.error(request, error.message)
    return redirect(found)


@require_POST
def read_roster(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    """Once more, after the reading was stopped or failed."""
    found = get_object_or_404(Roster.objects.visible_to(request.user), pk=roster_id)
    opening.read_again(found=found, by=request.user)
    return redirect(found)


@require_POST
def read_snapshot(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.visible_to(request.user), pk=snapshot_id)
    opening.read_again(found=found, by=request.user)
    return redirect(found)


def _password(request: HttpRequest) -> str:
    password = request.POST.get("password", "")[:LONGEST_PASSWORD]
    if not password:
        messages.error(request, "请输入文件的打开密码。")
    return password

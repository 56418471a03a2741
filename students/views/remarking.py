"""Comments and attachments of one 待核实问题."""

from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from bureau import audit
from bureau.scans import TYPES, NotTaken
from students.actions import remarking
from students.models import Attachment, Discrepancy
from students.views.discrepancies import show


@require_POST
def comment(request: HttpRequest, discrepancy_id: int) -> HttpResponse:
    found = _seen(request, discrepancy_id)
    text = request.POST.get("text", "")
    try:
        remarking.comment(discrepancy=found, text=text, by=request.user)
    except NotTaken as refusal:
        return show(request, discrepancy_id, said=text, fault=refusal.message)
    return redirect(f"{found.get_absolute_url()}#remarks")


@require_POST
def attach(request: HttpRequest, discrepancy_id: int) -> HttpResponse:
    found = _seen(request, discrepancy_id)
    upload = request.FILES.get("file")
    try:
        if upload is None:
            raise NotTaken("file_required", "请选择要上传的文件。")
        remarking.attach(
            discrepancy=found, path=Path(upload.temporary_file_path()), file_name=upload.name, by=request.user
        )
    except NotTaken as refusal:
        return show(request, discrepancy_id, fault=refusal.message)
    return redirect(f"{found.get_absolute_url()}#remarks")


@require_safe
def attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """The file itself, to be saved and not run: its type is what its bytes said when it came."""
    found = _visible(request, attachment_id)
    audit.saw(request, [found.discrepancy.student_id] if found.discrepancy.student_id else [])
    try:
        content = remarking.content_of(attachment=found, by=request.user)
    except NotTaken as refusal:
        messages.error(request, refusal.message)
        return redirect(found.discrepancy)
    answer = HttpResponse(content, content_type=TYPES[found.kind])
    stem = found.file_name.rpartition(".")[0] or found.file_name
    answer.headers["Content-Disposition"] = content_disposition_header(True, f"{stem}.{found.kind}")
    return answer


@require_POST
def withdraw_attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    found = _visible(request, attachment_id)
    try:
        remarking.withdraw(attachment=found, by=request.user)
    except NotTaken as refusal:
        messages.error(request, refusal.message)
    return redirect(f"{found.discrepancy.get_absolute_url()}#remarks")


def _seen(request: HttpRequest, key: int) -> Discrepancy:
    return get_object_or_404(Discrepancy.objects.visible_to(request.user), pk=key)


def _visible(request: HttpRequest, key: UUID) -> Attachment:
    visible = Attachment.objects.visible_to(request.user).select_related("discrepancy__county")
    return get_object_or_404(visible, pk=key)

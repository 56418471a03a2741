"""Accounts by workbook: upload, preview, confirm, and the slips to print."""

import tempfile
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from bureau.access import workbook
from bureau.access.account_views import show_slips
from bureau.access.forms import WorkbookForm
from bureau.access.sheets import AccountSheet
from bureau.sheets import write_template

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def upload_accounts(request: HttpRequest) -> HttpResponse:
    form = WorkbookForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return render(request, "bureau/upload_accounts.html", {"form": form, "columns": AccountSheet.columns})
    upload = form.cleaned_data["file"]
    with tempfile.NamedTemporaryFile(suffix=".upload") as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        found = workbook.preview(Path(file.name), name=upload.name, by=request.user)
    if found.file_error:
        form.add_error("file", found.file_error.message)
        return render(request, "bureau/upload_accounts.html", {"form": form, "columns": AccountSheet.columns})
    sealed = workbook.seal(found.good, by=request.user)
    return render(
        request,
        "bureau/accounts_preview.html",
        {
            "preview": found,
            "sealed": sealed,
            "file_name": upload.name,
            "minutes": workbook.MINUTES_TO_CONFIRM,
        },
    )


@require_POST
def confirm_accounts(request: HttpRequest) -> HttpResponse:
    try:
        slips, left_out = workbook.open_accounts(request.POST.get("sealed", ""), by=request.user)
    except workbook.StalePreview:
        messages.error(request, "预览已过期，没有开设账号。请重新上传。")
        return redirect("bureau:upload_accounts")
    if left_out:
        messages.warning(request, f"有 {left_out} 个账号在预览之后已被开设或不再可开设，没有重复开设。")
    if not slips:
        return redirect("bureau:accounts")
    return show_slips(request, slips, f"已开设 {len(slips)} 个账号")


@require_safe
def blank_workbook(request: HttpRequest) -> HttpResponse:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.xlsx"
        write_template(path, AccountSheet, rows=workbook.suggested_rows(request.user))
        response = HttpResponse(path.read_bytes(), content_type=XLSX)
    response.headers["Content-Disposition"] = (
        "attachment; filename*=UTF-8''%E8%B4%A6%E5%8F%B7%E5%BC%80%E8%AE%BE%E8%A1%A8.xlsx"
    )
    return response

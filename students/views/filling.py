"""空表填数: a blank form from above, what its columns are, which children go in, and the filled copy."""

import io
from pathlib import Path
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from bureau import audit
from bureau.forms import OfficeForm
from bureau.jobs import Job
from bureau.jobs.views import told
from bureau.sheets.intake.faults import FileFault
from bureau.sheets.peek import Heading, Peek, choices, peek
from students.actions import filling
from students.actions.files import opened_file
from students.actions.refusals import NotApplicable
from students.forms import checked_size
from students.models import FilledForm
from students.sheets.facts import ChildFacts
from students.views.formrows import FILTERS, listing_for
from students.views.student_list import Children

MAX_FORM_BYTES = 5_000_000
RECENT = 20


class BlankForm(OfficeForm):
    file = forms.FileField(
        label="空表",
        help_text="上级发来的空白 Excel 表（.xlsx），最大 5 MB。表头、版式原样保留。",
        error_messages={"required": "请选择要填的空表。"},
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.et"}),
    )

    def clean_file(self):
        return checked_size(self.cleaned_data["file"], MAX_FORM_BYTES)


class BindingForm(OfficeForm):
    """Beside each column of the form the fact that goes in, and what the numbers are for when there are any."""

    purpose = forms.CharField(
        label="用途",
        max_length=120,
        help_text="例如：市局6月控辍保学统计表。会和填写的学生一起记入查看记录。",
        error_messages={"required": "请写明这张表报给谁、作什么用。"},
    )

    def __init__(self, *args, table: Peek, columns: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.table = table
        for heading in table.headings:
            self.fields[_field(heading)] = forms.ChoiceField(
                label=heading.text,
                required=False,
                choices=[("", "（留空）"), *choices(ChildFacts)],
                initial=columns.get(heading.letter, ""),
                widget=forms.Select(attrs={"class": "form-select"}),
            )

    @property
    def rows(self) -> list[tuple[Heading, forms.BoundField, bool]]:
        """Heading, choice, and whether what is chosen is a full number."""
        return [
            (heading, field, field.value() in ChildFacts.sealed)
            for heading in self.table.headings
            for field in [self[_field(heading)]]
        ]

    @property
    def binding(self) -> dict[str, str]:
        given = {heading.letter: self.cleaned_data.get(_field(heading)) or "" for heading in self.table.headings}
        return {letter: fact for letter, fact in given.items() if fact}


def _field(heading: Heading) -> str:
    return f"column_{heading.letter}"


@require_http_methods(["GET", "HEAD", "POST"])
def blank_forms(request: HttpRequest) -> HttpResponse:
    form = BlankForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = filling.receive_form(
                path=Path(file.temporary_file_path()), file_name=file.name, by=request.user
            )
        except (FileFault, NotApplicable) as refused:
            form.add_error("file", refused.message)
        else:
            return redirect("students:form", made.pk)
    recent = FilledForm.objects.visible_to(request.user).select_related("job").order_by("-pk")[:RECENT]
    return render(request, "students/blank_forms.html", {"form": form, "recent": recent})


@require_http_methods(["GET", "HEAD", "POST"])
def blank_form(request: HttpRequest, form_id: UUID) -> HttpResponse:
    """The binding and the filters, counted anew whenever they are sent; with `fill` they are kept and a worker starts."""
    found = _found(request, form_id)
    try:
        tables = tables_of(found)
    except FileNotFoundError:
        messages.error(request, "原来的空表已经不在，请重新上传。")
        return redirect("students:forms")
    wanted = request.POST.get("sheet") or request.GET.get("sheet") or found.sheet
    table = next((one for one in tables if (one.sheet or "") == wanted), None) or tables[0]
    if (table.sheet or "") != found.sheet:
        filling.bind(found, table)  # of another worksheet; kept once it is filled
    columns, filters = found.columns, found.filters
    if request.method == "POST":
        columns = {one.letter: request.POST.get(_field(one), "") for one in table.headings}
        filters = {key: request.POST[key] for key in FILTERS if request.POST.get(key)}
    sent = request.POST if "fill" in request.POST else None
    purpose = {"purpose": request.POST.get("purpose", "")}
    form = BindingForm(sent, table=table, columns=columns, initial=purpose)
    listing = listing_for(request.user, filters)
    if sent and _may_fill(form, listing):
        filling.save_binding(form=found, columns=form.binding, filters=filters, by=request.user)
        filling.ask_to_fill(form=found, purpose=form.cleaned_data["purpose"], by=request.user)
        return redirect("students:form", found.pk)
    context = {
        "found": found,
        "tables": tables,
        "table": table,
        "form": form,
        "filters": [field for field in listing.fields if field.key in FILTERS],
        "count": listing.total(),
        "told": told(found.job) if found.job else None,
        "is_filled": bool(found.job and found.job.state == Job.State.DONE),
        "may_reveal": request.user.may("students.reveal"),
        "most": filling.MOST_FILLED,
    }
    return render(request, "students/blank_form.html", context)


def _may_fill(form: BindingForm, listing: Children) -> bool:
    """A purpose, a column and children are there; else the form says what is missing."""
    if form.is_valid():
        if not form.binding:
            form.add_error(None, "请至少选择一列要填的内容。")
        if not 0 < listing.total() <= filling.MOST_FILLED:
            form.add_error(None, "没有符合条件的学生，或人数太多，请改变范围。")
    return form.is_valid()


@require_safe
def filled_form(request: HttpRequest, form_id: UUID) -> HttpResponse:
    found = _found(request, form_id)
    if not found.job or found.job.state != Job.State.DONE:
        messages.warning(request, "这张表还没有填好。")
        return redirect("students:form", found.pk)
    with opened_file(value_id=found.job.pk, file_name="filled.xlsx") as path:
        content = path.read_bytes()
    audit.record(by=request.user, verb="students.form_downloaded", subject=found, detail={"rows": found.rows or 0})
    stem = found.file_name.rsplit(".", 1)[0]
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=f"{stem}（已填）.xlsx")


def tables_of(form: FilledForm) -> list[Peek]:
    with opened_file(value_id=form.pk, file_name=form.file_name) as path:
        return peek(path, [ChildFacts], name=form.file_name)


def _found(request: HttpRequest, form_id: UUID) -> FilledForm:
    return get_object_or_404(FilledForm.objects.visible_to(request.user).select_related("county", "job"), pk=form_id)

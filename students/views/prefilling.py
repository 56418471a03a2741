"""预填模板: the class-roll template with a school's present roll, for those who may see full numbers."""

import io
import tempfile
from pathlib import Path

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bureau import audit
from bureau.access.models import Account
from bureau.forms import OfficeForm
from bureau.organisation.models import School, Term
from bureau.organisation.terms import term_on
from students.actions import prefilling
from students.forms import terms_of


class PrefilledForm(OfficeForm):
    """Whose roll, for which term, and what for."""

    school = forms.ModelChoiceField(label="学校", queryset=School.objects.none(), empty_label="请选择")
    term = forms.ModelChoiceField(label="学期", queryset=Term.objects.none(), empty_label=None)
    purpose = forms.CharField(
        label="用途",
        min_length=4,
        max_length=120,
        help_text="表中有完整的证件号码。用途、时间和学生名单都会记入查看记录。",
        error_messages={"required": "请写明这份表交给谁、作什么用。", "min_length": "用途太短，请写清楚。"},
    )

    def __init__(self, *args, account: Account, **kwargs):
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["school"].queryset = School.objects.visible_to(account).open_on(today)
        self.fields["term"].queryset = terms_of(account)
        self.fields["term"].initial = term_on(account.county, today)


@require_http_methods(["GET", "HEAD", "POST"])
def filled_template(request: HttpRequest) -> HttpResponse:
    form = PrefilledForm(request.POST or None, account=request.user)
    if not form.is_valid():
        return render(request, "students/filled_template.html", {"form": form})
    school, term = form.cleaned_data["school"], form.cleaned_data["term"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        shown = prefilling.fill_template(path=path, school=school, term=term, by=request.user)
        content = io.BytesIO(path.read_bytes())
    audit.saw(request, [one.student_id for one in shown], reason=f"预填模板，用途：{form.cleaned_data['purpose']}")
    return FileResponse(content, as_attachment=True, filename=f"{school}{term}花名册（预填）.xlsx")

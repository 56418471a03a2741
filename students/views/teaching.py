"""这些列是什么？: the headers a roster's file has and we do not know, and what a school has told us about them."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau.forms import OfficeForm
from bureau.sheets.intake.faults import FileFault
from bureau.sheets.peek import Heading, Peek, choices, peek
from students.actions import teaching
from students.actions.files import opened_file
from students.actions.refusals import NotApplicable
from students.models import HeaderMapping, Roster
from students.sheets import ROSTERS

UNDECIDED, SKIP = "", "-"
LONGEST = 200  # characters of a header that can be remembered


@dataclass(frozen=True)
class Unknown:
    """One header to be explained, wherever it stands in the file."""

    heading: Heading
    sheet: str | None
    field: str


class LessonsForm(OfficeForm):
    """A choice beside every unknown header. Two headers cannot be one column, nor one the file has under its own name."""

    def __init__(self, *args, roster: Roster, peeks: list[Peek], taught: dict[str, str], bureau: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.peeks = peeks
        layout = next((one.layout for one in peeks if one.layout), ROSTERS[roster.kind][0])
        offered = choices(layout)
        self.names = dict(offered)
        self.unknown: list[Unknown] = []
        for one in peeks:
            for heading in one.headings:
                known = {unknown.heading.form for unknown in self.unknown}
                if heading.attr or heading.form in known or not 0 < len(heading.form) <= LONGEST:
                    continue
                name = f"column_{len(self.unknown)}"
                said = taught.get(heading.form)
                self.fields[name] = forms.ChoiceField(
                    label=heading.text,
                    required=False,
                    choices=[(UNDECIDED, "不确定，先不处理"), (SKIP, "不需要这一列"), *offered],
                    initial=SKIP if said == "" else said,
                    widget=forms.Select(attrs={"class": "form-select"}),
                )
                self.unknown.append(Unknown(heading, one.sheet, name))
        self.everywhere = roster.school_id is None
        if bureau and roster.school_id:
            self.fields["for_all"] = forms.BooleanField(label="全县各校的这种表头都这样识别", required=False)

    @property
    def rows(self) -> list[tuple[Unknown, forms.BoundField]]:
        return [(unknown, self[unknown.field]) for unknown in self.unknown]

    def clean(self):
        given = super().clean()
        used: dict[str, str] = {}
        for unknown in self.unknown:
            attr = given.get(unknown.field) or UNDECIDED
            if attr in (UNDECIDED, SKIP):
                continue
            here = next(one for one in self.peeks if one.sheet == unknown.sheet)
            own = next((heading.text for heading in here.headings if heading.attr == attr), used.get(attr))
            if own:
                self.add_error(unknown.field, f"“{self.names[attr]}”已经是“{own}”列，不能有两列。")
            used[attr] = unknown.heading.text
        if not self.errors and not self.lessons:
            raise forms.ValidationError("请至少选择一列是什么。", code="nothing")
        return given

    @property
    def lessons(self) -> dict[str, str]:
        said = {unknown.heading.form: self.cleaned_data.get(unknown.field) or "" for unknown in self.unknown}
        return {form: "" if attr == SKIP else attr for form, attr in said.items() if attr != UNDECIDED}


@require_http_methods(["GET", "HEAD", "POST"])
def teach(request: HttpRequest, roster_id: UUID) -> HttpResponse:
    visible = Roster.objects.visible_to(request.user).select_related("term", "school", "county")
    found = get_object_or_404(visible, pk=roster_id)
    if found.status not in teaching.READ_AGAIN:
        messages.error(request, "这份名册现在不能重新读取。")
        return redirect(found)
    try:
        peeks = peeks_of(found)
    except (FileFault, FileNotFoundError) as fault:
        messages.error(request, getattr(fault, "message", "原文件已经不在，请重新上传。"))
        return redirect(found)
    taught = HeaderMapping.objects.as_taught(county=found.county_id, school=found.school_id, sheet=found.kind)
    bureau = request.user.scope.whole_county
    form = LessonsForm(request.POST or None, roster=found, peeks=peeks, taught=taught, bureau=bureau)
    if form.is_valid():
        for_all = form.everywhere or form.cleaned_data.get("for_all", False)
        try:
            teaching.teach_headers(roster=found, lessons=form.lessons, for_all=for_all, by=request.user)
        except NotApplicable as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, f"已记住 {len(form.lessons)} 个表头，正在按新的对应重新读取；以后上传同样的表不用再选。")
        return redirect(found)
    return render(request, "students/teach.html", {"roster": found, "form": form, "peeks": peeks})


def peeks_of(roster: Roster) -> list[Peek]:
    """What the kept file's columns look like without what was taught. Raises FileFault, FileNotFoundError."""
    with opened_file(value_id=roster.pk, file_name=roster.file_name) as path:
        return peek(path, ROSTERS[roster.kind], name=roster.file_name)


@require_safe
def mappings(request: HttpRequest) -> HttpResponse:
    rows = HeaderMapping.objects.visible_to(request.user).select_related("school", "taught_by")
    editable = set(HeaderMapping.objects.editable_by(request.user).values_list("pk", flat=True))
    kinds = dict(Roster.Kind.choices)
    lines = [
        {
            "mapping": row,
            "kind": kinds.get(row.sheet, row.sheet),
            "choices": [(SKIP, "不需要这一列"), *all_choices(row.sheet)],
            "chosen": row.attr or SKIP,
            "may_change": row.pk in editable,
        }
        for row in rows.order_by("sheet", "school__code", "header")
    ]
    return render(request, "students/mappings.html", {"lines": lines})


@require_POST
def change_mapping(request: HttpRequest, mapping_id: int) -> HttpResponse:
    """Another column, or (`forget`) none any more."""
    found = get_object_or_404(HeaderMapping.objects.editable_by(request.user).select_related("county"), pk=mapping_id)
    if "forget" in request.POST:
        header = found.header
        teaching.forget_lesson(mapping=found, by=request.user)
        messages.success(request, f"已取消“{header}”的对应，以后上传时按表头本身识别。")
        return redirect("students:mappings")
    attr = request.POST.get("attr", "")
    try:
        teaching.change_lesson(mapping=found, attr="" if attr == SKIP else attr, by=request.user)
    except NotApplicable as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"已保存“{found.header}”的对应，以后上传的文件按此识别。")
    return redirect("students:mappings")


def all_choices(kind: str) -> list[tuple[str, str]]:
    """The columns of all layouts of a roster, each once."""
    return list(dict(pair for layout in reversed(ROSTERS[kind]) for pair in choices(layout)).items())

"""What the bureau fills in when a school closes, is split, renamed or gets another code."""

from django import forms

from bureau.forms import DateField, OfficeForm
from bureau.organisation import changing
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.models import School

Kind = SchoolChange.Kind


class SchoolChangeForm(OfficeForm):
    """One decision about one school; what each kind needs is asked below its own choice."""

    kind = forms.ChoiceField(
        label="怎样变更",
        choices=Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择怎样变更。"},
    )
    successor = forms.ModelChoiceField(
        label="并入（分到）哪所学校", queryset=School.objects.none(), required=False, empty_label="请选择学校",
        help_text="新设的学校请先在“学校与机构”中新增。",
    )  # fmt: skip
    classes = forms.MultipleChoiceField(
        label="分出哪些班级", required=False, widget=forms.CheckboxSelectMultiple
    )
    name = forms.CharField(label="新名称", max_length=100, required=False)
    code = forms.CharField(
        label="新标识码", max_length=20, required=False, help_text="10 位学校（机构）标识码。"
    )
    effective_on = DateField(
        label="自哪一天起", help_text="这一天起按变更后的办；撤并的学校前一天是最后一天。"
    )
    decision = forms.CharField(label="依据文件", max_length=200, help_text="例如：云教发〔2026〕18号")

    def __init__(self, *args, school: School, **kwargs):
        super().__init__(*args, **kwargs)
        self.school = school
        others = School.objects.filter(county=school.county_id, closed_on=None).exclude(pk=school.pk)
        self.fields["successor"].queryset = others
        found = changing.classes_of(school)
        self.fields["classes"].choices = [(key, f"{label}（{count} 人）") for key, label, count in found]

    def clean(self):
        given = super().clean()
        kind = given.get("kind")
        if kind in (Kind.CLOSE, Kind.SPLIT) and not given.get("successor"):
            self.add_error("successor", "请选择学校。")
        if kind == Kind.SPLIT and not given.get("classes"):
            self.add_error("classes", "请选择分出哪些班级。")
        if kind == Kind.RENAME and not given.get("name"):
            self.add_error("name", "请填写新名称。")
        if kind == Kind.RECODE and not (given.get("code", "").isascii() and given.get("code", "").isdigit()):
            self.add_error("code", "请填写新的标识码，只含数字。")
        return given

    def plan(self) -> dict:
        """The arguments of `changing.plan`."""
        given = self.cleaned_data
        goes = given["kind"] in (Kind.CLOSE, Kind.SPLIT)
        return {
            "kind": given["kind"], "effective_on": given["effective_on"], "decision": given["decision"],
            "successor": given["successor"] if goes else None,
            "classes": given["classes"] if given["kind"] == Kind.SPLIT else [],
            "value": {Kind.RENAME: given["name"], Kind.RECODE: given["code"]}.get(given["kind"], ""),
        }  # fmt: skip


class ReasonForm(OfficeForm):
    reason = forms.CharField(
        label="撤销理由", max_length=200, error_messages={"required": "请写明撤销的理由。"}
    )

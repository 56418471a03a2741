"""What the bureau fills in about its year."""

from django import forms

from bureau.access.roles import Role
from bureau.forms import DateField, OfficeForm
from bureau.year.models import WorkDate

ROLES = [(role.value, role.label) for role in Role if role not in (Role.OPERATOR, Role.AUDITOR)]


class WorkDateForm(OfficeForm):
    title = forms.CharField(label="工作", max_length=60, help_text="例如：秋季学期家庭经济困难学生认定")
    kind = forms.ChoiceField(label="类别", choices=WorkDate.Kind.choices)
    starts_on = DateField(label="开始")
    due_on = DateField(label="截止", help_text="当天办完仍算按时。")
    roles = forms.MultipleChoiceField(
        label="谁办",
        required=False,
        choices=ROLES,
        widget=forms.CheckboxSelectMultiple,
        help_text="一个都不选：所有岗位。",
    )
    note = forms.CharField(label="说明", max_length=200, required=False)

    def clean(self):
        given = super().clean()
        if given.get("starts_on") and given.get("due_on") and given["due_on"] < given["starts_on"]:
            self.add_error("due_on", "截止不能早于开始。")
        return given


class ReasonForm(OfficeForm):
    reason = forms.CharField(
        label="重新打开的理由", max_length=200, error_messages={"required": "请写明理由。"}
    )

"""Forms of logging in and of the account pages. Choices are limited to what the editor may give (Account.grants)."""

from django import forms
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.utils import timezone

from bureau.access.models import Account, Assignment
from bureau.access.names import username_fault
from bureau.access.roles import ALWAYS, NEVER, RIGHTS, Role, place_fault
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import County, School, Township


class LogInForm(OfficeForm, auth_forms.AuthenticationForm):
    error_messages = {
        "invalid_login": "账号或密码不正确，请重新输入。连续 5 次不正确，账号将锁定 15 分钟。",
        "inactive": "账号已停用，请联系管理员。",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "账号"
        self.fields["password"].label = "密码"


class CodeForm(OfficeForm):
    code = forms.CharField(
        label="验证码",
        max_length=20,
        help_text="验证器上的 6 位数字；手机不在身边时，填一个备用码。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class ChangePasswordForm(OfficeForm, auth_forms.PasswordChangeForm):
    """The person's own password. The form judges; bureau.access.actions.change_password stores."""

    error_messages = auth_forms.PasswordChangeForm.error_messages | {
        "password_incorrect": "原密码不正确，请重新输入。",
        "password_mismatch": "两次输入的新密码不一致。",
    }
    field_order = ["old_password", "new_password1", "new_password2"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        labels = {
            "old_password": "原密码（首次登录填纸条上的密码）",
            "new_password1": "新密码",
            "new_password2": "再输一遍新密码",
        }
        for name, label in labels.items():
            self.fields[name].label = label
        self.fields["new_password1"].help_text = "".join(password_validators_help_texts())
        self.fields["new_password2"].help_text = ""


class AssignmentForm(OfficeForm):
    """A role at a place for a span of days, within what the editor may give."""

    role = forms.ChoiceField(label="角色")
    school = forms.ModelChoiceField(School.objects.none(), label="学校", required=False, empty_label="——")
    township = forms.ModelChoiceField(Township.objects.none(), label="乡镇", required=False, empty_label="——")
    valid_from = DateField(label="任职自", required=False, help_text="不填从今天起。")
    valid_to = DateField(label="任职至", required=False, help_text="最后一天；不填为长期。")

    def __init__(self, *args, by: Account, **kwargs):
        super().__init__(*args, **kwargs)
        grants = by.grants
        self.fields["role"].choices = [(role.value, role.label) for role in Role if role in grants.roles]
        schools = School.objects.filter(county=by.county_id).select_related("township")
        if grants.whole_county:
            self.fields["township"].queryset = Township.objects.filter(county=by.county_id)
        else:
            schools = schools.filter(pk__in=grants.schools)
            del self.fields["township"]
        self.fields["school"].queryset = schools

    def clean(self):
        given = super().clean()
        if role := given.get("role"):
            if fault := place_fault(role, school=given.get("school"), township=given.get("township")):
                self.add_error("township" if role == Role.TOWNSHIP_OFFICER else "school", fault)
        begin, end = given.get("valid_from") or timezone.localdate(), given.get("valid_to")
        if end and end < begin:
            self.add_error("valid_to", "结束日期早于开始日期。")
        return given


class NewAccountForm(AssignmentForm):
    username = forms.CharField(
        label="账号", max_length=60, help_text="如学校标识码加岗位：3599010101-jb。不用身份证号。"
    )
    display_name = forms.CharField(label="姓名", max_length=60)
    post = forms.CharField(label="岗位", max_length=60, required=False, help_text="如：资助专干。")
    field_order = ["username", "display_name", "post", "role", "school", "township", "valid_from", "valid_to"]

    def clean_username(self) -> str:
        username = Account.normalize_username(self.cleaned_data["username"])
        if fault := username_fault(username):
            raise ValidationError(fault, code="username")
        if Account.objects.filter(username=username).exists():
            raise ValidationError(f"账号“{username}”已经有了，请换一个。", code="taken")
        return username


class EditAccountForm(OfficeForm):
    display_name = forms.CharField(label="姓名", max_length=60)
    post = forms.CharField(label="岗位", max_length=60, required=False)


class EndAssignmentForm(OfficeForm):
    ended_on = DateField(label="任职最后一天")

    def __init__(self, *args, assignment: Assignment, **kwargs):
        super().__init__(*args, **kwargs)
        self.assignment = assignment

    def clean_ended_on(self):
        day = self.cleaned_data["ended_on"]
        if self.assignment.valid_to and day > self.assignment.valid_to:
            raise ValidationError("晚于原定结束日期；要延长请新增一条任职。", code="later")
        return day


class RightsForm(OfficeForm):
    """Role × right as check boxes named `role:right`; what roles.py fixes is shown but not offered."""

    def __init__(self, *args, county: County, held: dict[str, frozenset[str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.county = county
        for role in Role:
            for right in RIGHTS:
                fixed = right in ALWAYS.get(role, ()) or right in NEVER[role]
                self.fields[f"{role}:{right}"] = forms.BooleanField(
                    required=False,
                    label=f"{role.label}：{RIGHTS[right]}",
                    initial=right in held[role],
                    disabled=fixed,
                    widget=forms.CheckboxInput(
                        attrs={"class": "form-check-input", "aria-label": f"{role.label}：{RIGHTS[right]}"}
                    ),
                )

    def rows(self) -> list[tuple[str, list]]:
        """(right's words, one bound box per role) for the table."""
        return [(words, [self[f"{role}:{right}"] for role in Role]) for right, words in RIGHTS.items()]

    def wanted(self) -> dict[str, set[str]]:
        return {role: {right for right in RIGHTS if self.cleaned_data[f"{role}:{right}"]} for role in Role}


class WorkbookForm(OfficeForm):
    file = forms.FileField(
        label="账号表（.xlsx）", widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.ods,.csv"})
    )

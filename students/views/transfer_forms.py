"""What a school fills in about a 学籍异动. Forms judge; actions do."""

from datetime import date

from django import forms

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import School
from students.actions.absences import NEEDS_EVIDENCE, Explanation
from students.models import Movement, MovementPaper

Kind = Movement.Kind
SCANS = ".pdf,.jpg,.jpeg,.png"
LATEST = "日期不能晚于今天。"


class MovementForm(OfficeForm):
    """What happens to one child at one school; what each kind needs is asked below its own choice."""

    kind = forms.ChoiceField(
        label="异动",
        choices=Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择是哪一种异动。"},
    )
    to_school = forms.ModelChoiceField(
        label="转到哪所学校", queryset=School.objects.none(), required=False, empty_label="请选择学校"
    )
    until_on = DateField(label="休学至", required=False, help_text="批准休学的最后一天，到期提醒复学或延期。")
    place = forms.CharField(
        label="县外学校或地点", max_length=200, required=False, help_text="例如：浙江省义乌市稠城一小"
    )
    since_on = DateField(label="离校（转入）日期")
    evidence = forms.CharField(
        label="佐证", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如：转学申请表（2026年9月15日）、县医院诊断证明。扫描件登记后在下一页上传。请勿填写身份证号。",
    )  # fmt: skip

    def __init__(self, *args, account: Account, own: School, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        others = School.objects.filter(county__in=account.scope.counties).open_on(today)
        self.fields["to_school"].queryset = others.exclude(pk=own.pk)

    def clean(self):
        given = super().clean()
        kind, since, until = given.get("kind"), given.get("since_on"), given.get("until_on")
        if since and since > self.today:
            self.add_error("since_on", LATEST)
        if kind == Kind.IN_COUNTY and not given.get("to_school"):
            self.add_error("to_school", "请选择转到本县哪所学校。")
        if (
            kind == Kind.SUSPENDED
            and "until_on" not in self.errors
            and not (until and since and until >= since)
        ):
            self.add_error("until_on", "请填写休学到哪一天，不能早于离校日期。")
        if kind in (Kind.OTHER_COUNTY, Kind.OUT_OF_PROVINCE, Kind.FROM_OUTSIDE) and not given.get("place"):
            self.add_error("place", "请写明县外学校，联系函要寄到那里。")
        if kind in NEEDS_EVIDENCE and not given.get("evidence"):
            self.add_error("evidence", "请写明佐证。")
        return given

    def change(self) -> Explanation:
        given = self.cleaned_data
        return Explanation(
            given["kind"], given["since_on"], given["evidence"], given["place"],
            to_school=given["to_school"] if given["kind"] == Kind.IN_COUNTY else None,
            until_on=given["until_on"] if given["kind"] == Kind.SUSPENDED else None,
        )  # fmt: skip


class ClaimForm(OfficeForm):
    """The receiving school has the child in a class."""

    arrived_on = DateField(label="到校日期")
    class_name = forms.CharField(label="编入班级", max_length=40, required=False, help_text="例如：1班")


class ReasonForm(OfficeForm):
    reason = forms.CharField(
        label="理由", max_length=400, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "请写明理由。"},
    )  # fmt: skip


class AnswerForm(OfficeForm):
    evidence = forms.CharField(
        label="对方的答复", max_length=400, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如：9月20日收到回执，已编入四（2）班，经办人李老师",
    )  # fmt: skip


class ResumeForm(OfficeForm):
    back_on = DateField(label="复学日期")
    evidence = forms.CharField(
        label="佐证", max_length=200, help_text="例如：复学申请（2026年9月1日批准）、医院证明"
    )


class ExtendForm(OfficeForm):
    until_on = DateField(label="延长至")
    evidence = forms.CharField(label="佐证", max_length=200, help_text="例如：县医院复诊证明（2026年9月1日）")


class PaperForm(OfficeForm):
    kind = forms.ChoiceField(label="材料", choices=MovementPaper.Kind.choices)
    file = forms.FileField(
        label="扫描件或照片", help_text="PDF、JPG、PNG，最大 10 MB。加密保存，查看留痕。",
        widget=forms.FileInput(attrs={"accept": SCANS}), error_messages={"required": "请选择文件。"},
    )  # fmt: skip

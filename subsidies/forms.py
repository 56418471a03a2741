"""What people type about aid, judged."""

from datetime import date

from django import forms

from bureau.access.models import Account
from bureau.identity.faults import Fault
from bureau.money import format_yuan, parse_yuan
from bureau.organisation.models import Stage, Term
from students.models.determining import Tier
from students.models.hardship import Category
from subsidies.models import Appropriation, CategoryGroup, FundSource, Programme, Rate
from subsidies.models.programmes import Boarding, Reference
from subsidies.terms import ordinal, told

FIRST_TERM, TERMS_AHEAD = ordinal("2011-autumn"), 4
PERCENTS = ("central_percent", "province_percent", "county_percent")


class Yuan(forms.CharField):
    """Yuan as people write it; the value is fen."""

    def __init__(self, **more):
        super().__init__(
            max_length=30, help_text=more.pop("help_text", "单位：元，例如 1250 或 1250.00"), **more
        )

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_yuan(text)
        except Fault as fault:
            raise forms.ValidationError(str(fault)) from fault

    def prepare_value(self, value):
        return format_yuan(value) if isinstance(value, int) else value


class Styled(forms.Form):
    """Bootstrap's classes and the id of the help text on every widget."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        for name, field in self.fields.items():
            _dress(field, name)


def _dress(field: forms.Field, name: str) -> None:
    kinds = {forms.CheckboxInput: "form-check-input", forms.Select: "form-select"}
    field.widget.attrs.setdefault("class", kinds.get(type(field.widget), "form-control"))
    if field.help_text:
        field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"


class ProgrammeForm(forms.ModelForm):
    class Meta:
        model = Programme
        fields = [
            "code", "name", "benefit", "channel", "counted_by", "reference", "reference_days", "notice_days", "documents",
            "basis", "note", "ended",
        ]  # fmt: skip
        help_texts = {
            "code": "小写字母、数字、下划线，例如 local_tuition；保存后用于命令和报表",
            "reference_days": "0 为开学当天；只在“只看基准日当天”时使用",
            "notice_days": "0 为不需要公示",
        }
        widgets = {"documents": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        for name, field in self.fields.items():
            _dress(field, name)
        if not self.instance._state.adding:
            self.fields["code"].disabled = True

    def clean(self):
        data = super().clean()
        if data.get("reference") == Reference.IN_TERM and data.get("reference_days"):
            self.add_error("reference_days", "“学期内新识别也算”的项目以开学日为准，请填 0。")
        return data

    def _post_clean(self):
        """The action stores; the row itself is not touched by a form that is only tried."""


class RateForm(Styled):
    from_term = forms.TypedChoiceField(label="自学期", coerce=int)
    stage = forms.ChoiceField(label="学段", choices=Stage.choices)
    boarding = forms.ChoiceField(
        label="住校、走读", choices=[("", "不限"), *Boarding.choices], required=False
    )
    group = forms.ChoiceField(label="对象", required=False)
    tier = forms.ChoiceField(label="认定等级", choices=[("", "不限"), *Tier.choices], required=False)
    year_from = forms.IntegerField(
        label="本学段第几年起", min_value=0, max_value=6, initial=0, required=False, help_text="0 为不限"
    )
    year_to = forms.IntegerField(
        label="本学段第几年止", min_value=0, max_value=6, initial=0, required=False, help_text="0 为不限"
    )
    agricultural = forms.BooleanField(label="仅涉农专业", required=False)
    amount_fen = Yuan(label="每学期金额", required=False, help_text="单位：元。留空表示自该学期起停止执行")
    confirmed = forms.BooleanField(
        label="已核定", required=False, help_text="核定后，金额不符的按错误处理；未核定的只提醒"
    )
    doc_no = forms.CharField(label="文号", max_length=80, required=False)
    central_percent = forms.IntegerField(label="中央承担（%）", min_value=0, max_value=100, required=False)
    province_percent = forms.IntegerField(label="省市承担（%）", min_value=0, max_value=100, required=False)
    county_percent = forms.IntegerField(label="县级承担（%）", min_value=0, max_value=100, required=False)
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(self, *args, programme: Programme, now: int, rate: Rate | None = None, **more):
        if rate is not None:
            more["initial"] = {name: getattr(rate, name) for name in self.base_fields}
        super().__init__(*args, **more)
        terms = range(now + TERMS_AHEAD, FIRST_TERM - 1, -1)
        self.fields["from_term"].choices = [(number, told(number)) for number in terms]
        self.fields["from_term"].initial = now
        groups = CategoryGroup.objects.filter(county=programme.county_id).exclude(code="tier_special")
        self.fields["group"].choices = [
            ("", "全体学生"),
            *dict(groups.order_by("from_term").values_list("code", "name")).items(),
        ]

    def clean(self):
        data = super().clean()
        data["year_from"], data["year_to"] = data.get("year_from") or 0, data.get("year_to") or 0
        if data["year_to"] and data["year_from"] > data["year_to"]:
            self.add_error("year_to", "止于的年级不能早于开始的年级。")
        shares = [data.get(name) for name in PERCENTS]
        if any(share is not None for share in shares):
            if sum(share or 0 for share in shares) != 100:
                self.add_error("county_percent", "三级承担比例合计应为 100。")
            for name in PERCENTS:
                data[name] = data.get(name) or 0
        if data.get("confirmed") and not data.get("doc_no"):
            self.add_error("doc_no", "已核定的标准请填写文号。")
        return data


class ExclusionForm(Styled):
    other = forms.ModelChoiceField(label="与哪个项目互斥", queryset=Programme.objects.none())
    scope = forms.ChoiceField(label="范围", choices=[("term", "同一学期"), ("year", "同一学年")])
    basis = forms.CharField(label="依据", max_length=200, required=False)

    def __init__(self, *args, programme: Programme, **more):
        super().__init__(*args, **more)
        self.fields["other"].queryset = Programme.objects.filter(county=programme.county_id).exclude(
            pk=programme.pk
        )


class SourceForm(Styled):
    name = forms.CharField(label="资金来源", max_length=80, help_text="例如 中央城乡义务教育补助经费")
    level = forms.ChoiceField(label="级次", choices=FundSource.Level.choices)


class AppropriationForm(Styled):
    source = forms.ModelChoiceField(label="资金来源", queryset=FundSource.objects.none())
    programme = forms.ModelChoiceField(
        label="项目", queryset=Programme.objects.none(), required=False, empty_label="不限项目"
    )
    year = forms.IntegerField(
        label="预算年度", min_value=2011, max_value=2099, help_text="2026 年为 2026 年春季、秋季两个学期"
    )
    kind = forms.ChoiceField(label="性质", choices=Appropriation.Kind.choices)
    doc_no = forms.CharField(label="文号", max_length=80)
    received_on = forms.DateField(label="到达日期", widget=forms.DateInput(attrs={"type": "date"}))
    amount_fen = Yuan(label="金额")
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(self, *args, account: Account, today: date, **more):
        super().__init__(*args, initial={"year": today.year, "received_on": today}, **more)
        self.fields["source"].queryset = FundSource.objects.visible_to(account)
        self.fields["programme"].queryset = Programme.objects.visible_to(account)


class WithdrawForm(Styled):
    amount_fen = Yuan(label="收回金额")
    reason = forms.CharField(label="依据和原因", max_length=100)


class ObjectionForm(Styled):
    line = forms.ChoiceField(label="针对", required=False)
    text = forms.CharField(label="异议内容", max_length=400, widget=forms.Textarea(attrs={"rows": 3}))
    received_on = forms.DateField(label="收到日期", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, lines: list[tuple[str, str]], today: date, **more):
        super().__init__(*args, initial={"received_on": today}, **more)
        self.fields["line"].choices = [("", "整份公示"), *lines]


class AnswerForm(Styled):
    upheld = forms.ChoiceField(
        label="核实结果", choices=[("no", "异议不成立，继续公示"), ("yes", "异议成立，不予资助")]
    )
    text = forms.CharField(label="答复", max_length=400, widget=forms.Textarea(attrs={"rows": 3}))


class LeaveForm(Styled):
    to = forms.ChoiceField(label="办理")
    reason = forms.CharField(label="原因和凭据", max_length=200)

    def __init__(self, *args, choices: list[tuple[str, str]], **more):
        super().__init__(*args, **more)
        self.fields["to"].choices = choices


class DeterminationForm(Styled):
    tier = forms.ChoiceField(label="申请等级", choices=Tier.choices)
    category = forms.ChoiceField(
        label="依据的名单类别", choices=[("", "没有名单，凭家庭自身情况"), *Category.choices], required=False
    )
    evidence = forms.CharField(
        label="家庭困难情况和证明", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="例如 父亲重病，有县医院住院结算单；名单上已有的不用再写，不要写证件号码",
    )  # fmt: skip
    valid_from = forms.DateField(label="自", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self):
        data = super().clean()
        if not data.get("category") and not data.get("evidence"):
            self.add_error("evidence", "没有名单依据的，请写明家庭困难情况和证明。")
        return data


def term_asked(account: Account, text: str, default: Term | None) -> Term | None:
    """The term of an address, else the default."""
    found = (
        Term.objects.visible_to(account).select_related("school_year").filter(code=text[:16]).first()
        if text
        else None
    )
    return found or default

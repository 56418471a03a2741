"""What a person fills in on the first floor's pages. Forms judge; actions do."""

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import County, School, Term, Township
from bureau.organisation.terms import term_on
from students.actions.absences import NEEDS_EVIDENCE, Explanation
from students.actions.settling import REMEDIES, Remedy, people_for
from students.intake.known import register_names
from students.models import Absence, Category, Discrepancy, Register, Roster, Whereabouts
from students.rules import RULES

SHEET_FILES = ".xlsx,.xls,.et,.ods,.xlsb,.csv"
MAX_ROSTER_BYTES = 20_000_000
MAX_BUNDLE_BYTES = 200_000_000
MAX_REGISTER_BYTES = 200_000_000


def terms_of(account: Account) -> QuerySet[Term]:
    return Term.objects.filter(county__in=account.scope.counties).select_related("school_year")


def current_school_year(account: Account, today: date) -> int:
    """The calendar year in which the running school year began."""
    term = term_on(account.county, today)
    return term.school_year.starts_in if term else today.year - (today.month < 8)


def checked_size(upload, limit: int):
    if upload.size == 0:
        raise ValidationError("这个文件是空的，请重新选择。", code="empty")
    if upload.size > limit:
        raise ValidationError(f"文件超过 {limit // 1_000_000} MB，请拆分后上传。", code="too_large")
    return upload


class RosterForm(OfficeForm):
    """A school's roll. An account of one school is not asked for it; the county may leave it open (many schools)."""

    kind = forms.ChoiceField(
        label="名册类型", choices=Roster.Kind.choices, initial=Roster.Kind.ROLL, widget=forms.RadioSelect
    )
    term = forms.ModelChoiceField(label="学期", queryset=Term.objects.none(), empty_label=None)
    school = forms.ModelChoiceField(label="学校", queryset=School.objects.none(), required=False)
    file = forms.FileField(
        label="文件",
        help_text="Excel、WPS 表格或 CSV 均可，最大 20 MB、20,000 行。",
        error_messages={"required": "请选择要上传的文件。"},
        widget=forms.FileInput(attrs={"accept": SHEET_FILES}),
    )

    def __init__(self, *args, account: Account, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["term"].queryset = terms_of(account)
        self.fields["term"].initial = term_on(account.county, today)
        schools = School.objects.visible_to(account).open_on(today)
        self.fields["school"].queryset = schools
        self.only_school = None
        if account.scope.whole_county:
            self.fields["school"].empty_label = "整个文件含多所学校（按学校标识码自动拆分）"
        else:
            self.fields["school"].required = True
            self.fields["school"].empty_label = "请选择学校"
            self.fields["school"].error_messages["required"] = "请选择这份名册是哪所学校的。"
            if len(only := list(schools[:2])) == 1:
                self.only_school = only[0]
                del self.fields["school"]
        if not self.only_school:
            self.fields["file"].widget.attrs["accept"] += ",.zip"
            self.fields["file"].help_text += "多所学校的文件可以压缩成一个 .zip（最大 200 MB、1,000 个文件）。"

    @property
    def is_bundle(self) -> bool:
        """A zip with a file for each of several schools."""
        return "file" in self.cleaned_data and self.cleaned_data["file"].name.lower().endswith(".zip")

    def clean_file(self):
        if self.is_bundle and self.only_school:
            message = "一所学校请上传一份花名册文件，不要压缩；分班的文件请合并成一个，每班一个工作表即可。"
            raise ValidationError(message, code="bundle_of_one_school")
        return checked_size(self.cleaned_data["file"], MAX_BUNDLE_BYTES if self.is_bundle else MAX_ROSTER_BYTES)

    def clean(self):
        cleaned = super().clean()
        if self.only_school:
            cleaned["school"] = self.only_school
        elif self.is_bundle:
            self.errors.pop("school", None)
            if cleaned.get("school"):
                self.add_error("school", "压缩包按每个文件认学校，这里请不要选学校；只有一所学校时请直接上传文件。")
        return cleaned


class SnapshotForm(OfficeForm):
    """One list of another office, as it was on one day."""

    register = forms.ChoiceField(
        label="名单",
        choices=(),
        error_messages={"required": "请选择这是哪个部门的名单。"},
    )
    as_of = DateField(
        label="名单日期",
        help_text="名单反映的是哪一天的情况（不是收到的日期），如 2026-10-12。",
        error_messages={"required": "请填写名单日期。", "invalid": "日期不对，请写成 2026-10-12 的样式。"},
    )
    township = forms.ModelChoiceField(
        label="范围",
        queryset=Township.objects.none(),
        required=False,
        empty_label="全县",
        help_text="只含一个乡镇时请选该乡镇，其他乡镇的人不会被当作退出。",
    )
    partial = forms.BooleanField(
        label="这只是部分名单（如新增名单），没有列出的人不算退出", required=False, initial=False
    )
    received_from = forms.CharField(
        label="报送单位", max_length=60, required=False, help_text="例如：县民政局社会救助股"
    )
    file = forms.FileField(
        label="文件",
        help_text="Excel、WPS 表格或 CSV 均可，最大 200 MB。",
        error_messages={"required": "请选择要上传的文件。"},
        widget=forms.FileInput(attrs={"accept": SHEET_FILES}),
    )

    def __init__(self, *args, account: Account, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["register"].choices = [("", "请选择"), *register_names(account.county).items()]
        self.fields["township"].queryset = Township.objects.filter(county__in=account.scope.counties)

    def clean_as_of(self) -> date:
        day = self.cleaned_data["as_of"]
        if day > self.today:
            raise ValidationError("名单日期不能晚于今天。", code="in_the_future")
        return day

    def clean_file(self):
        return checked_size(self.cleaned_data["file"], MAX_REGISTER_BYTES)


class RevealForm(OfficeForm):
    """Which number, and why it is needed: the reason is what an auditor will read."""

    number = forms.ChoiceField(label="要查看的号码")
    reason = forms.CharField(
        label="查看理由",
        min_length=4,
        max_length=200,
        help_text="例如：核对银行退回的户名。理由和时间都会记入查看记录。",
        error_messages={"required": "请填写查看理由。", "min_length": "理由太短，请说明用途。"},
    )

    def __init__(self, *args, choices: list[tuple[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["number"].choices = choices


class LinkAnswerForm(OfficeForm):
    """是/不是/暂不能认定; a reason is needed unless it is plainly the same person."""

    answer = forms.ChoiceField(choices=[("yes", "是"), ("no", "不是"), ("undecided", "暂不能认定")])
    reason = forms.CharField(label="理由", max_length=200, required=False)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("answer") in ("no", "undecided") and not cleaned.get("reason"):
            self.add_error("reason", "请写明理由，下次出现同样的情况时可以参考。")
        return cleaned


class ReconcileForm(OfficeForm):
    term = forms.ModelChoiceField(label="学期", queryset=Term.objects.none(), empty_label=None)
    rules = forms.MultipleChoiceField(
        label="规则", required=False, widget=forms.CheckboxSelectMultiple, help_text="不选表示全部规则。"
    )
    township = forms.ModelChoiceField(
        label="只比对一个乡镇", queryset=Township.objects.none(), required=False, empty_label="不限乡镇"
    )
    school = forms.ModelChoiceField(
        label="只比对一所学校", queryset=School.objects.none(), required=False, empty_label="不限学校",
        help_text="选了乡镇或学校，只列出、办结那里的问题，其他地方的不动。",
    )  # fmt: skip

    def __init__(self, *args, account: Account, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.account = account
        own = Township.objects.visible_to(account)
        self.fields["township"].queryset = own if account.scope.whole_county else own.filter(pk__in=account.scope.townships)
        self.fields["school"].queryset = School.objects.visible_to(account)
        self.fields["term"].queryset = terms_of(account)
        self.fields["term"].initial = term_on(account.county, today)
        self.fields["rules"].choices = [(rule.code, f"{rule.code} {rule.title}") for rule in RULES.values()]

    def clean(self):
        cleaned = super().clean()
        township, school = cleaned.get("township"), cleaned.get("school")
        if township and school:
            self.add_error("school", "乡镇与学校只选一个。")
        if not (township or school or self.account.scope.whole_county or self.errors):
            self.add_error("township", "请选择一个乡镇或一所学校。")
        return cleaned

    @property
    def place(self) -> dict[str, str]:
        """The job's word for the place, if one was chosen."""
        return {name: str(self.cleaned_data[name].pk) for name in ("township", "school") if self.cleaned_data[name]}


class PersonField(forms.ModelChoiceField):
    """A colleague by name, with where he works; expects `posts` (students.actions.settling.people_for)."""

    def label_from_instance(self, account: Account) -> str:
        posts = dict.fromkeys(f"{post.place} {post.get_role_display()}" for post in account.posts)
        return f"{account}（{'、'.join(posts)}）"


class SettleForm(OfficeForm):
    """How 待核实问题 (`work`) are settled. Only the fields of the chosen remedy are asked for and judged.

    A remedy must fit the rules of all of them.
    """

    remedy = forms.ChoiceField(
        label="办理方式", widget=forms.RadioSelect, error_messages={"required": "请选择办理方式。"}
    )
    kind = forms.ChoiceField(
        label="去向", required=False, choices=[("", "请选择"), *Whereabouts.Kind.choices]
    )
    place = forms.CharField(
        label="学校或地点", max_length=200, required=False, help_text="例如：浙江省义乌市稠城一小"
    )
    evidence = forms.CharField(
        label="佐证",
        max_length=400,
        required=False,
        help_text="例如：就读证明（2026年9月15日，学校盖章）、与监护人通话记录",
    )
    valid_to = DateField(label="有效至", required=False, help_text="到期后须重新核实；一般填到本学期末。")
    accepted_until = DateField(label="说明有效至", required=False, help_text="到期后如情况仍在，会再次出现。")
    assigned_to = PersonField(label="交给谁办", queryset=Account.objects.none(), required=False, empty_label="请选择")
    reason = forms.CharField(
        label="办理说明",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    MISSING = {
        "kind": "请选择去向。",
        "evidence": "请写明佐证。",
        "accepted_until": "请填写说明有效到哪一天。",
        "assigned_to": "请选择承办人。",
    }

    def __init__(self, *args, account: Account, work: QuerySet[Discrepancy], today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        rules, known = rules_of(work), work.filter(student__isnull=False).exists()
        self.remedies = [
            r
            for r in REMEDIES.values()
            if fits(r, rules) and (known or not r.needs_student) and account.may(r.right)
        ]
        self.fields["remedy"].choices = [(remedy.code, remedy.label) for remedy in self.remedies]
        self.fields["assigned_to"].queryset = people_for(work, by=account)
        self.fields["accepted_until"].initial = today + timedelta(days=90)

    @property
    def options(self) -> list[dict]:
        """Each remedy with the fields it asks for, as the page lays them out."""
        chosen = self["remedy"].value() or (self.remedies[0].code if len(self.remedies) == 1 else "")
        return [
            {
                "remedy": remedy,
                "chosen": remedy.code == chosen,
                "fields": [self[name] for name in remedy.fields],
            }
            for remedy in self.remedies
        ]

    def clean(self):
        cleaned = super().clean()
        remedy = REMEDIES.get(cleaned.get("remedy", ""))
        if remedy is None:
            return cleaned
        for name in remedy.needed:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, self.MISSING[name])
        if remedy.needs_reason and not cleaned.get("reason"):
            self.add_error("reason", "请写明理由或依据。")
        for name in ("valid_to", "accepted_until"):
            day = cleaned.get(name)
            if name in remedy.fields and day and day <= self.today:
                self.add_error(name, "应是今天以后的日期。")
        return cleaned

    def values(self) -> dict:
        """What the chosen remedy asked for, by field name."""
        remedy = REMEDIES[self.cleaned_data["remedy"]]
        return {name: self.cleaned_data[name] for name in remedy.fields if self.cleaned_data.get(name)}


class UndoForm(OfficeForm):
    """Why an applied roster is taken back: the reason is what an auditor will read."""

    reason = forms.CharField(
        label="撤销理由",
        min_length=2,
        max_length=200,
        help_text="例如：传成了上学期的文件。",
        error_messages={"required": "请写明撤销的理由。", "min_length": "理由太短，请写明原因。"},
    )


class ExplainForm(OfficeForm):
    """What became of children a roll left out. Only explanations that can be true of every one of them are offered."""

    kind = forms.ChoiceField(
        label="去向", widget=forms.RadioSelect, error_messages={"required": "请选择去向。"}
    )
    to_school = forms.ModelChoiceField(
        label="本县哪所学校", queryset=School.objects.none(), required=False, empty_label="请选择学校"
    )
    place = forms.CharField(
        label="学校或地点", max_length=200, required=False, help_text="例如：浙江省义乌市稠城一小"
    )
    since_on = DateField(label="离校日期", error_messages={"required": "请填写离校日期。"})
    until_on = DateField(label="休学至", required=False, help_text="批准休学的最后一天，到期提醒复学。")
    evidence = forms.CharField(
        label="佐证",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如：转学手续（2026年9月15日）、与监护人的通话记录、休学审批表",
    )

    def __init__(self, *args, account: Account, kinds: list[str], today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["kind"].choices = [(kind, label) for kind, label in Absence.Kind.choices if kind in kinds]
        self.fields["to_school"].queryset = School.objects.filter(county__in=account.scope.counties).open_on(today)

    def clean(self):
        cleaned = super().clean()
        kind, day = cleaned.get("kind"), cleaned.get("since_on")
        if day and day > self.today:
            self.add_error("since_on", "离校日期不能晚于今天。")
        if kind == Absence.Kind.IN_COUNTY and not cleaned.get("to_school"):
            self.add_error("to_school", "请选择转到本县哪所学校。")
        if kind in NEEDS_EVIDENCE and not cleaned.get("evidence"):
            self.add_error("evidence", "请写明佐证。")
        until = cleaned.get("until_on")
        if kind == Absence.Kind.SUSPENDED and "until_on" not in self.errors and not (until and day and until >= day):
            self.add_error("until_on", "请填写休学到哪一天，不能早于离校日期。")
        if kind != Absence.Kind.SUSPENDED:
            cleaned["until_on"] = None
        if kind != Absence.Kind.IN_COUNTY:
            cleaned["to_school"] = None
        return cleaned

    def explanation(self) -> Explanation:
        return Explanation(**self.cleaned_data)


def fits(remedy: Remedy, rules: set[str]) -> bool:
    return rules <= set(remedy.rules)


def rules_of(chosen: QuerySet[Discrepancy]) -> set[str]:
    """The rules behind a choice of 待核实问题: a remedy must fit all of them."""
    return set(chosen.order_by().values_list("rule", flat=True).distinct())


class RegisterForm(OfficeForm):
    """A list the county did not have: what it is called, who sends it, what being on it certifies."""

    title = forms.CharField(label="名单名称", max_length=60, help_text="例如：见义勇为家庭名单")
    office = forms.CharField(label="来源部门", max_length=60, help_text="例如：县人民武装部")
    category = forms.ChoiceField(
        label="困难类别", required=False, choices=[("", "不证明困难身份"), *Category.choices],
        help_text="名单上的学生按这一类比对“应认定未认定”；行内另有类别的以行内为准。",
    )  # fmt: skip

    def __init__(self, *args, county: County, register: Register | None = None, **kwargs):
        if register:
            kwargs.setdefault("initial", {name: getattr(register, name) for name in ("title", "office", "category")})
        super().__init__(*args, **kwargs)
        self.county, self.register = county, register

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        taken = Register.objects.filter(county=self.county, title=title)
        if self.register:
            taken = taken.exclude(pk=self.register.pk)
        if taken.exists() or (not self.register and title in register_names(self.county).values()):
            raise ValidationError("已有同名的名单。", code="taken")
        return title

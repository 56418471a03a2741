"""What the bureau and the schools fill in about collections. Forms judge; actions do."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import School, Stage, Term
from bureau.organisation.terms import term_on
from students.forms import terms_of
from students.models import Collection, Roster


class CollectionForm(OfficeForm):
    """A new collection: what, for whom, from when to when."""

    term = forms.ModelChoiceField(label="学期", queryset=Term.objects.none(), empty_label=None)
    kind = forms.ChoiceField(label="名册类型", choices=Roster.Kind.choices)
    stage = forms.ChoiceField(label="学段", choices=[("", "全部学段"), *Stage.choices], required=False)
    opens_on = DateField(label="开始日期", help_text="当天起可以上报。")
    closes_on = DateField(label="截止日期", help_text="当天上报仍算按时；之后仍可上报，标为迟报，直到锁定。")
    note = forms.CharField(label="说明", max_length=200, required=False, help_text="例如：以学籍系统9月10日数据为准")

    FIXED = ("term", "kind", "stage")

    def __init__(self, *args, collection: Collection, account: Account, today: date, **kwargs):
        names = [*self.base_fields]
        initial = {name: getattr(collection, name) for name in names if name != "term"} if collection.pk else {}
        super().__init__(*args, initial=initial, **kwargs)
        self.collection = collection
        if collection.pk:
            for name in self.FIXED:
                del self.fields[name]
        else:
            self.fields["term"].queryset = terms_of(account)
            self.fields["term"].initial = term_on(account.county, today)

    def clean(self):
        given = super().clean()
        opens, closes = given.get("opens_on"), given.get("closes_on")
        if opens and closes and closes < opens:
            self.add_error("closes_on", "截止日期不能早于开始日期。")
        if not self.collection.pk and given.get("term"):
            same = {name: given.get(name) or "" for name in ("term", "kind", "stage")}
            if Collection.objects.filter(**same).exists():
                raise ValidationError("这个学期、类型、学段已经有上报安排，请修改原来的。", code="exists")
        return given


class UnlockForm(OfficeForm):
    """Which school asks, and why: the reason is what the bureau decides on."""

    school = forms.ModelChoiceField(label="学校", queryset=School.objects.none(), empty_label="请选择")
    reason = forms.CharField(
        label="理由",
        min_length=4,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="例如：9月18日转入3名学生，原名册未含。请勿填写身份证号。",
        error_messages={"required": "请写明为什么要更改已锁定的名册。", "min_length": "理由太短，请写清楚。"},
    )

    def __init__(self, *args, schools, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools
        self.only_school = None
        if len(only := list(schools[:2])) == 1:
            self.only_school = only[0]
            del self.fields["school"]

    def clean(self):
        given = super().clean()
        return given | {"school": self.only_school} if self.only_school else given


class AnswerForm(OfficeForm):
    """Granted to a day, or refused with words."""

    granted = forms.ChoiceField(
        label="答复",
        choices=[("yes", "同意解锁"), ("no", "不同意")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择是否同意。"},
    )
    until_on = DateField(label="开放至", required=False, help_text="到这一天为止（含当天），只对这所学校开放。")
    answer = forms.CharField(
        label="答复意见", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="不同意时须写明。",
    )  # fmt: skip

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self):
        given = super().clean()
        if given.get("granted") == "yes" and "until_on" not in self.errors:
            if not given.get("until_on"):
                self.add_error("until_on", "请填写开放到哪一天。")
            elif given["until_on"] < self.today:
                self.add_error("until_on", "应是今天或以后的日期。")
        if given.get("granted") == "no" and not given.get("answer"):
            self.add_error("answer", "不同意时请写明原因，学校会看到。")
        return given

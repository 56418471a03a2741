"""What a person fills in when two files are merged, one is split, or either is taken back."""

from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.identity import Fault, clean_name
from students.forms import current_school_year
from students.models import Guardianship, Identifier, Student
from students.views import sides


def _reason(label: str, example: str) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=400, help_text=example, widget=forms.TextInput(),
        error_messages={"required": f"请填写{label}。"},
    )  # fmt: skip


class MergeForm(OfficeForm):
    """Whose citizen ID stays, where both have one, and why the two are one."""

    number = forms.TypedChoiceField(
        label="保留哪个身份证号", widget=forms.RadioSelect, coerce=UUID, empty_value=None,
        error_messages={"required": "请选定保留哪个身份证号。"},
    )  # fmt: skip
    reason = _reason("理由", "例如：核对户口本，为同一人，右边的号码是登记时写错的。")

    def __init__(self, *args, numbers: list[tuple[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        if numbers:
            self.fields["number"].choices = numbers
        else:
            del self.fields["number"]


class TakeBackForm(OfficeForm):
    reason = _reason("撤销理由", "例如：核对后确认是两个孩子。")


class SplitForm(OfficeForm):
    """Which rows are the other child's, and who that child is."""

    enrolments = forms.TypedMultipleChoiceField(label="学籍与就读", coerce=UUID)
    entries = forms.TypedMultipleChoiceField(label="名单记录", coerce=int)
    identifiers = forms.TypedMultipleChoiceField(label="证件与号码", coerce=UUID)
    guardianships = forms.TypedMultipleChoiceField(label="监护人", coerce=int)
    memberships = forms.TypedMultipleChoiceField(label="家庭户", coerce=int)
    hardships = forms.TypedMultipleChoiceField(label="困难身份", coerce=int)
    whereabouts = forms.TypedMultipleChoiceField(label="去向", coerce=int)
    name = forms.CharField(label="另一个孩子的姓名", max_length=100)
    sex = forms.ChoiceField(label="性别", choices=[("", "未登记"), ("1", "男"), ("2", "女")], required=False)
    birth_on = DateField(label="出生日期", required=False)
    reason = _reason("理由", "例如：两个孩子误用了一个身份证号，户口本上是两个人。")

    kinds = ("enrolments", "entries", "identifiers", "guardianships", "memberships", "hardships", "whereabouts")

    def __init__(self, *args, student: Student, account: Account, **kwargs):
        super().__init__(*args, **kwargs)
        self.student = student
        for kind, choices in self._choices(student, account).items():
            field = self.fields[kind]
            field.choices, field.required = choices, False
            field.widget = forms.CheckboxSelectMultiple(choices=choices)
        self.fields["name"].initial = student.person.name

    def _choices(self, student: Student, account: Account) -> dict[str, list[tuple]]:
        year = current_school_year(account, timezone.localdate())
        kinds = dict(Identifier.Kind.choices)
        stays = student.enrolments.select_related("school").order_by("-started_on", "pk")
        numbers = student.person.identifiers.filter(valid_to=None).order_by("derived", "kind", "pk")
        guardians = Guardianship.objects.filter(student=student).order_by("pk")
        return {
            "enrolments": [(stay.pk, sides.stay_words(stay, year)) for stay in stays],
            "entries": [(entry.pk, sides.entry_words(entry)) for entry in sides.entries_of(student)],
            "identifiers": [(n.pk, f"{kinds[n.kind]} {sides.masked(n)}" + ("（由其他号码推出）" if n.derived else "")) for n in numbers],
            "guardianships": [(g.pk, sides.guardian_words(g)) for g in guardians],
            "memberships": [(m.pk, sides.membership_words(m)) for m in sides.memberships_of(student)],
            "hardships": [
                (h.pk, sides.span(h.get_category_display(), h.valid_from, h.valid_to)) for h in student.hardships.order_by("pk")
            ],
            "whereabouts": [
                (w.pk, sides.span(w.get_kind_display(), w.valid_from, w.valid_to))
                for w in student.whereabouts.filter(withdrawn_at=None).order_by("pk")
            ],
        }

    @property
    def groups(self):
        """The fields that offer something to choose."""
        return [self[kind] for kind in self.kinds if self.fields[kind].choices]

    @property
    def going(self) -> list[tuple[str, list[str], list[str]]]:
        """(heading, what goes, what stays) of a valid form."""
        told = []
        for kind in self.kinds:
            chosen = {str(key) for key in self.cleaned_data[kind]}
            rows = [(str(key), words) for key, words in self.fields[kind].choices]
            if rows:
                going = [words for key, words in rows if key in chosen]
                told.append((self.fields[kind].label, going, [words for key, words in rows if key not in chosen]))
        return told

    def clean_name(self) -> str:
        try:
            return clean_name(self.cleaned_data["name"]).value
        except Fault as fault:
            raise ValidationError(fault.message, code=fault.code) from None

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("enrolments") and not cleaned.get("entries"):
            raise ValidationError("请至少选一条学籍与就读，或一条名单记录，归入新的档案。", code="nothing_chosen")
        return cleaned

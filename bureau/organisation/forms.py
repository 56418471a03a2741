"""Forms of the organisation pages. Codes are checked for being taken; what is too long is said in words."""

import re
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from bureau.forms import DateField, OfficeForm
from bureau.organisation import changing
from bureau.organisation.models import (
    County,
    Holiday,
    Ownership,
    School,
    Stage,
    Term,
    Township,
    Village,
)

_code = RegexValidator(r"^[0-9A-Za-z-]+$", "代码只含数字和字母。")
MOST_PASTED = 400


class PlaceForm(OfficeForm):
    """Code and name of a township, village or school; `existing` are the rows whose codes are taken."""

    code = forms.CharField(label="代码", max_length=12, validators=[_code])
    name = forms.CharField(label="名称", max_length=60)

    def __init__(self, *args, instance, existing, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance, self.existing = instance, existing

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        if self.existing.exclude(pk=self.instance.pk).filter(code=code).exists():
            raise ValidationError(f"代码“{code}”已被使用。", code="taken")
        return code

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class TownshipForm(PlaceForm):
    def __init__(self, *args, township: Township, **kwargs):
        kwargs.setdefault("initial", {"code": township.code, "name": township.name})
        existing = Township.objects.filter(county=township.county_id)
        super().__init__(*args, instance=township, existing=existing, **kwargs)


class VillageForm(PlaceForm):
    township = forms.ModelChoiceField(Township.objects.none(), label="所属乡镇", empty_label="请选择")
    valid_from = DateField(label="启用日期", required=False)
    valid_to = DateField(label="撤销日期", required=False, help_text="撤并后填写，已有学生的户籍村不受影响。")

    def __init__(self, *args, village: Village, **kwargs):
        fields = ("code", "name", "township", "valid_from", "valid_to")
        kwargs.setdefault(
            "initial",
            {name: getattr(village, f"{name}_id" if name == "township" else name) for name in fields},
        )
        existing = Village.objects.filter(county=village.county_id)
        super().__init__(*args, instance=village, existing=existing, **kwargs)
        self.fields["township"].queryset = Township.objects.filter(county=village.county_id)

    def clean(self):
        _in_order(self, "valid_from", "valid_to", "撤销日期早于启用日期。")


class SchoolForm(PlaceForm):
    code = forms.CharField(
        label="学校标识码", max_length=20, validators=[_code], help_text="改动后旧标识码仍可用于识别旧表。"
    )
    name = forms.CharField(label="学校名称", max_length=100, help_text="改名后旧名称自动列入别名。")
    township = forms.ModelChoiceField(Township.objects.none(), label="所在乡镇", empty_label="请选择")
    stages = forms.MultipleChoiceField(
        label="学段", choices=Stage.choices, widget=forms.CheckboxSelectMultiple
    )
    ownership = forms.ChoiceField(label="办学性质", choices=Ownership.choices)
    managed_by = forms.ModelChoiceField(
        School.objects.none(), label="所属中心校（学区）", required=False, empty_label="无",
        help_text="中心校可以查看并代办所管学校的业务。",
    )  # fmt: skip
    teaching_point = forms.BooleanField(label="教学点", required=False)
    aliases = forms.CharField(
        label="别名",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="每行一个，读表时按别名也能认出。",
    )
    opened_on = DateField(label="设立日期", required=False)
    closed_on = DateField(label="撤并日期", required=False, help_text="填写后次日起不再列入在办学校。")
    succeeded_by = forms.ModelChoiceField(
        School.objects.none(), label="并入学校", required=False, empty_label="无"
    )

    FIELDS = (
        "code", "name", "township", "stages", "ownership", "managed_by", "teaching_point", "aliases", "opened_on",
        "closed_on", "succeeded_by",
    )  # fmt: skip

    def __init__(self, *args, school: School, **kwargs):
        if not school._state.adding:
            initial = {name: getattr(school, name) for name in self.FIELDS}
            kwargs.setdefault("initial", initial | {"aliases": "\n".join(school.aliases)})
        existing = School.objects.filter(county=school.county_id)
        super().__init__(*args, instance=school, existing=existing, **kwargs)
        self.fields["township"].queryset = Township.objects.filter(county=school.county_id)
        for name in ("managed_by", "succeeded_by"):
            self.fields[name].queryset = existing.exclude(pk=school.pk)

    def clean_aliases(self) -> list[str]:
        lines = (" ".join(line.split()) for line in self.cleaned_data["aliases"].splitlines())
        return list(dict.fromkeys(line[:100] for line in lines if line))[:20]

    def clean(self):
        _in_order(self, "opened_on", "closed_on", "撤并日期早于设立日期。")
        if self.cleaned_data.get("succeeded_by") and not self.cleaned_data.get("closed_on"):
            self.add_error("closed_on", "填写了并入学校，请同时填写撤并日期。")
        if self.cleaned_data.get("closed_on") and not self.instance.closed_on and changing.classes_of(self.instance):
            self.add_error("closed_on", "这所学校还有在读学生，请点“撤并、更名”，学生和账号一起转到并入学校。")
        above = self.cleaned_data.get("managed_by")
        if above and above.managed_by_id:
            self.add_error("managed_by", "所选学校自己也由中心校管理，请选中心校。")


class TermForm(OfficeForm):
    """A new term, or the days of an existing one: its code does not change, the school year hangs on it."""

    year = forms.IntegerField(
        label="年份", min_value=2000, max_value=2100, help_text="开学所在年份，如 2026。"
    )
    season = forms.ChoiceField(label="学期", choices=Term.SEASONS.items())
    starts_on = DateField(label="开学日期")
    ends_on = DateField(label="结束日期", help_text="本学期最后一天。")

    def __init__(self, *args, county: County, term: Term | None = None, **kwargs):
        if term:
            year, season = term.code.split("-")
            kwargs.setdefault(
                "initial",
                {"year": year, "season": season, "starts_on": term.starts_on, "ends_on": term.ends_on},
            )
        super().__init__(*args, **kwargs)
        self.county, self.term = county, term
        for name in ("year", "season") if term else ():
            self.fields[name].disabled = True

    def clean(self):
        given = self.cleaned_data
        _in_order(self, "starts_on", "ends_on", "结束日期应晚于开学日期。", strictly=True)
        if not {"year", "season"} <= given.keys():
            return
        given["code"] = f"{given['year']}-{given['season']}"
        if given.get("starts_on") and given["starts_on"].year != given["year"]:
            self.add_error("starts_on", f"开学日期应在 {given['year']} 年。")
        if not self.term and Term.objects.filter(county=self.county, code=given["code"]).exists():
            self.add_error("season", "这个学期已经有了，请在列表中修改。")


class HolidayForm(OfficeForm):
    date = DateField(label="日期")
    kind = forms.ChoiceField(label="类型", choices=Holiday.Kind.choices)

    def days(self) -> list[tuple[date, str]]:
        return [(self.cleaned_data["date"], self.cleaned_data["kind"])]


class PastedHolidaysForm(OfficeForm):
    """Dates as they are copied from the notice of the State Council or a table: one a line."""

    text = forms.CharField(
        label="日期",
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "2026-10-01 放假\n2026-10-10 上班"}),
        help_text="每行一个日期，后面可写“放假”或“上班”；不写的按所选类型。",
        max_length=20_000,
    )
    kind = forms.ChoiceField(label="未写明的按", choices=Holiday.Kind.choices)

    _line = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?[\s,，、:：]*(.*)")
    _kinds = {
        "放假": "off",
        "休": "off",
        "off": "off",
        "上班": "work",
        "调休上班": "work",
        "班": "work",
        "work": "work",
    }

    def clean(self):
        days, wrong = {}, []
        lines = [line.strip() for line in self.cleaned_data.get("text", "").splitlines() if line.strip()]
        if len(lines) > MOST_PASTED:
            raise ValidationError(f"一次最多粘贴 {MOST_PASTED} 行。")
        for number, line in enumerate(lines, 1):
            match = self._line.fullmatch(line)
            kind = (
                self._kinds.get(match[4].strip(), "")
                if match and match[4].strip()
                else self.cleaned_data.get("kind")
            )
            try:
                days[date(int(match[1]), int(match[2]), int(match[3]))] = kind
            except (TypeError, ValueError):
                kind = ""
            if not kind:
                wrong.append(f"第 {number} 行“{line[:20]}”")
        if wrong:
            self.add_error(
                "text", f"{'、'.join(wrong[:5])}等 {len(wrong)} 行看不懂，请写成：2026-10-01 放假。"
            )
        self.cleaned_data["days"] = days

    def days(self) -> list[tuple[date, str]]:
        return list(self.cleaned_data["days"].items())


def _in_order(form: forms.Form, first: str, last: str, message: str, *, strictly: bool = False) -> None:
    begin, end = form.cleaned_data.get(first), form.cleaned_data.get(last)
    if begin and end and (end < begin or (strictly and end == begin)):
        form.add_error(last, message)


class SettingsForm(OfficeForm):
    """What the bureau decides for the whole county; each value is a column of County of the same name."""

    age_from = forms.IntegerField(
        label="适龄起始周岁", min_value=3, max_value=10, help_text="学年开始那年8月31日年满几周岁算适龄。"
    )
    age_under = forms.IntegerField(
        label="适龄上限周岁（不含）", min_value=12, max_value=20, help_text="满这个周岁的当天起不再算适龄。"
    )
    reject_share = forms.DecimalField(
        label="“仅导入合格行”最多允许的问题行比例", min_value=0, max_value=1, decimal_places=3, help_text="例如 0.5：问题行超过一半时必须改好再传。"
    )
    absence_days = forms.IntegerField(
        label="未出现学生说明去向的期限（教学日）", min_value=1, max_value=60, help_text="到期没有说明的，列为疑似辍学。"
    )
    group_days = forms.IntegerField(
        label="留守、随迁等群体每学期复核期限（天）", min_value=7, max_value=120, help_text="开学后多少天内复核完。"
    )
    transfer_days = forms.IntegerField(
        label="转学答复期限（工作日）", min_value=1, max_value=60, help_text="接收学校、外县多少个工作日内答复，到期未答复的在工作台标红。"
    )
    number_days = forms.IntegerField(label="证件待补期限（天）", min_value=1, max_value=365)
    account_households = forms.IntegerField(
        label="同一银行账号最多几户", min_value=1, max_value=50, help_text="超过的列为“多户共用银行账号”。"
    )
    removal_share = forms.DecimalField(
        label="名单一次退出超过多少比例须确认", min_value=0, max_value=1, decimal_places=3, help_text="例如 0.2：新一期名单比上一期少两成以上时，须有人确认后才入库。"
    )
    building_until = DateField(
        label="建库期至", required=False, help_text="刚启用时存量问题多：到这一天为止发现的问题，从这一天起算期限，期间不算逾期。不需要时留空。"
    )

    def __init__(self, *args, county: County, **kwargs):
        kwargs.setdefault("initial", {name: getattr(county, name) for name in self.base_fields})
        super().__init__(*args, **kwargs)

    def clean(self):
        given = self.cleaned_data
        if given.get("age_from") and given.get("age_under") and given["age_from"] >= given["age_under"]:
            self.add_error("age_under", "上限须大于起始周岁。")

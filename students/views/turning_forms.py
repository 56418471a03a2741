"""What is filled in on the pages of the school year. Forms judge; actions do."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError

from bureau.forms import DateField, OfficeForm
from bureau.identity import name_key
from bureau.organisation.models import School, Stage
from students.actions.handing_over import OFFERED, SCHOOLS, Told
from students.models import Enrolment, Leaver, Schooling, YearPlan
from students.models.turning import NEXT_STAGE

LENGTHS = {Stage.PRIMARY: (5, 6), Stage.JUNIOR: (3, 4)}


class PlanForm(OfficeForm):
    """The five dates of one turn."""

    leaves_on = DateField(label="毕业离校日期", help_text="毕业学生在原校的就读到这一天为止。")
    report_by = DateField(
        label="初中新生报到截止", help_text="当天报到仍算按时；之后没有报到的，列为“小学毕业未升初中”。"
    )
    enter_by = DateField(label="小学一年级入学截止", help_text="之后没有入学的，列为“满六周岁未入一年级”。")
    destination_by = DateField(
        label="初中毕业去向登记截止", help_text="之后没有登记去向的，列为“初中毕业去向不明”。"
    )
    aid_by = DateField(label="升学资助核对截止", help_text="接收学校核对升学受助学生的期限。")

    def __init__(self, *args, plan: YearPlan, **kwargs):
        super().__init__(*args, initial={name: getattr(plan, name) for name in self.base_fields}, **kwargs)
        self.year = plan.school_year.starts_in

    def clean(self):
        given = super().clean()
        for name in self.base_fields:
            day = given.get(name)
            if day and not date(self.year, 5, 1) <= day <= date(self.year + 1, 4, 30):
                self.add_error(name, f"应在{self.year}年5月1日与{self.year + 1}年4月30日之间。")
        leaves = given.get("leaves_on")
        for name in ("report_by", "enter_by", "destination_by", "aid_by"):
            if leaves and given.get(name) and given[name] <= leaves:
                self.add_error(name, "应在毕业离校日期之后。")
        return given


class ScopeForm(OfficeForm):
    """The whole county, or one school."""

    school = forms.ModelChoiceField(
        label="范围", queryset=School.objects.none(), required=False, empty_label="全县"
    )

    def __init__(self, *args, schools, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools


class ReasonForm(OfficeForm):
    reason = forms.CharField(
        label="理由",
        max_length=200,
        error_messages={"required": "请写明理由。"},
        help_text="例如：毕业离校日期设置有误",
    )


class RepeatForm(OfficeForm):
    """Which child stays in his grade: found by school and name, by his class where two have it."""

    school = forms.ModelChoiceField(label="学校", queryset=School.objects.none(), empty_label="请选择")
    name = forms.CharField(label="姓名", max_length=60)
    class_name = forms.CharField(
        label="班级", max_length=40, required=False, help_text="同校有同名学生时填写，例如：1班"
    )
    evidence = forms.CharField(
        label="佐证", max_length=400, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如：监护人申请、学校和县局批件的日期、文号。义务教育阶段原则上不准留级。",
    )  # fmt: skip

    def __init__(self, *args, schools, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools
        self.enrolment = None

    def clean(self):
        given = super().clean()
        if not given.get("school") or not given.get("name"):
            return given
        found = Enrolment.objects.open().filter(
            school=given["school"], student__person__name_key=name_key(given["name"])
        )
        if given.get("class_name"):
            found = found.filter(class_name=given["class_name"])
        rows = list(found[:2])
        if not rows:
            raise ValidationError("这所学校没有这个姓名（班级）的在读学生，请核对。", code="not_found")
        if len(rows) > 1:
            raise ValidationError("这所学校有同名的学生，请填写班级。", code="several")
        self.enrolment = rows[0]
        return given


class SchoolingForm(OfficeForm):
    """How long a school teaches a stage, or up to which grade."""

    school = forms.ModelChoiceField(label="学校", queryset=School.objects.none(), empty_label="请选择")
    kind = forms.ChoiceField(label="内容", choices=Schooling.Kind.choices)
    stage = forms.ChoiceField(label="学段", choices=[(stage.value, stage.label) for stage in LENGTHS])
    years = forms.IntegerField(
        label="年数",
        min_value=1,
        max_value=6,
        help_text="学制：小学 5 或 6，初中 3 或 4。办到第几年级：教学点只办一、二年级的填 2。",
    )
    from_year = forms.IntegerField(
        label="自哪一年", min_value=2000, max_value=2100,
        help_text="学制：自哪一年入学的学生起；一直如此的填 2000。办学年级：自哪一年秋季起。",
    )  # fmt: skip

    def __init__(self, *args, schools, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["school"].queryset = schools

    def clean(self):
        given = super().clean()
        stage, years = given.get("stage"), given.get("years")
        if given.get("school") and stage and stage not in given["school"].stages:
            self.add_error("stage", "这所学校没有这个学段。")
        if (
            given.get("kind") == Schooling.Kind.LENGTH
            and stage
            and years
            and years not in LENGTHS[Stage(stage)]
        ):
            self.add_error(
                "years", f"{Stage(stage).label}的学制应为 {' 或 '.join(map(str, LENGTHS[Stage(stage)]))} 年。"
            )
        return given


class HandOverForm(OfficeForm):
    """To which school."""

    to_school = forms.ModelChoiceField(
        label="移交到", queryset=School.objects.none(), required=False, empty_label="暂不移交"
    )

    def __init__(self, *args, schools, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to_school"].queryset = schools


class ReportForm(OfficeForm):
    """Where and since when."""

    school = forms.ModelChoiceField(label="报到学校", queryset=School.objects.none(), empty_label="请选择")
    on = DateField(label="报到日期", help_text="当天起在校。")

    def __init__(self, *args, schools, today: date, **kwargs):
        super().__init__(*args, initial={"on": today}, **kwargs)
        self.today, self.only_school = today, None
        self.fields["school"].queryset = schools
        if len(only := list(schools[:2])) == 1:
            self.only_school = only[0]
            del self.fields["school"]

    def clean_on(self) -> date:
        if self.cleaned_data["on"] > self.today:
            raise ValidationError("报到日期不能晚于今天。", code="in_the_future")
        return self.cleaned_data["on"]

    def clean(self):
        given = super().clean()
        return given | {"school": self.only_school} if self.only_school else given


class DestinationForm(OfficeForm):
    """Where a leaver went."""

    destination = forms.ChoiceField(
        label="去向", widget=forms.RadioSelect, error_messages={"required": "请选择去向。"}
    )
    where = forms.ChoiceField(
        label="学校在",
        choices=[("", "请选择"), *Leaver.Where.choices],
        required=False,
        help_text="去向为学校时选择。",
    )
    place = forms.CharField(
        label="学校或地点", max_length=200, required=False, help_text="例如：云岭县职业技术学校"
    )
    evidence = forms.CharField(
        label="佐证",
        max_length=400,
        required=False,
        help_text="县外就读、就业、在家、出国等须填写，例如：录取通知书、就读证明。",
    )

    def __init__(self, *args, stages: set[str], **kwargs):
        super().__init__(*args, **kwargs)
        offered = [set(OFFERED.get(stage, ())) for stage in stages]
        common = set.intersection(*offered) if offered else set()
        self.fields["destination"].choices = [(d.value, d.label) for d in Leaver.Destination if d in common]

    def clean(self):
        given = super().clean()
        if given.get("destination") in SCHOOLS and not given.get("where"):
            self.add_error("where", "请选择学校在本县还是外地。")
        return given

    def told(self) -> Told:
        return Told(
            **{name: self.cleaned_data[name] for name in ("destination", "where", "place", "evidence")}
        )


class Nothing(OfficeForm):
    """Only to be confirmed."""


class AidForm(OfficeForm):
    """What becomes of the aid of a child who came."""

    answer = forms.ChoiceField(
        label="核对结果", choices=[*Leaver.Aid.choices, ("none", "撤回核对结果")], widget=forms.RadioSelect,
        error_messages={"required": "请选择核对结果。"},
    )  # fmt: skip
    note = forms.CharField(label="说明", max_length=200, required=False, help_text="不再符合的须写明原因。")

    def clean_answer(self) -> str:
        return "" if self.cleaned_data["answer"] == "none" else self.cleaned_data["answer"]


def receiving(schools, stages: set[str]):
    """The schools that have the stage these leavers go on to."""
    wanted = {NEXT_STAGE[stage] for stage in stages if stage in NEXT_STAGE}
    keys = [school.pk for school in schools if wanted & set(school.stages)]
    return School.objects.filter(pk__in=keys)

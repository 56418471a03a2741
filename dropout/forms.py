"""What people fill in about a case. Forms judge; actions do."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from bureau.access.models import Account, Assignment, RoleRights
from bureau.forms import DateField, OfficeForm
from dropout.actions.handling import WHY_EXCLUDED
from dropout.actions.steps import When
from dropout.models import Deadline, Episode, Exemption, Reason, ReturnOrder, SignOff, TeamMember, Visit
from dropout.models.deadlines import Stage, Unit

NO_NUMBERS = "请勿填写身份证号、电话号码。"
PICK = ("", "请选择")


def text_field(label: str, longest: int, *, help_text: str = "", required: bool = True, rows: int = 2) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if longest > 120 else None
    return forms.CharField(label=label, max_length=longest, required=required, help_text=help_text, **({"widget": widget} if widget else {}))


class StepForm(OfficeForm):
    """The day a step took effect; an earlier one than today is entered late and says why."""

    on = DateField(label="日期")
    late_because = text_field("补录原因", 120, required=False, help_text="日期早于今天时填写，例如：当时在村里没有网络。")

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["on"].initial = today
        self.order_fields([name for name in self.fields if name not in ("on", "late_because")] + ["on", "late_because"])

    def clean_on(self) -> date:
        if self.cleaned_data["on"] > self.today:
            raise ValidationError("日期不能晚于今天。", code="in_the_future")
        return self.cleaned_data["on"]

    def clean(self):
        given = super().clean()
        if given.get("on") and given["on"] < self.today and not given.get("late_because"):
            self.add_error("late_because", "日期早于今天的，请写明补录的原因。")
        return given

    @property
    def when(self) -> When:
        return When(self.cleaned_data["on"], self.today, self.cleaned_data["late_because"])

    def facts(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("on", "late_because")}


class ReportForm(StepForm):
    detail = text_field("发现的情况", 300, help_text="例如：9月20日起没有到校，祖母说随表哥去了外地。" + NO_NUMBERS)
    reason = forms.ChoiceField(label="可能的原因", choices=[PICK, *Reason.choices], required=False)


class ConfirmForm(StepForm):
    kind = forms.ChoiceField(label="类别", choices=[("dropped_out", "辍学（入学后离校）"), ("not_enrolled", "失学（从未入学）")])
    left_on = DateField(label="失辍学时间")
    grade = forms.CharField(label="年级", max_length=20, required=False, help_text="例如：七年级")
    reason = forms.ChoiceField(label="原因", choices=[PICK, *Reason.choices])
    evidence = text_field("核查的佐证", 400, help_text="例如：10月10日与村主任入户，母亲确认未上学。" + NO_NUMBERS)


class ExcludeForm(StepForm):
    why = forms.ChoiceField(label="排除的类别", choices=[PICK, *WHY_EXCLUDED])
    place = forms.CharField(label="学校或地点", max_length=200, required=False, help_text="例如：浙江省义乌市稠城一小")
    evidence = text_field("佐证", 400, help_text="例如：就读证明（2026年9月15日，学校盖章）。" + NO_NUMBERS)
    valid_to = DateField(label="有效至", required=False, help_text="在外地就读的，不填时到本学期末，届时重新核实。")


class HandOverForm(StepForm):
    place = forms.CharField(label="移交给", max_length=120, help_text="例如：邻县教育局")
    letter = text_field("接收函", 200, help_text="对方的文号、日期。")


class PlaceForm(StepForm):
    placement = forms.ChoiceField(label="安置方式", choices=[PICK, *Episode.Placement.choices])
    placed_at = forms.CharField(label="学校", max_length=120, required=False)
    evidence = text_field("依据", 400, help_text="例如：专家委员会意见（文号）；到校照片、学籍截图。" + NO_NUMBERS)


class TeamForm(StepForm):
    """Up to five helpers; 三帮一 needs three of them."""

    plan = text_field("一生一案（措施）", 600, required=False, rows=3, help_text="每周怎样联系，谁做什么，学习上、生活上怎样帮。")

    def __init__(self, *args, **kwargs):
        posts = [TeamMember.Post.TEACHER, TeamMember.Post.VILLAGE, TeamMember.Post.FAMILY, TeamMember.Post.TOWNSHIP, TeamMember.Post.POLICE]
        self.posts = posts
        super().__init__(*args, **kwargs)
        for post in posts:
            field = forms.CharField(label=f"专班：{post.label}", max_length=60, required=post == TeamMember.Post.TEACHER)
            field.widget.attrs["class"] = "form-control"
            self.fields[f"post_{post}"] = field
        self.order_fields([f"post_{post}" for post in posts] + ["plan", "on", "late_because"])

    def facts(self) -> dict:
        members = [(str(post), self.cleaned_data[f"post_{post}"]) for post in self.posts]
        return {"members": members, "plan": self.cleaned_data["plan"]}


class WatchForm(StepForm):
    """Nothing but the day."""


class RelapseForm(StepForm):
    left_on = DateField(label="离校日期")
    reason = forms.ChoiceField(label="原因", choices=[PICK, *Reason.choices])
    told = text_field("情况", 300, help_text=NO_NUMBERS)


class StrikeOffForm(StepForm):
    evidence = text_field("佐证", 400, help_text="例如：学籍系统截图、班级合影、本学期考勤。" + NO_NUMBERS)


class OrderForm(StepForm):
    guardian = forms.CharField(label="监护人", max_length=120, help_text="通知书写给谁。")


class ExemptForm(StepForm):
    kind = forms.ChoiceField(label="类别", choices=Exemption.Kind.choices)
    applicant = forms.CharField(label="申请人（监护人）", max_length=120)
    applied_on = DateField(label="申请日期")
    ground = text_field("身体状况和佐证", 400, help_text="只能因身体状况：县级医院证明、残疾人证、专家委员会意见。" + NO_NUMBERS)
    document = forms.CharField(label="批准文书号", max_length=80, required=False)
    valid_from = DateField(label="自")
    valid_to = DateField(label="至", help_text="一次最长一年，到期可以续批。")


class VisitForm(OfficeForm):
    """One short page for a phone in a village."""

    visited_on = DateField(label="日期")
    way = forms.ChoiceField(label="方式", choices=Visit.Way.choices, widget=forms.RadioSelect, initial=Visit.Way.HOME)
    visitors = forms.CharField(label="谁去的", max_length=120, help_text="例如：王老师、李主任")
    met = forms.CharField(label="见到谁", max_length=120, help_text="例如：祖母；没有见到人的，写“未见到人”")
    place = forms.CharField(label="在哪里", max_length=120, help_text="例如：孩子家中、村委会")
    content = text_field("谈了什么", 600, rows=3, help_text=NO_NUMBERS)
    outcome = forms.ChoiceField(label="结果", choices=Visit.Outcome.choices, widget=forms.RadioSelect)
    next_on = DateField(label="下次走访", required=False)

    def __init__(self, *args, today: date, opened_on: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today, self.opened_on = today, opened_on
        self.fields["visited_on"].initial = today

    def clean_visited_on(self) -> date:
        day = self.cleaned_data["visited_on"]
        if not self.opened_on <= day <= self.today:
            raise ValidationError("走访日期应在立案日与今天之间。", code="outside_case")
        return day

    def clean(self):
        given = super().clean()
        if given.get("next_on") and given.get("visited_on") and given["next_on"] <= given["visited_on"]:
            self.add_error("next_on", "下次走访应在这次之后。")
        return given


class ServeForm(OfficeForm):
    service = forms.ChoiceField(label="送达方式", choices=ReturnOrder.Service.choices, widget=forms.RadioSelect)
    handed_on = DateField(label="日期", help_text="直接、邮寄：签收日期；留置：留下的日期；公告：登出的日期。")
    witness = forms.CharField(label="见证人", max_length=120, required=False, help_text="留置送达须有见证人，例如：村主任姓名")
    note = forms.CharField(label="送达情况", max_length=200, required=False)


class ReasonForm(OfficeForm):
    reason = forms.CharField(label="原因", max_length=200)


class SignForm(OfficeForm):
    line = forms.ChoiceField(label="哪一线", choices=SignOff.Line.choices)
    note = forms.CharField(label="意见", max_length=200, required=False)


class DeadlineForm(OfficeForm):
    stage = forms.ChoiceField(label="阶段", choices=Stage.choices)
    days = forms.IntegerField(label="多少", min_value=0, max_value=400)
    unit = forms.ChoiceField(label="怎样算", choices=Unit.choices)
    valid_from = DateField(label="自哪一天起")
    basis = forms.CharField(label="依据", max_length=Deadline._meta.get_field("basis").max_length, required=False, help_text="例如：县控辍保学方案（文号）")


class AssignForm(OfficeForm):
    """One person of each line; only those who do this work in the places asked about are offered."""

    government = forms.ModelChoiceField(label="政府线（乡镇、村）", queryset=Account.objects.none(), required=False, empty_label="暂不指定")
    education = forms.ModelChoiceField(label="教育线（学校、教育局）", queryset=Account.objects.none(), required=False, empty_label="暂不指定")

    def __init__(self, *args, account: Account, **kwargs):
        super().__init__(*args, **kwargs)
        roles = [role for role, rights in RoleRights.objects.by_role(account.county_id).items() if "dropout.work" in rights]
        posts = Assignment.objects.in_force(timezone.localdate()).filter(role__in=roles)
        people = Account.objects.visible_to(account).filter(is_active=True).order_by("display_name", "username")
        self.fields["government"].queryset = people.filter(pk__in=posts.filter(township__isnull=False).values("account"))
        self.fields["education"].queryset = people.filter(pk__in=posts.filter(township=None).values("account"))

    def clean(self):
        given = super().clean()
        if not self.errors and not given.get("government") and not given.get("education"):
            raise ValidationError("请至少选一名责任人。", code="nobody")
        return given

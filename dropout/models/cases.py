"""一生一案: one case per child, an episode per leaving, the signals that led to it, visits, and who signs it off."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.states import Move, StateMachine
from students.models import Enrolment, Entry, Student

ENDED = ("excluded", "struck_off", "transferred", "aged_out")
DOUBTED = ("suspected", "verifying")
VERIFIED = ("confirmed", "persuading", "ordered")  # verified to be out of school, and still out
BACK = ("placed_special", "returned", "stabilising")


class Reason(models.TextChoices):
    """Why a child is out of school. Source: docs/rules/dropout.md, “原因”."""

    WEARY = "weary", "厌学（学习困难）"
    TRUANCY = "truancy", "旷课、逃学"
    WORK = "work", "外出打工"
    CHILD_LABOUR = "child_labour", "被用人单位招用（童工）"
    MARRIAGE = "marriage", "早婚早育"
    RELIGION = "religion", "信教"
    ILLNESS = "illness", "患病"
    DISABILITY = "disability", "残疾"
    FAMILY = "family", "家庭困难、照料家人"
    TRAINING = "training_institution", "在培训机构、读经班"
    HOME_STUDY = "home_study", "在家自学"
    MOVED = "moved_with_parents", "随父母外出"
    MISSING = "missing", "失踪失联"
    LATE_ENTRY = "late_entry", "未按时入学"
    OTHER = "other", "其他"


class OfPlaceQuerySet(models.QuerySet):
    """Rows that hang on a case: seen by whoever sees the case."""

    def visible_to(self, account) -> Self:
        return self.filter(case__in=Case.objects.visible_to(account).values("pk"))


class CaseQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The county's offices see all; a school its children, a township its residents and its schools' children."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(school__in=scope.schools) | Q(township__in=scope.townships) | Q(school__township__in=scope.townships)
        )

    def open(self) -> Self:
        """Neither struck off nor excluded, handed over or aged out; exempt and watched ones are open."""
        return self.exclude(state__in=ENDED)

    def working(self) -> Self:
        """Open and waiting for somebody: an exemption waits for nobody until it ends."""
        return self.open().exclude(state="exempt")

    def verified(self) -> Self:
        return self.filter(state__in=VERIFIED)

    def overdue(self, today: date) -> Self:
        """The last day for the present stage has passed; on `due_on` itself there is still time."""
        return self.working().filter(due_on__lt=today)

    def unsigned(self, line: str, today: date) -> Self:
        """Watched to the end, and this line has not signed."""
        given = SignOff.objects.filter(episode__case=OuterRef("pk"), episode__ended_on=None, line=line)
        return self.filter(~Exists(given), state="stabilising", due_on__lte=today)

    def to_strike_off(self, today: date) -> Self:
        """Watched to the end and signed by both lines."""
        given = SignOff.objects.filter(episode__case=OuterRef("pk"), episode__ended_on=None)
        signed = [Exists(given.filter(line=line)) for line in SignOff.Line.values]
        return self.filter(*signed, state="stabilising", due_on__lte=today)

    def poor(self, day: date) -> Self:
        """Verified to be out of school, and on the poverty or monitoring list on `day`."""
        listed = Entry.objects.on("poverty", "monitored").covering(day).filter(person=OuterRef("student"))
        return self.verified().filter(Exists(listed))

    def seen_at_school(self) -> Self:
        """Verified to be out of school, and on a class roll: one of the two is not true any more."""
        return self.verified().filter(Exists(Enrolment.objects.present().filter(student=OuterRef("student"))))


class Case(models.Model):
    """A child's one case. `due_on` is the last day of the present stage, counted when the stage or a visit began it.

    Source: docs/rules/dropout.md, “个案”.
    """

    STATES = StateMachine(
        "case",
        [
            Move("suspected", "verifying", right="dropout.work", label="首次核查、交办"),
            Move("verifying", "excluded", right="dropout.decide", label="排除", needs_reason=True),
            Move("verifying", "exempt", right="dropout.order", label="缓学、休学"),
            Move("verifying", "placed_special", right="dropout.decide", label="特教、送教安置", needs_reason=True),
            Move("verifying", "confirmed", right="dropout.decide", label="确认失学、辍学", needs_reason=True),
            Move("verifying", "transferred", right="dropout.decide", label="移交外县", needs_reason=True),
            Move("confirmed", "persuading", right="dropout.work", label="组成专班，开始劝返"),
            Move("persuading", "ordered", right="dropout.order", label="下达限期复学通知书"),
            *(
                move
                for out in VERIFIED
                for move in (
                    Move(out, "returned", right="dropout.work", label="已复学", needs_reason=True),
                    Move(out, "excluded", right="dropout.decide", label="排除", needs_reason=True),
                    Move(out, "placed_special", right="dropout.decide", label="特教、送教安置", needs_reason=True),
                    Move(out, "transferred", right="dropout.decide", label="移交外县", needs_reason=True),
                    Move(out, "exempt", right="dropout.order", label="缓学、休学"),
                    Move(out, "aged_out"),
                )
            ),
            Move("placed_special", "returned", right="dropout.work", label="安置落实，已就学", needs_reason=True),
            Move("returned", "stabilising", right="dropout.work", label="进入巩固观察"),
            Move("returned", "persuading", right="dropout.work", label="又离校（二次辍学）", needs_reason=True),
            Move("stabilising", "persuading", right="dropout.work", label="又离校（二次辍学）", needs_reason=True),
            Move("stabilising", "struck_off", right="dropout.decide", label="销号", needs_reason=True),
            Move("ordered", "persuading", right="dropout.order", label="作废通知书，继续劝返", needs_reason=True),
            Move("exempt", "returned"),  # the exemption ended and a roll has the child
            Move("exempt", "suspected"),  # the exemption ended and the child is in no school
            *(Move(over, "suspected") for over in ENDED),  # a new signal: the same case, a new episode
        ],
        initial="suspected",
    )

    class State(models.TextChoices):
        SUSPECTED = "suspected", "疑似"
        VERIFYING = "verifying", "核查中"
        EXCLUDED = "excluded", "已排除"
        EXEMPT = "exempt", "缓学、休学"
        PLACED_SPECIAL = "placed_special", "特教、送教安置"
        CONFIRMED = "confirmed", "确认失学、辍学"
        PERSUADING = "persuading", "劝返中"
        ORDERED = "ordered", "已下达限期复学通知书"
        RETURNED = "returned", "已复学"
        STABILISING = "stabilising", "巩固观察"
        STRUCK_OFF = "struck_off", "已销号"
        TRANSFERRED = "transferred", "已移交"
        AGED_OUT = "aged_out", "超龄"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    student = models.OneToOneField(Student, models.PROTECT, related_name="dropout_case")
    number = models.PositiveIntegerField("台账号")
    state = models.CharField("状态", max_length=20, choices=State.choices, default=State.SUSPECTED)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="责任学校")
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="责任乡镇")
    government_lead = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="政府线责任人")
    education_lead = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="教育线责任人")
    reason = models.CharField("原因", max_length=30, choices=Reason.choices, blank=True)
    plan = models.CharField("一生一案（措施）", max_length=600, blank=True)
    opened_on = models.DateField("立案日期")
    due_on = models.DateField("办理期限", null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "控辍保学个案"
        constraints = [models.UniqueConstraint(fields=["county", "number"], name="case_number_once")]
        indexes = [
            models.Index(fields=["county", "state", "due_on", "id"], name="case_due"),
            models.Index(fields=["county", "id"], name="case_of_county"),
        ]

    def __str__(self) -> str:
        return f"台账{self.number}号"

    def get_absolute_url(self) -> str:
        return reverse("dropout:case", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    @property
    def episode(self) -> "Episode | None":
        """The leaving under way."""
        return self.episodes.filter(ended_on=None).first()


class Episode(models.Model):
    """One leaving and what became of it. The second one of a child is 二次辍学."""

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", "待核实"
        NOT_ENROLLED = "not_enrolled", "失学"
        DROPPED_OUT = "dropped_out", "辍学"

    class Placement(models.TextChoices):
        ORIGINAL = "original_class", "回原班"
        INCLUSIVE = "inclusive", "随班就读"
        BRIDGING = "bridging_class", "编入适龄年级（专班）"
        SPECIAL = "special_school", "特殊教育学校"
        HOME = "home_teaching", "送教上门"
        VOCATIONAL = "blended_vocational", "职业学校（普职融合）"
        CORRECTIVE = "corrective", "专门学校"
        ELSEWHERE = "elsewhere", "外地就读"

    case = models.ForeignKey(Case, models.PROTECT, related_name="episodes")
    opened_on = models.DateField("立案日期")
    kind = models.CharField("类别", max_length=20, choices=Kind.choices, default=Kind.UNKNOWN)
    confirmed_on = models.DateField("确认日期", null=True)
    left_on = models.DateField("失辍学时间", null=True)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, related_name="+", verbose_name="原就读学校")
    grade = models.CharField("年级", max_length=20, blank=True)
    returned_on = models.DateField("复学时间", null=True)
    placement = models.CharField("安置方式", max_length=30, choices=Placement.choices, blank=True)
    placed_at = models.CharField("安置学校", max_length=120, blank=True)
    evidence = models.CharField("佐证", max_length=400, blank=True)
    ended_on = models.DateField("结束日期", null=True)
    outcome = models.CharField(max_length=20, blank=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "离校经过"
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_on=None), name="one_open_episode"),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=models.F("opened_on")), name="episode_ends_after_it_began"
            ),
        ]


class Signal(models.Model):
    """What led to a case: one report from one source. The same one twice is one row."""

    class Kind(models.TextChoices):
        QUESTION = "question", "比对疑点"
        ABSENCE = "absence", "名册未出现，逾期未说明"
        REPORT = "report", "上报线索"
        EXEMPTION = "exemption", "缓学、休学到期"

    case = models.ForeignKey(Case, models.PROTECT, related_name="signals")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=80)
    detail = models.CharField("说明", max_length=400, blank=True)
    found_on = models.DateField("发现日期")
    reported_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "线索"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="signal_once")]


class Visit(models.Model):
    """One contact with the child's family: who, whom, where, what, with which result. Source: “劝返”."""

    class Way(models.TextChoices):
        HOME = "home", "入户"
        PHONE = "phone", "电话"
        VIDEO = "video", "视频"
        SCHOOL = "school", "到校面谈"

    class Outcome(models.TextChoices):
        AGREED = "agreed", "同意返校"
        HESITANT = "hesitant", "未定，继续劝返"
        REFUSED = "refused", "拒绝返校"
        ABSENT = "absent", "未见到人"
        ELSEWHERE = "elsewhere", "称在外地就读"
        ILL = "ill", "患病、残疾，不能到校"

    case = models.ForeignKey(Case, models.PROTECT, related_name="visits")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="visits")
    visited_on = models.DateField("日期")
    way = models.CharField("方式", max_length=10, choices=Way.choices, default=Way.HOME)
    visitors = models.CharField("走访人", max_length=120)
    met = models.CharField("见到谁", max_length=120)
    place = models.CharField("地点", max_length=120)
    content = models.CharField("谈了什么", max_length=600)
    outcome = models.CharField("结果", max_length=12, choices=Outcome.choices)
    next_on = models.DateField("下次走访", null=True)
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "走访劝返"
        constraints = [
            models.UniqueConstraint(fields=["case", "visited_on", "way", "outcome", "content"], name="visit_once")
        ]


class TeamMember(models.Model):
    """帮扶专班: who helps this child (三帮一、五人专班)."""

    class Post(models.TextChoices):
        TEACHER = "teacher", "教师"
        VILLAGE = "village", "村（社区）干部"
        TOWNSHIP = "township", "乡镇干部"
        HEAD = "head", "学校领导"
        POLICE = "police", "民警、司法所"
        FAMILY = "family", "家长（监护人）"
        OTHER = "other", "其他"

    case = models.ForeignKey(Case, models.PROTECT, related_name="team")
    post = models.CharField("身份", max_length=10, choices=Post.choices)
    name = models.CharField("姓名", max_length=60)
    joined_on = models.DateField("自")

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "帮扶专班"
        constraints = [models.UniqueConstraint(fields=["case", "post", "name"], name="team_member_once")]


class SignOff(models.Model):
    """One line's signature that the child is back and stays. Both lines sign, two different people."""

    class Line(models.TextChoices):
        GOVERNMENT = "government", "政府线（乡镇、村）"
        EDUCATION = "education", "教育线（学校、教育局）"

    episode = models.ForeignKey(Episode, models.PROTECT, related_name="signoffs")
    line = models.CharField("哪一线", max_length=12, choices=Line.choices)
    note = models.CharField("意见", max_length=200, blank=True)
    signed_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    signed_on = models.DateField("签字日期")

    class Meta:
        verbose_name = verbose_name_plural = "双线签字"
        constraints = [
            models.UniqueConstraint(fields=["episode", "line"], name="line_signs_once"),
            models.UniqueConstraint(fields=["episode", "signed_by"], name="one_person_signs_for_one_line"),
        ]

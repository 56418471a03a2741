"""Where a child is: enrolments at schools, and evidence of whereabouts for those who are in none."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from bureau.keys import uuid7
from bureau.organisation.models import Stage

GRADE_NAMES = {
    "K0": "托班", "K1": "小班", "K2": "中班", "K3": "大班",
    "P1": "一年级", "P2": "二年级", "P3": "三年级", "P4": "四年级", "P5": "五年级", "P6": "六年级",
    "J6": "六年级", "J7": "七年级", "J8": "八年级", "J9": "九年级",
    "S1": "高一", "S2": "高二", "S3": "高三",
    "V1": "中职一年级", "V2": "中职二年级", "V3": "中职三年级", "V4": "中职四年级", "V5": "中职五年级",
}  # fmt: skip
FIRST_GRADE = {
    Stage.PRESCHOOL: "K1",
    Stage.PRIMARY: "P1",
    Stage.JUNIOR: "J7",
    Stage.SENIOR_GENERAL: "S1",
    Stage.VOCATIONAL: "V1",
    Stage.SPECIAL: "P1",
}
STAGE_OF_LETTER = {
    "K": Stage.PRESCHOOL,
    "P": Stage.PRIMARY,
    "J": Stage.JUNIOR,
    "S": Stage.SENIOR_GENERAL,
    "V": Stage.VOCATIONAL,
}


def first_grade(stage: str, years: int | None = None) -> str:
    """The first grade of a stage; 初中 of the 五四 system lasts four years and begins with 六年级."""
    return "J6" if stage == Stage.JUNIOR and years == 4 else FIRST_GRADE[Stage(stage)]


def entry_year(grade: str, school_year: int, *, years: int | None = None) -> int | None:
    """The calendar year a child now in `grade` (code like `P3`, `J7`) entered the stage, had he never repeated.

    A child of a 托班 enters next year; 混龄班 (`K`) tells no year. `years` is the length of the stage where it is not
    the usual one.
    """
    stage = STAGE_OF_LETTER[grade[0]]
    if not grade[1:]:
        return None
    return school_year - (int(grade[1:]) - int(first_grade(stage, years)[1:]))


def grade_in(
    school_year: int, *, stage: str, entered_in: int, repeat_offset: int = 0, years: int | None = None
) -> str:
    """The grade code in a school year of a child who entered `stage` in the calendar year `entered_in`."""
    first = first_grade(stage, years)
    return f"{first[0]}{int(first[1:]) + school_year - entered_in - repeat_offset}"


class EnrolmentQuerySet(models.QuerySet):
    def open(self) -> Self:
        """Enrolments not ended by which a child counts as somewhere: 在籍 or 在校, here or at an outside school."""
        return self.filter(Q(is_registered=True) | Q(is_present=True), ended_on=None)

    def present(self) -> Self:
        """Enrolments not ended of children who are 在校 there."""
        return self.filter(is_present=True, ended_on=None)

    def contested(self) -> Self:
        """Present at a school here while another one here has the child present too."""
        other = Enrolment.objects.present().filter(student=OuterRef("student"), school__isnull=False)
        return self.present().filter(Exists(other.exclude(school=OuterRef("school"))), school__isnull=False)

    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))


class Enrolment(models.Model):
    """A child's stay at one school.

    The cohort (stage and entry year) is stored and the grade computed from it, so it survives every September.
    `is_registered` (在籍) and `is_present` (在校) are two facts from two sources; see docs/rules/students.md.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey("students.Student", models.CASCADE, related_name="enrolments")
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, related_name="enrolments")
    outside_school = models.CharField("县外学校", max_length=120, blank=True)
    stage = models.CharField("学段", max_length=20, choices=Stage.choices, blank=True)
    entered_in = models.PositiveSmallIntegerField("入学年", null=True, blank=True)
    repeat_offset = models.PositiveSmallIntegerField("留级年数", default=0)
    class_name = models.CharField("班级", max_length=40, blank=True)
    boarding = models.BooleanField("住校", null=True, blank=True)
    state = models.CharField("学籍状态", max_length=20, blank=True)
    major = models.CharField("专业", max_length=60, blank=True)
    agricultural = models.BooleanField("涉农专业", null=True, blank=True)
    programme_years = models.PositiveSmallIntegerField("学制（年）", null=True, blank=True)
    internship = models.CharField("实习", max_length=60, blank=True)
    is_registered = models.BooleanField("在籍", default=False)
    is_present = models.BooleanField("在校", default=False)
    registered_by_xueji = models.BooleanField(default=False)
    started_on = models.DateField("入学日期", null=True)
    ended_on = models.DateField("离校日期", null=True, blank=True)
    exit_kind = models.CharField("离校原因", max_length=20, blank=True)
    destination = models.CharField("去向", max_length=200, blank=True)
    roll = models.ForeignKey("students.RosterSchool", models.SET_NULL, null=True, blank=True, related_name="enrolments")

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学籍与就读"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "school"], condition=Q(ended_on=None), name="one_open_enrolment_per_school"
            )
        ]

    def grade(self, school_year: int) -> str:
        """The grade's name in a school year, or an empty text when the cohort is not known."""
        if not self.stage or not self.entered_in:
            return ""
        code = grade_in(
            school_year, stage=self.stage, entered_in=self.entered_in, repeat_offset=self.repeat_offset,
            years=self.programme_years,
        )  # fmt: skip
        return GRADE_NAMES.get(code, "")


class WhereaboutsQuerySet(models.QuerySet):
    def covering(self, day: date) -> Self:
        """Evidence in force on `day`, both ends inclusive; without `valid_to` it holds until withdrawn."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day, withdrawn_at=None)


class Whereabouts(models.Model):
    """Dated evidence of where a child is who is in no school here. Source: docs/rules/students.md, R01."""

    class Kind(models.TextChoices):
        OTHER_COUNTY = "other_county_in_province", "省内县外就读"
        OUT_OF_PROVINCE = "out_of_province", "省外就读"
        HOME_TEACHING = "home_teaching", "送教上门"
        CORRECTIVE = "corrective", "专门学校"
        VOCATIONAL_EARLY = "vocational_early", "职校（技校）就读"
        GRADUATED_EARLY = "graduated_early", "提前毕业"
        DEFERRED = "deferred", "缓学"
        SUSPENDED = "suspended", "休学"
        ABROAD = "abroad", "出国（境）"
        DECEASED = "deceased", "死亡"
        HUKOU_ERROR = "hukou_error", "户籍信息错误"
        DUPLICATE = "duplicate", "重复户口"
        MOVED_OUT = "moved_out", "户口已迁出"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey("students.Student", models.CASCADE, related_name="whereabouts")
    kind = models.CharField("去向", max_length=30, choices=Kind.choices)
    place = models.CharField("学校或地点", max_length=200, blank=True)
    evidence = models.CharField("佐证", max_length=400)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至（到期须复核）", null=True, blank=True)
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT)
    recorded_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    entry = models.ForeignKey("students.Entry", models.SET_NULL, null=True, blank=True, related_name="+")

    objects = WhereaboutsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "去向佐证"

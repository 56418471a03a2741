"""County, township, village, school, school year, term and holiday: the bureau's nouns (docs/architecture.md)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from bureau.keys import uuid7


class County(models.Model):
    """One county bureau. `code` is the six-digit division code (GB/T 2260)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField("区划代码", max_length=6, unique=True)
    name = models.CharField("名称", max_length=60)
    age_from = models.PositiveSmallIntegerField("适龄起始周岁（8月31日）", default=6)
    age_under = models.PositiveSmallIntegerField("适龄上限周岁（不含）", default=16)
    reject_share = models.DecimalField(
        "“仅导入合格行”允许的问题行比例", max_digits=4, decimal_places=3, default="0.500"
    )
    absence_days = models.PositiveSmallIntegerField("未出现学生说明期限（教学日）", default=5)
    group_days = models.PositiveSmallIntegerField("学生群体每学期复核期限（天）", default=30)
    transfer_days = models.PositiveSmallIntegerField("转学答复期限（工作日）", default=10)
    number_days = models.PositiveSmallIntegerField("证件待补期限（天）", default=30)
    account_households = models.PositiveSmallIntegerField("同一账号最多几户", default=3)
    removal_share = models.DecimalField(
        "名单一次退出超过多少比例须确认", max_digits=4, decimal_places=3, default="0.200"
    )
    building_until = models.DateField("建库期至", null=True, blank=True)

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "县（区）"

    def __str__(self) -> str:
        return self.name


class OfCountyQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """What every account of a county may know: its terms and holidays."""
        return self.filter(county__in=account.scope.counties)


class TownshipQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Townships an account works in, or in which one of its schools lies; all of them for the county's offices."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(pk__in=scope.townships)
            | Q(pk__in=School.objects.filter(pk__in=scope.schools).values("township"))
        )


class VillageQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Villages of the townships an account may see."""
        return self.filter(township__in=Township.objects.visible_to(account))


class Township(models.Model):
    """A township or street office; `code` is the nine- or twelve-digit statistical code as the county writes it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey(County, models.PROTECT, related_name="townships")
    code = models.CharField("代码", max_length=12)
    name = models.CharField("名称", max_length=60)
    position = models.PositiveSmallIntegerField(default=0)

    objects = TownshipQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "乡镇（街道）"
        ordering = ["position", "code"]
        constraints = [models.UniqueConstraint(fields=["county", "code"], name="township_code_once")]

    def __str__(self) -> str:
        return self.name


class Village(models.Model):
    """A village or community committee; names repeat inside a county, codes do not."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey(County, models.PROTECT, related_name="villages")
    township = models.ForeignKey(Township, models.PROTECT, related_name="villages")
    code = models.CharField("代码", max_length=12)
    name = models.CharField("名称", max_length=60)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    objects = VillageQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "村（社区）"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["county", "code"], name="village_code_once")]

    def __str__(self) -> str:
        return self.name


class Stage(models.TextChoices):
    """学段: the stages a school may have."""

    PRESCHOOL = "preschool", "学前"
    PRIMARY = "primary", "小学"
    JUNIOR = "junior", "初中"
    SENIOR_GENERAL = "senior_general", "普通高中"
    VOCATIONAL = "vocational", "中职"
    SPECIAL = "special", "特殊教育"


class Ownership(models.TextChoices):
    PUBLIC = "public", "公办"
    PRIVATE = "private", "民办"
    INCLUSIVE_PRIVATE = "inclusive_private", "普惠性民办"
    OTHER = "other", "其他"


class SchoolQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Schools an account may see: its own, its area's, or all of its county; nobody without a place."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(pk__in=scope.schools) | Q(township__in=scope.townships))

    def open_on(self, day: date) -> Self:
        """Schools that exist on `day`; both ends inclusive."""
        return self.filter(
            Q(opened_on=None) | Q(opened_on__lte=day), Q(closed_on=None) | Q(closed_on__gte=day)
        )


class School(models.Model):
    """A school with a key of its own; its ten-digit code may change and codes may be shared with teaching points."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey(County, models.PROTECT, related_name="schools")
    township = models.ForeignKey(Township, models.PROTECT, related_name="schools", verbose_name="乡镇")
    code = models.CharField("学校标识码", max_length=20)
    name = models.CharField("学校名称", max_length=100)
    aliases = models.JSONField("别名", default=list, blank=True)
    stages = models.JSONField("学段", default=list)
    ownership = models.CharField(
        "办学性质", max_length=20, choices=Ownership.choices, default=Ownership.PUBLIC
    )
    managed_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="managed",
        verbose_name="所属中心校（学区）",
    )
    teaching_point = models.BooleanField("教学点", default=False)
    opened_on = models.DateField("设立日期", null=True, blank=True)
    closed_on = models.DateField("撤并日期", null=True, blank=True)
    succeeded_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors"
    )

    objects = SchoolQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "学校"
        ordering = ["township__position", "code"]
        constraints = [models.UniqueConstraint(fields=["county", "code"], name="school_code_once")]

    def __str__(self) -> str:
        return self.name

    def name_on(self, day: date) -> str:
        """The name it had on `day`: that of the day itself where it was renamed then. For papers printed again."""
        renamed = self.changes.filter(kind="rename", state="applied", effective_on__gt=day).order_by("effective_on", "pk")
        first = renamed.first()
        return first.before["school"]["name"] if first else self.name

    def get_stages_display(self) -> str:
        return "、".join(Stage(stage).label for stage in self.stages)


class SchoolCode(models.Model):
    """A code a school once had: papers of that time still find it."""

    school = models.ForeignKey(School, models.CASCADE, related_name="former_codes")
    code = models.CharField(max_length=20, db_index=False)
    valid_to = models.DateField(null=True)

    class Meta:
        app_label = "bureau"
        indexes = [models.Index(fields=["code"], name="school_former_code")]


class SchoolYear(models.Model):
    """A school year begins in September: 2026 is autumn 2026 and spring 2027."""

    county = models.ForeignKey(County, models.PROTECT, related_name="school_years")
    starts_in = models.PositiveSmallIntegerField("起始年")

    class Meta:
        app_label = "bureau"
        constraints = [models.UniqueConstraint(fields=["county", "starts_in"], name="school_year_once")]

    def __str__(self) -> str:
        return f"{self.starts_in}—{self.starts_in + 1}学年"


class Term(models.Model):
    """A school term; `code` is `2026-autumn` or `2026-spring` (the spring of calendar year 2026)."""

    SEASONS = {"autumn": "秋季学期", "spring": "春季学期"}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey(County, models.PROTECT, related_name="terms")
    school_year = models.ForeignKey(SchoolYear, models.PROTECT, related_name="terms")
    code = models.CharField("学期", max_length=16)
    starts_on = models.DateField("开学日期")
    ends_on = models.DateField("结束日期")

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "学期"
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["county", "code"], name="term_code_once"),
            models.CheckConstraint(condition=Q(starts_on__lt=models.F("ends_on")), name="term_has_days"),
        ]

    def __str__(self) -> str:
        year, season = self.code.split("-")
        return f"{year}年{self.SEASONS[season]}"

    @property
    def opens_school_year(self) -> bool:
        return self.code.endswith("autumn")


class Holiday(models.Model):
    """A day that differs from its weekday: `off` (a working day nobody works) or `work` (a weekend made up)."""

    class Kind(models.TextChoices):
        OFF = "off", "放假"
        WORK = "work", "调休上班"

    county = models.ForeignKey(County, models.PROTECT, related_name="holidays")
    date = models.DateField("日期")
    kind = models.CharField("类型", max_length=4, choices=Kind.choices)

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "节假日"
        constraints = [models.UniqueConstraint(fields=["county", "date"], name="holiday_once")]

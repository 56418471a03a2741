"""资助项目 and what they pay: dated rows the bureau edits. Source: docs/rules/aid.md."""

from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import OfCountyQuerySet, Stage
from students.models.determining import Tier
from subsidies.terms import told


class Channel(models.TextChoices):
    """How the money reaches the child."""

    CARD = "card", "财政一卡通（国库集中支付）"
    SCHOOL = "school", "拨付学校发放、交回单"
    CENTRE = "centre", "中心校代发（县外学生）"
    AGENCY = "agency", "其他部门发放，本局登记"
    WAIVER = "waiver", "减免，不发放"
    KIND = "kind", "实物，不得发现金"


class Benefit(models.TextChoices):
    AWARD = "award", "奖"
    GRANT = "grant", "助"
    LOAN = "loan", "贷"
    REDUCE = "reduce", "减"
    WAIVE = "waive", "免"
    SUPPLEMENT = "supplement", "补"


class CountedBy(models.TextChoices):
    STUDYING = "studying", "就读口径"
    HUKOU = "hukou", "户籍口径"


class Reference(models.TextChoices):
    """On which day a child's standing is judged."""

    IN_TERM = "in_term", "开学日在册，或学期内新识别"
    ON_DAY = "on_day", "只看基准日当天"


class Programme(models.Model):
    """One kind of aid. What it pays, whom and since when are its `Rate` rows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="programmes")
    code = models.SlugField("代码", max_length=30, db_index=False)
    name = models.CharField("项目", max_length=60)
    channel = models.CharField("发放渠道", max_length=10, choices=Channel.choices)
    benefit = models.CharField("资助形式", max_length=12, choices=Benefit.choices)
    counted_by = models.CharField(
        "口径", max_length=10, choices=CountedBy.choices, default=CountedBy.STUDYING
    )
    reference = models.CharField(
        "基准日规则", max_length=10, choices=Reference.choices, default=Reference.IN_TERM
    )
    reference_days = models.PositiveSmallIntegerField("基准日为开学后第几天", default=0)
    notice_days = models.PositiveSmallIntegerField("公示工作日", default=5)
    documents = models.TextField("申请材料（每行一种）", blank=True)
    basis = models.CharField("政策依据", max_length=200, blank=True)
    note = models.CharField("说明", max_length=400, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    ended = models.BooleanField("已停办", default=False)

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助项目"
        ordering = ["position", "code"]
        constraints = [models.UniqueConstraint(fields=["county", "code"], name="programme_code_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("subsidies:programme", args=[self.pk])

    @property
    def document_list(self) -> list[str]:
        return [line.strip() for line in self.documents.splitlines() if line.strip()]


class Boarding(models.TextChoices):
    BOARDER = "boarder", "住校生"
    DAY = "day", "走读生"


class RateQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(programme__in=Programme.objects.visible_to(account))

    def in_term(self, number: int) -> Self:
        """What is paid in a term: of each line the newest row that has begun, unless that row stops it."""
        later = Rate.objects.filter(
            **{key: OuterRef(key) for key in Rate.LINE}, from_term__lte=number
        ).order_by("-from_term")
        newest = Subquery(later.values("pk")[:1])
        return self.filter(from_term__lte=number, amount_fen__isnull=False).filter(pk=newest)


class Rate(models.Model):
    """How much one line of a programme pays in a term, from `from_term` until the next row of the same line begins.

    A line is a stage, boarders or day pupils, a group of categories, a tier, years of study and kind of major; an empty
    word means any. Without `amount_fen` the line is stopped from that term on. So two rows can never both be in force;
    that two lines do not both fit one child, `actions.programmes.save_rate` sees to. Amounts are fen for one term.
    """

    LINE = ("programme", "stage", "boarding", "group", "tier", "year_from", "year_to", "agricultural")

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="rates")
    from_term = models.PositiveSmallIntegerField("自学期")  # subsidies.terms.ordinal
    stage = models.CharField("学段", max_length=20, choices=Stage.choices)
    boarding = models.CharField("住校、走读", max_length=8, choices=Boarding.choices, blank=True)
    group = models.CharField("对象", max_length=30, blank=True)  # code of a CategoryGroup; empty: every pupil
    tier = models.CharField("认定等级", max_length=10, choices=Tier.choices, blank=True)
    year_from = models.PositiveSmallIntegerField("本学段第几年起", default=0)
    year_to = models.PositiveSmallIntegerField("本学段第几年止", default=0)
    agricultural = models.BooleanField("仅涉农专业", default=False)
    amount_fen = models.BigIntegerField("每学期金额", null=True, blank=True)
    confirmed = models.BooleanField("已核定", default=False)
    doc_no = models.CharField("文号", max_length=80, blank=True)
    central_percent = models.PositiveSmallIntegerField("中央承担（%）", null=True, blank=True)
    province_percent = models.PositiveSmallIntegerField("省市承担（%）", null=True, blank=True)
    county_percent = models.PositiveSmallIntegerField("县级承担（%）", null=True, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)

    objects = RateQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助标准"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "programme",
                    "stage",
                    "boarding",
                    "group",
                    "tier",
                    "year_from",
                    "year_to",
                    "agricultural",
                    "from_term",
                ],
                name="rate_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_fen=None) | Q(amount_fen__gt=0), name="rate_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(confirmed=False) | ~Q(doc_no=""), name="confirmed_rate_has_its_document"
            ),
            models.CheckConstraint(
                condition=Q(central_percent=None, province_percent=None, county_percent=None)
                | Q(county_percent=100 - F("central_percent") - F("province_percent")),
                name="rate_shares_sum_to_the_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme}·{self.line_text}"

    @property
    def line(self) -> tuple:
        return tuple(getattr(self, name) for name in self.LINE[1:])

    @property
    def line_text(self) -> str:
        """小学 · 住校生 · 特别困难."""
        words = [
            self.get_stage_display(),
            self.get_boarding_display(),
            self.get_tier_display(),
            self.years_text,
        ]
        return " · ".join(word for word in [*words, "涉农专业" if self.agricultural else ""] if word)

    @property
    def years_text(self) -> str:
        if not self.year_from and not self.year_to:
            return ""
        if self.year_from == self.year_to:
            return f"第{self.year_from}年"
        return f"第{self.year_from or 1}—{self.year_to}年" if self.year_to else f"第{self.year_from}年起"

    @property
    def from_text(self) -> str:
        return told(self.from_term)


class CategoryGroup(models.Model):
    """困难类别组: which categories a word of policy (“四类学生”) covers, from a term until the next row of that code.

    `determined` says that a determination on own evidence counts as well.
    """

    county = models.ForeignKey("bureau.County", models.PROTECT)
    code = models.SlugField("代码", max_length=30, db_index=False)
    name = models.CharField("名称", max_length=60)
    from_term = models.PositiveSmallIntegerField("自学期")
    categories = models.JSONField("类别", default=list)
    determined = models.BooleanField("含自报认定", default=False)

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "困难类别组"
        constraints = [
            models.UniqueConstraint(fields=["county", "code", "from_term"], name="category_group_once")
        ]

    def __str__(self) -> str:
        return self.name


class ExclusionQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(first__in=Programme.objects.visible_to(account))

    def of(self, programme: Programme) -> Self:
        return self.filter(Q(first=programme) | Q(second=programme))


class Exclusion(models.Model):
    """Two programmes one child does not get together, in one term or in one school year."""

    class Scope(models.TextChoices):
        TERM = "term", "同一学期"
        YEAR = "year", "同一学年"

    first = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    second = models.ForeignKey(Programme, models.PROTECT, related_name="+")
    scope = models.CharField("范围", max_length=4, choices=Scope.choices, default=Scope.TERM)
    basis = models.CharField("依据", max_length=200, blank=True)

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "互斥项目"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="exclusion_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="exclusion_of_two"),
        ]

    def other(self, programme: Programme) -> Programme:
        return self.second if self.first_id == programme.pk else self.first

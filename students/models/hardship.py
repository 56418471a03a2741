"""困难身份: what the bureau itself has recorded about a child, always with dates and a source."""

from typing import Self

from django.db import models
from django.db.models import Q


class Category(models.TextChoices):
    """Kinds of hardship a list can certify. Codes are those of the sheets; labels are the offices' own words."""

    LIFTED_POOR = "lifted_poor", "脱贫户"
    UNSTABLE_LIFTED = "unstable_lifted", "脱贫不稳定户"
    MARGINAL_RISK = "marginal_risk", "边缘易致贫户"
    SUDDEN_HARDSHIP = "sudden_hardship", "突发严重困难户"
    REGISTERED_POOR = "registered_poor", "脱贫户（2020年前登记）"
    DIBAO = "dibao", "低保"
    DIBAO_MARGIN = "dibao_margin", "低保边缘"
    RIGID_EXPENSE = "rigid_expense", "刚性支出困难"
    TEKUN = "tekun", "特困供养"
    ORPHAN = "orphan", "孤儿"
    DEFACTO_UNSUPPORTED = "defacto_unsupported", "事实无人抚养儿童"
    DISABLED = "disabled", "残疾学生"
    SEVERE_ILLNESS = "severe_illness", "重大疾病"


class HardshipQuerySet(models.QuerySet):
    def covering(self, day) -> Self:
        """Hardships in force on `day` (a date, or an OuterRef to one); both ends inclusive."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day)


class Hardship(models.Model):
    """A recorded hardship of one category for a span of days, and the list it came from if any."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey("students.Student", models.CASCADE, related_name="hardships")
    category = models.CharField("类别", max_length=30, choices=Category.choices)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)
    register = models.ForeignKey("students.Register", models.PROTECT, null=True, blank=True)
    entry = models.ForeignKey("students.Entry", models.SET_NULL, null=True, blank=True)
    scope_township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, blank=True)
    evidence = models.CharField("佐证", max_length=400, blank=True)
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = HardshipQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "困难身份"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "category"], condition=Q(valid_to=None), name="one_open_hardship_per_category"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="hardship_ends_after_start"
            ),
        ]

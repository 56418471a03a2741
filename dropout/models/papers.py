"""《限期复学通知书》 and the approvals of 缓学, 休学."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from bureau.keys import uuid7
from dropout.models.cases import Case, Episode, OfPlaceQuerySet


class ReturnOrder(models.Model):
    """One 《限期复学通知书》 of one issuer. Cancelled ones keep their number. Source: docs/rules/dropout.md, “限期复学通知书”."""

    class Service(models.TextChoices):
        DIRECT = "direct", "直接送达"
        LEFT = "left", "留置送达"
        MAIL = "mail", "邮寄送达"
        PUBLIC = "public", "公告送达"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.PROTECT, related_name="orders")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="orders")
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, related_name="+", verbose_name="下达乡镇")
    series = models.CharField(max_length=80)  # issuer and year
    year = models.PositiveSmallIntegerField("年")
    number = models.PositiveIntegerField("号")
    guardian = models.CharField("监护人", max_length=120)
    days = models.PositiveSmallIntegerField("限期")
    issued_on = models.DateField("下达日期")
    issued_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    service = models.CharField("送达方式", max_length=8, choices=Service.choices, blank=True)
    handed_on = models.DateField("交付（签收、公告）日期", null=True)
    served_on = models.DateField("送达日期", null=True)
    witness = models.CharField("见证人", max_length=120, blank=True)
    service_note = models.CharField("送达情况", max_length=200, blank=True)
    due_on = models.DateField("限期复学至", null=True)
    cancelled_on = models.DateField("作废日期", null=True)
    cancel_reason = models.CharField("作废原因", max_length=200, blank=True)

    objects = OfPlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "限期复学通知书"
        constraints = [
            models.UniqueConstraint(fields=["county", "series", "number"], name="order_number_once"),
            models.UniqueConstraint(fields=["episode"], condition=Q(cancelled_on=None), name="one_order_per_episode"),
            models.CheckConstraint(
                condition=Q(served_on=None) | Q(served_on__gte=F("issued_on")), name="order_served_after_it_was_issued"
            ),
            models.CheckConstraint(
                condition=Q(served_on=None, due_on=None) | Q(served_on__isnull=False, due_on__isnull=False),
                name="order_runs_from_service",
            ),
        ]

    def __str__(self) -> str:
        return f"〔{self.year}〕{self.number}号"

    def get_absolute_url(self) -> str:
        return reverse("dropout:order", args=[self.pk])

    @property
    def issuer(self) -> str:
        return str(self.township) if self.township_id else f"{self.county}教育局"


class ExemptionQuerySet(OfPlaceQuerySet):
    def ended_before(self, day: date) -> Self:
        """Approved until a day before `day`, and not answered yet."""
        return self.filter(valid_to__lt=day, closed_on=None)


class Exemption(models.Model):
    """缓学 or 休学: approved for physical condition, with an end. Source: docs/rules/dropout.md, “缓学、休学”."""

    class Kind(models.TextChoices):
        DEFERRED = "deferred", "缓学（延缓入学）"
        SUSPENDED = "suspended", "休学"

    class Approver(models.TextChoices):
        TOWNSHIP = "township", "乡镇人民政府"
        BUREAU = "bureau", "县教育局"

    case = models.ForeignKey(Case, models.PROTECT, related_name="exemptions")
    kind = models.CharField("类别", max_length=10, choices=Kind.choices)
    applicant = models.CharField("申请人（监护人）", max_length=120)
    applied_on = models.DateField("申请日期")
    ground = models.CharField("身体状况与佐证", max_length=400)
    approver = models.CharField("批准机关", max_length=10, choices=Approver.choices)
    document = models.CharField("批准文书号", max_length=80, blank=True)
    approved_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    approved_on = models.DateField("批准日期")
    filed_on = models.DateField("报县备案日期", null=True)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至")
    whereabouts = models.ForeignKey("students.Whereabouts", models.SET_NULL, null=True, related_name="+")
    closed_on = models.DateField(null=True)  # answered: the child is back in school, or the case is open again

    objects = ExemptionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "缓学、休学"
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="exemption_has_days"),
            models.UniqueConstraint(fields=["case"], condition=Q(closed_on=None), name="one_running_exemption"),
        ]

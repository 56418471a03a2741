"""The dates the bureau sets, the closing of a term, and the figures it keeps."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from bureau.access.models import Account
from bureau.keys import uuid7


class WorkDateQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(county__in=account.scope.counties)

    def running(self, day: date) -> Self:
        """Begun and not over on `day`; both ends inclusive."""
        return self.filter(starts_on__lte=day, due_on__gte=day)

    def within(self, first: date, last: date) -> Self:
        """Of which some day lies between the two, both inclusive."""
        return self.filter(starts_on__lte=last, due_on__gte=first)


class WorkDate(models.Model):
    """工作日历: one piece of work with its days, set by the bureau; `roles` are whose it is, none: everybody's."""

    class Kind(models.TextChoices):
        ASSESS = "assess", "困难认定"
        NOTICE = "notice", "公示"
        REPORT = "report", "上报"
        PAY = "pay", "拨款"
        MONTHLY = "monthly", "月报"
        QUARTERLY = "quarterly", "季度复核"
        OTHER = "other", "其他"

    id = models.BigAutoField(primary_key=True)
    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="work_dates")
    kind = models.CharField("类别", max_length=10, choices=Kind.choices)
    title = models.CharField("工作", max_length=60)
    starts_on = models.DateField("开始")
    due_on = models.DateField("截止")
    roles = models.JSONField("谁办", default=list, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)
    set_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")

    objects = WorkDateQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "工作日历"
        ordering = ["starts_on", "due_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["county", "title", "due_on"], name="work_date_once"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("starts_on")), name="work_date_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def concerns(self, roles) -> bool:
        return not self.roles or bool(set(self.roles) & set(roles))


class TermClosingQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return (
            self.filter(term__county__in=account.scope.counties)
            if account.scope.whole_county
            else self.none()
        )

    def standing(self) -> Self:
        return self.filter(reopened_at=None)


class TermClosing(models.Model):
    """A term brought to its end. Opened again, its figures stay; closed anew, it gets the next number."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    term = models.ForeignKey("bureau.Term", models.PROTECT, related_name="closings")
    number = models.PositiveSmallIntegerField("第几次", default=1)
    closed_on = models.DateField("统计日")
    closed_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(auto_now_add=True)
    reopened_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    reopened_at = models.DateTimeField(null=True)
    reason = models.CharField("重新打开的理由", max_length=200, blank=True)

    objects = TermClosingQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "学期收尾"
        constraints = [
            models.UniqueConstraint(fields=["term"], condition=Q(reopened_at=None), name="term_closed_once"),
            models.UniqueConstraint(fields=["term", "number"], name="term_closing_number"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("bureau:frozen_figures", args=[self.pk])


class FrozenFigure(models.Model):
    """One number as it was on the day a term was closed: words as they were then, so that nothing later alters them.

    `part` is empty for the whole; else how it was divided (township, school, stage), with the key and name of the piece.
    """

    id = models.BigAutoField(primary_key=True)
    closing = models.ForeignKey(TermClosing, models.PROTECT, related_name="figures")
    code = models.CharField(max_length=12)
    name = models.CharField("指标", max_length=60)
    unit = models.CharField("单位", max_length=8)
    base = models.CharField("口径", max_length=20)
    part = models.CharField(max_length=20, blank=True)
    place = models.CharField(max_length=40, blank=True)
    place_name = models.CharField("地方", max_length=100, blank=True)
    value = models.BigIntegerField("数")

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "冻结的统计数"
        constraints = [
            models.UniqueConstraint(fields=["closing", "code", "part", "place"], name="figure_frozen_once"),
        ]


class HandoverQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Both who took part, and whoever sees one of the two accounts."""
        seen = Account.objects.visible_to(account).values("pk")
        return self.filter(Q(leaving__in=seen) | Q(coming__in=seen))


class Handover(models.Model):
    """换人交接: who left a post and who took it over, with what lay on the desk that day; both sign the printout."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="+")
    leaving = models.ForeignKey("bureau.Account", models.PROTECT, related_name="handovers_given")
    coming = models.ForeignKey("bureau.Account", models.PROTECT, related_name="handovers_taken")
    posts = models.JSONField("岗位", default=list)
    items = models.JSONField("未办结事项", default=list)
    dates = models.JSONField("全年工作", default=list)
    note = models.CharField("另行交代", max_length=400, blank=True)
    handed_on = models.DateField("交接日期")
    done_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")

    objects = HandoverQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "换人交接"
        constraints = [models.UniqueConstraint(fields=["leaving"], name="account_handed_over_once")]

    def get_absolute_url(self) -> str:
        return reverse("bureau:handover", args=[self.pk])

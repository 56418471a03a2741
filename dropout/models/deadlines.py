"""How long each stage may last, as the bureau sets it from a day on; and numbers without gaps."""

from datetime import date, timedelta
from typing import Self

from django.db import models

from bureau.calendars import BeyondTerms, add_schooldays, add_workdays
from bureau.organisation.models import County


class Stage(models.TextChoices):
    """What a term is set for. Source of the defaults: docs/rules/dropout.md, “期限”."""

    SIGNAL = "signal", "疑点多少天没有说明，自动立案"
    SUSPECTED = "suspected", "疑似：交办核查"
    VERIFYING = "verifying", "核查"
    CONFIRMED = "confirmed", "确认后组成专班"
    PERSUADING = "persuading", "两次走访之间"
    SERVE = "serve", "通知书下达后送达"
    ORDERED = "ordered", "送达后限期复学"
    PUBLISHED = "published", "公告送达生效"
    PLACED_SPECIAL = "placed_special", "安置落实"
    RETURNED = "returned", "复学后确认在校"
    STABILISING = "stabilising", "巩固观察"
    EXEMPTION = "exemption", "缓学、休学到期后的宽限"


class Unit(models.TextChoices):
    DAYS = "days", "天"
    WORKDAYS = "workdays", "个工作日"
    SCHOOLDAYS = "schooldays", "个教学日"


DEFAULTS: dict[str, tuple[int, str]] = {
    Stage.SIGNAL: (7, Unit.WORKDAYS),
    Stage.SUSPECTED: (0, Unit.WORKDAYS),
    Stage.VERIFYING: (7, Unit.DAYS),
    Stage.CONFIRMED: (5, Unit.WORKDAYS),
    Stage.PERSUADING: (7, Unit.DAYS),
    Stage.SERVE: (7, Unit.WORKDAYS),
    Stage.ORDERED: (7, Unit.DAYS),
    Stage.PUBLISHED: (30, Unit.DAYS),
    Stage.PLACED_SPECIAL: (30, Unit.DAYS),
    Stage.RETURNED: (5, Unit.SCHOOLDAYS),
    Stage.STABILISING: (120, Unit.DAYS),
    Stage.EXEMPTION: (15, Unit.DAYS),
}


class DeadlineQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(county__in=account.scope.counties)

    def in_force(self, day: date) -> Self:
        """The newest row of each stage that has begun on `day`, first of its stage."""
        return self.filter(valid_from__lte=day).order_by("stage", "-valid_from")


class Deadline(models.Model):
    """From `valid_from` on, a stage lasts `days`. Cases already in the stage keep the day they were given."""

    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="+")
    stage = models.CharField("阶段", max_length=20, choices=Stage.choices)
    days = models.PositiveSmallIntegerField("多少")
    unit = models.CharField("怎样算", max_length=12, choices=Unit.choices)
    valid_from = models.DateField("自")
    basis = models.CharField("依据", max_length=120, blank=True)
    set_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "办理期限"
        constraints = [models.UniqueConstraint(fields=["county", "stage", "valid_from"], name="deadline_once")]


def length_of(county: County, stage: str, day: date) -> tuple[int, str]:
    """How long the stage lasts for what begins on `day`."""
    found = Deadline.objects.filter(county=county, stage=stage).in_force(day).first()
    return (found.days, found.unit) if found else DEFAULTS[stage]


def counted(county: County, stage: str, day: date) -> date | None:
    """The last day of a stage that begins on `day`, which is not counted; None while the term it ends in is not entered."""
    days, unit = length_of(county, stage, day)
    if unit == Unit.WORKDAYS:
        return add_workdays(day, days, county)
    if unit == Unit.SCHOOLDAYS:
        try:
            return add_schooldays(day, days, county)
        except BeyondTerms:
            return None
    return day + timedelta(days=days)


class NumberSeries(models.Model):
    """The last number given in one series; taken with the row locked, inside the transaction that uses the number."""

    county = models.ForeignKey("bureau.County", models.PROTECT, related_name="+")
    series = models.CharField(max_length=80)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["county", "series"], name="number_series_once")]

    @classmethod
    def take(cls, county: County, series: str, many: int = 1) -> range:
        """The next `many` numbers; rolled back with the caller's transaction, so none is lost."""
        cls.objects.get_or_create(county=county, series=series)
        row = cls.objects.select_for_update().get(county=county, series=series)
        first = row.last + 1
        row.last += many
        row.save(update_fields=["last"])
        return range(first, row.last + 1)

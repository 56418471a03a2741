"""When schools send their rolls, what the bureau has closed, and what it was taught about their headers and forms."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import School, Stage
from students.models.rosters import Roster


class CollectionQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(county__in=account.scope.counties)

    def asking(self, *, term, kind: str) -> Self:
        """What the bureau has said about one kind of roll of a term: for all stages, for single ones, or both."""
        return self.filter(term=term, kind=kind)

    def locked(self) -> Self:
        return self.exclude(locked_at=None)

    def running(self, day: date) -> Self:
        """Open on `day`, both ends inclusive, and not locked."""
        return self.filter(locked_at=None, opens_on__lte=day, closes_on__gte=day)


class Collection(models.Model):
    """One collection of rolls: what is asked for, from when to when (both inclusive), and whether it is locked.

    `stage` is empty for all stages. Where no collection is declared, uploads are open.
    """

    county = models.ForeignKey("bureau.County", models.PROTECT)
    term = models.ForeignKey("bureau.Term", models.PROTECT, verbose_name="学期")
    kind = models.CharField("类型", max_length=12, choices=Roster.Kind.choices)
    stage = models.CharField("学段", max_length=20, choices=Stage.choices, blank=True)
    opens_on = models.DateField("开始日期")
    closes_on = models.DateField("截止日期")
    note = models.CharField("说明", max_length=200, blank=True)
    locked_at = models.DateTimeField(null=True)
    locked_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "花名册上报安排"
        constraints = [
            models.UniqueConstraint(fields=["term", "kind", "stage"], name="collection_once"),
            models.CheckConstraint(condition=Q(closes_on__gte=F("opens_on")), name="collection_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.term}{self.stage_name}{self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("students:collection", args=[self.pk])

    @property
    def stage_name(self) -> str:
        return self.get_stage_display() if self.stage else ""

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None

    def concerns(self, stages: Iterable[str]) -> bool:
        """Whether a school of these stages is asked for a roll."""
        return not self.stage or self.stage in stages

    def is_late(self, day: date) -> bool:
        """Whether what arrives on `day` is late: the closing day itself is in time."""
        return day > self.closes_on

    def schools(self, visible) -> list[School]:
        """Those of the `visible` schools that owe a roll: of the stage, open on the first day of the term, and not closed
        before it is due."""
        rows = visible.filter(county=self.county_id).open_on(self.term.starts_on).open_on(self.closes_on).select_related("township", "managed_by")
        return [school for school in rows if self.concerns(school.stages)]


class UnlockRequestQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(collection__county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))

    def waiting(self) -> Self:
        """Not answered, and still locked: what the bureau has opened to all needs no answer."""
        return self.filter(granted=None).exclude(collection__locked_at=None)

    def in_force(self, day: date) -> Self:
        """Granted, and `day` is not after the last day."""
        return self.filter(granted=True, until_on__gte=day)


class UnlockRequest(models.Model):
    """A school asks to send a roll after the bureau has locked it; granted until a day, or refused."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="requests")
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=400)
    asked_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    granted = models.BooleanField("是否同意", null=True)
    until_on = models.DateField("开放至", null=True, blank=True)
    answer = models.CharField("答复", max_length=400, blank=True)
    decided_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = UnlockRequestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "解锁申请"


class HeaderMappingQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """A school sees its own and the bureau's; whoever sees the whole county sees all."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        own = Q(school__in=scope.schools) | Q(school__township__in=scope.townships)
        return self.filter(own | Q(school=None, county__in=scope.counties))

    def editable_by(self, account) -> Self:
        """What was taught to all schools is the bureau's to change."""
        visible = self.visible_to(account)
        return visible if account.scope.whole_county else visible.exclude(school=None)

    def as_taught(self, *, county, school, sheet: str) -> dict[str, str]:
        """Header -> attribute for one upload; the school's own word stands before the bureau's."""
        rows = self.filter(Q(school=school) | Q(school=None), county=county, sheet=sheet).order_by(
            F("school").asc(nulls_first=True)
        )
        return dict(rows.values_list("header", "attr"))


class HeaderMapping(models.Model):
    """What an unknown header means, taught once; by a school for itself, or by the bureau for all (`school` empty).

    `header` is the header in its form for comparison; an empty `attr` says the column is to be left alone.
    """

    county = models.ForeignKey("bureau.County", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True)
    sheet = models.CharField(max_length=30)
    header = models.CharField("表头", max_length=200)
    attr = models.CharField("对应内容", max_length=40, blank=True)
    taught_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    taught_at = models.DateTimeField(auto_now=True)

    objects = HeaderMappingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "表头对应"
        constraints = [
            models.UniqueConstraint(fields=["school", "sheet", "header"], name="header_taught_once"),
            models.UniqueConstraint(
                fields=["county", "sheet", "header"], condition=Q(school=None), name="header_taught_once_to_all"
            ),
        ]


class FilledFormQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """A filled form holds what its asker could see, so it is his alone."""
        return self.filter(asked_by=account)


class FilledForm(models.Model):
    """空表一键填数: a blank workbook from above, filled with the rows its asker may see.

    `columns` is the binding (column letter -> fact) he confirmed; `fingerprint` recognises the same form next time.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    file_name = models.CharField("文件名", max_length=200)
    fingerprint = models.CharField(max_length=64)
    sheet = models.CharField("工作表", max_length=100, blank=True)
    header_row = models.PositiveIntegerField(default=0)
    columns = models.JSONField(default=dict)
    filters = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(null=True)
    asked_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")

    objects = FilledFormQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "空表填数"
        indexes = [models.Index(fields=["county", "fingerprint"], name="form_known")]

"""待核实问题: a difference one named office must settle by a date."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from bureau.states import Move, StateMachine


class Office(models.TextChoices):
    AID = "aid", "资助中心"
    BASIC_EDUCATION = "basic_education", "基教股"
    TOWNSHIP = "township", "乡镇（街道）"
    SCHOOL = "school", "学校"


class DiscrepancyQuerySet(models.QuerySet):
    def open(self, *, on: date | None = None) -> Self:
        """Neither closed nor reported fixed, nor under an acceptance still in force (on `on`, when given).

        An explanation of a school or township ends nothing by itself: the office that acts has to decide on it.
        """
        waiting = Q(state__in=Discrepancy.WAITING)
        if on is not None:
            waiting |= Q(state=Discrepancy.State.ACCEPTED, accepted_until__lt=on)
        return self.filter(waiting)

    def overdue(self, today: date) -> Self:
        return self.open().filter(due_on__lt=today)

    def visible_to(self, account) -> Self:
        """The county's offices see all; a school what concerns its children, a township its residents and schools."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(school__in=scope.schools) | Q(township__in=scope.townships) | Q(school__township__in=scope.townships)
        )

    def with_village(self) -> Self:
        """The village to look in, as `at`: where the child is registered, else what the list's row says; or null."""
        return self.annotate(at=Coalesce("student__hukou_village", "entry__village"))

    def worked_on(self) -> Self:
        """Somebody has settled, explained, commented or printed something here: no longer the program's alone."""
        acted = ~Q(state__in=[Discrepancy.State.NEW, Discrepancy.State.CLOSED]) | ~Q(remedy="")
        hung_on = Q(comments__isnull=False) | Q(attachments__isnull=False) | Q(field_lines__isnull=False)
        return self.filter(acted | hung_on).distinct()


class Discrepancy(models.Model):
    """One difference found by one rule about one subject. The same row re-opens with `occurrence` + 1."""

    STATES = StateMachine(
        "discrepancy",
        [
            Move("new", "assigned", right="differences.settle", label="交办"),
            Move("assigned", "assigned", right="differences.settle", label="转交"),
            Move("explained", "assigned", right="differences.settle", label="退回再办"),
            Move("new", "explained", right="differences.settle", label="答复", needs_reason=True),
            Move("assigned", "explained", right="differences.settle", label="答复", needs_reason=True),
            Move("new", "fixed", right="differences.settle", label="已处理"),
            Move("assigned", "fixed", right="differences.settle", label="已处理"),
            Move("explained", "fixed", right="differences.settle", label="已处理"),
            Move("new", "accepted", right="differences.settle", label="说明情况", needs_reason=True),
            Move("assigned", "accepted", right="differences.settle", label="说明情况", needs_reason=True),
            Move("explained", "accepted", right="differences.settle", label="同意答复", needs_reason=True),
            *(Move(state, "closed") for state in ("new", "assigned", "explained", "fixed", "accepted")),
            *(Move(state, "new") for state in ("fixed", "accepted", "closed")),
        ],
    )

    class State(models.TextChoices):
        NEW = "new", "待办"
        ASSIGNED = "assigned", "办理中"
        EXPLAINED = "explained", "已答复待核定"
        FIXED = "fixed", "已处理待复核"
        ACCEPTED = "accepted", "已说明"
        CLOSED = "closed", "已办结"

    WAITING = (State.NEW, State.ASSIGNED, State.EXPLAINED)

    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    rule = models.CharField("规则", max_length=4)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=80)
    student = models.ForeignKey("students.Student", models.CASCADE, null=True, related_name="discrepancies")
    entry = models.ForeignKey("students.Entry", models.SET_NULL, null=True, related_name="discrepancies")
    category = models.CharField(max_length=30, blank=True)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True)
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True)
    term = models.ForeignKey("bureau.Term", models.PROTECT, null=True, db_index=False)
    office = models.CharField("承办", max_length=20, choices=Office.choices)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.NEW)
    evidence = models.CharField(max_length=200, blank=True)
    occurrence = models.PositiveSmallIntegerField("第几次", default=1)
    opened_on = models.DateField("发现日期")
    due_on = models.DateField("办理期限")
    accepted_until = models.DateField("说明有效期", null=True)
    closed_on = models.DateField(null=True)
    remedy = models.CharField(max_length=30, blank=True)
    note = models.CharField("办理说明", max_length=400, blank=True)
    assigned_to = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "待核实问题"
        constraints = [
            models.UniqueConstraint(fields=["county", "rule", "subject_kind", "subject_id"], name="difference_once")
        ]
        indexes = [
            models.Index(fields=["county", "state", "due_on", "id"], name="difference_due"),
            models.Index(fields=["county", "rule", "state", "id"], name="difference_rule"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("students:discrepancy", args=[self.pk])


class Found(models.Model):
    """The temporary table of what one rule found; it lives as long as the transaction."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=80, primary_key=True)
    student = models.ForeignKey("students.Student", models.DO_NOTHING, null=True, db_constraint=False)
    entry = models.ForeignKey("students.Entry", models.DO_NOTHING, null=True, db_constraint=False)
    category = models.CharField(max_length=30)
    evidence = models.CharField(max_length=200)
    school = models.ForeignKey("bureau.School", models.DO_NOTHING, null=True, db_constraint=False)

    class Meta:
        managed = False
        db_table = "found_differences"

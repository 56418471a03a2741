"""撤并、分设、更名、换代码: what the bureau decided about a school, from which day, and how to give it back."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.states import Move, StateMachine

EDIT = "organisation.edit"


class SchoolChangeQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """What happens to a school its township and the school itself may read."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(school__in=scope.schools)
            | Q(successor__in=scope.schools)
            | Q(school__township__in=scope.townships)
        )

    def due(self, day: date) -> Self:
        """Planned for a day that has come."""
        return self.filter(state=SchoolChange.State.PLANNED, effective_on__lte=day)


class SchoolChange(models.Model):
    """One decision about one school. Source: docs/rules/school-year.md, “学校撤并、更名”.

    `before` is what the change replaced, as it was; `counts` what it moved. A merger of three schools into one is two
    of these. `classes` (split only) are the keys of the classes that go to the new school.
    """

    STATES = StateMachine(
        "school_change",
        [
            Move("planned", "applied", right=EDIT, label="执行"),
            Move("planned", "cancelled", right=EDIT, label="取消"),
            Move("applied", "undone", right=EDIT, label="撤销", needs_reason=True),
        ],
    )

    class State(models.TextChoices):
        PLANNED = "planned", "待执行"
        APPLIED = "applied", "已执行"
        CANCELLED = "cancelled", "已取消"
        UNDONE = "undone", "已撤销"

    class Kind(models.TextChoices):
        CLOSE = "close", "撤并到另一所学校"
        SPLIT = "split", "分出部分班级"
        RENAME = "rename", "更名"
        RECODE = "recode", "更换标识码"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="changes")
    kind = models.CharField("内容", max_length=8, choices=Kind.choices)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.PLANNED)
    successor = models.ForeignKey(
        "bureau.School",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="并入（分到）学校",
    )
    value = models.CharField("新名称或新代码", max_length=100, blank=True)
    classes = models.JSONField(default=list)
    effective_on = models.DateField("自哪一天起")
    decision = models.CharField("依据文件", max_length=200)
    before = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    planned_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(auto_now_add=True)
    applied_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)

    objects = SchoolChangeQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "学校撤并、更名"
        constraints = [
            models.UniqueConstraint(
                fields=["school", "kind"], condition=Q(state="planned"), name="one_planned_change_of_a_kind"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["close", "split"]) | Q(successor__isnull=False),
                name="goes_to_a_school",
            ),
        ]

    def __str__(self) -> str:
        to = self.successor or self.value
        return f"{self.school}{self.get_kind_display()}：{to}"

    def get_absolute_url(self) -> str:
        return reverse("bureau:school_change", args=[self.pk])

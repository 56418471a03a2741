"""困难认定: what a school year's panel found about a child's family, in tiers, with a list or own evidence as ground."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from bureau.keys import uuid7
from bureau.states import Move, StateMachine
from students.models.hardship import Category
from students.models.people import Student


class Tier(models.TextChoices):
    SPECIAL = "special", "特别困难"
    HARD = "hard", "比较困难"
    GENERAL = "general", "一般困难"


class DeterminationQuerySet(models.QuerySet):
    def in_force(self, day) -> Self:
        """Confirmed and valid on `day` (a date, or an OuterRef to one); both ends inclusive."""
        valid = Q(valid_to=None) | Q(valid_to__gte=day)
        return self.filter(valid, valid_from__lte=day, state=Determination.State.CONFIRMED)

    def within(self, first: date, last: date) -> Self:
        """Confirmed and valid on at least one day from `first` to `last`."""
        valid = Q(valid_to=None) | Q(valid_to__gte=first)
        return self.filter(valid, valid_from__lte=last, state=Determination.State.CONFIRMED)

    def visible_to(self, account) -> Self:
        return self.filter(student__in=Student.objects.visible_to(account))


class Determination(models.Model):
    """One child's determination for one school year. Source: docs/rules/aid.md, “困难认定”.

    `category` is the list it rests on; without one `evidence` tells the family's own proof (illness, disaster).
    An adjustment ends the old one and confirms a new one.
    """

    STATES = StateMachine(
        "determination",
        [
            Move("applied", "reviewed", right="aid.review", label="评审通过"),
            Move("applied", "rejected", right="aid.review", label="不予认定", needs_reason=True),
            Move("reviewed", "confirmed", right="aid.approve", label="确认认定"),
            Move("reviewed", "rejected", right="aid.approve", label="不予认定", needs_reason=True),
            Move("confirmed", "ended", right="aid.approve", label="终止认定", needs_reason=True),
            Move("rejected", "applied", right="aid.apply", label="重新申请"),
        ],
    )

    class State(models.TextChoices):
        APPLIED = "applied", "已申请"
        REVIEWED = "reviewed", "评审通过"
        CONFIRMED = "confirmed", "已认定"
        REJECTED = "rejected", "不予认定"
        ENDED = "ended", "已终止"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey("students.Student", models.CASCADE, related_name="determinations")
    school_year = models.ForeignKey("bureau.SchoolYear", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True)
    tier = models.CharField("认定等级", max_length=10, choices=Tier.choices)
    category = models.CharField("依据的名单类别", max_length=30, choices=Category.choices, blank=True)
    evidence = models.CharField("家庭困难情况和证明", max_length=400, blank=True)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.APPLIED)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)
    applied_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    reviewed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    note = models.CharField("说明", max_length=200, blank=True)
    applied_at = models.DateTimeField(auto_now_add=True)

    objects = DeterminationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "困难认定"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "school_year"],
                condition=Q(state__in=["applied", "reviewed", "confirmed"]),
                name="one_determination_a_year",
            ),
            models.CheckConstraint(
                condition=~Q(category="") | ~Q(evidence=""), name="determination_has_a_ground"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="determination_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(reviewed_by=F("applied_by")), name="determination_reviewed_by_another"
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("applied_by")) & ~Q(confirmed_by=F("reviewed_by")),
                name="determination_confirmed_by_another",
            ),
        ]
        indexes = [models.Index(fields=["county", "school_year", "state"], name="determination_of_year")]

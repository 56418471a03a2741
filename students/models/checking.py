"""核对代替上报: a school goes through its pre-filled roll class by class and enters only what changed."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import Stage
from bureau.states import Move, StateMachine


class RollCheckQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))


class RollCheck(models.Model):
    """One school's checking of its roll for one term. When every class is confirmed it becomes a roster."""

    STATES = StateMachine(
        "roll_check",
        [
            Move("open", "sent", right="rosters.upload", label="提交核对结果"),
            Move("open", "given_up", right="rosters.upload", label="放弃核对"),
            Move("sent", "open", right="rosters.upload", label="继续核对"),  # its roster was given up or not readable
        ],
    )

    class State(models.TextChoices):
        OPEN = "open", "核对中"
        SENT = "sent", "已提交"
        GIVEN_UP = "given_up", "已放弃"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    term = models.ForeignKey("bureau.Term", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.PROTECT)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    roster = models.ForeignKey("students.Roster", models.SET_NULL, null=True, related_name="checks")
    opened_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects = RollCheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "花名册核对"
        constraints = [
            models.UniqueConstraint(
                fields=["school", "term"], condition=Q(state="open"), name="one_open_check_per_school"
            )
        ]

    def get_absolute_url(self) -> str:
        return reverse("students:check", args=[self.pk])


class ClassCheck(models.Model):
    """One class that its school has confirmed, exactly as it was then.

    `digest` tells the confirmed list from a later one (students/intake/checkroll.py): a class whose children or
    changes differ from it is to be confirmed again, whoever changed them. `entered_in` is 0 where it is not known.
    """

    check_of = models.ForeignKey(RollCheck, models.CASCADE, related_name="classes")
    stage = models.CharField(max_length=20, choices=Stage.choices, blank=True)
    entered_in = models.PositiveSmallIntegerField(default=0)
    class_name = models.CharField(max_length=40, blank=True)
    pupils = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64)
    confirmed_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "班级核对"
        constraints = [
            models.UniqueConstraint(
                fields=["check_of", "stage", "entered_in", "class_name"], name="class_confirmed_once"
            )
        ]


class RollChange(models.Model):
    """What a school entered while checking: a child who came, left, or whose class or boarding differs.

    What was typed is sealed as a whole under `sealed_uuid`, which is new with every entry; the record says only which
    child and which kind. A child who is added has no enrolment yet.
    """

    class Kind(models.TextChoices):
        ADD = "add", "新增学生"
        LEAVE = "leave", "已不在本班"
        EDIT = "edit", "信息有变"

    check_of = models.ForeignKey(RollCheck, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    enrolment = models.ForeignKey("students.Enrolment", models.CASCADE, null=True, related_name="+")
    sealed_uuid = models.UUIDField(default=uuid7)
    sealed = models.BinaryField(null=True)
    entered_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "核对变动"
        constraints = [models.UniqueConstraint(fields=["check_of", "enrolment"], name="one_change_per_child")]

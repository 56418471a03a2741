"""学籍异动: a child leaves a school for another, for a time, for good; who said so, who answered, and with which papers."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.states import Move, StateMachine

SCHOOL_DOES = "rosters.upload"


class MovementQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The school he leaves, the school he comes to, their townships, and the county."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(school__in=scope.schools)
            | Q(to_school__in=scope.schools)
            | Q(school__township__in=scope.townships)
            | Q(to_school__township__in=scope.townships)
        )

    def standing(self) -> Self:
        """What still tells where a child is: neither taken back nor refused, and no suspension that is over."""
        gone = (Movement.State.WITHDRAWN, Movement.State.REFUSED, Movement.State.RESUMED)
        return self.exclude(state__in=gone)

    def under_way(self) -> Self:
        """Somebody still has to answer or to come back."""
        return self.filter(state__in=UNDER_WAY)

    def waiting(self) -> Self:
        """Said by one side, not answered by the other."""
        return self.filter(state__in=[Movement.State.ANNOUNCED, Movement.State.CLAIMED])

    def overdue(self, today: date) -> Self:
        """An answer whose last day has passed; on `due_on` itself there is still time."""
        return self.waiting().filter(due_on__lt=today)

    def in_time(self, today: date) -> Self:
        return self.waiting().filter(Q(due_on=None) | Q(due_on__gte=today))

    def lapsed(self, today: date) -> Self:
        """休学 whose last day has passed without the child back; on `until_on` itself it still runs."""
        return self.filter(state=Movement.State.RUNNING, until_on__lt=today)

    def without_paper(self, today: date) -> Self:
        """Neither words nor papers to prove it. Inside the county the other school is the proof, once it has the child;
        until the last day for its answer nothing is missing. Source: docs/rules/students.md, R32."""
        papers = MovementPaper.objects.filter(movement=OuterRef("pk"))
        unproved = self.exclude(state__in=[Movement.State.WITHDRAWN, Movement.State.REFUSED])
        unproved = unproved.filter(evidence="").filter(~Exists(papers))
        received = Q(
            kind=Movement.Kind.IN_COUNTY, state__in=[Movement.State.CLAIMED, Movement.State.CONFIRMED]
        )
        in_time = Q(kind=Movement.Kind.IN_COUNTY, due_on__gte=today)
        return unproved.exclude(received).exclude(in_time)


class Movement(models.Model):
    """One registration change of one child at one school. Source: docs/rules/school-year.md, “学籍异动”.

    `school` is the one that says so: the school he leaves, or for `from_outside` the one he came to. `before` is the
    enrolment as it was, to be given back; `received` the stay a receiving school opened by claiming him.
    """

    STATES = StateMachine(
        "movement",
        [
            Move("announced", "claimed", right=SCHOOL_DOES, label="确认接收"),
            Move("announced", "confirmed", right=SCHOOL_DOES, label="登记答复：已接收"),
            Move("announced", "refused", right=SCHOOL_DOES, label="没有接收", needs_reason=True),
            Move("announced", "withdrawn", right=SCHOOL_DOES, label="撤回", needs_reason=True),
            Move("claimed", "confirmed", right=SCHOOL_DOES, label="确认转出"),
            Move("claimed", "denied", right=SCHOOL_DOES, label="不同意转出", needs_reason=True),
            Move("claimed", "announced", right=SCHOOL_DOES, label="撤回接收", needs_reason=True),
            Move("denied", "confirmed", right=SCHOOL_DOES, label="同意转出"),
            Move("denied", "withdrawn", right=SCHOOL_DOES, label="撤回", needs_reason=True),
            Move("confirmed", "withdrawn", right=SCHOOL_DOES, label="撤销", needs_reason=True),
            Move("running", "resumed", right=SCHOOL_DOES, label="登记复学"),
            Move("running", "withdrawn", right=SCHOOL_DOES, label="撤回", needs_reason=True),
            Move("resumed", "running", right=SCHOOL_DOES, label="撤销复学", needs_reason=True),
            Move("refused", "announced"),  # the roster that said otherwise was undone
            Move("refused", "claimed"),
            Move("claimed", "withdrawn"),  # he is back on the roll of the school he had left
            Move("denied", "announced"),
            Move("withdrawn", "announced"),
            Move("withdrawn", "claimed"),
            Move("withdrawn", "denied"),
            Move("withdrawn", "running"),
        ],
    )

    class State(models.TextChoices):
        ANNOUNCED = "announced", "待答复"
        CLAIMED = "claimed", "已接收，待转出学校确认"
        DENIED = "denied", "转出学校不同意"
        CONFIRMED = "confirmed", "已办结"
        REFUSED = "refused", "对方没有接收"
        RUNNING = "running", "休学中"
        RESUMED = "resumed", "已复学"
        WITHDRAWN = "withdrawn", "已撤回"

    class Kind(models.TextChoices):
        IN_COUNTY = "in_county", "转到本县学校"
        OTHER_COUNTY = "other_county_in_province", "转到省内县外"
        OUT_OF_PROVINCE = "out_of_province", "转到省外"
        FROM_OUTSIDE = "from_outside", "从县外转入"
        SUSPENDED = "suspended", "休学"
        ABROAD = "abroad", "出国（境）"
        DECEASED = "deceased", "死亡"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    enrolment = models.ForeignKey("students.Enrolment", models.CASCADE, related_name="movements")
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="+")
    kind = models.CharField("异动", max_length=30, choices=Kind.choices)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.ANNOUNCED)
    to_school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, related_name="+")
    place = models.CharField("县外学校或地点", max_length=200, blank=True)
    since_on = models.DateField("自")
    until_on = models.DateField("休学至", null=True, blank=True)
    due_on = models.DateField("答复期限", null=True, blank=True)
    evidence = models.CharField("佐证", max_length=400, blank=True)
    whereabouts = models.ForeignKey("students.Whereabouts", models.SET_NULL, null=True, related_name="+")
    absence = models.ForeignKey("students.Absence", models.SET_NULL, null=True, related_name="movements")
    before = models.JSONField(default=dict)
    received = models.UUIDField(null=True)
    announced_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    announced_at = models.DateTimeField(auto_now_add=True)
    finished_on = models.DateField("办结日期", null=True, blank=True)

    objects = MovementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学籍异动"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"],
                condition=Q(state__in=["announced", "claimed", "denied", "running"]),
                name="one_movement_under_way",
            ),
            models.CheckConstraint(
                condition=~Q(kind="suspended") | Q(until_on__gte=models.F("since_on")),
                name="suspended_until_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(kind="in_county") | Q(to_school__isnull=False), name="moved_to_a_school"
            ),
        ]
        indexes = [
            models.Index(fields=["school", "state"], name="movement_of_school"),
            models.Index(fields=["to_school", "state"], name="movement_to_school"),
            models.Index(fields=["county", "id"], name="movement_of_county"),
        ]

    def get_absolute_url(self) -> str:
        return reverse("students:movement", args=[self.pk])

    @property
    def leads_outside(self) -> bool:
        """Another county has to answer, so there is a letter to it."""
        return self.kind in (self.Kind.OTHER_COUNTY, self.Kind.OUT_OF_PROVINCE, self.Kind.FROM_OUTSIDE)


UNDER_WAY = (Movement.State.ANNOUNCED, Movement.State.CLAIMED, Movement.State.DENIED, Movement.State.RUNNING)


class MovementPaper(models.Model):
    """A paper that proves a change: a scan or photograph, kept sealed under its own key like every upload."""

    class Kind(models.TextChoices):
        APPLICATION = "application", "转学（休学、复学）申请"
        LETTER = "letter", "转学联系函及回执"
        ADMISSION = "admission", "接收证明"
        MEDICAL = "medical", "县级以上医院证明"
        POLICE = "police", "公安（户籍、出入境）证明"
        OTHER = "other", "其他佐证"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    movement = models.ForeignKey(Movement, models.CASCADE, related_name="papers")
    kind = models.CharField("材料", max_length=12, choices=Kind.choices)
    file_name = models.CharField("文件名", max_length=200)
    size = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "异动佐证材料"

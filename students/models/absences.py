"""Children a new roll leaves out: each is explained, found elsewhere, or becomes a suspicion of dropping out."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from bureau.states import Move, StateMachine


class AbsenceQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))

    def to_explain(self) -> Self:
        """Nobody has said yet what became of the child; a suspicion already raised included."""
        return self.filter(state__in=[Absence.State.OPEN, Absence.State.SIGNALLED])

    def standing(self) -> Self:
        """Still a question or an answer of the school; not found elsewhere, not back, not taken back."""
        return self.to_explain() | self.filter(state=Absence.State.EXPLAINED)

    def overdue(self, today: date) -> Self:
        """Not explained although the last 教学日 for it has passed; on `due_on` itself there is still time."""
        return self.filter(state=Absence.State.OPEN, due_on__lt=today)


class Absence(models.Model):
    """One child that a roster left out, and what his school says became of him. Source: docs/rules/rosters.md."""

    STATES = StateMachine(
        "absence",
        [
            Move("open", "explained", right="rosters.upload", label="说明去向"),
            Move("open", "claimed"),  # another school of the county has him
            Move("open", "returned"),  # a later roll of the school has him again
            Move("open", "signalled"),  # unexplained: 疑似辍学
            Move("signalled", "explained", right="rosters.upload", label="说明去向"),
            Move("signalled", "claimed"),
            Move("signalled", "returned"),
            Move("explained", "open", right="rosters.upload", label="重新说明"),
            Move("explained", "claimed"),
            Move("explained", "returned"),
            Move("explained", "signalled"),  # said to have moved, and no school took him in time
            Move("claimed", "returned"),
            *(  # the roster that had him was undone
                Move(source, target)
                for source in ("claimed", "returned")
                for target in ("open", "explained", "signalled")
            ),
            Move("returned", "claimed"),
            Move("open", "cancelled"),  # the roster was undone
            Move("explained", "cancelled"),
            Move("claimed", "cancelled"),
            Move("returned", "cancelled"),
            Move("signalled", "cancelled"),
        ],
    )

    class State(models.TextChoices):
        OPEN = "open", "待说明"
        EXPLAINED = "explained", "已说明"
        CLAIMED = "claimed", "他校已在读"
        RETURNED = "returned", "又在本校名册上"
        SIGNALLED = "signalled", "疑似辍学"
        CANCELLED = "cancelled", "入库已撤销"

    class Kind(models.TextChoices):
        IN_COUNTY = "in_county", "转到本县学校"
        OTHER_COUNTY = "other_county_in_province", "转到省内县外"
        OUT_OF_PROVINCE = "out_of_province", "转到省外"
        GRADUATED = "graduated", "毕业"
        SUSPENDED = "suspended", "休学"
        VOCATIONAL = "vocational", "就读中职（技工）学校"
        ABROAD = "abroad", "出国（境）"
        DECEASED = "deceased", "死亡"
        STILL_HERE = "still_here", "仍在本校，名册漏列"
        UNKNOWN = "unknown", "去向不明"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    roster = models.ForeignKey("students.Roster", models.CASCADE, related_name="absences")
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="absences")
    enrolment = models.ForeignKey("students.Enrolment", models.CASCADE, related_name="absences")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.OPEN)
    kind = models.CharField("去向", max_length=30, choices=Kind.choices, blank=True)
    to_school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, related_name="+")
    place = models.CharField("学校或地点", max_length=200, blank=True)
    since_on = models.DateField("离校日期", null=True, blank=True)
    evidence = models.CharField("佐证", max_length=400, blank=True)
    whereabouts = models.ForeignKey("students.Whereabouts", models.SET_NULL, null=True, related_name="+")
    due_on = models.DateField("说明期限", null=True)
    explained_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    explained_at = models.DateTimeField(null=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "名册未出现"
        constraints = [models.UniqueConstraint(fields=["roster", "enrolment"], name="absence_once")]
        indexes = [models.Index(fields=["school", "state"], name="absence_of_school")]

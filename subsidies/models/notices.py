"""公示: a poster with names, classes and the programme, on a board for some working days; objections and answers."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7


class PublicNoticeQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))

    def contested(self) -> Self:
        """With an objection nobody has answered."""
        return self.filter(Exists(Objection.objects.unanswered().filter(notice=OuterRef("pk"))))

    def over(self, today: date) -> Self:
        """The last working day is past, and no objection waits for its answer."""
        return self.filter(ends_on__lt=today).exclude(pk__in=Objection.objects.unanswered().values("notice"))

    def to_take_down(self, today: date) -> Self:
        return self.filter(ends_on__lt=today, removed_on=None)


class PublicNotice(models.Model):
    """One poster of one school, programme and term, as it hangs there: `lines` is all that was written on it.

    Both days inclusive; the day it is put up is not counted. Source: docs/rules/aid.md, “公示”.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    programme = models.ForeignKey("subsidies.Programme", models.PROTECT, related_name="notices")
    term = models.ForeignKey("bureau.Term", models.PROTECT, related_name="+")
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="+", null=True)
    place = models.CharField("张贴地点", max_length=80, default="学校公示栏")
    posted_on = models.DateField("张贴日期")
    ends_on = models.DateField("公示至")
    lines = models.JSONField(default=list)  # [[name, class], …]: never a number, a category, an address
    posted_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    removed_on = models.DateField("撤下日期", null=True, blank=True)
    removed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")

    objects = PublicNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公示"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("posted_on")), name="notice_ends_after_posting"
            ),
            models.CheckConstraint(
                condition=Q(removed_on=None) | Q(removed_on__gt=F("ends_on")), name="notice_hangs_its_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school or '县级'} {self.programme}公示"

    def get_absolute_url(self) -> str:
        return reverse("subsidies:notice", args=[self.pk])


class ObjectionQuerySet(models.QuerySet):
    def unanswered(self) -> Self:
        return self.filter(answered_on=None)

    def visible_to(self, account) -> Self:
        return self.filter(notice__in=PublicNotice.objects.visible_to(account))


class Objection(models.Model):
    """Somebody objects to a poster, or to one line of it; it counts until the last day."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="objections")
    grant = models.ForeignKey("subsidies.Grant", models.PROTECT, null=True, related_name="objections")
    received_on = models.DateField("收到日期")
    text = models.CharField("异议内容", max_length=400)
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    upheld = models.BooleanField("异议成立", null=True)
    answer = models.CharField("答复", max_length=400, blank=True)
    answered_on = models.DateField("答复日期", null=True)
    answered_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公示异议"
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_on=None, upheld=None)
                | Q(answered_on__isnull=False, upheld__isnull=False),
                name="objection_answered_whole",
            )
        ]

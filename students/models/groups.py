"""学生群体: 留守、随迁、易地搬迁、残疾、孤儿、困境 as dated facts with their source, and the 安置点 of those who were moved."""

from datetime import date, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import School, Term
from students.models.people import Student
from students.models.registers import Entry


class Group(models.TextChoices):
    LEFT_BEHIND = "left_behind", "留守儿童"
    MIGRANT = "migrant", "随迁子女"
    RELOCATED = "relocated", "易地搬迁子女"
    DISABLED = "disabled", "残疾儿童"
    ORPHAN = "orphan", "孤儿（含事实无人抚养）"
    DISTRESSED = "distressed", "困境儿童"


class RelocationSiteQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The county, the township it lies in, and the schools it sends its children to."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        near = RelocationSite.schools.through.objects.filter(
            school__in=School.objects.visible_to(account).values("pk")
        )
        return self.filter(Q(township__in=scope.townships) | Q(pk__in=near.values("relocationsite")))


class RelocationSite(models.Model):
    """安置点: where families were moved to, and which schools are near it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    name = models.CharField("安置点", max_length=60)
    township = models.ForeignKey("bureau.Township", models.PROTECT, verbose_name="所在乡镇")
    schools = models.ManyToManyField("bureau.School", verbose_name="就近学校", related_name="sites")
    opened_on = models.DateField("入住日期", null=True, blank=True)

    objects = RelocationSiteQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "安置点"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="site_name_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("students:site", args=[self.pk])


class GroupFactQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(student__in=Student.objects.visible_to(account))

    def standing(self) -> Self:
        """Not taken back as a mistake."""
        return self.filter(withdrawn_at=None)

    def covering(self, day) -> Self:
        """In force on `day` (a date, or an OuterRef to one); both ends inclusive."""
        return self.standing().filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day)

    def off_the_list(self, day: date) -> Self:
        """Taken over from a list that does not have the child on `day` any more."""
        still = Entry.objects.covering(day).filter(
            person=OuterRef("student"), register=OuterRef("entry__register")
        )
        return self.standing().filter(~Exists(still), valid_to=None, entry__isnull=False)

    def to_check(self, term: Term) -> Self:
        """Open, and not looked at since this term began: on its first day it is looked at already."""
        return self.standing().filter(valid_to=None, checked_on__lt=term.starts_on)


class GroupFact(models.Model):
    """A child belongs to a group from a day on, and from which source that is known; re-checked every term."""

    class Source(models.TextChoices):
        SCHOOL = "school", "学校摸排"
        FAMILY = "family", "家长申报"
        TOWNSHIP = "township", "乡镇、村核实"
        CIVIL_AFFAIRS = "civil_affairs", "民政局名单"
        FEDERATION = "federation", "残联名单"
        RELOCATION = "relocation", "易地搬迁名单"
        OTHER = "other", "其他"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey(Student, models.CASCADE, related_name="groups")
    group = models.CharField("群体", max_length=12, choices=Group.choices)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)
    source = models.CharField("来源", max_length=14, choices=Source.choices)
    evidence = models.CharField("依据", max_length=200, blank=True)
    entry = models.ForeignKey("students.Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    site = models.ForeignKey(
        RelocationSite, models.PROTECT, null=True, blank=True, related_name="facts", verbose_name="安置点"
    )
    checked_on = models.DateField("最近复核")
    checked_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = GroupFactQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生群体"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "group"],
                condition=Q(valid_to=None, withdrawn_at=None),
                name="one_open_fact_per_group",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="group_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(site=None) | Q(group="relocated"), name="only_the_relocated_have_a_site"
            ),
        ]
        indexes = [models.Index(fields=["county", "group", "id"], name="group_of_county")]


def check_by(term: Term) -> date:
    """The last day for a term's re-check: `County.group_days` days into the term, never after its end."""
    return min(term.starts_on + timedelta(days=term.county.group_days), term.ends_on)

"""People, their numbers with history, and the households they belong to."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from students.models.schooling import Enrolment, Whereabouts
from students.models.turning import Leaver


class Person(models.Model):
    """Anyone a file made known to us. Numbers are identifiers with history, never the key."""

    class Sex(models.TextChoices):
        UNKNOWN = "0", "未知"
        MALE = "1", "男"
        FEMALE = "2", "女"
        UNSTATED = "9", "未说明"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    name = models.CharField("姓名", max_length=120)
    name_key = models.CharField(max_length=120)
    pinyin = models.CharField(max_length=200, blank=True)
    former_names = models.JSONField("曾用名", default=list, blank=True)
    sex = models.CharField("性别", max_length=1, choices=Sex.choices, blank=True)
    birth_on = models.DateField("出生日期", null=True, blank=True)
    ethnicity = models.CharField("民族", max_length=2, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "人员"
        indexes = [
            models.Index(fields=["county", "name_key", "birth_on"], name="person_name_birth"),
            models.Index(fields=["county", "birth_on"], name="person_birth"),
            models.Index(fields=["county", "pinyin", "id"], name="person_pinyin"),
        ]

    def __str__(self) -> str:
        return self.name


class IdentifierQuerySet(models.QuerySet):
    def leading(self) -> Self:
        """Numbers by which a row of a file leads to their person: his own in force, or a wrong one still in use."""
        return self.filter(Q(valid_to=None) | Q(still_used=True), derived=False)


class Identifier(models.Model):
    """One number of one person for a span of days: sealed value and blind index.

    `id` is also the value id the ciphertext is bound to (bureau.secrecy), so staged values are promoted as they are.
    `derived` marks a citizen ID read out of a 学籍号 or disability certificate: a hint, not the person's own number.
    `still_used` marks a closed number that was found to be a second one of the same person: files may go on writing it.
    """

    class Kind(models.TextChoices):
        CITIZEN_ID = "citizen_id", "公民身份号码"
        STUDENT_NUMBER = "student_number", "学籍号"
        CERTIFICATE = "certificate", "残疾人证号"
        ACCOUNT = "account", "银行账号"
        PHONE = "phone", "联系电话"
        ADDRESS = "address", "现住址"
        DOCUMENT = "document", "其他证件"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    sealed = models.BinaryField()
    index = models.BinaryField(max_length=32)
    derived = models.BooleanField(default=False)
    still_used = models.BooleanField(default=False, db_default=False)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    objects = IdentifierQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "证件与号码"
        indexes = [models.Index(fields=["county", "kind", "index"], name="identifier_lookup")]
        constraints = [
            models.UniqueConstraint(
                fields=["county", "kind", "index"],
                condition=Q(kind__in=["citizen_id", "student_number"], derived=False, valid_to=None),
                name="number_belongs_to_one",
            )
        ]


class StudentQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Children an account may see: the county's, its township's (registered or studying there), its schools'."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        enrolled = Enrolment.objects.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))
        # "in", not "exists": SQLite would read the whole school again for every child of the county
        return self.filter(Q(hukou_township__in=scope.townships) | Q(pk__in=enrolled.values("student")))

    def of_school_age(self, *, from_birth: date, to_birth: date) -> Self:
        """Children born from `from_birth` to `to_birth`, both inclusive (see students.rules.school_age_births)."""
        return self.filter(person__birth_on__range=(from_birth, to_birth))

    def number_pending(self) -> Self:
        """Admitted without a valid number (证件待补): nothing is paid for them. Source: docs/rules/rosters.md."""
        return self.filter(number_due_on__isnull=False)

    def enrolled_nowhere(self) -> Self:
        """No open enrolment, neither 在籍 nor 在校, here or elsewhere. Source: docs/rules/students.md, R01."""
        return self.filter(~Exists(Enrolment.objects.open().filter(student=OuterRef("pk"))))

    def of_unknown_whereabouts(self, day: date) -> Self:
        """No evidence of whereabouts in force on `day`, nor just graduated and still in time to report elsewhere.

        Source: docs/rules/students.md, R01; docs/rules/school-year.md.
        """
        awaited = Leaver.objects.awaited(day).filter(enrolment__student=OuterRef("pk"))
        return self.filter(
            ~Exists(Whereabouts.objects.covering(day).filter(student=OuterRef("pk"))), ~Exists(awaited)
        )


class Student(models.Model):
    """A child the county is responsible for (户籍) or teaches (就读); shares its person's key."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="student")
    county = models.ForeignKey("bureau.County", models.PROTECT)
    hukou_township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, blank=True, verbose_name="户籍乡镇")
    hukou_village = models.ForeignKey("bureau.Village", models.PROTECT, null=True, blank=True, verbose_name="户籍村")
    hukou_outside = models.BooleanField("外县户籍", default=False)
    hukou_text = models.CharField("户口所在地", max_length=200, blank=True)
    number_due_on = models.DateField("证件待补期限", null=True, blank=True)

    objects = StudentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生"
        indexes = [  # few wait for a number, and every roll asks who
            models.Index(fields=["county"], name="student_without_number", condition=Q(number_due_on__isnull=False))
        ]

    def __str__(self) -> str:
        return self.person.name

    def get_absolute_url(self) -> str:
        return reverse("students:student", args=[self.pk])


class HouseholdQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """A township sees households of its villages and those its registered children live in."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        own = Membership.objects.filter(person__student__hukou_township__in=scope.townships)
        return self.filter(
            Q(village__township__in=scope.townships) | Q(pk__in=own.values("household")), county__in=scope.counties
        )


class Household(models.Model):
    """One of the three kinds of household a list speaks of; its number is opaque text of the office that gives it."""

    class Kind(models.TextChoices):
        HUKOU = "hukou", "户口簿"
        POVERTY = "poverty", "脱贫（监测）户"
        DIBAO = "dibao", "低保户"

    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.CharField("户编号", max_length=60)
    head_name = models.CharField("户主", max_length=120, blank=True)
    village = models.ForeignKey("bureau.Village", models.PROTECT, null=True, blank=True)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "家庭户"
        constraints = [models.UniqueConstraint(fields=["county", "kind", "number"], name="household_once")]


    def get_absolute_url(self) -> str:
        return reverse("students:household", args=[self.pk])


class Headship(models.Model):
    """Who heads a household, as its list names him, for a span of days; `valid_from` is empty for the first one known."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="headships")
    name = models.CharField("户主", max_length=120)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "户主"
        constraints = [
            models.UniqueConstraint(fields=["household"], condition=Q(valid_to=None), name="one_head_at_a_time")
        ]


class Membership(models.Model):
    """A person's stay in a household; both ends inclusive. Who comes back has a second one."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    relation = models.CharField("与户主关系", max_length=20, blank=True)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "家庭成员"
        constraints = [
            models.UniqueConstraint(
                fields=["household", "person"], condition=Q(valid_to=None), name="one_open_membership_per_household"
            )
        ]


class Guardianship(models.Model):
    """A guardian of a child as the school or a list names him; his phone is sealed like any number."""

    student = models.ForeignKey(Student, models.CASCADE, related_name="guardianships")
    name = models.CharField("监护人", max_length=120)
    relation = models.CharField("关系", max_length=20, blank=True)
    legal = models.BooleanField("法定监护人", default=True)
    number_id = models.UUIDField(default=uuid7)
    number_sealed = models.BinaryField(null=True)
    number_index = models.BinaryField(max_length=32, null=True)
    phone_id = models.UUIDField(default=uuid7)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "监护关系"
        indexes = [models.Index(fields=["number_index"], name="guardian_number")]

"""Accounts and their dated assignments (role × place)."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Self
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from bureau.access.roles import COUNTY_ROLES, DEFAULT_RIGHTS, SCHOOL_ROLES, Role
from bureau.keys import uuid7
from bureau.organisation.models import School


@dataclass(frozen=True)
class Scope:
    """The places an account may look at today. Empty sets mean: nobody."""

    counties: frozenset[UUID] = frozenset()
    townships: frozenset[UUID] = frozenset()
    schools: frozenset[UUID] = frozenset()
    whole_county: bool = False
    rights: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Grants:
    """Roles an account may give to others, and at which schools; `whole_county` means any place of its county."""

    roles: frozenset[str] = frozenset()
    schools: frozenset[UUID] = frozenset()
    whole_county: bool = False


class AccountQuerySet(models.QuerySet):
    def editable_by(self, account: "Account") -> Self:
        """Accounts all of whose places of today and later the other account may give (never itself, nor the operator)."""
        grants = account.grants
        running = Assignment.objects.not_ended(timezone.localdate())
        others = self.exclude(pk=account.pk).exclude(
            pk__in=running.filter(role=Role.OPERATOR).values("account")
        )
        if grants.whole_county:
            return others.filter(county=account.county_id)
        inside = Q(school__in=grants.schools, role__in=grants.roles)
        return others.filter(pk__in=Assignment.objects.filter(inside).values("account")).exclude(
            pk__in=running.exclude(inside).values("account")
        )

    def visible_to(self, account: "Account") -> Self:
        """Accounts with a place inside the other account's scope, and itself."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(Q(county__in=scope.counties) | Q(pk=account.pk))
        inside = Assignment.objects.filter(
            Q(school__in=scope.schools)
            | Q(school__township__in=scope.townships)
            | Q(township__in=scope.townships)
        )
        return self.filter(Q(pk=account.pk) | Q(pk__in=inside.values("account")))

    def working_at(self, school, day: date) -> Self:
        """Accounts with an assignment at this school on `day`."""
        return self.filter(pk__in=Assignment.objects.in_force(day).filter(school=school).values("account"))


class AccountManager(BaseUserManager.from_queryset(AccountQuerySet)):
    pass


class Account(AbstractBaseUser):
    """A named person who logs in; what he may do follows from his assignments of today."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, null=True, related_name="accounts")
    username = models.CharField("账号", max_length=60, unique=True)
    display_name = models.CharField("姓名", max_length=60, blank=True)
    post = models.CharField("岗位", max_length=60, blank=True)
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("首次登录须改密码", default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    objects = AccountManager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "账号"

    def __str__(self) -> str:
        return self.display_name or self.username

    acting_right = ""  # the right of the page or command at work; middleware and commands set it

    @property
    def scope(self) -> Scope:
        """Places and rights in force today; read once per request, so a revocation holds from the next one.

        While a right is exercised, only the assignments that carry it lend their places: a director who is also
        clerk of one school uploads for that school, not for the county.
        """
        if self.acting_right not in self._scopes:
            self._scopes[self.acting_right] = self._scope_of(self.acting_right)
        return self._scopes[self.acting_right]

    @cached_property
    def _scopes(self) -> dict[str, Scope]:
        return {}

    @cached_property
    def _held(self) -> list[tuple["Assignment", frozenset[str]]]:
        """Today's assignments and the rights of their roles."""
        if not self.is_active:
            return []
        held = self.assignments.in_force(timezone.localdate())
        held = held.select_related("school", "township", "county")
        rights_of = RoleRights.objects.by_role(self.county_id)
        return [(assignment, rights_of[assignment.role]) for assignment in held]

    def _scope_of(self, right: str) -> Scope:
        lending = [assignment for assignment, rights in self._held if not right or right in rights]
        schools = {a.school_id for a in lending if a.school_id}
        for assignment in lending:
            if assignment.role == Role.DISTRICT_SCHOOL:
                schools |= {school.pk for school in assignment.school.managed.all()}
        return Scope(
            counties=frozenset(a.county_id for a in lending),
            townships=frozenset(a.township_id for a in lending if a.township_id),
            schools=frozenset(_with_predecessors(schools)),
            whole_county=any(a.role in COUNTY_ROLES and not a.school_id and not a.township_id for a in lending),
            rights=frozenset().union(*(rights for _, rights in self._held)),
            roles=frozenset(a.role for a in lending),
        )

    @property
    def workplaces(self) -> list[str]:
        """The names of the places of today's assignments."""
        return list(dict.fromkeys(assignment.place.name for assignment, _ in self._held))

    @cached_property
    def grants(self) -> "Grants":
        """Which roles this account may give today, and where: only by the assignments that carry `accounts.edit`."""
        if not self.is_active:
            return Grants()
        rights_of = RoleRights.objects.by_role(self.county_id)
        schools: set[UUID] = set()
        for held in self.assignments.in_force(timezone.localdate()):
            if "accounts.edit" not in rights_of[held.role]:
                continue
            if held.role in COUNTY_ROLES:
                return Grants(frozenset(set(Role) - {Role.OPERATOR}), whole_county=True)
            if held.school_id:
                schools.add(held.school_id)
                if held.role == Role.DISTRICT_SCHOOL:
                    schools |= set(held.school.managed.values_list("pk", flat=True))
        return Grants(
            frozenset({Role.SCHOOL_HEAD, Role.SCHOOL_CLERK}) if schools else frozenset(), frozenset(schools)
        )

    def may(self, right: str) -> bool:
        """Whether any of today's roles carries `right` (see bureau/access/roles.py for the words)."""
        return right in self.scope.rights


class SecondFactor(models.Model):
    """The secret an authenticator app shares with us, and what is left of the recovery codes (as blind indexes).

    `last_step` is the 30-second step of the newest code that was accepted: no code is accepted twice.
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="second_factor")
    value_id = models.UUIDField(default=uuid7, editable=False)
    secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    recovery = models.JSONField(default=list)

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "二次验证"


def _with_predecessors(schools: set[UUID]) -> set[UUID]:
    """The successor of a closed school answers for its papers: whoever works there sees what it left behind."""
    found, newest = set(schools), schools
    while newest:
        closed = School.objects.filter(succeeded_by__in=newest, closed_on__lt=timezone.localdate())
        newest = set(closed.values_list("pk", flat=True)) - found
        found |= newest
    return found


class AssignmentQuerySet(models.QuerySet):
    def in_force(self, day: date) -> Self:
        """Assignments valid on `day`; both ends inclusive."""
        return self.not_ended(day).filter(valid_from__lte=day)

    def not_ended(self, day: date) -> Self:
        """Assignments in force on `day` or beginning later."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day))


class Assignment(models.Model):
    """One role at one place for a span of days; a place is the county, a township or a school."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="assignments")
    county = models.ForeignKey("bureau.County", models.PROTECT)
    role = models.CharField("角色", max_length=30, choices=Role.choices)
    township = models.ForeignKey(
        "bureau.Township", models.PROTECT, null=True, blank=True, verbose_name="乡镇"
    )
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, verbose_name="学校")
    valid_from = models.DateField("自", default=timezone.localdate)
    valid_to = models.DateField("至", null=True, blank=True)
    deputy_for = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="deputies")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "任职"
        constraints = [
            models.CheckConstraint(
                condition=~Q(role__in=SCHOOL_ROLES) | Q(school__isnull=False), name="school_role_has_school"
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.TOWNSHIP_OFFICER) | Q(township__isnull=False),
                name="township_role_has_township",
            ),
        ]

    @property
    def place(self):
        return self.school or self.township or self.county


class RoleRightsQuerySet(models.QuerySet):
    def by_role(self, county_id: UUID | None) -> dict[str, frozenset[str]]:
        """The rights of every role in one county: its own where it changed them, else the defaults."""
        changed = {row.role: frozenset(row.rights) for row in self.filter(county=county_id)}
        return DEFAULT_RIGHTS | changed


class RoleRights(models.Model):
    """What a county changed about a role's rights; a role without a row has the defaults of roles.py."""

    county = models.ForeignKey("bureau.County", models.CASCADE)
    role = models.CharField(max_length=30, choices=Role.choices)
    rights = models.JSONField(default=list)

    objects = RoleRightsQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        constraints = [models.UniqueConstraint(fields=["county", "role"], name="role_rights_once")]

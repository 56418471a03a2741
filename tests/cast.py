"""The small cast that plays in every test, and the places they work at.

township ── center_school ── school (managed by the centre)        other_township ── other_school
clerk, head, inspector: at `school`; district_school: at the centre; township officer: at `township`; the rest: county
"""

from dataclasses import dataclass
from functools import cached_property

import pytest

from bureau.access.models import Account
from bureau.access.roles import COUNTY_ROLES, Role
from bureau.organisation.models import County, School, Term, Township, Village
from tests.factories import (
    AccountFactory,
    CountyFactory,
    SchoolFactory,
    TermFactory,
    TownshipFactory,
    VillageFactory,
)


@dataclass
class World:
    """Two townships of one county, with the places a scoped account may and may not see."""

    county: County
    township: Township
    village: Village
    center_school: School
    school: School
    term: Term
    other_township: Township
    other_school: School

    @cached_property
    def far_county(self) -> County:
        """A second county, made only for tests that ask: the command line serves one county."""
        return CountyFactory(code="990102", name="邻县")

    @cached_property
    def far_school(self) -> School:
        return SchoolFactory(township=TownshipFactory(county=self.far_county, name="邻县镇"), name="邻县小学")

    def place_of(self, role: str) -> School | Township | None:
        if role in COUNTY_ROLES:
            return None
        return {Role.TOWNSHIP_OFFICER: self.township, Role.DISTRICT_SCHOOL: self.center_school}.get(
            role, self.school
        )

    def account(self, role: str) -> Account:
        """A new account of this role at its usual place."""
        return AccountFactory(role=role, at=self.place_of(role))

    def foreign_school(self, account: Account) -> School:
        """The nearest school this account may not see."""
        return self.far_school if account.scope.whole_county else self.other_school


@pytest.fixture
def world(db) -> World:
    township = TownshipFactory(name="城关镇")
    center = SchoolFactory(township=township, name="城关镇中心校")
    return World(
        county=township.county,
        township=township,
        village=VillageFactory(township=township),
        center_school=center,
        school=SchoolFactory(township=township, managed_by=center, name="城关镇第一小学"),
        term=TermFactory(),
        other_township=(other := TownshipFactory(name="河口乡")),
        other_school=SchoolFactory(township=other, name="河口乡中心校"),
    )


@pytest.fixture
def county(world) -> County:
    return world.county


@pytest.fixture
def township(world) -> Township:
    return world.township


@pytest.fixture
def school(world) -> School:
    return world.school


@pytest.fixture
def term(world) -> Term:
    return world.term


def _member(role: Role):
    @pytest.fixture(name=role.value)
    def member(world) -> Account:
        return world.account(role)

    return member


administrator = _member(Role.ADMINISTRATOR)
auditor = _member(Role.AUDITOR)
supervisor = _member(Role.SUPERVISOR)
aid_officer = _member(Role.AID_OFFICER)
finance_officer = _member(Role.FINANCE_OFFICER)
basic_education_officer = _member(Role.BASIC_EDUCATION_OFFICER)
inspector = _member(Role.INSPECTOR)
township_officer = _member(Role.TOWNSHIP_OFFICER)
district_school = _member(Role.DISTRICT_SCHOOL)
school_head = _member(Role.SCHOOL_HEAD)
school_clerk = _member(Role.SCHOOL_CLERK)
operator = _member(Role.OPERATOR)

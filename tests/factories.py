"""Rows of the ground floor for tests; all of the fictional county 990101. Facts that matter stand in the test."""

from datetime import date

import factory
from factory.django import DjangoModelFactory

from bureau.access.models import Account, Assignment
from bureau.access.roles import Role
from bureau.organisation.models import County, Holiday, School, SchoolYear, Stage, Term, Township, Village

PASSWORD = "Yunling-2026-test"


class CountyFactory(DjangoModelFactory):
    class Meta:
        model = County
        django_get_or_create = ["code"]

    code = "990101"
    name = "云岭县"


class TownshipFactory(DjangoModelFactory):
    class Meta:
        model = Township

    county = factory.SubFactory(CountyFactory)
    code = factory.Sequence(lambda n: f"990101{n % 899 + 101}")
    name = factory.Sequence(lambda n: f"第{n + 1}镇")


class VillageFactory(DjangoModelFactory):
    class Meta:
        model = Village

    township = factory.SubFactory(TownshipFactory)
    county = factory.SelfAttribute("township.county")
    code = factory.Sequence(lambda n: f"990101{n // 900 % 900 + 100}{n % 900 + 100}")
    name = factory.Sequence(lambda n: f"第{n + 1}村")


class SchoolFactory(DjangoModelFactory):
    """A primary school in a township of its own."""

    class Meta:
        model = School

    township = factory.SubFactory(TownshipFactory)
    county = factory.SelfAttribute("township.county")
    code = factory.Sequence(lambda n: f"3599{n + 10001:06}")
    name = factory.Sequence(lambda n: f"云岭县第{n + 1}小学")
    stages = factory.LazyFunction(lambda: [Stage.PRIMARY.value])


class SchoolYearFactory(DjangoModelFactory):
    class Meta:
        model = SchoolYear
        django_get_or_create = ["county", "starts_in"]

    county = factory.SubFactory(CountyFactory)
    starts_in = 2026


class TermFactory(DjangoModelFactory):
    """Autumn 2026."""

    class Meta:
        model = Term
        django_get_or_create = ["county", "code"]

    county = factory.SubFactory(CountyFactory)
    school_year = factory.SubFactory(SchoolYearFactory, county=factory.SelfAttribute("..county"))
    code = "2026-autumn"
    starts_on = date(2026, 9, 1)
    ends_on = date(2027, 1, 22)


class HolidayFactory(DjangoModelFactory):
    class Meta:
        model = Holiday

    county = factory.SubFactory(CountyFactory)
    date = date(2026, 10, 1)
    kind = Holiday.Kind.OFF


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = Assignment

    county = factory.SelfAttribute("account.county")
    role = Role.AID_OFFICER
    valid_from = date(2020, 1, 1)


class AccountFactory(DjangoModelFactory):
    """An account with one assignment since 2020: `AccountFactory(role=Role.SCHOOL_CLERK, at=school)`; role None: nobody.

    Tests log in with `client.force_login(account)`; the password of all of them is PASSWORD.
    """

    class Meta:
        model = Account
        skip_postgeneration_save = True

    class Params:
        role = Role.AID_OFFICER
        at = None

    county = factory.SubFactory(CountyFactory)
    username = factory.Sequence(lambda n: f"yl{n + 1:04}")
    display_name = factory.Sequence(lambda n: f"经办{n + 1}")
    password = factory.django.Password(PASSWORD)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        role, at = kwargs.pop("role_", None), kwargs.pop("at_", None)
        account = super()._create(model_class, *args, **kwargs)
        if role:
            place = (
                {"school": at}
                if isinstance(at, School)
                else {"township": at}
                if isinstance(at, Township)
                else {}
            )
            AssignmentFactory(account=account, role=role, **place)
        return account

    role_ = factory.SelfAttribute("role")
    at_ = factory.SelfAttribute("at")

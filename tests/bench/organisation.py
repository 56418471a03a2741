"""The small county every measurement plays in: 990101, ten townships, schools, one term, one operator."""

from datetime import date

from bureau.access.models import Account, Assignment
from bureau.access.roles import Role
from bureau.organisation.models import County, School, SchoolYear, Stage, Term, Township, Village

TERM = "2026-autumn"


def found_county(*, schools: int) -> tuple[County, Term, list[School], Account]:
    county = County.objects.create(code="990101", name="云岭县")
    towns = Township.objects.bulk_create(
        Township(county=county, code=f"9901011{n:02}", name=f"第{n}镇", position=n) for n in range(10)
    )
    Village.objects.bulk_create(
        Village(county=county, township=town, code=f"{town.code}2{n:02}", name=f"{town.name[1]}{n}村")
        for town in towns
        for n in range(12)
    )
    built = School.objects.bulk_create(
        School(
            county=county,
            township=towns[n % 10],
            code=f"35990{n + 10001:05}",
            name=f"云岭县第{n + 1}小学",
            stages=[Stage.PRIMARY.value],
        )
        for n in range(schools)
    )
    year = SchoolYear.objects.create(county=county, starts_in=2026)
    term = Term.objects.create(
        county=county, school_year=year, code=TERM, starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 22)
    )
    operator = Account.objects.create(county=county, username="operator", display_name="操作员")
    Assignment.objects.create(county=county, account=operator, role=Role.OPERATOR, valid_from=date(2020, 1, 1))
    return county, term, built, operator

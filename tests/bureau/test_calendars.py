"""Deadlines around the National Day of 2026: off 1–7 October, made up on Sunday 27 September and Saturday 10 October."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau import calendars
from bureau.calendars import BeyondTerms, Schooldays, Workdays
from bureau.organisation.models import County, Holiday, SchoolYear, Term

OFF = frozenset(date(2026, 10, day) for day in range(1, 8))
MADE_UP = frozenset({date(2026, 9, 27), date(2026, 10, 10)})
OFFICE = Workdays(OFF, MADE_UP)
AUTUMN, SPRING = (date(2026, 9, 1), date(2027, 1, 22)), (date(2027, 2, 22), date(2027, 7, 9))
SCHOOL = Schooldays.of(OFFICE, [SPRING, AUTUMN])

DAYS = st.dates(date(2026, 8, 1), date(2027, 3, 1))


@pytest.mark.parametrize(
    ("from_day", "n", "due_on"),
    [
        (date(2026, 9, 4), 1, date(2026, 9, 7)),
        (date(2026, 9, 4), 0, date(2026, 9, 4)),
        (date(2026, 9, 25), 1, date(2026, 9, 27)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 10, 3), 5, date(2026, 10, 13)),
        (date(2026, 10, 8), -1, date(2026, 9, 30)),
    ],
    ids=["over a weekend", "today", "onto a made-up Sunday", "over the holiday", "onto a made-up Saturday",
         "past it", "starting on a day off", "backwards"],
)  # fmt: skip
def test_workday_deadline_counts_from_the_next_day(from_day, n, due_on):
    assert OFFICE.add(from_day, n) == due_on


@given(DAYS, st.integers(-40, 40))
def test_between_undoes_add(day, n):
    assert OFFICE.between(day, OFFICE.add(day, n)) == (n if n >= 0 or day in OFFICE else n + 1)


@given(DAYS, DAYS, DAYS)
def test_spans_add_up(a, b, c):
    assert OFFICE.between(a, b) + OFFICE.between(b, c) == OFFICE.between(a, c)


@pytest.mark.parametrize(
    ("day", "taught"),
    [
        (date(2026, 8, 31), False),
        (date(2026, 9, 1), True),
        (date(2026, 9, 27), True),
        (date(2026, 10, 5), False),
        (date(2027, 1, 22), True),
        (date(2027, 1, 25), False),
    ],
    ids=["the day before term", "first day", "made-up Sunday", "holiday", "last day", "vacation"],
)
def test_schooldays_lie_inside_terms(day, taught):
    assert (day in SCHOOL) is taught


def test_schoolday_deadline_stands_still_in_the_vacation():
    assert SCHOOL.add(date(2027, 1, 20), 5) == date(2027, 2, 24)
    assert SCHOOL.between(date(2027, 1, 22), date(2027, 2, 22)) == 1


def test_schoolday_deadline_is_not_guessed_past_the_last_term():
    with pytest.raises(BeyondTerms) as refusal:
        SCHOOL.add(date(2027, 7, 8), 3)

    assert refusal.value.last_on == date(2027, 7, 9)
    assert "学期" in refusal.value.message
    with pytest.raises(BeyondTerms):
        Schooldays.of(OFFICE, []).add(date(2026, 9, 1), 1)


@pytest.fixture
def county(db) -> County:
    county = County.objects.create(code="990101", name="云岭县")
    year = SchoolYear.objects.create(county=county, starts_in=2026)
    Term.objects.create(
        county=county, school_year=year, code="2026-autumn", starts_on=AUTUMN[0], ends_on=AUTUMN[1]
    )
    Term.objects.create(
        county=county, school_year=year, code="2027-spring", starts_on=SPRING[0], ends_on=SPRING[1]
    )
    for day in OFF:
        Holiday.objects.create(county=county, date=day, kind="off")
    for day in MADE_UP:
        Holiday.objects.create(county=county, date=day, kind="work")
    return county


def test_calendar_of_a_county_is_read_from_its_own_holidays_and_terms(county, django_assert_num_queries):
    neighbour = County.objects.create(code="990102", name="邻县")
    with django_assert_num_queries(2):
        school = calendars.schooldays(county)

    assert school == SCHOOL
    assert calendars.add_workdays(date(2026, 9, 30), 1, county) == date(2026, 10, 8)
    assert calendars.add_workdays(date(2026, 9, 30), 1, neighbour) == date(2026, 10, 1)
    assert calendars.is_workday(date(2026, 10, 10), county)
    assert not calendars.is_schoolday(date(2027, 2, 1), county)
    assert calendars.workdays_between(date(2026, 9, 30), date(2026, 10, 10), county) == 3
    assert calendars.add_schooldays(date(2027, 1, 22), 1, county) == date(2027, 2, 22)
    assert calendars.schooldays_between(date(2027, 1, 22), date(2027, 2, 23), county) == 2

"""The calendars of a county, from its holidays and terms.

Load one (`workdays(county)`) and count with it as often as needed; the short functions load for a single question.
"""

from datetime import date

from bureau.calendars.counting import Schooldays, Workdays
from bureau.organisation.models import County, Holiday, Term


def workdays(county: County) -> Workdays:
    """Two sets of dates, read in one query."""
    kinds = dict(Holiday.objects.filter(county=county).values_list("date", "kind"))
    return Workdays(
        off=frozenset(day for day, kind in kinds.items() if kind == Holiday.Kind.OFF),
        work=frozenset(day for day, kind in kinds.items() if kind == Holiday.Kind.WORK),
    )


def schooldays(county: County) -> Schooldays:
    """The workdays, and the county's terms: two queries."""
    return Schooldays.of(
        workdays(county), Term.objects.filter(county=county).values_list("starts_on", "ends_on")
    )


def is_workday(day: date, county: County) -> bool:
    return day in workdays(county)


def add_workdays(day: date, n: int, county: County) -> date:
    return workdays(county).add(day, n)


def workdays_between(start: date, end: date, county: County) -> int:
    return workdays(county).between(start, end)


def is_schoolday(day: date, county: County) -> bool:
    return day in schooldays(county)


def add_schooldays(day: date, n: int, county: County) -> date:
    """Raises BeyondTerms when the term after the last one entered would be needed."""
    return schooldays(county).add(day, n)


def schooldays_between(start: date, end: date, county: County) -> int:
    return schooldays(county).between(start, end)

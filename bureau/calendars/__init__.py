"""Deadlines are counted here only: 工作日 for offices, 教学日 for schools."""

from bureau.calendars.counting import BeyondTerms, Schooldays, Workdays
from bureau.calendars.loading import (
    add_schooldays,
    add_workdays,
    is_schoolday,
    is_workday,
    schooldays,
    schooldays_between,
    workdays,
    workdays_between,
)

__all__ = [
    "BeyondTerms",
    "Schooldays",
    "Workdays",
    "add_schooldays",
    "add_workdays",
    "is_schoolday",
    "is_workday",
    "schooldays",
    "schooldays_between",
    "workdays",
    "workdays_between",
]

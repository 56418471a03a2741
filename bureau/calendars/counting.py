"""Counting days, given the days that differ from their weekday. No database, no clock.

The day something happens is not counted, the last day is; “二日、三日、五日、七日” are working days.
Source: 民法典 第二百零一条; 行政处罚法（2021）第八十五条; docs/rules/calendars.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


class BeyondTerms(ValueError):
    """The count runs past the last term that is entered: enter the next term, then count again."""

    code = "beyond_terms"

    def __init__(self, last_on: date | None):
        self.last_on = last_on
        self.message = "尚未录入下一学期的起止日期，无法计算教学日期限。"
        super().__init__(self.message)


class _Days:
    """Counting that needs only `__contains__`."""

    def __contains__(self, day: date) -> bool:
        raise NotImplementedError

    def add(self, day: date, n: int) -> date:
        """The n-th of these days after `day` (before it for a negative n); `day` itself for 0, whatever day it is."""
        step = _DAY if n >= 0 else -_DAY
        left = abs(n)
        while left:
            day = self._next(day, step)
            left -= day in self
        return day

    def between(self, start: date, end: date) -> int:
        """How many of these days lie after `start`, up to and including `end`; negative when `end` comes first."""
        if end < start:
            return -self.between(end, start)
        return sum(start + _DAY * k in self for k in range(1, (end - start).days + 1))

    def _next(self, day: date, step: timedelta) -> date:
        return day + step


@dataclass(frozen=True)
class Workdays(_Days):
    """Monday to Friday, without the days `off`, with the weekend days made up (`work`)."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day in self.work or (day.weekday() < _SATURDAY and day not in self.off)


@dataclass(frozen=True)
class Schooldays(_Days):
    """Workdays inside a term. In vacations the count stands still."""

    workdays: Workdays
    terms: tuple[tuple[date, date], ...]

    @classmethod
    def of(cls, workdays: Workdays, terms: Iterable[tuple[date, date]]) -> "Schooldays":
        """`terms` are first and last days, both inclusive, in any order."""
        return cls(workdays, tuple(sorted(terms)))

    def __contains__(self, day: date) -> bool:
        return day in self.workdays and any(starts <= day <= ends for starts, ends in self.terms)

    def _next(self, day: date, step: timedelta) -> date:
        """Raises BeyondTerms where no term lies ahead."""
        day += step
        ahead = (
            [t for t in self.terms if t[1] >= day]
            if step > timedelta(0)
            else [t for t in self.terms if t[0] <= day]
        )
        if not ahead:
            raise BeyondTerms(self.terms[-1][1] if self.terms else None)
        return day

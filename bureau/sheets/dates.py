"""Dates in the eight styles that arrive, and what is never guessed."""

import re
from datetime import date, timedelta

from bureau.identity import Fault

from .cells import compact, shown
from .kinds import Kind

_FULL = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})[日号]?)")
_TIME = re.compile(r"[T ]?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$")
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月?)")
_SERIALS = range(1, 73051)  # 1900-01-01 to 2099-12-31
_EXAMPLE = "请写成 2012-05-03 的样式。"


class Date(Kind):
    """A day. `months`: a year and month alone is taken as its first day. `past`: no day after today."""

    repeats = True
    max_length = 40

    def __init__(self, *, months: bool = False, past: bool = False):
        self.months, self.past = months, past

    def show(self, value):
        return value.isoformat()

    def read(self, text, moment):
        plain = _TIME.sub("", compact(text).lstrip("'"))
        if match := _FULL.fullmatch(plain):
            return self._date(*(part for part in match.groups() if part), moment=moment)
        if len(plain) == 8 and plain.isascii() and plain.isdigit():
            return self._date(plain[:4], plain[4:6], plain[6:], moment=moment)
        if match := _MONTH.fullmatch(plain):
            return self._month(match.group(1), match.group(2) or match.group(3), moment)
        if len(plain) == 6 and plain.isascii() and plain.isdigit() and plain[:2] in ("19", "20"):
            return self._month(plain[:4], plain[4:], moment)
        raise Fault("date_ambiguous", f"看不出是哪一天：“{plain[:20]}”，{_EXAMPLE}")

    def number(self, number, moment):
        text = shown(number)
        if len(text) in (6, 8) and text.isdigit():
            return self.read(text, moment)
        if number in _SERIALS:
            start = date(1904, 1, 1) if moment.from_1904 else date(1899, 12, 30)
            return self.day(start + timedelta(days=int(number)), moment)
        if self.months and re.fullmatch(r"(19|20)\d\d\.([2-9]|11|12)", text):
            return self.read(text, moment)
        raise Fault("date_ambiguous", f"看不出是哪一天：“{text[:20]}”，{_EXAMPLE}")

    def day(self, day, moment):
        latest = moment.today if self.past else date(moment.today.year + 1, 12, 31)
        if not date(1900, 1, 1) <= day <= latest:
            raise Fault("date_impossible", f"日期 {day.isoformat()} 超出范围，请核对。")
        return day

    def _month(self, year: str, month: str, moment) -> date:
        if not self.months:
            raise Fault("date_ambiguous", f"只有年月没有日，{_EXAMPLE}")
        return self._date(year, month, "1", moment=moment)

    def _date(self, year: str, month: str, day: str, *, moment) -> date:
        try:
            found = date(int(year), int(month), int(day))
        except ValueError:
            raise Fault("date_impossible", f"没有 {year}-{month}-{day} 这一天，请核对。") from None
        return self.day(found, moment)


class YearMonth(Kind):
    """入学年月 as YYYYMM; gives the text of six digits."""

    max_length = 40

    def __init__(self):
        self._date = Date(months=True)

    def read(self, text, moment):
        return self._date.read(text, moment).strftime("%Y%m")

    def number(self, number, moment):
        return self._date.number(number, moment).strftime("%Y%m")

    def day(self, day, moment):
        return day.strftime("%Y%m")

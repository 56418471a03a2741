"""Grades and classes in the words of schools."""

import re
from typing import NamedTuple

from bureau.identity import Fault

from .cells import compact, shown, tidy
from .kinds import Kind, whole

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"壹": 1, "贰": 2, "叁": 3, "两": 2}
_NUMBER = "[0-9]{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九]"
_STAGE_WORDS = {
    "P": "小学|小",
    "J": "初级中学|初中|初",
    "S": "普通高中|高级中学|高中|高",
    "V": "中职|职高|职业高中|中专|技工|技校|职",
}
_LENGTHS = {"K": 3, "P": 6, "J": 3, "S": 3, "V": 5}  # 技工院校 teach for up to five years
MIXED = "K"  # a kindergarten class of all ages: no cohort can be told from it
_KINDERGARTEN = {
    "托班": "K0", "托小班": "K0", "小托班": "K0", "大托班": "K0", "小小班": "K1", "小班": "K1", "中班": "K2", "大班": "K3",
    "学前班": "K3", "混龄班": MIXED, "混合班": MIXED, "混班": MIXED,
}  # fmt: skip
_HALF_YEAR = re.compile("(?:(?:上|下|第[一二])?(?:半)?学期|[上下]册?)$")  # 一年级上学期, 高一(下)
_STAGE = {stage: re.compile(f"(?:{words})({_NUMBER})(?:年级|年)?") for stage, words in _STAGE_WORDS.items()}
_GRADE = re.compile(f"({_NUMBER})(?:年级|年)?")
_CODE = re.compile(r"K[0-3]?|P[1-6]|J[7-9]|S[1-3]|V[1-5]")
_COHORT = re.compile(
    r"(?:(小学|初中|高中|中职|职高|中专)|)((?:19|20)\d\d(?=级?)|\d\d(?=级))级?(?:(小学|初中|高中|中职|职高|中专)|)"
)
_COHORT_STAGES = {"小学": "P", "初中": "J", "高中": "S", "中职": "V", "职高": "V", "中专": "V"}

GRADES = {
    "K0": "托班",
    "K1": "小班",
    "K2": "中班",
    "K3": "大班",
    MIXED: "混龄班",
    "P1": "一年级",
    "P2": "二年级",
    "P3": "三年级",
    "P4": "四年级",
    "P5": "五年级",
    "P6": "六年级",
    "J7": "七年级",
    "J8": "八年级",
    "J9": "九年级",
    "S1": "高一",
    "S2": "高二",
    "S3": "高三",
    "V1": "中职一年级",
    "V2": "中职二年级",
    "V3": "中职三年级",
    "V4": "中职四年级",
    "V5": "中职五年级",
}


def chinese_number(text: str) -> int:
    """一 to 九十九, or ASCII digits."""
    if text.isdigit() and text.isascii():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[ones]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _code(stage: str, number: int) -> str | None:
    if stage == "J" and number < 7:
        number += 6
    first = 7 if stage == "J" else 1
    return f"{stage}{number}" if first <= number < first + _LENGTHS[stage] else None


def _plain_grade(number: int) -> str | None:
    """1 to 12 counted through from the first year of primary school."""
    if 1 <= number <= 6:
        return f"P{number}"
    if 7 <= number <= 9:
        return f"J{number}"
    return f"S{number - 9}" if 10 <= number <= 12 else None


def parse_grade(text: str, *, school_year: int) -> str | None:
    """K0…K3, P1…P6, J7…J9, S1…S3, V1…V5; a cohort without a stage stays "2024级" for the school to resolve.

    What 一年级 means at a school that is no primary school, its stages tell (students/intake/rollrows.py).

    `school_year` is the year in which the current school year started.
    """
    plain = compact(text).upper().replace("(", "").replace(")", "").removeprefix("幼儿园")
    plain = _HALF_YEAR.sub("", plain)
    if _CODE.fullmatch(plain):
        return plain
    if plain in _KINDERGARTEN:
        return _KINDERGARTEN[plain]
    if match := _COHORT.fullmatch(plain):
        before, year, after = match.groups()
        stage, year = _COHORT_STAGES.get(before or after or ""), f"20{year}"[-4:]
        return _code_of_cohort(stage, int(year), school_year) if stage else f"{year}级"
    for stage, pattern in _STAGE.items():
        if match := pattern.fullmatch(plain):
            return _code(stage, chinese_number(match.group(1)))
    if match := _GRADE.fullmatch(plain):
        return _plain_grade(chinese_number(match.group(1)))
    return None


def _code_of_cohort(stage: str, entered: int, school_year: int) -> str | None:
    year = school_year - entered + 1
    return _code(stage, year + 6 if stage == "J" else year) if 1 <= year <= _LENGTHS[stage] else None


def school_year_of(day) -> int:
    """The year in which the school year of `day` started: from August on, its own."""
    return day.year if day.month >= 8 else day.year - 1


class Grade(Kind):
    """年级 as a code of GRADES, or "2024级" where only the cohort is given."""

    options = tuple(GRADES.values())

    def show(self, value):
        return GRADES.get(value, value)

    def read(self, text, moment):
        grade = parse_grade(text, school_year=school_year_of(moment.today))
        if grade is None:
            raise Fault("unknown_value", f"不认识的年级“{tidy(text)[:20]}”，请填如“三年级”“初一”“2024级”。")
        return grade

    def day(self, day, moment):
        raise Fault(
            "class_is_date", f"年级被表格软件变成了日期（{day.month}月{day.day}日），请改为文本后重填。"
        )


class SchoolClass(NamedTuple):
    """A class: its number where it has one, the text shown, and the grade where the text tells it."""

    number: int | None
    text: str
    grade: str | None = None


_NUMBERED = re.compile(r"[(\[]?([0-9]{1,4}|[一二三四五六七八九十]{1,3})[)\]]?班?")
_DOTTED = re.compile(r"([1-9]|1[0-2])[-.]([0-9]{1,2})班?")
_BRACKETED = re.compile(rf"(.{{1,8}}?)[(\[]({_NUMBER})[)\]]班?")
_WRITTEN = re.compile(rf"(.{{1,8}}(?:年级|级)|[初高]?[一二三四五六七八九])({_NUMBER})班")
_OF_KINDERGARTEN = re.compile(rf"(?:幼儿园)?(托|小|中|大|学前)班?[(\[]?({_NUMBER})[)\]]?班?")
_DATE_TEXT = re.compile(r"\d{1,2}月\d{1,2}日|\d{4}[-/]\d{1,2}[-/]\d{1,2}.*")


class ClassName(Kind):
    """班级: "1班", "一班", "(1)", "01", "三(2)班", "三年级二班", "大一班"; gives a SchoolClass."""

    max_length = 60

    def read(self, text, moment):
        plain = compact(text)
        if _DATE_TEXT.fullmatch(plain):
            raise Fault("class_is_date", "班级被表格软件变成了日期，请把列设为文本格式后重填，如“3班”。")
        if match := _NUMBERED.fullmatch(plain):
            return self._numbered(chinese_number(match.group(1)))
        for pattern in (_DOTTED, _BRACKETED, _WRITTEN):
            if match := pattern.fullmatch(plain):
                grade = parse_grade(match.group(1), school_year=school_year_of(moment.today))
                if grade:
                    return self._numbered(chinese_number(match.group(2)), grade)
        if match := _OF_KINDERGARTEN.fullmatch(plain):
            return self._numbered(chinese_number(match.group(2)), _KINDERGARTEN[f"{match.group(1)}班"])
        return SchoolClass(None, tidy(text), _KINDERGARTEN.get(plain))

    def number(self, number, moment):
        found = self.read(shown(number), moment)
        if found.number is None:
            whole(number)  # 3.2 is a class of the third grade, 0.5 is none
        return found

    def day(self, day, moment):
        raise Fault(
            "class_is_date",
            f"班级“{day.month}-{day.day}”被表格软件变成了日期（{day.month}月{day.day}日），请改为文本后重填。",
        )

    def _numbered(self, number: int, grade: str | None = None) -> SchoolClass:
        return SchoolClass(number, f"{number}班", grade)

"""The organisation file of a county, read and judged completely before anything is stored.

Its form is told in docs/guide/commands.md, import_organisation.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bureau.organisation.models import Holiday, Ownership, Stage, Term

STAGES = {stage.value: stage.value for stage in Stage} | {
    "senior": Stage.SENIOR_GENERAL,
    "special_school": Stage.SPECIAL,
}
OWNERSHIPS = {one.value: one.value for one in Ownership} | {one.label: one.value for one in Ownership}
TERM_CODE = re.compile(rf"(\d{{4}})-({'|'.join(Term.SEASONS)})")
SHOWN_PROBLEMS = 5


class PlanRefused(ValueError):
    """The file is not usable; `code` names the first problem, the message up to five of them."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class TownshipPlan:
    code: str
    name: str
    villages: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class SchoolPlan:
    """`given` are the fields the file names: what it leaves out, a second import leaves alone."""

    code: str
    name: str
    township: str
    given: dict[str, Any] = field(default_factory=dict)
    managed_by: str | None = None


@dataclass
class TermPlan:
    code: str
    starts_on: date
    ends_on: date

    @property
    def school_year(self) -> int:
        """The calendar year in whose September the term's school year began."""
        year, season = self.code.split("-")
        return int(year) - (season == "spring")


@dataclass
class Plan:
    county: tuple[str, str]
    townships: list[TownshipPlan]
    schools: list[SchoolPlan]
    terms: list[TermPlan]
    holidays: list[tuple[date, str]]

    @property
    def counts(self) -> dict[str, int]:
        return {
            "townships": len(self.townships),
            "villages": sum(len(township.villages) for township in self.townships),
            "schools": len(self.schools),
            "terms": len(self.terms),
        }


def read_plan(
    content: bytes,
    *,
    known_townships: frozenset[str] = frozenset(),
    known_schools: frozenset[str] = frozenset(),
) -> Plan:
    """Raises PlanRefused. Codes already stored (`known_…`) may be referred to without standing in the file."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PlanRefused("encoding", "文件不是 UTF-8 编码，请另存为 UTF-8。") from error
    except (json.JSONDecodeError, RecursionError) as error:
        place = (
            f"第 {error.lineno} 行第 {error.colno} 列附近"
            if isinstance(error, json.JSONDecodeError)
            else "嵌套过深处"
        )
        raise PlanRefused("not_json", f"文件不是 JSON：{place}读不下去。") from error
    reader = _Reader(known_townships, known_schools)
    plan = reader.plan(data)
    if reader.problems:
        told = reader.problems[:SHOWN_PROBLEMS]
        message = "".join(text for _, text in told)
        if len(reader.problems) > len(told):
            message += f"（另有 {len(reader.problems) - len(told)} 处问题）"
        raise PlanRefused(told[0][0], message)
    return plan


class _Reader:
    """Walks the file once and collects every problem with its place in it."""

    def __init__(self, known_townships: frozenset[str], known_schools: frozenset[str]):
        self.known_townships, self.known_schools = known_townships, known_schools
        self.problems: list[tuple[str, str]] = []

    def wrong(self, code: str, message: str) -> None:
        self.problems.append((code, message))

    def plan(self, data: Any) -> Plan:
        if not isinstance(data, dict) or not isinstance(data.get("county"), dict):
            self.wrong("bad_shape", "文件应是一个对象，并有 county（code 与 name）。")
            return Plan(("", ""), [], [], [], [])
        county = (
            self.code(data["county"], "county", "code", longest=6),
            self.name(data["county"], "county", 60),
        )
        if county[0] and not re.fullmatch(r"\d{6}", county[0]):
            self.wrong("bad_code", f"county 的 code “{county[0]}”应是六位数字区划代码。")
        townships = [self.township(item, where) for item, where in self.items(data, "townships")]
        schools = [self.school(item, where) for item, where in self.items(data, "schools")]
        terms = [term for item, where in self.items(data, "terms") if (term := self.term(item, where))]
        holidays = [day for item, where in self.items(data, "holidays") if (day := self.holiday(item, where))]
        self.no_code_twice("townships", [township.code for township in townships])
        self.no_code_twice("villages", [code for township in townships for code, _ in township.villages])
        self.no_code_twice("schools", [school.code for school in schools])
        self.no_code_twice("terms", [term.code for term in terms])
        self.no_code_twice("holidays", [day.isoformat() for day, _ in holidays])
        self.references(townships, schools)
        return Plan(county, townships, schools, terms, holidays)

    def items(self, data: dict, key: str, parent: str = "") -> list[tuple[dict, str]]:
        found = data.get(key)
        place = f"{parent}{key}"
        if found is None:
            return []
        if not isinstance(found, list):
            self.wrong("bad_shape", f"{place} 应是一个列表。")
            return []
        for number, item in enumerate(found, 1):
            if not isinstance(item, dict):
                self.wrong("bad_shape", f"{place} 第 {number} 项应是一个对象。")
        return [
            (item, f"{place} 第 {number} 项")
            for number, item in enumerate(found, 1)
            if isinstance(item, dict)
        ]

    def code(self, item: dict, where: str, key: str, *, longest: int) -> str:
        value = item.get(key)
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not text:
            self.wrong("bad_code", f"{where}缺少 {key}。")
        elif not re.fullmatch(rf"[0-9A-Za-z-]{{1,{longest}}}", text):
            self.wrong("bad_code", f"{where}的 {key} “{text[:30]}”应是不超过 {longest} 位的数字或字母。")
        return text[:longest]

    def name(self, item: dict, where: str, longest: int) -> str:
        value = item.get("name")
        text = " ".join(value.split()) if isinstance(value, str) else ""
        if not text or "\x00" in text:
            self.wrong("bad_name", f"{where}缺少 name（名称）。")
        elif len(text) > longest:
            self.wrong("bad_name", f"{where}的名称有 {len(text)} 个字，最多 {longest} 个字。")
        return text[:longest]

    def day(self, item: dict, where: str, key: str) -> date | None:
        try:
            return date.fromisoformat(item[key])
        except (KeyError, TypeError, ValueError):
            self.wrong(
                "bad_date", f"{where}的 {key} “{str(item.get(key))[:20]}”不是日期，请写成 2026-09-01。"
            )
            return None

    def township(self, item: dict, where: str) -> TownshipPlan:
        plan = TownshipPlan(self.code(item, where, "code", longest=12), self.name(item, where, 60))
        for village, place in self.items(item, "villages", f"{where}的 "):
            plan.villages.append(
                (self.code(village, place, "code", longest=12), self.name(village, place, 60))
            )
        return plan

    def school(self, item: dict, where: str) -> SchoolPlan:
        code, name = self.code(item, where, "code", longest=20), self.name(item, where, 100)
        where = f"{where}（{name or code}）"
        plan = SchoolPlan(code, name, self.code(item, where, "township", longest=12))
        plan.given["stages"] = self.stages(item, where)
        if "ownership" in item:
            plan.given["ownership"] = self.word(
                item["ownership"], OWNERSHIPS, where, "ownership", "unknown_ownership"
            )
        for key in ("opened_on", "closed_on"):
            if item.get(key) is not None:
                plan.given[key] = self.day(item, where, key)
        if isinstance(item.get("teaching_point"), bool):
            plan.given["teaching_point"] = item["teaching_point"]
        elif item.get("teaching_point") is not None:
            self.wrong("bad_shape", f"{where}的 teaching_point 应是 true 或 false。")
        if item.get("managed_by") is not None:
            plan.managed_by = self.code(item, where, "managed_by", longest=20)
        if item.get("aliases") is not None:
            aliases = item["aliases"]
            if isinstance(aliases, list) and all(isinstance(alias, str) for alias in aliases):
                plan.given["aliases"] = aliases
            else:
                self.wrong("bad_shape", f"{where}的 aliases 应是名称的列表。")
        return plan

    def stages(self, item: dict, where: str) -> list[str]:
        words = item.get("stages")
        if not isinstance(words, list) or not words:
            self.wrong(
                "unknown_stage", f"{where}缺少 stages（学段），可写：{'、'.join(s.value for s in Stage)}。"
            )
            return []
        found = [self.word(word, STAGES, where, "学段", "unknown_stage") for word in words]
        return [stage.value for stage in Stage if stage.value in found]

    def word(self, value: Any, known: dict[str, str], where: str, what: str, code: str) -> str:
        if not isinstance(value, str) or value not in known:
            self.wrong(code, f"{where}的{what} “{str(value)[:30]}”不认识，可写：{'、'.join(sorted(known))}。")
            return ""
        return known[value]

    def term(self, item: dict, where: str) -> TermPlan | None:
        code = self.code(item, where, "code", longest=16)
        starts_on, ends_on = self.day(item, where, "starts_on"), self.day(item, where, "ends_on")
        match = TERM_CODE.fullmatch(code)
        if not match:
            self.wrong("bad_term", f"{where}的 code “{code}”应写成 2026-autumn 或 2026-spring。")
        if not (match and starts_on and ends_on):
            return None
        if starts_on >= ends_on:
            self.wrong("bad_term", f"{where}（{code}）的结束日期应晚于开学日期。")
        if str(starts_on.year) != match[1]:
            self.wrong("bad_term", f"{where}（{code}）应在 {match[1]} 年开学，而 starts_on 是 {starts_on}。")
        return TermPlan(code, starts_on, ends_on)

    def holiday(self, item: dict, where: str) -> tuple[date, str] | None:
        day = self.day(item, where, "date")
        kind = self.word(
            item.get("kind"), {k: k for k in Holiday.Kind.values}, where, " kind ", "unknown_holiday_kind"
        )
        return (day, kind) if day and kind else None

    def no_code_twice(self, place: str, codes: list[str]) -> None:
        seen: set[str] = set()
        for code in codes:
            if code and code in seen:
                self.wrong("duplicate_code", f"{place} 中代码 “{code}” 出现两次。")
            seen.add(code)

    def references(self, townships: list[TownshipPlan], schools: list[SchoolPlan]) -> None:
        here = self.known_townships | {township.code for township in townships}
        all_schools = self.known_schools | {school.code for school in schools}
        for school in schools:
            if school.township and school.township not in here:
                self.wrong(
                    "unknown_township",
                    f"学校“{school.name}”（{school.code}）所属乡镇 “{school.township}” 不在 townships 中，请补上该乡镇或更正代码。",
                )
            if school.managed_by == school.code or (
                school.managed_by and school.managed_by not in all_schools
            ):
                self.wrong(
                    "unknown_school",
                    f"学校“{school.name}”（{school.code}）的所属中心校 “{school.managed_by}” 找不到。",
                )

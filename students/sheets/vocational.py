"""What rolls of 中职 and 技工 schools state beside a pupil's own facts: major, programme and internship."""

import re

from bureau.identity import Fault, parse_yes_no
from bureau.sheets import Draft
from bureau.sheets.cells import compact, tidy
from bureau.sheets.kinds import Kind

_YEARS = re.compile(r"([1-6一二两三四五六])(?:\+([1-4一二两三四]))?(?:年制?|学年)?(?:一贯制)?")
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6}
_NO_INTERNSHIP = "未实习"


class ProgrammeYears(Kind):
    """学制 in years: 3, 三年制, 3+2 (together five). What cannot be read rejects no child."""

    options = ("3", "5", "2")

    def read(self, text, moment):
        match = _YEARS.fullmatch(compact(text).removesuffix(".0"))
        if match is None:
            raise Fault("value_unread", f"看不出学制是几年：“{tidy(text)[:20]}”，请填如“3”。")
        return sum(int(_DIGITS.get(part, part)) for part in match.groups() if part)


class Agricultural(Kind):
    """是否涉农专业: 是/否, and the words 涉农 and 非涉农."""

    options = ("是", "否")

    def show(self, value):
        return "是" if value else "否"

    def read(self, text, moment):
        plain = compact(text)
        if "涉农" in plain and (answer := parse_yes_no(plain.replace("涉农", "").replace("专业", ""))) is not None:
            return answer
        if "农" in plain:
            return not plain.startswith(("非", "不", "否", "无"))
        answer = parse_yes_no(text)
        if answer is None:
            raise Fault("value_unread", f"看不出是否涉农专业：“{tidy(text)[:20]}”，请填“是”或“否”。")
        return answer

    def flag(self, flag, moment):
        return flag


def place_internship(draft: Draft) -> None:
    """实习状态 and 实习单位 as one text; a plain 否 says that he is not on one."""
    values = draft.values
    place, state = values.get("internship_place"), values.get("internship_state")
    if place is None and state is None:
        return
    answer = parse_yes_no(state) if state else None
    if answer is False or state in ("未实习", "在校", "在校学习"):
        values["internship"] = _NO_INTERNSHIP
        return
    words = [state if answer is None else "实习" if not place else None, place]
    values["internship"] = "，".join(filter(None, words))[:60]

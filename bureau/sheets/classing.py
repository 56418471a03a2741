"""Rows below a header that are not data: titles, unit lines, totals, footers, repeated headers.

Each is skipped with a note, so that every non-blank row of the file is accounted for.
"""

import re

from .cells import compact, header_forms, shown, tidy
from .headers import LONGEST_HEADER, Match, vocabulary
from .problem_column import is_problem_header

_TOTAL = re.compile(
    r"(本页|本班|本校|本村|本乡|本镇|全县|全校|全镇|全乡)?(小计|合计|总计|共计|累计|总人数|总户数|总额|汇总)"
)
_FOOTER = re.compile(
    r"(制表|填表|填报|审核|审批|复核|经办|负责|校长|园长|主管|联系|统计|报送|录入|核对|分管|班主任)(人|员|单位|负责人|领导|电话|日期|时间|签字|签名|审核)?"
    r"(签字|签名|盖章)?(\(.*?\))?[::]|单位负责人|(单位)?\(?(盖章|公章|签章)\)?[::]?$|(备注|注|说明|附注|填表说明|填报说明)\d?[::、.]|以上(人员|名单|数据)|以下空白"
)
_UNIT = re.compile(r"(填报单位|填表单位|单位|填报时间|填报日期|数据日期|制表日期|制表时间|日期|统计时间)[::]")
_TITLE = re.compile(
    r"(名单|花名册|统计表|信息表|汇总表|台账|登记表|发放表|明细表|一览表|学生表)(\(.*\))?$|^第[一二三四五六七八九十\d]+(部分|组|批)"
)
_SEQUENCE = re.compile(r"\d{1,6}")


class Classer:
    """Tells data rows from the others for one table."""

    def __init__(self, match: Match, sequence_columns: set[int]):
        self._name = match.found.get("name", -1)
        self._ids = [match.found[attr] for attr in match.sheet.identifiers if attr in match.found]
        self._mapped = set(match.found.values())
        self._places, self._words = match.found, vocabulary(match.sheet)
        self._headers = {
            index: forms[0]
            for index, text in enumerate(match.texts)
            if (forms := header_forms(text.split("/")[-1]))[0]
        }
        self._sequence = sequence_columns
        self._ours = {index for index, text in enumerate(match.texts) if is_problem_header(text)}
        self._left = min(self._headers, default=0)

    def usual(self, cells: list) -> bool:
        """A quick yes for nearly every data row: a short name and a number beside it."""
        if not 0 <= self._name < len(cells) or not self._ids or self._ids[0] >= len(cells):
            return False
        name, number = cells[self._name], cells[self._ids[0]]
        return type(name) is str and type(number) is str and 1 < len(name) < 5 and len(number) > 14

    def new_header(self, cells: list) -> bool:
        """Whether a row is the header of another table below: our words, but in other columns."""
        texts = {index: text for index, cell in enumerate(cells) if (text := shown(cell)) and len(text) < 30}
        named = {index: found[0].attr for index, text in texts.items() if (found := self._words.find(text))}
        return (
            len(named) >= 3
            and len(named) * 2 > len(texts)
            and any(self._places.get(attr) != index for index, attr in named.items())
        )

    def skip_code(self, cells: list) -> tuple[str, str] | None:
        """(code, message) when the row is not data."""
        filled = [
            (i, tidy(text[:LONGEST_HEADER]))
            for i, cell in enumerate(cells)
            if i not in self._ours and (text := shown(cell))
        ]
        if not filled:
            return "only_number", "只有“问题”一列有内容，已跳过。"
        if not any(text for _, text in filled):
            return "only_number", "只有看不见的字符，已跳过。"
        if self._is_header(filled):
            return "repeated_header", "重复的表头行，已跳过。"
        if any(self._looks_identifying(index, text) for index, text in filled):
            return None
        plain = [compact(text) for _, text in filled]
        name = next((compact(text) for index, text in filled if index == self._name), "")
        if any(_TOTAL.match(text) or _TOTAL.search(text[-4:]) for text in plain[:6]) and not self._named(
            name
        ):
            return "subtotal", f"“{filled[0][1][:20]}”是小计或合计行，已跳过。"
        if any(_UNIT.match(text) for text in plain) and (len(filled) <= 4 or not name):
            return "unit_line", f"“{filled[0][1][:20]}”是单位、日期行，已跳过。"
        if any(_FOOTER.match(text) for text in plain) and (len(filled) <= 6 or not name):
            return "footer", f"“{filled[0][1][:20]}”是落款或备注行，已跳过。"
        if len(filled) == 1:
            index, text = filled[0]
            if index in self._sequence and _SEQUENCE.fullmatch(text):
                return "only_number", "只有序号没有数据，已跳过。"
            if _TITLE.search(plain[0]) or (self._may_hold_title(index) and len(plain[0]) > 1):
                return "title", f"“{text[:20]}”是标题行，已跳过。"
        return None

    def _may_hold_title(self, index: int) -> bool:
        """A line of its own starts at the left edge, or where no column is."""
        return index not in self._mapped or (
            index == self._left and index != self._name and index not in self._ids
        )

    def _named(self, name: str) -> bool:
        return bool(name) and not _TOTAL.search(name) and not name.isdigit() and not re.search(r"\d", name)

    def _looks_identifying(self, index: int, text: str) -> bool:
        return index in self._ids and sum(c.isdigit() for c in text) >= 8

    def _is_header(self, filled: list[tuple[int, str]]) -> bool:
        same = sum(self._headers.get(index) == header_forms(text)[0] for index, text in filled)
        return same >= 2 and same * 2 > len(filled)

"""Columns with a closed set of answers, whole numbers and amounts of money."""

import re
from collections.abc import Mapping

from bureau.identity import Fault
from bureau.identity.codes import ETHNIC, SEX, parse_ethnicity, parse_sex, parse_yes_no

from .cells import compact, shown, tidy
from .kinds import Kind


class Sex(Kind):
    """GB/T 2261.1 code."""

    options = ("男", "女")

    def show(self, value):
        return SEX[value]

    def read(self, text, moment):
        code = parse_sex(text)
        if code is None:
            raise Fault("unknown_value", f"性别“{tidy(text)[:10]}”不在可选范围，请填“男”或“女”。")
        return code


class Ethnicity(Kind):
    """GB/T 3304 code."""

    options = tuple(ETHNIC.values())

    def show(self, value):
        return ETHNIC[value]

    def read(self, text, moment):
        code = parse_ethnicity(text)
        if code is None:
            raise Fault("unknown_value", f"民族“{tidy(text)[:10]}”不在可选范围，请填如“汉族”。")
        return code

    def number(self, number, moment):
        return self.read(shown(number).zfill(2), moment)


class YesNo(Kind):
    """是/否 in all the forms that arrive; a blank cell is no answer, not 否."""

    options = ("是", "否")

    def show(self, value):
        return "是" if value else "否"

    def read(self, text, moment):
        answer = parse_yes_no(text)
        if answer is None:
            raise Fault("unknown_value", f"“{tidy(text)[:20]}”不在可选范围，请填“是”或“否”。")
        return answer

    def flag(self, flag, moment):
        return flag


class Choice(Kind):
    """One of several answers. `table`: value -> words accepted for it, the first shown in the template.

    A text that contains exactly one of the words is taken too when `within`: "低保户（C类）".
    """

    def __init__(self, table: Mapping[str, tuple[str, ...]], *, within: bool = False):
        self.options = tuple(words[0] for words in table.values())
        self._first = {value: words[0] for value, words in table.items()}
        self._words = {compact(word): value for value, words in table.items() for word in words}
        self._longest_first = (
            sorted((word for word in self._words if len(word) > 1), key=len, reverse=True) if within else ()
        )

    def show(self, value):
        return self._first[value]

    def find(self, text: str) -> str | None:
        plain = compact(text)
        if plain in self._words:
            return self._words[plain]
        bare = re.sub(r"^\d+[-、.]?", "", plain)
        if bare in self._words:
            return self._words[bare]
        for word in self._longest_first:
            if word in plain:
                return self._words[word]
        return None

    def read(self, text, moment):
        value = self.find(text)
        if value is None:
            raise Fault(
                "unknown_value",
                f"“{tidy(text)[:20]}”不在可选范围，请从下拉选项中选择：{'、'.join(self.options[:8])}。",
            )
        return value


class Integer(Kind):
    """A whole number between `least` and `most`, both inclusive."""

    def __init__(self, *, least: int = 0, most: int = 10**9):
        self.least, self.most = least, most

    def read(self, text, moment):
        plain = compact(text)
        if not re.fullmatch(r"-?[0-9]{1,10}(\.0+)?", plain):
            raise Fault("integer_format", f"“{tidy(text)[:20]}”不是整数，请只填阿拉伯数字。")
        number = int(plain.partition(".")[0])
        if not self.least <= number <= self.most:
            raise Fault("integer_format", f"{number} 超出范围，应在 {self.least} 到 {self.most} 之间。")
        return number


_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d+))?")
_CHINESE_NUMERALS = re.compile("[零〇一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟]")


class Amount(Kind):
    """Yuan in the cell, fen as the value; never rounded, never negative, never nothing."""

    def show(self, value):
        return value / 100

    def read(self, text, moment):
        plain = (
            compact(text)
            .strip("¥￥")
            .removesuffix("整")
            .removesuffix("元")
            .removeprefix("人民币")
            .strip("¥￥")
        )
        if "万" in plain or "亿" in plain:
            raise Fault("amount_format", "本列单位是元，不能写“万”，请填写元数。")
        if _CHINESE_NUMERALS.search(plain):
            raise Fault("amount_format", "金额请填阿拉伯数字。")
        match = _AMOUNT.fullmatch(plain)
        if match is None or not plain.isascii():
            raise Fault(
                "amount_format", f"“{tidy(text)[:20]}”不是金额，请填阿拉伯数字，最多两位小数，不填负数。"
            )
        fraction = (match.group(2) or "").rstrip("0")
        if len(fraction) > 2:
            raise Fault("amount_format", f"金额“{plain}”多于两位小数，请填到分。")
        fen = int(match.group(1).replace(",", "")) * 100 + int(fraction.ljust(2, "0") or 0)
        if fen == 0:
            raise Fault("amount_format", "金额为 0，请填写实际金额；不发放的请删除本行。")
        return fen

    def number(self, number, moment):
        if number < 0:
            raise Fault("amount_format", "金额为负数；更正请走冲正流程。")
        if number >= 1e9:
            raise Fault("amount_format", "金额过大，请核对单位。")
        return self.read(f"{round(number, 6):.6f}", moment)

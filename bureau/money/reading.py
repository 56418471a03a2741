"""From what a clerk typed or a sheet holds to fen, without ever rounding.

Source: the catalogue of bad amounts in docs/rules/money.md (plain digits; 万 is refused in a yuan column because a
slip there is a factor of 10,000; corrections go through the reversal, so an amount is positive).
"""

import re
from decimal import Decimal

from bureau.identity.faults import Fault

CODE = "amount_format"
LARGEST_YUAN = 10**12

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CURRENCY = dict.fromkeys(map(ord, "¥￥"), "¥")
_SPACES = dict.fromkeys(map(ord, "\t\n\r\u00a0\u2002\u2003\u2009\u202f\u3000"), " ")
_NOTHING = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_PLAIN = _FULL_WIDTH | _CURRENCY | _SPACES | _NOTHING

_WHOLE = r"(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?: [0-9]{3})+)"
_AMOUNT = re.compile(rf"'?(?:¥ ?|(?:RMB|CNY) ?)?({_WHOLE}(?:\.[0-9]+)?) ?(?:元|元整|圆)?")
_CHINESE_DIGITS = re.compile("[〇零一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟两]")


def parse_yuan(value: str | int | float | Decimal) -> int:
    """Fen of an amount in yuan: `1,250.00`, `¥625`, `625元`, full-width digits, or the number of a cell.

    A cell's float is taken at six decimals (Excel keeps 625.1 as 625.1000000000001) and must then be whole fen.
    Raises Fault("amount_format") for anything else: signs, zero, fractions of a fen, 万, Chinese numerals, 1e3.
    """
    if isinstance(value, bool):
        raise Fault(CODE, "金额请填阿拉伯数字")
    if isinstance(value, float | Decimal):
        value = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    text = str(value).translate(_PLAIN).strip()
    found = _AMOUNT.fullmatch(text)
    if not found:
        raise Fault(CODE, _why(text))
    yuan = Decimal(found[1].replace(",", "").replace(" ", ""))
    if yuan >= LARGEST_YUAN:
        raise Fault(CODE, "金额过大")
    fen = round(yuan, 6) * 100
    if fen != int(fen):
        raise Fault(CODE, "金额最多两位小数（到分），系统不作四舍五入")
    if not fen:
        raise Fault(CODE, "金额应大于零；更正已发放的金额请走冲正")
    return int(fen)


def _why(text: str) -> str:
    if "万" in text or "亿" in text:
        return "此列单位为元，请不要写“万”，改填元数"
    if _CHINESE_DIGITS.search(text):
        return "金额请填阿拉伯数字"
    if text.startswith(("-", "−", "(")):
        return "金额不能为负；更正已发放的金额请走冲正"
    return "金额格式不对，请只填数字，例如 1250 或 1250.00"

"""公民身份号码, GB 11643-1999: six of address, eight of birth, three of sequence, one check (ISO 7064 MOD 11-2).

Address codes are not looked up: they are retired while a person's number never changes, so an unknown one is legal.
"""

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from stdnum.iso7064 import mod_11_2

from bureau.identity.characters import plain_number
from bureau.identity.faults import Fault

FIRST_YEAR = 1900
MALE, FEMALE = "1", "2"

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CLEAN = re.compile(r"[0-9]{17}[0-9X]").fullmatch
_DIGITS = re.compile(r"[0-9]*X?").fullmatch
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]*)?E\+?[0-9]+").fullmatch
_REPEATED = re.compile(r"0+|([0-9X])\1{4,}").fullmatch
_COUNTED = ("1234567890" * 3, "0123456789" * 3)
_WORDS = frozenset(
    "同上 无 暂无 没有 无号 无证 无身份证 无身份证号 无户口 未办 未办理 未上户 待补 待办 补办中 不详 不明 不清 未知 空 "
    "/ // \\ - -- — —— 〃 ″ NA N/A #N/A NONE NULL NIL".split()
)


class CitizenID(NamedTuple):
    """A valid number. `sex` is a GB/T 2261.1 code.

    `tail_000`: a spreadsheet may have cut the last digits and the check still holds by luck (1 in 11): ask the clerk.
    `legacy`: fifteen digits were written; `value` is the eighteen-digit form to suggest.
    """

    value: str
    born_on: date
    sex: str
    tail_000: bool
    legacy: bool = False


def _partial(digits: str, start: int) -> int:
    return sum(w * int(d) for w, d in zip(_WEIGHTS[start:], digits, strict=False))


# The number is judged in three pieces that repeat from row to row, which is three look-ups a row.
@lru_cache(maxsize=8192)
def _address(digits: str) -> int:
    return _partial(digits, 0)


@lru_cache(maxsize=65536)
def _birth(digits: str) -> tuple[date | None, int]:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None, 0
    return (day if day.year >= FIRST_YEAR else None), _partial(digits, 6)


_SEQUENCE = {
    f"{n:03}": (_partial(f"{n:03}", 14), MALE if n % 2 else FEMALE) for n in range(1000)
}  # the last digit is odd for men


def parse_citizen_id(text: str, *, today: date | None = None, minor: bool = False) -> CitizenID:
    """Read a citizen ID, or a permit of a Hong Kong, Macau or Taiwan resident (81/82/83), which has the same rule.

    `today` is the last day a person can be born on. Fifteen digits are a fault for a `minor` (nobody born after 1999
    holds such a number) and legacy for others. Raises Fault with the first that applies of: id_numeric_cell (the text
    is scientific notation), id_placeholder, id_characters, id_length, id_birth_date (not a real day, before 1900 or
    after `today`), id_checksum.
    """
    if not _CLEAN(text):
        text = plain_number(text)
        _check_shape(text, minor=minor)
        if len(text) == 15:
            return _parse_legacy(text, today=today)
    born_on, weight = _birth(text[6:14])
    if born_on is None or born_on > (today or date.today()):
        raise _placeholder_or(text, Fault("id_birth_date"))
    sequence, sex = _SEQUENCE[text[14:17]]
    if _CHECKS[(_address(text[:6]) + weight + sequence) % 11] != text[17]:
        raise _placeholder_or(text, _wrong_check(text))
    return CitizenID(text, born_on, sex, text[14:17] == "000" or text[15:] == "000")


def is_sound_id(text: str, *, today: date) -> bool:
    """Whether the text is a valid number just as it stands, with nothing to ask about: the quick answer for most cells."""
    if not _CLEAN(text):
        return False
    born_on, weight = _birth(text[6:14])
    if born_on is None or born_on > today or text[14:17] == "000" or text[15:] == "000":
        return False
    return _CHECKS[(_address(text[:6]) + weight + _SEQUENCE[text[14:17]][0]) % 11] == text[17]


def birth_in(value: str) -> date:
    """The birth date in a number that was parsed before."""
    return date(int(value[6:10]), int(value[10:12]), int(value[12:14]))


def birth_in_damaged(text: str) -> date | None:
    """The birth date that a number with a wrong digit or a cut tail still shows, when it is one of the last 120 years."""
    digits = text[6:14]
    if len(digits) < 8 or not text[:14].isascii() or not text[:14].isdigit():
        return None
    born_on, _ = _birth(digits)
    return born_on if born_on and born_on.year >= FIRST_YEAR else None


def sex_in(value: str) -> str:
    """The sex (GB/T 2261.1) in a number that was parsed before."""
    return MALE if int(value[16]) % 2 else FEMALE


def is_placeholder_id(text: str) -> bool:
    """Whether the cell holds a stand-in (zeros, one digit repeated, 123456…, 同上, 无) instead of a number."""
    text = plain_number(text)
    if text in _WORDS or _REPEATED(text):
        return True
    return len(text) >= 6 and any(run.startswith(text) for run in _COUNTED)


def check_digit(first17: str) -> str:
    """The eighteenth character that belongs to seventeen digits."""
    return mod_11_2.calc_check_digit(first17)


def one_slip_away(text: str) -> set[str]:
    """The numbers with a right check character that a slip of the pen may have turned into `text`.

    One digit wrong, two neighbours swapped, one character lost or written twice. A sound number gives none but itself.
    """
    if not _WRITTEN(text):
        return set()
    body, last = text[:-1], _CHECKS.index(text[-1])
    if len(text) == 17:
        return _one_lost(body, last) | {text + check for check in _check_of(text)}
    if len(text) == 19:
        meant = {text[:n] + text[n + 1 :] for n in range(19)}
        return {number for number in meant if number[17] in _check_of(number[:17])}
    total = _partial(body, 0)
    found = {body + check for check in _check_of(body)}
    for n, digit in enumerate(body):
        right = _digit_at(n, total - _WEIGHTS[n] * int(digit), last)
        found |= {body[:n] + right + body[n + 1 :] + text[17]} if right else set()
    for n in range(16):
        moved = (_WEIGHTS[n] - _WEIGHTS[n + 1]) * (int(body[n + 1]) - int(body[n]))
        if (total + moved) % 11 == last:
            found.add(body[:n] + body[n + 1] + body[n] + text[n + 2 :])
    if text[17] != "X":
        found |= {body[:16] + text[17] + check for check in _check_of(body[:16] + text[17]) if check == body[16]}
    return found


def _one_lost(body: str, last: int) -> set[str]:
    """Numbers of which `body` and the check character `last` are left after one digit was lost."""
    found = set()
    for n in range(17):
        rest = _partial(body[:n], 0) + _partial(body[n:], n + 1)
        if right := _digit_at(n, rest, last):
            found.add(body[:n] + right + body[n:] + _CHECKS[last])
    return found


def _digit_at(place: int, rest: int, check: int) -> str:
    """The one digit that makes the check come out with the weighted sum of the others; empty when none does."""
    digit = (check - rest) * _INVERSES[place] % 11
    return str(digit) if digit < 10 else ""


def _check_of(first17: str) -> str:
    return _CHECKS[_partial(first17, 0) % 11] if first17.isdigit() else ""


_WRITTEN = re.compile(r"[0-9]{16,18}[0-9X]").fullmatch
_INVERSES = [pow(weight, -1, 11) for weight in _WEIGHTS]


def _check_shape(text: str, *, minor: bool) -> None:
    if _SCIENTIFIC(text):
        raise Fault("id_numeric_cell", "身份证号被存为数字，后几位已丢失，请改为文本格式重新录入。")
    if is_placeholder_id(text):
        raise _placeholder()
    if not _DIGITS(text):
        raise Fault("id_characters", "身份证号含非数字字符，只能是数字，末位可为大写字母X。")
    if len(text) == 15 and text.isdigit():
        if minor:
            raise Fault("id_length", "身份证号应为18位，现为15位；学生没有15位身份证号。")
    elif len(text) != 18:
        raise Fault("id_length", f"身份证号应为18位，现为{len(text)}位。")


def _parse_legacy(text: str, *, today: date | None) -> CitizenID:
    first17 = f"{text[:6]}19{text[6:]}"
    born_on, _ = _birth(first17[6:14])
    if born_on is None or born_on > (today or date.today()):
        raise Fault("id_birth_date")
    _, sex = _SEQUENCE[text[12:]]
    return CitizenID(first17 + check_digit(first17), born_on, sex, text[12:] == "000", legacy=True)


def _placeholder() -> Fault:
    return Fault("id_placeholder", "不能使用占位号码；没有身份证的，请选择证件类型并说明原因。")


def _placeholder_or(text: str, fault: Fault) -> Fault:
    return _placeholder() if is_placeholder_id(text) else fault


def _wrong_check(text: str) -> Fault:
    if text.endswith("000"):
        return Fault(
            "id_checksum", "身份证号校验位不符，末三位为000，疑似被表格软件截断，请改为文本格式重新录入。"
        )
    return Fault("id_checksum", "身份证号校验位不符，请核对第18位及各位数字。")

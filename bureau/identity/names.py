"""Names of people: cleaned for the record, keyed for matching, compared, and spelt in pinyin.

Names are counted in code points and may hold any character of GB 18030, of which Python may not yet know all.
The dot between parts of a name is U+00B7, and fields hold fifty characters and more (民委发〔2016〕33号).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

from pypinyin import Style, pinyin
from rapidfuzz.distance import OSA

from bureau.identity.characters import DIRECTIONS, MARKS, SPACES
from bureau.identity.faults import Fault

DOT = "·"
DOTS = DOT + "•・･‧．.∙˙●⋅﹒｡⸱\u0387"
MAX_LENGTH = 100
MAX_COMBINING = 8
NOTES = {  # what the clerk is asked to confirm; the name is accepted
    "name_spaces": "姓名中有空格，请确认。",
    "name_latin": "姓名为拼音或含字母，请确认证件姓名。",
    "name_compatibility": "姓名中的兼容字已换成标准字，请确认。",
}
Agreement = Literal["same", "damaged", "homophone", "near", "different"]

_LOST = "?*□■▢〓○◯\ufffd"
LOST_CLASS = f"[{_LOST}\ue000-\uf8ff\U000f0000-\U0010ffff]"  # the same as GLOB and PostgreSQL's ~ write it
_SELECTORS = [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
_UNSEEN = dict.fromkeys([*map(ord, MARKS), *_SELECTORS])
_FIRST_STEP = dict.fromkeys(map(ord, DOTS), DOT) | _UNSEEN | {ord("’"): "'", ord("‘"): "'"}
_GAPS = dict.fromkeys(map(ord, SPACES + DIRECTIONS + DOTS)) | _UNSEEN

_USUAL = re.compile("[一-鿿]{2,6}").fullmatch  # a short cut for most names, not the judge of any
_AROUND_DOT = re.compile(rf"\s*{DOT}[\s{DOT}]*")
_LATIN = re.compile("[A-Za-zÀ-ɏ]")
_RARE_PLANES = range(0x20000, 0x3FFFE)  # characters are assigned there faster than Python's tables follow
_NOT_A_NAME = frozenset("()[]{}<>【】《》〈〉,、;/\\|:")
_ALSO_IN_NAMES = frozenset(" -'〇་" + DOT)  # the Tibetan tsheg among them


class Name(NamedTuple):
    """`notes`: codes of NOTES."""

    value: str
    notes: tuple[str, ...] = ()


def clean_name(text: str) -> Name:
    """The name to record. Spaces in Han names go, every kind of dot becomes U+00B7, compatibility forms are unified.

    Raises Fault name_characters for what a name cannot hold: lost characters (?, □, private use), control characters,
    emoji, digits, brackets, a first character a spreadsheet would run, more than 8 combining marks or 100 characters.
    A blank gives the blank name: whether one is required is the caller's question.
    """
    if _USUAL(text):
        return Name(text)
    if text[:1] in "\t\r\n" and text.strip():
        raise _refused(text[0])
    dotted = text.translate(_FIRST_STEP).strip(SPACES)
    if len(dotted) > MAX_LENGTH:
        raise Fault("name_characters", f"姓名超过{MAX_LENGTH}个字。")
    if sum(map(_is_combining, dotted)) > MAX_COMBINING or any("\ud800" <= c <= "\udfff" for c in dotted):
        raise Fault("name_characters", "姓名含无效字符。")
    value = unicodedata.normalize("NFKC", dotted).strip(SPACES)
    notes: set[str] = set()
    if any(
        _is_ideograph(n) and o not in value
        for o in dotted
        for n in unicodedata.normalize("NFKC", o)
        if n != o
    ):
        notes.add("name_compatibility")
    _check_characters(value)
    value = _AROUND_DOT.sub(DOT, value).strip(DOT)
    if not value and text.strip(SPACES):
        raise Fault("name_characters", "姓名列只填姓名。")
    value = _close_spaces(value, notes)
    if _LATIN.search(value):
        notes = (notes - {"name_spaces"}) | {"name_latin"}
    return Name(value, tuple(sorted(notes)))


def _check_characters(value: str) -> None:
    if value[:1] in ("=", "+", "-", "@"):
        raise _refused(value[0])
    for c in value:
        if _is_lost(c):
            raise Fault("name_characters", "姓名含无法识别的字，请按证件录入。")
        if c in _NOT_A_NAME or unicodedata.category(c) in ("Nd", "No"):
            raise Fault("name_characters", "姓名列只填姓名，不填关系、编号或第二个姓名。")
        if not (c.isalpha() or c in _ALSO_IN_NAMES or _is_combining(c) or ord(c) in _RARE_PLANES):
            raise _refused(c)


def _close_spaces(value: str, notes: set[str]) -> str:
    if " " not in value:
        return value
    closed = value.replace(" ", "")
    if not all(map(_is_ideograph, closed.replace(DOT, ""))):
        notes.add("name_spaces")
        return " ".join(value.split())
    if len(closed) > 3:
        notes.add("name_spaces")
    return closed


def _is_ideograph(c: str) -> bool:
    return c == "〇" or ord(c) in _RARE_PLANES or unicodedata.name(c, "").startswith("CJK UNIFIED")


def _is_combining(c: str) -> bool:
    return unicodedata.category(c)[0] == "M"


def _is_lost(c: str) -> bool:
    return c in _LOST or "\ue000" <= c <= "\uf8ff" or c >= "\U000f0000"


def _refused(c: str) -> Fault:
    return Fault("name_characters", f"姓名含不允许的字符（U+{ord(c):04X}）。")


@lru_cache(maxsize=1)
def _simplified() -> Mapping[int, str | None]:
    """OpenCC's table of single characters, traditional to its first simplified form, with the gaps of names."""
    lines = (files("opencc") / "dictionary" / "TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {**{ord(old): new.split()[0] for old, new in pairs if len(old) == 1}, **_GAPS}


def name_key(text: str) -> str:
    """The form in which two writings of a name are equal: no spaces or dots, simplified characters, lower case.

    Never raises: lost characters stay, so that a damaged name has a key too.
    """
    bare = text.translate(_GAPS)
    if bare.isascii():
        return bare.casefold()
    simplified = unicodedata.normalize("NFKC", bare).translate(_simplified())
    return unicodedata.normalize("NFKC", simplified.casefold())  # what a removed space kept apart


def names_agree(a: str, b: str) -> Agreement:
    """How two writings of a name compare; the first that holds.

    same: their keys are equal. damaged: equal but for characters lost (?, □, *, private use) or spelt in pinyin, with
    at least one character in common. homophone: same pinyin without tones. near: one edit apart and the longer has
    three characters, two neighbours swapped, or one character differs and one of the two is rare (offices write a
    common one for it). A blank name is different from every name.
    """
    return keys_agree(name_key(a), name_key(b))


def keys_agree(a: str, b: str) -> Agreement:
    """The same for two names as `name_key` gives them."""
    if not a or not b:
        return "different"
    if a == b:
        return "same"
    if _is_damaged(a, b):
        return "damaged"
    if _sound(a) == _sound(b):
        return "homophone"
    longer = max(len(a), len(b))
    swapped = len(a) == len(b) and sorted(a) == sorted(b)
    if (longer >= 3 or swapped) and OSA.distance(a, b, score_cutoff=1) == 1:
        return "near"
    return "near" if len(a) == len(b) == 2 and _rare_for_common(a, b) else "different"


def _rare_for_common(a: str, b: str) -> bool:
    """Two characters of which one stays and the other is rare in one writing: 李彧 as 李或."""
    different = [(c, d) for c, d in zip(a, b, strict=True) if c != d]
    return len(different) == 1 and _is_rare(different[0][0]) != _is_rare(different[0][1])


def _is_rare(c: str) -> bool:
    """Beyond GB 2312, the characters every input method and every old system has."""
    try:
        c.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False


def _is_damaged(a: str, b: str) -> bool:
    """Walks both names side by side; a step is one pair of characters, or one that was lost and what stands for it."""
    if not any(_is_lost(c) or "a" <= c <= "z" for c in a + b) or max(len(a), len(b)) > MAX_LENGTH:
        return False
    waiting, seen = [(0, 0, False)], set()
    while waiting:
        step = i, j, in_common = waiting.pop()
        if i == len(a) and j == len(b) and in_common:
            return True
        if i == len(a) or j == len(b) or step in seen:
            continue
        seen.add(step)
        if _is_lost(a[i]) or _is_lost(b[j]):
            waiting.append((i + 1, j + 1, in_common))
        elif a[i] == b[j]:
            waiting.append((i + 1, j + 1, True))
        waiting += [(i + n, j + 1, in_common) for n in _stand_ins(a, i, b[j])]
        waiting += [(i + 1, j + n, in_common) for n in _stand_ins(b, j, a[i])]
    return False


def _stand_ins(damaged: str, start: int, lost: str) -> Iterator[int]:
    """How many characters at `start` may stand for the lost one: its pinyin, or one question mark per UTF-16 unit."""
    if lost > "\uffff" and damaged.startswith("??", start):
        yield 2
    if "a" <= damaged[start] <= "z":
        yield from (len(reading) for reading in _readings(lost) if damaged.startswith(reading, start))


@lru_cache(maxsize=32768)
def _readings(c: str) -> tuple[str, ...]:
    """Pinyin of one character without tones, the usual reading first; the character itself where it has none."""
    found = pinyin(c, style=Style.NORMAL, heteronym=True)
    return tuple(dict.fromkeys(found[0])) if found else (c,)


# Characters that are read otherwise as a surname.
_SURNAMES = dict(
    pair.split(":")
    for pair in (
        "单:shan 仇:qiu 曾:zeng 解:xie 查:zha 区:ou 盖:ge 朴:piao 种:chong 秘:bi 缪:miao 乐:yue 员:yun 召:shao 覃:qin "
        "翟:zhai 洗:xian 宿:su 祭:zhai 繁:po 折:she 逄:pang 句:gou 纪:ji 尉迟:yu,chi 万俟:mo,qi 长孙:zhang,sun "
        "澹台:tan,tai"
    ).split()
)


def _syllables(key: str) -> list[str]:
    for length in (2, 1):
        if reading := _SURNAMES.get(key[:length]):
            return reading.split(",") + [_readings(c)[0] for c in key[length:]]
    return [_readings(c)[0] for c in key]


@lru_cache(maxsize=65536)
def _sound(key: str) -> str:
    return "".join(_syllables(key))


def pinyin_key(name: str) -> str:
    """Pinyin without tones, one space between syllables, for sorting; surnames as surnames are read. ü is v."""
    words: list[tuple[str, bool]] = []
    for c, syllable in zip(key := name_key(name), _syllables(key), strict=True):
        if words and c.isascii() and words[-1][1]:
            words[-1] = (words[-1][0] + syllable, True)
        else:
            words.append((syllable, c.isascii()))
    return " ".join(word for word, _ in words)


def initials(name: str) -> str:
    """First letters to search by: 张三 gives zs, Aisha Ali gives aa."""
    parts = re.split(rf"[\s{re.escape(DOTS)}]+", name)
    return "".join(
        part[:1].casefold() if part.isascii() else "".join(s[:1] for s in _syllables(name_key(part)))
        for part in parts
    )

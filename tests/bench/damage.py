"""The ways in which lists damage a row, planted kind by kind, so that what is found can be told for each of them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bureau.identity.names import pinyin_key
from tests.bench.people import GIVEN, Child, citizen_id

TRADITIONAL = dict(zip("华强军飞龙凤丽红兰东云长张刘陈杨赵孙马罗郑谢韩邓萧叶苏吕钱严贤义礼圣灵宁乐寿庆", "華強軍飛龍鳳麗紅蘭東雲長張劉陳楊趙孫馬羅鄭謝韓鄧蕭葉蘇呂錢嚴賢義禮聖靈寧樂壽慶", strict=True))
RARE = {"月": "玥", "明": "眀", "林": "琳", "子": "仔", "志": "㤞", "安": "桉", "华": "铧", "天": "祆", "江": "茳", "中": "衷"}


@dataclass(frozen=True)
class Row:
    """What a list says of one child; `valid` is the citizen ID when it is one, `written` what stands there."""

    name: str
    valid: str | None
    written: str | None
    born_on: date | None
    sex: str
    household: str | None = None
    guardian_id: str | None = None
    head: str = ""


def sound_row(child: Child) -> Row:
    return Row(child.name, child.id, child.id, child.born_on, "1" if child.sex == "男" else "2")


Damage = Callable[[Row, Child, random.Random], Row]


def _wrong(row: Row, written: str | None) -> Row:
    return replace(row, valid=None, written=written)


def _digit(row: Row, child: Child, chance: random.Random) -> Row:
    place = chance.randrange(6, 17)
    digit = str((int(row.written[place]) + chance.randrange(1, 10)) % 10)
    return _wrong(row, row.written[:place] + digit + row.written[place + 1 :])


def _swap(row: Row, child: Child, chance: random.Random) -> Row:
    places = [n for n in range(6, 16) if row.written[n] != row.written[n + 1]]
    n = chance.choice(places)
    return _wrong(row, row.written[:n] + row.written[n + 1] + row.written[n] + row.written[n + 2 :])


def _lost_digit(row: Row, child: Child, chance: random.Random) -> Row:
    n = chance.randrange(6, 17)
    return _wrong(row, row.written[:n] + row.written[n + 1 :])


def _cut(row: Row, child: Child, chance: random.Random) -> Row:
    return _wrong(row, row.written[:15] + "000")


def _no_id(row: Row, child: Child, chance: random.Random) -> Row:
    return _wrong(row, None)


def _no_birth(row: Row, child: Child, chance: random.Random) -> Row:
    return replace(row, born_on=None)


def _swapped_birth(row: Row, child: Child, chance: random.Random) -> Row:
    day = row.born_on
    if day.day > 12:
        return replace(row, born_on=day + timedelta(days=10 if day.day < 15 else -10))  # a digit of the day instead
    return replace(row, born_on=date(day.year, day.day, day.month))


def _near_birth(row: Row, child: Child, chance: random.Random) -> Row:
    return replace(row, born_on=row.born_on.replace(year=row.born_on.year + chance.choice((-1, 1)), day=min(row.born_on.day, 28)))


def _spelt(row: Row, child: Child, chance: random.Random) -> Row:
    name = "".join(TRADITIONAL.get(c, c) for c in row.name)
    return replace(row, name=chance.choice((name[0] + " " + name[1:], name[0] + "·" + name[1:], name)))


def _lost(row: Row, child: Child, chance: random.Random) -> Row:
    return replace(row, name=row.name[:-1] + "?")


def _homophones() -> dict[str, str]:
    by_sound: dict[str, list[str]] = {}
    for c in GIVEN + "珊叁轩萱彤桐童涛韬洁杰捷颖影英莹盈营蕊瑞睿锐":
        by_sound.setdefault(pinyin_key(c), []).append(c)
    return {c: others[0] for chars in by_sound.values() for c in chars if (others := [o for o in chars if o != c])}


HOMOPHONES = _homophones()


def _homophone(row: Row, child: Child, chance: random.Random) -> Row:
    places = [n for n in range(1, len(row.name)) if row.name[n] in HOMOPHONES]
    if not places:
        return _other(row, child, chance)
    n = chance.choice(places)
    return replace(row, name=row.name[:n] + HOMOPHONES[row.name[n]] + row.name[n + 1 :])


def _other(row: Row, child: Child, chance: random.Random) -> Row:
    n = chance.randrange(1, len(row.name))
    return replace(row, name=row.name[:n] + chance.choice([c for c in GIVEN if c != row.name[n]]) + row.name[n + 1 :])


def _rare(row: Row, child: Child, chance: random.Random) -> Row:
    places = [n for n in range(1, len(row.name)) if row.name[n] in RARE]
    if not places:
        return _other(row, child, chance)
    n = chance.choice(places)
    return replace(row, name=row.name[:n] + RARE[row.name[n]] + row.name[n + 1 :])


def _guardian(row: Row, child: Child, chance: random.Random) -> Row:
    return replace(row, guardian_id=child.guardian_id, head=child.guardian)


def _household(row: Row, child: Child, chance: random.Random) -> Row:
    return replace(row, household=child.household)


def _anothers_id(row: Row, child: Child, chance: random.Random) -> Row:
    """The number of a child born the same day, right in itself: a twin's, or a slip by one line."""
    other = citizen_id(child.born_on, child.number // 2100 + (1 if child.number < 2100 else -1))
    return replace(row, valid=other, written=other)


def _stranger(row: Row, child: Child, chance: random.Random) -> Row:
    """A namesake of the same day from another county: nobody here."""
    number = citizen_id(child.born_on, 900 + chance.randrange(90))
    return replace(row, valid=number, written=number)


KINDS: dict[str, tuple[Damage, ...]] = {
    "号码错一位": (_digit,),
    "号码相邻两位颠倒": (_swap,),
    "号码少写一位": (_lost_digit,),
    "号码末三位成 000": (_cut,),
    "没有号码": (_no_id,),
    "没有号码，有监护人号码": (_no_id, _guardian),
    "没有号码，有户编号": (_no_id, _household),
    "号码错一位，没有出生日期": (_digit, _no_birth),
    "号码末三位成 000，没有出生日期": (_cut, _no_birth),
    "没有号码，月日颠倒（或日错一位）": (_no_id, _swapped_birth),
    "号码错一位，出生年差一": (_digit, _near_birth),
    "姓名有空格、间隔点、繁体": (_spelt,),
    "姓名缺一字（?）": (_lost,),
    "姓名同音字": (_homophone,),
    "姓名生僻字换常用字": (_rare,),
    "姓名错一字": (_other,),
    "姓名同音字，号码错一位": (_homophone, _digit),
    "姓名缺一字，没有号码": (_lost, _no_id),
    "姓名缺一字，没有号码，有监护人号码": (_lost, _no_id, _guardian),
    "姓名错一字，号码错一位": (_other, _digit),
    "姓名错一字，号码末三位成 000": (_other, _cut),
    "姓名错一字，没有号码，有户编号": (_other, _no_id, _household),
    "号码是别的孩子的": (_anothers_id,),
    "同名同日生的外县孩子": (_stranger,),
}
STRANGERS = "同名同日生的外县孩子"


def damaged(child: Child, kind: str, chance: random.Random) -> Row:
    row = sound_row(child)
    for damage in KINDS[kind]:
        row = damage(row, child, chance)
    return row

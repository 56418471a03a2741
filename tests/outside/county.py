"""A made-up county 990101 and everybody in it, from one seed. Imports nothing of the project.

The people are planned here; `rolls.py` and `lists.py` write them into the files that schools and other
offices would send. What each file row means is remembered beside the file (`books.Line`), so `truth.py`
can say what a correct reader must find.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

HERE, NEXT_DOOR = "990101", "990102"
TERM = "2026-autumn"
YEAR_STARTS = date(2026, 9, 1)
FIRST, SECOND = date(2026, 9, 10), date(2026, 10, 12)  # as_of of the two rounds of lists

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = (
    "赵钱孙周吴郑王冯褚卫蒋沈韩朱秦许何吕施孔曹严魏陶姜谢邹窦章潘葛范彭鲁韦苗方俞任袁柳史唐薛雷贺倪汤罗毕郝"
)
FIRST_CHARS = "子梓雨思佳欣浩宇俊晨若诗文嘉志雅静天明心可"
LAST_CHARS = "涵轩怡萱彤琪宁航睿博媛妍朗瑶泽珊楠颖鑫杰阳露"
TRADITIONAL = {"张": "張", "刘": "劉", "陈": "陳", "杨": "楊", "龙": "龍", "华": "華", "丽": "麗", "红": "紅"}
TOWNS = (("石桥镇", "100"), ("柳河镇", "101"), ("白塔乡", "200"), ("望山乡", "201"))
VILLAGES = ("东岗村", "西坪村", "青石社区")
GRADES = {
    0: "大班", 1: "一年级", 2: "二年级", 3: "三年级", 4: "四年级", 5: "五年级", 6: "六年级",
    7: "七年级", 8: "八年级", 9: "九年级", 10: "高一", 11: "高二", 12: "高三",
}  # fmt: skip
SCHOOLS = (
    # code, name, town, stages, ownership
    ("2199000101", "石桥镇中心小学", 0, ["primary"], "public"),
    ("2199000102", "柳河镇中心小学", 1, ["primary"], "public"),
    ("2199000103", "白塔乡小学", 2, ["primary"], "public"),
    ("3199000104", "青溪县第二初级中学", 0, ["junior"], "public"),
    ("3199000105", "望山乡九年一贯制学校", 3, ["primary", "junior"], "public"),
    ("3499000106", "青溪县第一中学", 0, ["senior_general"], "public"),
    ("1199000107", "石桥镇春苗幼儿园", 0, ["preschool"], "private"),
)
CENTRAL, LIUHE, BAITA, JUNIOR, NINE, SENIOR, KINDER = (s[0] for s in SCHOOLS)


def check_digit(first17: str) -> str:
    """GB 11643: the eighteenth character for the first seventeen digits."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def is_sound(number: str) -> bool:
    return len(number) == 18 and number[:17].isdigit() and check_digit(number[:17]) == number[17]


@dataclass
class Person:
    key: str
    name: str
    sex: str
    born: date
    citizen_id: str
    town: int
    village: int
    head: str = ""  # key of the head of the household
    relation: str = "户主"
    household: str = ""
    member_number: str = ""
    phone: str = ""

    @property
    def place(self) -> str:
        return town_code(self.town)


@dataclass
class Child(Person):
    school: str | None = None
    grade: int = 1
    klass: int = 1
    hukou_here: bool = True
    student_number: str = ""
    # where the child's name stands
    in_roll: bool = True
    in_xueji: bool = True
    in_population: bool = True
    lists: dict[str, str] = field(default_factory=dict)  # register -> category, in the first round
    tags: set[str] = field(default_factory=set)


def town_code(town: int) -> str:
    return f"{HERE}{TOWNS[town][1]}000"


def village_code(town: int, village: int) -> str:
    return f"{HERE}{TOWNS[town][1]}{201 + village}"


def school_name(code: str) -> str:
    return next(name for c, name, *_ in SCHOOLS if c == code)


class County:
    """`size` school children of 990101 and their families; `style` chooses the layouts ("a", "b" or "c")."""

    def __init__(self, folder: Path, *, seed: int = 1, size: int = 260, style: str = "a"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dice = random.Random(f"outside-{seed}")
        self.style = style
        self.children: dict[str, Child] = {}
        self.adults: dict[str, Person] = {}
        self.strangers: dict[str, Person] = {}
        self._numbers: set[str] = set()
        self._names: set[str] = set()
        self._households = 0
        if size:
            for i in range(size):
                self._add_child(i)
            self._plant()

    # -- people --------------------------------------------------------------------------------

    def new_number(self, born: date, sex: str, *, area: str = HERE, ends_in_x: bool = False) -> str:
        while True:
            order = self.dice.randrange(1, 500) * 2 - (1 if sex == "男" else 0)
            first17 = f"{area}{born:%Y%m%d}{order % 1000:03d}"
            number = first17 + check_digit(first17)
            # a cut tail (…000) must never pass the checksum by luck, so that the planted damage is damage
            if number in self._numbers or order % 1000 == 0 or check_digit(first17[:15] + "00") == "0":
                continue
            if ends_in_x and number[17] != "X":
                continue
            self._numbers.add(number)
            return number

    def new_name(self, *, surname: str = "") -> str:
        while True:
            name = (surname or self.dice.choice(SURNAMES)) + self.dice.choice(FIRST_CHARS)
            name += self.dice.choice(LAST_CHARS)
            if name not in self._names:
                self._names.add(name)
                return name

    def _family(self, surname: str, town: int, village: int) -> Person:
        self._households += 1
        n = self._households
        born = date(1978, 1, 1) + timedelta(days=self.dice.randrange(4000))
        head = Person(
            key=f"adult{n}", name=self.new_name(surname=surname), sex="男", born=born, town=town, village=village,
            citizen_id=self.new_number(born, "男"), household=f"H{990000 + n}", member_number=f"M{n:06d}00",
            phone=f"1990000{n:04d}",
        )  # fmt: skip
        head.head = head.key
        self.adults[head.key] = head
        return head

    def add_child(self, key: str, *, born: date, **given) -> Child:
        sex = given.pop("sex", None) or self.dice.choice("男女")
        town = given.pop("town", None)
        town = self.dice.randrange(len(TOWNS)) if town is None else town
        village = self.dice.randrange(len(VILLAGES))
        name = given.pop("name", None) or self.new_name()
        head = given.pop("family", None) or self._family(name[0], town, village)
        here = given.get("hukou_here", True)
        number = self.new_number(born, sex, area=HERE if here else NEXT_DOOR, ends_in_x=given.pop("x", False))
        grade = 2026 - (born.year + (6 if (born.month, born.day) <= (8, 31) else 7)) + 1
        n = len(self.children)
        child = Child(
            key=key, name=name, sex=sex, born=born, citizen_id=number, town=head.town, village=head.village,
            head=head.key, relation="之子" if sex == "男" else "之女", household=head.household, phone=head.phone,
            member_number=f"M{n:06d}88", grade=grade, klass=n % 2 + 1,
            student_number=f"G{number}" if n % 7 else f"L{number[:14]}{self.dice.randrange(10000):04d}", **given,
        )  # fmt: skip
        if not 1 <= grade <= 10 and "in_population" not in given:
            child.in_population = False
        if not here:
            child.in_population = False
        if child.school is None and child.in_roll:
            child.school = self._school_for(child)
        self.children[key] = child
        return child

    def _school_for(self, child: Child) -> str:
        if child.grade <= 0:
            return KINDER
        if child.grade >= 10:
            return SENIOR
        if child.grade >= 7:
            return JUNIOR if child.town != 3 else NINE
        return (CENTRAL, LIUHE, BAITA, NINE)[child.town]

    def _add_child(self, i: int) -> None:
        days = (date(2020, 8, 31) - date(2011, 9, 1)).days
        born = date(2020, 8, 30) - timedelta(days=self.dice.randrange(days))
        if i % 16 == 0:  # a few in kindergarten, a few in the senior school
            born = date(2021, 3, 1) + timedelta(days=self.dice.randrange(150))
        elif i % 16 == 1:
            born = date(2009, 10, 1) + timedelta(days=self.dice.randrange(300))
        self.add_child(f"c{i:04d}", born=born, x=i % 9 == 0)

    def _away(self, key: str, **given) -> Child:
        """A child of ours whose name stands in no school."""
        given.setdefault("born", date(2014, 1, 5) + timedelta(days=self.dice.randrange(900)))
        return self.add_child(key, in_roll=False, in_xueji=False, **given)

    # -- what is planted -------------------------------------------------------------------------

    def _plant(self) -> None:
        for i in range(4):
            self._away(f"nowhere{i}")
        for i in range(2):  # studying in another county, nobody has written down where
            self._away(f"elsewhere{i}", tags={"elsewhere"})
        # the police wrote a wrong digit, or nothing at all: still two children who are nowhere
        self._away("blurred", in_population=True)
        self._away("numberless", in_population=True)
        # both sides of both boundaries of school age on the first day
        self._away("six_in_time", born=date(2020, 8, 31), in_population=True)
        self._away("six_too_late", born=date(2020, 9, 1), in_population=True)
        self._away("still_fifteen", born=date(2010, 9, 11), in_population=True)
        self._away("just_sixteen", born=date(2010, 9, 10), in_population=True)
        self._away("moved_out", in_population=True, tags={"moved_out"})  # the police list says so itself
        self._away("struck_off", in_population=True, tags={"struck_off"})
        for i in range(3):  # not on population either: nobody in education has heard of them
            self._away(f"unheard{i}", in_population=False)
        for i in range(5):
            self.add_child(f"migrant{i}", born=date(2015, 2, 3) + timedelta(days=i * 97), hukou_here=False)
        self._plant_look_alikes()
        self._plant_school_records()
        self._plant_lists()

    def _plant_look_alikes(self) -> None:
        elder = self.add_child("twin_a", born=date(2015, 5, 20), sex="女", name="方雨桐", town=0)
        self._names |= {"方雨桐", "方雨彤", "贺子墨", "阿依古丽·买买提", "张丽华", "龙晓红"}
        self.add_child("twin_b", born=elder.born, sex="女", name="方雨彤", family=self.adults[elder.head])
        self.add_child("same_a", born=date(2016, 3, 8), sex="男", name="贺子墨", town=0)
        self.add_child("same_b", born=date(2016, 3, 8), sex="男", name="贺子墨", town=1)
        self.add_child("dotted", born=date(2014, 7, 9), sex="女", name="阿依古丽·买买提", town=2)
        self.add_child("written_old", born=date(2015, 11, 2), sex="女", name="张丽华", town=1)
        self.add_child("written_old2", born=date(2013, 1, 22), sex="男", name="龙晓红", town=0)

    def _ordinary(self) -> list[Child]:
        return [c for k, c in self.children.items() if k.startswith("c") and 1 <= c.grade <= 9]

    def _plant_school_records(self) -> None:
        pool = self._ordinary()
        self.dice.shuffle(pool)
        take = iter(pool)
        for _ in range(4):
            child = next(take)
            child.in_xueji, child.tags = False, child.tags | {"roll_only"}
        for _ in range(4):
            child = next(take)
            child.in_roll, child.tags = False, child.tags | {"xueji_only"}
        by_number = self._away("number_only", born=date(2014, 4, 17))
        by_number.school, by_number.in_xueji = self._school_for(by_number), True
        by_number.student_number = f"G{by_number.citizen_id}"
        # one child per faulty roll row; the first three of them are not in the 学籍 export either
        self.rejected = {}
        for school in (CENTRAL, LIUHE, BAITA):
            born = date(2016, 6, 1) + timedelta(days=len(self.rejected) * 41)
            town = next(s[2] for s in SCHOOLS if s[0] == school)
            child = self.add_child(f"bad_row_{school}", born=born, town=town, in_xueji=False)
            child.student_number = ""
            self.rejected[school] = child.key
        for school in (JUNIOR, NINE):
            child = next(c for c in take if c.school == school and c.citizen_id[17] != "X")
            self.rejected[school] = child.key

    def _plant_lists(self) -> None:
        taken = set(self.rejected.values())
        pool = [c for c in self._ordinary() if c.in_roll and c.in_xueji and c.key not in taken]
        self.dice.shuffle(pool)
        take = iter(pool)

        def some(n: int) -> list[Child]:
            return [next(take) for _ in range(n)]

        for i, child in enumerate(some(24)):
            child.lists["poverty"] = ("lifted", "lifted", "marginal", "unstable")[i % 4]
            child.tags.add("poor")
        for key in (
            "nowhere0",
            "nowhere1",
            "unheard0",
            "unheard1",
            "twin_a",
            "same_a",
            "dotted",
            "written_old",
        ):
            self.children[key].lists["poverty"] = "lifted"
        pupils = [c for k, c in self.children.items() if k.startswith("c")]
        young = next(c for c in pupils if c.grade <= 0)
        old = next(c for c in pupils if c.grade >= 11)
        for child in (young, old):  # poor, not of school age
            child.lists["poverty"] = "lifted"
        self.damaged = {}
        kinds = (
            "wrong_digit",
            "wrong_digit2",
            "cut_tail",
            "as_number",
            "changed_name",
            "reused",
            "as_certificate",
            "borrowed",  # his row bears the number of a child who stands on the same list
        )
        for kind, child in zip(kinds, [c for c in some(20) if c.citizen_id[17] != "X"], strict=False):
            child.lists["poverty"] = "lifted"
            self.damaged[kind] = child.key
        poor = [c for c in pool if "poor" in c.tags]
        same = [c for c in poor if c.lists["poverty"] == "marginal"][:2]
        other = [c for c in poor if c.lists["poverty"] == "lifted"][:3]
        for child in same:
            child.lists["monitored"] = "marginal"  # one category on two lists
        for child in other:
            child.lists["monitored"] = "unstable"
        for child in some(3):
            child.lists["monitored"] = "sudden"
        for key in ("nowhere0", "unheard0", "nowhere2"):
            self.children[key].lists["monitored"] = "sudden"
        for key in ("nowhere3", "elsewhere0"):
            self.children[key].lists["monitored"] = "sudden"
            self.children[key].tags.add("cleared")
        for register, category, n in (
            ("dibao", "dibao", 10),
            ("tekun", "tekun", 2),
            ("disability", "disabled", 5),
        ):
            for child in some(n):
                child.lists[register] = category
        for child in poor[:3]:
            child.lists["dibao"] = "dibao"
        for child in some(3):
            child.lists["orphan"] = "orphan"
        for child in some(2):
            child.lists["orphan"] = "defacto"
        self.children["written_old2"].lists["dibao"] = "dibao"
        self.spare = some(6)  # on no list in the first round

    def stranger(self, key: str, *, like: Person | None = None) -> Person:
        """Somebody who stands on a list under a name that fits nobody in the schools."""
        if key not in self.strangers:
            like = like or next(iter(self.adults.values()))
            self.strangers[key] = Person(
                key=key, name=self.new_name(surname="骆"), sex=like.sex, born=like.born, citizen_id=like.citizen_id,
                town=like.town, village=like.village, member_number=f"M{key}",
            )  # fmt: skip
        return self.strangers[key]

    def person(self, key: str) -> Person:
        return next(group[key] for group in (self.children, self.adults, self.strangers) if key in group)

    def on(self, register: str) -> list[Child]:
        return [c for c in self.children.values() if register in c.lists]

    # -- the organisation file -------------------------------------------------------------------

    def organisation(self) -> dict:
        return {
            "county": {"code": HERE, "name": "青溪县"},
            "townships": [
                {
                    "code": town_code(t),
                    "name": name,
                    "villages": [
                        {"code": village_code(t, v), "name": VILLAGES[v]} for v in range(len(VILLAGES))
                    ],
                }
                for t, (name, _) in enumerate(TOWNS)
            ],
            "schools": [
                {
                    "code": code,
                    "name": name,
                    "township": town_code(t),
                    "stages": stages,
                    "ownership": ownership,
                }
                for code, name, t, stages, ownership in SCHOOLS
            ],
            "terms": [
                {"code": "2025-autumn", "starts_on": "2025-09-01", "ends_on": "2026-01-23"},
                {"code": "2026-spring", "starts_on": "2026-02-25", "ends_on": "2026-07-05"},
                {"code": "2026-autumn", "starts_on": "2026-09-01", "ends_on": "2027-01-22"},
            ],
            "holidays": [
                {"date": "2026-10-01", "kind": "off"},
                {"date": "2026-10-02", "kind": "off"},
                {"date": "2026-10-10", "kind": "work"},
            ],
        }

    def write_organisation(self) -> Path:
        path = self.folder / "organisation.json"
        path.write_text(json.dumps(self.organisation(), ensure_ascii=False), encoding="utf-8")
        return path

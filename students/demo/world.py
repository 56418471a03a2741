"""The people of the demo county: households and their children. Seeded, so every installation gets the same ones.

All numbers belong to the fictional counties 990101 (ours) and 990102 (a neighbour): no living child can have one.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from bureau.identity.citizen import check_digit
from students.demo import names
from students.demo.schools import CODE, Places, School, Township, Village, places

NEIGHBOUR = "990102"
SCHOOL_YEAR = 2026
DATES = (
    date(2026, 9, 1),
    date(2026, 10, 31),
    date(2026, 11, 30),
)  # of the lists; the third is left for practice
GRADES = {
    "preschool": ("小班", "中班", "大班"),
    "primary": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"),
    "junior": ("七年级", "八年级", "九年级"),
    "senior_general": ("高一", "高二", "高三"),
    "vocational": ("中职一年级", "中职二年级", "中职三年级"),
    "special": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级"),
}
FIRST_AGE = {"preschool": 3, "primary": 6, "junior": 12, "senior_general": 15, "vocational": 15, "special": 6}
LISTED = {"脱贫户": 12, "脱贫不稳定户": 3, "边缘易致贫户": 2, "突发严重困难户": 1}
POOR, DIBAO, DIBAO_AND_POOR = 0.155, 0.04, 0.3
CLASS_SIZE = 46


@dataclass
class Person:
    """`relation` is to the head of the household, as the poverty lists write it."""

    name: str
    sex: str
    birth_on: date
    number: str
    relation: str


@dataclass
class Household:
    """Who lives together, and which lists know it: `spells` has the first and last date (0, 1, 2) it stands on each."""

    number: str
    village: Village
    nation: str
    adults: list[Person]  # the father first
    head: Person
    poor_as: str = ""
    dibao_class: str = ""
    spells: dict[str, tuple[int, int]] = field(default_factory=dict)
    children: list["Child"] = field(default_factory=list)

    @property
    def guardian(self) -> Person:
        """Where a grandparent heads the household the parents work far away."""
        return self.head

    def listed(self, register: str, day: int) -> bool:
        first, last = self.spells.get(register, (9, 0))
        return first <= day <= last


@dataclass
class Child(Person):
    household: Household
    hukou_here: bool
    phone: str
    student_number: str
    school: School | None = None  # none: `elsewhere` (another county's school) or out of school
    stage: str = ""
    grade: str = ""
    class_no: int = 0
    boarding: bool = False
    elsewhere: bool = False


@dataclass
class World:
    places: Places
    households: list[Household] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    newcomers: list[Child] = field(
        default_factory=list
    )  # on no list and no roll yet; they move in during autumn

    def pupils(self, school: School) -> list[Child]:
        return [child for child in self.children if child.school is school]


class Maker:
    """Makes the world; `students` is the number of children at the county's schools."""

    def __init__(self, students: int, seed: int = 990101) -> None:
        self.random = Random(seed)
        self.wanted = students
        self.numbers: set[str] = set()
        self.neighbours: dict[str, list[Household]] = {}

    def make(self) -> World:
        world = World(places())
        self.villages = {
            town.code: [v for v in world.places.villages if v.township == town]
            for town in world.places.townships
        }
        self._fill_schools(world)
        for count, elsewhere in ((max(self.wanted // 90, 6), True), (max(self.wanted // 500, 4), False)):
            for _ in range(count):
                child = self._child(
                    world, self.random.randint(7, 15), self.random.choice(world.places.townships), True
                )
                child.elsewhere = elsewhere
                world.children.append(child)
        for _ in range(2):
            world.newcomers.append(self._child(world, 8, world.places.townships[1], False))
        return world

    def _fill_schools(self, world: World) -> None:
        seats = [
            (school, stage, n, label)
            for school in world.places.schools
            for stage in school.stages
            for n, label in enumerate(GRADES[stage])
            if not school.teaching_point or n < 3
        ]
        weights = [school.weight for school, *_ in seats]
        made, share = 0, 0.0
        for (school, stage, n, label), weight in zip(seats, weights, strict=True):
            share += self.wanted * weight / sum(weights)
            count, made = round(share) - made, round(share)
            for place in range(count):
                late = self.random.random() < 0.04
                child = self._child(world, FIRST_AGE[stage] + n + late, self._home(world, school, stage))
                child.school, child.stage, child.grade = school, stage, label
                child.class_no = place // CLASS_SIZE + 1
                child.boarding = stage not in ("preschool", "primary") and self.random.random() < 0.55
                world.children.append(child)

    def _home(self, world: World, school: School, stage: str) -> Township:
        """Upper schools draw on the whole county, the others on their own township."""
        if stage in ("senior_general", "vocational", "special"):
            return self.random.choice(world.places.townships)
        return school.township

    def _child(self, world: World, age: int, township: Township, here: bool | None = None) -> Child:
        random = self.random
        if here is None:
            here = random.random() > 0.03
        birth_on = date(SCHOOL_YEAR - age, 8, 31) - timedelta(days=random.randint(0, 364))
        sex = random.choice("12")
        household = self._household(world, township, here, birth_on)
        father = household.adults[0]
        name = names.dotted(random, sex) if "·" in father.name else father.name[0] + names.given(random)
        number = self.number(CODE if here else NEIGHBOUR, birth_on, sex)
        temporary = random.random() < 0.003
        child = Child(
            name=name,
            sex=sex,
            birth_on=birth_on,
            number=number,
            relation=("之子", "之女")[sex == "2"]
            if household.head is father
            else ("之孙子", "之孙女")[sex == "2"],
            household=household,
            hukou_here=here,
            phone=f"139{random.randint(0, 99999999):08}",
            student_number=f"L{number[:14]}{random.randint(0, 9999):04}" if temporary else f"G{number}",
        )
        household.children.append(child)
        return child

    def _household(self, world: World, township: Township, here: bool, birth_on: date) -> Household:
        """An older or younger brother's or sister's household for every third child of ours, else a new one."""
        random = self.random
        near = self.neighbours.setdefault(township.code, [])
        for _ in range(3 if here and near and random.random() < 0.35 else 0):
            household = random.choice(near)
            if len(household.children) < 3 and all(
                abs(c.birth_on - birth_on).days > 300 for c in household.children
            ):
                return household
        household = self._new_household(f"{'H' if here else 'X'}{len(world.households) + 1:07}", township)
        world.households.append(household)
        if here:
            near.append(household)
            self._list(household)
        return household

    def _new_household(self, number: str, township: Township) -> Household:
        random = self.random
        dotted = random.random() < 0.006
        father = self._adult("1", random.randint(32, 46), dotted)
        mother = self._adult("2", random.randint(30, 44), dotted)
        adults, head = [father, mother], father
        father.relation, mother.relation = "户主", "配偶"
        if random.random() < 0.25:
            head = self._adult("1", random.randint(58, 76), dotted)
            if not dotted:
                head.name = father.name[0] + head.name[1:]
            head.relation, father.relation, mother.relation = "户主", "之子", "之儿媳"
            adults.append(head)
        nation = names.DOTTED_NATION if dotted else random.choice(names.NATIONS)
        return Household(number, random.choice(self.villages[township.code]), nation, adults, head)

    def _list(self, household: Household) -> None:
        """On which lists the household stands, and from which date to which."""
        random = self.random
        if random.random() < POOR:
            household.poor_as = random.choices(list(LISTED), list(LISTED.values()))[0]
            if household.poor_as != "突发严重困难户":
                household.spells["poverty"] = self._spell(0.03, 0.015)
            if household.poor_as != "脱贫户":
                household.spells["monitored"] = self._spell(0.06, 0.03)
        if random.random() < (DIBAO_AND_POOR if household.poor_as else DIBAO):
            household.dibao_class = random.choice(("A类", "B类", "C类"))
            household.spells["dibao"] = self._spell(0.05, 0.03)

    def _spell(self, late: float, gone: float) -> tuple[int, int]:
        """Most stay on a list; a few come with the second (or third) date, a few are gone by then."""
        draw = self.random.random()
        if draw < 1.5 * late:
            return (1 if draw < late else 2), 2
        return 0, (0 if draw > 1 - gone else 1 if draw > 1 - 1.5 * gone else 2)

    def _adult(self, sex: str, age: int, dotted: bool) -> Person:
        random = self.random
        birth_on = date(SCHOOL_YEAR - age, random.randint(1, 12), random.randint(1, 28))
        name = names.dotted(random, sex) if dotted else names.surname(random) + names.given(random)
        return Person(name, sex, birth_on, self.number(CODE, birth_on, sex), "")

    def number(self, county: str, birth_on: date, sex: str) -> str:
        """A citizen ID of a fictional county nobody else has: sequence odd for men, even for women."""
        while True:
            body = f"{county}{birth_on:%Y%m%d}{2 * self.random.randint(1, 499) - (sex == '1'):03}"
            number = body + check_digit(body)
            if number not in self.numbers:
                self.numbers.add(number)
                return number

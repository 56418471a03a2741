"""Townships, villages and the sixty schools of the demo county."""

from dataclasses import dataclass, field

from students.demo import names

CODE, NAME = "990101", "云岭县"
CLERKS_SCHOOL = "青石中心小学"
LATE_SCHOOL = "青石镇马鞍小学"  # its corrected roll waits to be confirmed by the 中心校 above it


@dataclass(frozen=True)
class Township:
    code: str
    name: str


@dataclass(frozen=True)
class Village:
    code: str
    name: str
    township: Township


@dataclass(frozen=True)
class School:
    """`weight` is its size beside the others; a teaching point has the three youngest grades only."""

    code: str
    name: str
    township: Township
    stages: tuple[str, ...]
    managed_by: str | None = None
    teaching_point: bool = False
    ownership: str = "public"
    weight: float = 1.0

    @property
    def short_name(self) -> str:
        return self.name.removeprefix(NAME)


@dataclass
class Places:
    townships: list[Township] = field(default_factory=list)
    villages: list[Village] = field(default_factory=list)
    schools: list[School] = field(default_factory=list)

    def school(self, name: str) -> School:
        return next(school for school in self.schools if school.name == name)

    def managed_by(self, school: School) -> list[School]:
        return [other for other in self.schools if other.managed_by == school.code]


def places() -> Places:
    """Ten townships (镇 100–199, 乡 200–399 in the third part of the code) with twelve villages each, and the schools."""
    found = Places()
    for n, name in enumerate(names.TOWNSHIPS):
        township = Township(f"{CODE}{(100 if name.endswith('镇') else 200) + n:03}000", name)
        found.townships.append(township)
        for m in range(12):
            village = names.VILLAGES[(n * 5 + m) % len(names.VILLAGES)] + (
                "社区" if n == 0 and m < 5 else "村"
            )
            found.villages.append(Village(f"{township.code[:9]}{200 + m}", village, township))
    for township in found.townships:
        _country_schools(found, township)
    _county_schools(found)
    return found


def _add(found: Places, category: str, name: str, township: Township, *stages: str, **more) -> str:
    """`category` is the first two digits of a school code; 99 stands for the province."""
    code = f"{category}99{len(found.schools) + 1:06}"
    found.schools.append(School(code, name, township, stages, **more))
    return code


def _country_schools(found: Places, township: Township) -> None:
    """A kindergarten, a 中心小学 with a village school and a teaching point under it, and a junior school."""
    short, villages = township.name[:-1], [v for v in found.villages if v.township == township]
    _add(found, "11", f"{township.name}中心幼儿园", township, "preschool", weight=0.8)
    central = _add(found, "21", f"{short}中心小学", township, "primary", weight=1.4)
    village, hamlet = villages[-5].name[:-1], villages[-2].name[:-1]
    _add(found, "21", f"{township.name}{village}小学", township, "primary", weight=0.4, managed_by=central)
    _add(
        found, "21", f"{township.name}{hamlet}教学点", township, "primary",
        weight=0.15, managed_by=central, teaching_point=True,
    )  # fmt: skip
    _add(found, "31", f"{short}初级中学", township, "junior", weight=1.8)


def _county_schools(found: Places) -> None:
    seat, yunling = found.townships[0], found.townships[6]
    _add(found, "11", "云岭县幼儿园", seat, "preschool", weight=2)
    _add(found, "11", "小太阳幼儿园", seat, "preschool", weight=0.7, ownership="private")
    _add(found, "21", "城关第二小学", seat, "primary", weight=2.6)
    _add(found, "21", "云岭县实验小学", seat, "primary", weight=3)
    _add(found, "31", "城关第二初级中学", seat, "junior", weight=3)
    _add(found, "31", "云岭民族学校", yunling, "primary", "junior", weight=0.9)
    _add(found, "34", "云岭县第一中学", seat, "senior_general", weight=9)
    _add(found, "34", "云岭县第二中学", seat, "senior_general", weight=5)
    _add(found, "36", "云岭县职业高级中学", seat, "vocational", weight=7)
    _add(found, "51", "云岭县特殊教育学校", seat, "special", weight=0.12)

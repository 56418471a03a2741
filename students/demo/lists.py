"""The lists of other offices on one date, with the dirt they come with (numbers as numbers, spaces, slips of the hand)."""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import groupby
from pathlib import Path

from students.demo.names import SOUNDS_LIKE, TRADITIONAL
from students.demo.paper import Rows, draw, write_workbook
from students.demo.schools import NAME
from students.demo.world import DATES, Child, Household, Person, World

POLICE = (
    "序号", "姓名", "性别", "民族", "公民身份号码", "出生日期", "户号", "与户主关系", "户主姓名", "户主身份证号", "派出所", "街路巷（乡镇村组）",
    "迁出日期", "户籍状态",
)  # fmt: skip
POVERTY = (
    "序号", "县(市、区、旗)", "乡(镇)", "行政村", "自然村", "户编号", "人编号", "姓名", "证件号码", "人数", "与户主关系", "民族", "在校生状况",
    "健康状况", "致贫原因1", "首次识别时间", "人员识别时间", "户类型",
)  # fmt: skip
MONITORED = (*POVERTY[:-1], "监测对象类别", "风险类型", "风险识别时间", "风险是否消除", "风险消除时间")
DIBAO = (
    "序号", "乡镇", "村（社区）", "组", "户主姓名", "户主身份证号", "低保证号", "保障类别", "城乡类别", "保障人数", "成员姓名", "与户主关系",
    "成员身份证号", "性别", "月人均补差", "纳入时间", "备注",
)  # fmt: skip
STUDYING = {
    "preschool": "学龄前儿童",
    "primary": "小学",
    "junior": "初中",
    "senior_general": "高中",
    "vocational": "中职",
}
CAUSES = ("因病", "因残", "因学", "缺劳力", "缺技术", "缺资金")
REPAIRED = 0.5  # of the slips on the first date, this share is put right on the next


def write_list(folder: Path, world: World, register: str, day: int) -> Path:
    """The `register` as it was on `DATES[day]`."""
    path = (
        folder
        / {
            "population": "6—15周岁户籍人口.xlsx",
            "poverty": "脱贫人口名单.xlsx",
            "monitored": "防返贫监测对象名单.xlsx",
            "dibao": "低保对象花名册.xlsx",
        }[register]
    )
    if register == "population":
        return write_workbook(path, _police_sheets(world, day))
    header, title, rows_of = {
        "poverty": (POVERTY, "已脱贫人口、边缘易致贫人口名单", _poverty_rows),
        "monitored": (MONITORED, "防返贫监测对象名单", _monitored_rows),
        "dibao": (DIBAO, "农村最低生活保障对象花名册", _dibao_rows),
    }[register]
    chosen = [household for household in world.households if household.listed(register, day)]
    return write_workbook(path, [("名单", _by_township(title, DATES[day], header, chosen, day, rows_of))])


def _by_township(
    title: str,
    as_of: date,
    header: tuple[str, ...],
    chosen: list[Household],
    day: int,
    rows_of: Callable[[Household, int], Iterable[list]],
) -> Rows:
    """The whole county on one sheet with a 小计 row after each township, as it is printed for signing."""
    yield [f"{NAME}2026年{title}"]
    yield [f"填报单位：{NAME}", None, None, f"填报时间：{as_of:%Y年%m月%d日}", None, "单位：人、元"]
    yield list(header)
    chosen = sorted(chosen, key=lambda h: (h.village.township.code, h.village.code, h.number))
    total = 0
    for township, households in groupby(chosen, key=lambda h: h.village.township):
        before = total
        for household in households:
            for row in rows_of(household, day):
                total += 1
                yield [total, *row]
        yield ["小计", None, township.name, f"{total - before}人"]
    yield ["合计", None, None, f"{total}人"]
    yield ["备注：本表由各乡镇（街道）核实后上报。"]
    yield ["制表人：", None, None, "审核人：", None, "负责人签字："]


def _police_sheets(world: World, day: int) -> Iterable[tuple[str, Rows]]:
    """One sheet per 派出所: who is six to fifteen, and whoever is still kept though he moved away."""
    first, last = date(DATES[day].year - 16, DATES[day].month, 1), date(2020, 8, 31)
    ours = [
        child
        for child in world.children
        if child.hukou_here
        and first <= child.birth_on <= last
        and (day or draw("registered late", child.number) > 0.008)
    ]
    ours.sort(key=lambda c: (c.household.village.township.code, c.household.village.code, c.household.number))
    for township, children in groupby(ours, key=lambda c: c.household.village.township):
        yield f"{township.name}派出所", _police_sheet(township.name, children, day)


def _police_sheet(township: str, children: Iterable[Child], day: int) -> Rows:
    yield [f"{township}派出所6—15周岁户籍人口名单"]
    yield list(POLICE)
    n = 0
    for n, child in enumerate(children, 1):
        household = child.household
        name, number = _as_written("population", child, day, often=0.25)
        moved = day > 0 and child.elsewhere and draw("moved", child.number) < 0.06
        yield [
            n, name, "男" if child.sex == "1" else "女", household.nation, number, f"{child.birth_on:%Y%m%d}",
            household.number[1:], child.relation.removeprefix("之"), household.head.name, household.head.number,
            f"{township}派出所", f"{NAME}{township}{household.village.name}", "20261012" if moved else None,
            "迁出" if moved else "正常",
        ]  # fmt: skip
    yield ["合计", f"{n}人"]


def _poverty_rows(household: Household, day: int, register: str = "poverty") -> Iterable[list]:
    since = (
        "2014-01-01"
        if household.spells[register][0] == 0
        else f"{DATES[household.spells[register][0]]:%Y}-10-12"
    )
    members: list[Person] = [*household.adults, *household.children]
    for m, person in enumerate(members, 1):
        name, number = _as_written(register, person, day)
        yield [
            NAME, household.village.township.name, household.village.name, f"{int(household.number[-1]) % 6 + 1}组",
            f"99010100{household.number[1:]}", f"99010100{household.number[1:]}{m:02}", name, number, len(members),
            person.relation, household.nation, _studying(person), "健康",
            CAUSES[int(household.number[1:]) % len(CAUSES)], since, since, household.poor_as,
        ]  # fmt: skip


def _monitored_rows(household: Household, day: int) -> Iterable[list]:
    cleared = day > 0 and draw("risk cleared", household.number) < 0.07
    since = "2024-05-10" if household.spells["monitored"][0] == 0 else "2026-10-12"
    for row in _poverty_rows(household, day, "monitored"):
        yield [
            *row[:-1],
            household.poor_as,
            row[13],
            since,
            "是" if cleared else "否",
            "2026-10-15" if cleared else None,
        ]


def _dibao_rows(household: Household, day: int) -> Iterable[list]:
    raised = day > 0 and draw("raised", household.number) < 0.03
    since = "2023年4月" if household.spells["dibao"][0] == 0 else "2026年10月"
    members: list[Person] = [*household.adults, *household.children]
    for person in members:
        name, number = _as_written("dibao", person, day)
        yield [
            household.village.township.name, household.village.name, f"{int(household.number[-1]) % 6 + 1}组",
            household.head.name, household.head.number, f"DB{household.number[1:]}",
            "A类" if raised else household.dibao_class, "农村", len(members), name,
            "本人" if person is household.head else person.relation.removeprefix("之"), number,
            "男" if person.sex == "1" else "女", 420 if raised else 320, since,
            "新增" if day and household.spells["dibao"][0] == day else None,
        ]  # fmt: skip


def _studying(person: Person) -> str:
    if not isinstance(person, Child):
        return "非在校生"
    return STUDYING.get(person.stage, "小学")


def _as_written(register: str, person: Person, day: int, often: float = 1.0) -> tuple[str, object]:
    """Name and number as this office typed them; every kind of slip falls on about one child in 250 × `often`.

    Pupils of the special school have a disability certificate, and offices like to give its number instead.
    """
    name, number = person.name, person.number
    if "·" in name:
        name = name.replace("·", ("·", "•", ".", "．", "")[int(draw("dot", register, number) * 5)])
    if not isinstance(person, Child):
        return name, number
    slip = draw(register, number) / often
    if slip < 0.036 and day and draw("repaired", register, number) < REPAIRED:
        return name, number
    if person.stage == "special" and register == "poverty":
        return name, f"{number}53"
    if slip < 0.004:
        return name, number[:9] + str((int(number[9]) + 1) % 10) + number[10:]
    if slip < 0.008:
        return name, number if number[-1] == "X" else float(number)
    if slip < 0.012:
        return name, f"{number[:15]}000"
    if slip < 0.016:
        return name, f"{number[:6]} {number[6:14]} {number[14:]}"
    if slip < 0.020:
        return name, f"'{number.lower()}"
    if slip < 0.024:
        return "".join(TRADITIONAL.get(c, c) for c in name), number
    if slip < 0.028:
        return "".join(SOUNDS_LIKE.get(c, c) for c in name), number
    if slip < 0.032:
        return ("　".join(name) if len(name) == 2 else f"{name} "), number
    if slip < 0.036:
        return name, number[:16] + str((int(number[16]) + 2) % 10) + number[17:]
    return name, number

"""Class rolls as schools really write them: three sets of columns, four ways to write a class, and a few errors."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from students.demo.paper import Rows, draw, write_csv, write_workbook
from students.demo.schools import CLERKS_SCHOOL, LATE_SCHOOL, NAME, School
from students.demo.world import Child, World

Cells = dict[str, object]  # by the headers of the 学籍 export
EXPORT = (
    "学校名称", "学校标识码", "年级", "班级", "姓名", "性别", "全国学籍号", "身份证件类型", "身份证件号", "出生日期", "民族", "户口所在地",
    "现住址", "就读方式", "学籍状态", "监护人1", "电话",
)  # fmt: skip
# The same columns in a school's own words; what a school does not keep is left out.
OWN = {
    "年级": "年级", "班级": "班级", "姓名": "学生姓名", "性别": "性别", "全国学籍号": "学籍号", "身份证件号": "身份证号码",
    "出生日期": "出生年月日", "民族": "民族", "户口所在地": "户籍地址", "现住址": "家庭住址", "就读方式": "就读方式", "学籍状态": "学籍状态",
    "监护人1": "监护人姓名", "电话": "联系电话",
}  # fmt: skip
SHORT = {
    "年级": "年级", "班级": "班级", "姓名": "姓名", "性别": "性别", "身份证件号": "身份证号", "出生日期": "出生日期", "户口所在地": "户籍所在地",
    "监护人1": "家长姓名", "电话": "家长电话",
}  # fmt: skip
NUMERALS = "一二三四五六七八九十"
WAYS_TO_WRITE_A_CLASS: tuple[Callable[[int], str], ...] = (
    lambda n: f"{n}班",
    lambda n: f"{NUMERALS[n - 1]}班" if n <= 10 else f"{n}班",
    lambda n: f"({n})",
    lambda n: f"{n:02}",
)
WAYS_TO_WRITE_A_DAY = ("%Y-%m-%d", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日")
SHEET = "工作表"  # not a column: the sheet a child stands on, however its grade is spelt
BAD = 70  # one row in so many of a careless school's roll has an error


def is_careless(school: School) -> bool:
    """Schools whose first roll has errors; the clerk's school is one of them, so that he has something to do."""
    return school.name in (CLERKS_SCHOOL, LATE_SCHOOL) or draw("careless", school.code) < 0.18


def has_corrected(school: School) -> bool:
    """Half of the careless ones have sent a second roll, and it is in."""
    return school.name not in (CLERKS_SCHOOL, LATE_SCHOOL) and draw("corrects", school.code) < 0.5


def write_roll(folder: Path, world: World, school: School, *, sound: bool, name: str = "") -> Path:
    """One school's roll of autumn 2026; `sound` leaves the errors out (small oddities a reader copes with stay)."""
    records = records_of(world, school)
    if not sound and len(records) > 2:
        for number in range(min(BAD // 7, len(records) - 1), len(records), BAD):
            spoil(records[number], kind=number // BAD)
    return write_records(folder, school, records, name=name)


def write_records(folder: Path, school: School, records: list[Cells], *, name: str = "") -> Path:
    """Every school keeps to its own layout, whichever file of it this is."""
    name = name or f"{school.short_name}花名册"
    style = int(draw("layout", school.code) * 6)
    columns = {0: dict(zip(EXPORT, EXPORT, strict=True)), 1: OWN, 2: SHORT}[style % 3]
    if style == 3:  # straight from the 学籍 system
        return write_csv(folder / f"{name}.csv", [EXPORT, *([r[c] for c in EXPORT] for r in records)])
    way, day = WAYS_TO_WRITE_A_CLASS[style % 4], WAYS_TO_WRITE_A_DAY[int(draw("day", school.code) * 4)]
    header = ["序号", *columns.values()]

    def table(part: list[Cells]) -> Rows:
        if style != 5:
            yield [f"{school.name}2026年秋季学期学生花名册"]
            yield [f"填报单位：{school.name}", None, None, None, "填报时间：2026年9月5日"]
        yield header
        for n, record in enumerate(part, 1):
            yield [n, *(_shown(record[c], c, way, day) for c in columns)]
        if style != 5:
            yield ["合计", None, None, f"{len(part)}人"]
            yield ["制表人：", None, None, "校长（签字）："]

    if style == 4:  # one sheet for each grade
        sheets: dict[str, list[Cells]] = {}
        for record in records:
            sheets.setdefault(str(record[SHEET]), []).append(record)
        return write_workbook(
            folder / f"{name}.xlsx", ((grade, table(part)) for grade, part in sheets.items())
        )
    return write_workbook(folder / f"{name}.xlsx", [("学生信息", table(records))])


def records_of(world: World, school: School) -> list[Cells]:
    return [_record(child, number=number) for number, child in enumerate(world.pupils(school))]


def newcomer_record(child: Child, school: School, *, grade: str, class_no: int) -> Cells:
    """A child who has moved in, as its new school writes it down."""
    child.school, child.grade, child.class_no = school, grade, class_no
    return _record(child, number=0)


def _record(child: Child, *, number: int) -> Cells:
    village, name, citizen = child.household.village, child.name, child.number
    assert child.school is not None
    if len(name) == 2 and number % 37 == 5:
        name = "　".join(name)
    if number % 41 == 7:
        citizen = f" {citizen.lower()}"
    home = f"{village.township.name}{village.name}"
    return {
        SHEET: child.grade,
        "学校名称": child.school.name,
        "学校标识码": child.school.code,
        "年级": child.grade,
        "班级": child.class_no,
        "姓名": name,
        "性别": "男" if child.sex == "1" else "女",
        "全国学籍号": child.student_number,
        "身份证件类型": "居民身份证",
        "身份证件号": citizen,
        "出生日期": child.birth_on,
        "民族": child.household.nation,
        "户口所在地": f"{NAME}{home}" if child.hukou_here else "邻山县桥头镇",
        "现住址": home,
        "就读方式": "住校" if child.boarding else "走读",
        "学籍状态": "在籍",
        "监护人1": child.household.guardian.name,
        "电话": child.phone,
    }


def _shown(value: object, column: str, way: Callable[[int], str], day: str) -> object:
    if isinstance(value, date):
        return f"{value:{day}}"
    if column == "班级" and isinstance(value, int):
        return way(value)
    return value


def spoil(record: Cells, *, kind: int) -> None:
    """One error as tired people make them: a wrong digit, a lost tail, a day that never was, a grade misspelt."""
    number = str(record["身份证件号"]).strip().upper()
    match kind % 4:
        case 0:
            record["身份证件号"] = number[:-1] + ("1" if number[-1] != "1" else "2")
        case 1:
            record["身份证件号"] = float(number[:-1] + "0")
        case 2:
            record["出生日期"] = "2012.9.31"
        case _:
            record["年级"] = "三年及"

"""The class rolls and the county's 学籍 export, each in a layout of its own."""

from datetime import timedelta

from . import dirt
from .books import Book, Line
from .county import (
    BAITA,
    CENTRAL,
    GRADES,
    JUNIOR,
    KINDER,
    LIUHE,
    NINE,
    SENIOR,
    TOWNS,
    VILLAGES,
    Child,
    County,
)
from .county import school_name as name_of

CENTRAL_COLUMNS = [
    ("no", "序号"), ("grade", "年级"), ("class", "班级"), ("name", "姓 名"), ("sex", "性别"),
    ("id", "身份证\n号码"), ("born", "出生日期"), ("nation", "民族"), ("number", "全国学籍号"),
    ("mode", "就读方式"), ("guardian", "监护人/姓名"), ("phone", "监护人/联系电话"),
]  # fmt: skip
LIUHE_COLUMNS = [
    ("number", "学籍号"), ("id", "公民身份号码"), ("name", "学生姓名"), ("sex", "性别"), ("born", "出生日期"),
    ("home", "现住址"), ("grade", "年级"), ("class", "班级"), ("nation", "民族"), ("state", "学籍状态"),
]  # fmt: skip
JUNIOR_COLUMNS = [
    ("code", "学校标识码"), ("class", "班级"), ("grade", "年级"), ("born", "出生日期"), ("id", "身份证件号"),
    ("sex", "性别"), ("name", "姓名"), ("number", "全国学籍号"), ("phone", "联系电话"),
]  # fmt: skip
MANY_COLUMNS = [
    ("grade", "年级"), ("class", "班级"), ("id", "证件号码"), ("school", "学校名称"), ("name", "姓名"),
    ("code", "学校标识码"), ("sex", "性别"), ("born", "出生日期"), ("nation", "民族"),
    ("hukou", "户口所在地"), ("mode", "就读方式"), ("number", "全国学籍号"),
]  # fmt: skip
XUEJI_COLUMNS = [
    ("code", "学校标识码"), ("school", "学校名称"), ("grade", "年级"), ("class", "班级"), ("number", "全国学籍号"),
    ("name", "姓名"), ("id", "身份证件号"), ("kind", "身份证件类型"), ("sex", "性别"), ("born", "出生日期"),
    ("nation", "民族"), ("hukou", "户口所在地"), ("home", "现住址"), ("mode", "就读方式"), ("state", "学籍状态"),
]  # fmt: skip


NATIONAL_COLUMNS = [  # 3.9: the national form, with the school in front and one member of the family
    ("school", "学校名称"), ("code", "学校标识码"), ("name", "姓名★"), ("sex", "性别★"), ("born", "出生日期★"), ("birthplace", "出生地★"),
    ("native", "籍贯"), ("nation", "民族★"), ("country", "国籍地区★"), ("kind", "身份证件类型★"), ("id", "身份证件号"),
    ("overseas", "港澳台侨外★"), ("health", "健康状况★"), ("spelt", "姓名拼音"), ("former", "曾用名"), ("hukou", "户口所在地★"),
    ("hukou_kind", "户口性质★"), ("local", "学籍辅号"), ("number", "全国学籍号"), ("grade", "年级★"), ("class", "班级★"),
    ("entered", "入学年月★"), ("way", "入学方式★"), ("mode", "就读方式★"), ("home", "现住址★"), ("phone", "联系电话★"),
    ("only", "是否独生子女★"), ("left", "是否留守儿童"), ("state", "学籍状态"), ("m_name", "成员1/姓名"), ("m_rel", "成员1/关系"),
    ("m_is", "成员1/是否监护人"), ("m_kind", "成员1/证件类型"), ("m_id", "成员1/证件号"),
]  # fmt: skip


def cells(county: County, child: Child, i: int) -> dict:
    head = county.adults[child.head]
    where = f"青溪县{TOWNS[child.town][0]}{VILLAGES[child.village]}"
    return {
        "no": i, "grade": GRADES[child.grade], "class": f"{child.klass}班", "name": child.name, "sex": child.sex,
        "id": child.citizen_id, "born": dirt.day(child.born, i), "nation": "汉族", "number": child.student_number,
        "mode": "住校" if i % 3 == 0 else "走读", "guardian": head.name, "phone": head.phone, "state": "在籍",
        "code": child.school, "school": name_of(child.school), "kind": "居民身份证", "home": where,
        "hukou": where if child.hukou_here else "邻水县城关镇东街社区", "birthplace": "990101100201", "native": "本县",
        "country": "中国", "overseas": "否", "health": "健康或良好", "hukou_kind": "农业户口", "local": f"{i:06}",
        "entered": f"{2027 - child.grade if child.grade < 7 else 2033 - child.grade}09", "way": "就近入学", "only": "否",
        "left": "是" if i % 5 == 0 else "否", "m_name": head.name, "m_rel": "父亲", "m_is": "是", "m_kind": "居民身份证",
        "m_id": head.citizen_id,
    }  # fmt: skip


def line(child: Child, **more) -> Line:
    return Line(who=child.key, place=child.place, facts=(child.grade, child.klass), **more)


def roll_of(county: County, school: str) -> list[Child]:
    found = [c for c in county.children.values() if c.school == school and c.in_roll]
    return sorted(found, key=lambda c: (c.grade, c.klass, c.key))


def worn(county: County, child: Child, i: int) -> dict:
    facts = cells(county, child, i)
    return facts | {"id": dirt.worn_number(child.citizen_id, i), "name": dirt.worn_name(child.name, i)}


def central(county: County) -> Book:
    """Two header rows, a title, a unit line, the header repeated for each class, totals, footers, a hidden row."""
    book = Book(county.folder / "石桥镇中心小学花名册(最终).xlsx", CENTRAL_COLUMNS)
    book.open_sheet(
        "花名册", "石桥镇中心小学2026年秋季学期学生花名册", "填报单位：石桥镇中心小学    单位：人"
    )
    last, inside = None, 0
    for i, child in enumerate(roll_of(county, CENTRAL)):
        if last is not None and (child.grade, child.klass) != last:
            book.say("花名册", "小计", None, None, f"{inside}人")
            book.blank("花名册")
            if i % 2:
                book.say("花名册", f"{GRADES[child.grade]}{child.klass}班学生名单")
            inside = 0
        last, inside = (child.grade, child.klass), inside + 1
        facts = worn(county, child, i)
        if county.rejected[CENTRAL] == child.key:
            facts["id"] = dirt.as_number(child.citizen_id)
            wrong = [(book.header("id"), "id_numeric_cell")]
            book.add("花名册", facts, line(child, status="rejected", errors=wrong))
            continue
        row = book.add("花名册", facts, line(child))
        if i == 5:
            again = line(child, status="skipped", notes=["duplicate_in_file"])
            book.add("花名册", facts | {"no": 99}, again)
        if i == 8:
            book.hidden_rows.add(("花名册", row))
    book.say("花名册", "合计", None, None, f"{len(roll_of(county, CENTRAL))}人")
    book.say("花名册", "备注：本表一式两份。")
    book.say("花名册", "制表人：        审核人：        校长签字（公章）：")
    return book.save()


def liuhe(county: County, *, second: bool = False) -> Book:
    """A CSV in GB18030; one address has a line break in it. `second`: the same school a month later."""
    book = Book(county.folder / f"柳河小学{'10月' if second else '9月'}.csv", LIUHE_COLUMNS)
    book.open_sheet(None)
    children = roll_of(county, LIUHE)
    leavers = changed = faulty = []
    if second:
        settled = [c for c in children if c.key != county.rejected[LIUHE]]
        leavers, changed, faulty = settled[:2], settled[2:5], settled[5:6]
    for i, child in enumerate(children):
        if child in leavers:
            continue
        facts, what = worn(county, child, i), line(child)
        if i == 3:
            facts["home"] = "柳河镇东岗村\n12号"
        if child in changed:
            klass = 3 - child.klass
            facts["class"], what.facts = f"{klass}班", (child.grade, klass)
        if child in faulty or (child.key == county.rejected[LIUHE] and not second):
            facts["id"] = dirt.wrong_digit(child.citizen_id)
            what = line(child, status="rejected", errors=[(book.header("id"), "id_checksum")])
        book.add(None, facts, what)
    for i in range(2 if second else 0):
        key = f"newcomer{i}"
        if key not in county.children:
            born = children[0].born + timedelta(days=i)
            county.add_child(key, born=born, town=1, in_xueji=False, in_population=False)
        child = county.children[key]
        child.school = LIUHE
        book.add(None, cells(county, child, i), line(child))
    return book.save()


def junior(county: County) -> Book:
    """An old .xls with one sheet per class."""
    book = Book(county.folder / "青溪二中名册.xls", JUNIOR_COLUMNS)
    for i, child in enumerate(roll_of(county, JUNIOR)):
        sheet = f"{GRADES[child.grade]}{child.klass}班"
        if sheet not in book.sheets:
            book.open_sheet(sheet, f"青溪县第二初级中学{sheet}学生名册")
        facts, what = worn(county, child, i), line(child)
        if county.rejected[JUNIOR] == child.key:
            facts["id"] = child.citizen_id[:17] + "×"
            what = line(child, status="rejected", errors=[(book.header("id"), "id_characters")])
        book.add(sheet, facts, what)
    for sheet in book.sheets:
        book.say(sheet, "班主任签字：")
    return book.save()


def many(county: County) -> Book:
    """Four schools in one file, to be split by the school code."""
    book = Book(county.folder / "其余学校合并.xlsx", MANY_COLUMNS)
    book.open_sheet("Sheet1")
    for i, child in enumerate(c for code in (BAITA, NINE, SENIOR, KINDER) for c in roll_of(county, code)):
        facts, what = worn(county, child, i), line(child)
        if county.rejected[BAITA] == child.key:
            facts["id"] = child.citizen_id[:17]
            what = line(child, status="rejected", errors=[(book.header("id"), "id_length")])
        elif county.rejected[NINE] == child.key:
            facts["born"] = f"{child.born + timedelta(days=400):%Y-%m-%d}"
            what = line(child, status="rejected", errors=[(book.header("id"), "id_birth_mismatch")])
        book.add("Sheet1", facts, what)
    return book.save()


def xueji(county: County) -> Book:
    """The county's own 学籍 export, all schools."""
    style = ".xls" if county.style == "b" else ".xlsx"
    book = Book(county.folder / f"学籍导出{style}", NATIONAL_COLUMNS if county.style == "c" else XUEJI_COLUMNS)
    book.open_sheet("学生基本信息")
    children = [c for c in county.children.values() if c.in_xueji and c.school]
    for i, child in enumerate(sorted(children, key=lambda c: (c.school, c.grade, c.klass, c.key))):
        facts = worn(county, child, i)
        if child.key == "number_only":
            facts |= {"id": None, "name": child.name, "born": f"{child.born:%Y-%m-%d}"}
        book.add("学生基本信息", facts, line(child))
    return book.save()

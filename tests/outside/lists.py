"""The lists of other offices, in layouts that are not the handbook's order of columns."""

from datetime import date, timedelta

from . import dirt
from .books import Book, Line
from .county import FIRST, TOWNS, VILLAGES, Child, County, Person, town_code

KIND_WORDS = {
    "lifted": "脱贫户",
    "marginal": "边缘易致贫户",
    "unstable": "脱贫不稳定户",
    "sudden": "突发严重困难户",
}
ORPHAN_WORDS = {"orphan": "孤儿", "defacto": "事实无人抚养儿童"}

POPULATION_COLUMNS = [
    ("police", "派出所"), ("hh", "户号"), ("head", "户主姓名"), ("head_id", "户主身份证号"), ("rel", "与户主关系"),
    ("name", "姓名"), ("sex", "性别"), ("nation", "民族"), ("id", "身份证号码"), ("born", "出生日期"),
    ("home", "街路巷(乡镇村组)"), ("state", "户籍状态"),
]  # fmt: skip
POPULATION_C = [  # the handbook's own order
    ("no", "序号"), ("name", "姓名"), ("sex", "性别"), ("nation", "民族"), ("id", "公民身份号码"), ("born", "出生日期"),
    ("hh", "户号"), ("rel", "与户主关系"), ("head", "户主姓名"), ("head_id", "户主身份证号"), ("gname", "父亲姓名"),
    ("gid", "父亲身份证号"), ("county", "省市县区"), ("police", "派出所"), ("home", "街路巷(乡镇村组)"), ("door", "门牌"),
    ("in", "迁入日期"), ("out", "迁出日期"), ("state", "户籍状态"),
]  # fmt: skip
POVERTY_C = [
    ("no", "序号"), ("county", "县(市、区、旗)"), ("town", "乡(镇)"), ("village", "行政村"), ("group", "自然村"), ("hh", "户编号"),
    ("mno", "人编号"), ("name", "姓名"), ("id", "证件号码"), ("count", "人数"), ("rel", "与户主关系"), ("nation", "民族"),
    ("culture", "文化程度"), ("study", "在校生状况"), ("health", "健康状况"), ("skill", "劳动技能"), ("work", "务工时间（月）"),
    ("insured", "是否参加大病保险"), ("cause", "致贫原因1"), ("roof", "危房户"), ("water", "是否解决安全饮用水"),
    ("income", "人均纯收入"), ("phone", "户联系电话"), ("own_phone", "人联系电话"), ("first", "首次识别时间"),
    ("start", "人员识别时间"), ("type", "户类型"), ("watched", "易返贫致贫户(监测对象)类型"), ("done", "风险是否消除"),
    ("risk_on", "风险识别时间"), ("end", "风险消除时间"),
]  # fmt: skip
POVERTY_A = [
    ("town", "乡（镇）"), ("village", "行政村"), ("mno", "人编号"), ("name", "姓名"), ("id", "身份证号码"),
    ("hh", "户编号"), ("count", "人数"), ("rel", "与户主关系"), ("nation", "民族"), ("study", "在校生状况"),
    ("type", "户类型"), ("income", "人均纯收入"), ("phone", "户联系电话"), ("first", "首次识别时间"),
    ("start", "人员识别时间"),
]  # fmt: skip
POVERTY_B = [
    ("county", "县"), ("town", "乡(镇)"), ("village", "行政村"), ("hh", "户编号"), ("mno", "人编号"), ("name", "姓名"),
    ("sex", "性别"), ("kind", "证件类型"), ("id", "证件号码"), ("count", "人数"), ("rel", "与户主关系"),
    ("nation", "民族"), ("study", "在校生状况"), ("lifted", "脱贫属性"), ("year", "脱贫年度"),
    ("poor", "贫困户属性"), ("cause", "主要致贫原因"), ("income", "人均纯收入"), ("phone", "联系电话"),
]  # fmt: skip
MONITORED_COLUMNS = [
    ("town", "乡(镇)"), ("village", "行政村"), ("hh", "户编号"), ("mno", "人编号"), ("name", "姓名"), ("id", "证件号码"),
    ("rel", "与户主关系"), ("nation", "民族"), ("mkind", "监测对象类别"), ("start", "识别时间"),
    ("risk", "风险类型"), ("done", "风险是否消除"), ("end", "风险消除时间"), ("helper", "帮扶责任人"),
]  # fmt: skip
MONITORED_C = [
    *(pair for pair in POVERTY_C if pair[0] not in ("first", "type", "watched", "done", "risk_on", "end", "start")),
    ("mkind", "监测对象类别"), ("start", "识别时间"), ("risk", "风险类型(因病、因学、因灾…)"), ("help", "帮扶措施"),
    ("helper", "帮扶责任人"), ("unit", "单位"), ("done", "风险是否消除"), ("how", "消除方式"), ("end", "消除时间"),
]  # fmt: skip
DIBAO_PERSON = [
    ("town", "乡镇"), ("village", "村(社区)"), ("name", "成员姓名"), ("id", "成员身份证号"), ("rel", "与户主关系"),
    ("head", "户主姓名"), ("head_id", "户主身份证号"), ("hh", "低保证号"), ("grade", "保障类别"), ("area", "城乡类别"),
    ("count", "保障人数"), ("amount", "月保障金额"), ("start", "纳入时间"),
]  # fmt: skip
DIBAO_SIDEWAYS = [
    ("town", "乡镇"), ("village", "村(社区)"), ("hh", "低保证号"), ("head", "户主姓名"), ("head_id", "户主身份证号"),
    ("count", "保障人数"), ("n1", "成员1姓名"), ("r1", "成员1与户主关系"), ("i1", "成员1身份证号"),
    ("n2", "成员2姓名"), ("r2", "成员2与户主关系"), ("i2", "成员2身份证号"), ("amount", "月保障金额"),
]  # fmt: skip
TEKUN_COLUMNS = [
    ("no", "序号"), ("name", "姓名"), ("id", "身份证号"), ("sex", "性别"), ("town", "乡镇"), ("village", "村"),
    ("support", "供养方式"), ("where", "供养机构"), ("amount", "月供养金"), ("start", "纳入时间"),
]  # fmt: skip
ORPHAN_COLUMNS = [
    ("no", "序号"), ("town", "乡镇"), ("village", "村"), ("okind", "类别"), ("name", "姓名"), ("sex", "性别"),
    ("nation", "民族"), ("born", "出生日期"), ("id", "身份证号"), ("raise", "养育方式"),
    ("gname", "监护人/姓名"), ("grel", "监护人/关系"), ("start", "纳入时间"),
]  # fmt: skip
ORPHAN_C = [
    ("no", "序号"), ("town", "乡镇"), ("village", "村"), ("name", "姓名"), ("sex", "性别"), ("nation", "民族"), ("id", "身份证号"),
    ("born", "出生日期"), ("okind", "类别(孤儿、事实无人抚养、艾滋病病毒感染儿童)"), ("raise", "养育方式(机构、散居)"), ("health", "健康状况"),
    ("certificate", "残疾证号"), ("dad", "父亲/姓名"), ("dad_id", "父亲/身份证"), ("dad_is", "父亲/状况"), ("mum", "母亲/姓名"),
    ("mum_id", "母亲/身份证"), ("mum_is", "母亲/状况"), ("gname", "监护人/姓名"), ("grel", "监护人/关系"), ("gid", "监护人/身份证"),
    ("phone", "监护人/电话"), ("school", "就读学校"), ("grade", "年级"), ("amount", "月标准"), ("owner", "开户名"), ("account", "账号"),
    ("start", "纳入时间"),
]  # fmt: skip
DISABILITY_C = [
    ("no", "序号"), ("name", "姓名"), ("sex", "性别"), ("nation", "民族"), ("id", "身份证号"), ("certificate", "残疾人证号"),
    ("dkind", "残疾类别"), ("dgrade", "残疾等级"), ("issued", "首次发证日期"), ("renewed", "换证日期"),
    ("valid", "证件状态(正常、注销、冻结、迁出)"), ("hukou", "户口性质"), ("home", "户籍地址"), ("lives", "现住址"), ("gname", "监护人姓名"),
    ("grel", "监护人关系"), ("gphone", "监护人电话"), ("phone", "联系电话"),
]  # fmt: skip
DISABILITY_COLUMNS = [
    ("no", "序号"), ("certificate", "残疾人证号"), ("name", "姓名"), ("id", "身份证号"), ("sex", "性别"),
    ("nation", "民族"), ("dkind", "残疾类别"), ("dgrade", "残疾等级"), ("valid", "证件状态"), ("home", "户籍地址"),
    ("gname", "监护人姓名"), ("phone", "联系电话"),
]  # fmt: skip


def cells(county: County, person: Person, i: int) -> dict:
    head = county.adults[person.head]
    return {
        "no": i + 1, "county": "青溪县", "town": TOWNS[person.town][0], "village": VILLAGES[person.village],
        "police": f"{TOWNS[person.town][0][:2]}派出所", "hh": person.household, "mno": person.member_number,
        "name": person.name, "id": person.citizen_id, "sex": person.sex, "nation": "汉族",
        "born": dirt.day(person.born, i), "rel": person.relation, "head": head.name, "head_id": head.citizen_id,
        "home": f"青溪县{TOWNS[person.town][0]}{VILLAGES[person.village]}{i % 9 + 1}组", "state": "正常",
        "kind": "居民身份证", "count": "3", "study": "" if person is head else "在校", "phone": head.phone,
        "income": f"{8000 + i}", "first": "2016-12-01", "start": "2016-12-01", "gid": head.citizen_id, "gname": head.name,
        "door": f"{i}号", "group": f"{i % 5 + 1}组", "culture": "小学", "health": "健康", "skill": "无", "work": "0", "insured": "是",
        "roof": "否", "water": "是", "own_phone": "", "help": "产业帮扶", "unit": "县委办", "how": "", "hukou": "农业",
        "lives": f"青溪县{TOWNS[person.town][0]}", "grel": "父亲", "gphone": head.phone, "issued": "2019-08",
        "dad": head.name, "dad_id": head.citizen_id, "dad_is": "服刑", "mum_is": "失踪", "owner": head.name,
        "account": f"62170000{i:08}", "amount": "1100",
    }  # fmt: skip


def worn(county: County, person: Person, i: int) -> dict:
    facts = cells(county, person, i)
    return facts | {"id": dirt.worn_number(person.citizen_id, i), "name": dirt.worn_name(person.name, i)}


def line(person: Person, **more) -> Line:
    child = isinstance(person, Child)
    return Line(who=person.key, place=person.place, **({} if child else {"auto": False}) | more)


def population(county: County, *, town: int | None = None, leave_out: set[str] = frozenset()) -> Book:
    """公安 6–15: one sheet per 派出所. With `town` only that township's piece."""
    name = "户籍人口" if town is None else f"户籍人口_{TOWNS[town][0]}"
    suffix = {"a": ".xlsx", "b": ".xls", "c": ".ods"}[county.style]
    columns = POPULATION_C if county.style == "c" else POPULATION_COLUMNS
    book = Book(county.folder / f"{name}{'' if not leave_out else '_2'}{suffix}", columns)
    children = [c for c in county.children.values() if c.in_population and c.key not in leave_out]
    for t in range(len(TOWNS)) if town is None else [town]:
        sheet = f"{TOWNS[t][0][:2]}派出所"
        book.open_sheet(sheet, f"{sheet}6-15周岁户籍人口名单", "截止时间：见文件名        单位：人")
        here = [c for c in children if c.town == t]
        for i, child in enumerate(here):
            facts, what = worn(county, child, i), line(child)
            if child.key in ("c0020", "blurred"):
                facts["id"] = dirt.wrong_digit(child.citizen_id)
                what = line(child, auto=None, warnings=[(book.header("id"), "id_checksum")])
            elif child.key == "numberless":
                facts["id"], what = None, line(child, auto=None)
            elif child.tags & {"moved_out", "struck_off"}:
                facts["state"] = "迁出" if "moved_out" in child.tags else "死亡注销"
                what.ends_on = FIRST - timedelta(days=1)
                if "moved_out" in child.tags and county.style == "c":
                    facts["out"], what.ends_on = "2026.7.1", date(2026, 7, 1)
            row = book.add(sheet, facts, what)
            if i == 4 and suffix == ".xlsx":
                book.hidden_rows.add((sheet, row))
        book.say(sheet, "合计", f"{len(here)}人")
    return book.save()


def poverty(
    county: County, *, second: bool = False, town: int | None = None, leave_out: set[str] = frozenset()
):
    """3.1 (style a, .xlsx) or 3.1b (style b, CSV). `second` is the list a month later."""
    style = county.style
    name = f"脱贫人口{'10月' if second else '9月'}{'' if town is None else TOWNS[town][0]}{f'_缺{len(leave_out)}' if leave_out else ''}"
    book = Book(
        county.folder / f"{name}{'.csv' if style == 'b' else '.xlsx'}",
        {"a": POVERTY_A, "b": POVERTY_B, "c": POVERTY_C}[style],
    )
    sheet = None if style == "b" else "人员信息"
    book.open_sheet(sheet, *(["青溪县已脱贫人口名单", "填报单位：青溪县农业农村局"] if style == "a" else []))
    plan = second_poverty(county) if second else {}
    listed = [
        c for c in county.on("poverty") if c.key not in plan.get("removed", ()) and c.key not in leave_out
    ]
    listed += plan.get("added", [])
    if town is not None:
        listed = [c for c in listed if c.town == town]
    last, heads = None, set()
    for child in sorted(listed, key=lambda c: (c.town, c.key)):
        if last is not None and child.town != last and style == "a":
            book.say(sheet, "小计", f"{TOWNS[last][0]}")
        last = child.town
        if child.key not in county.damaged.values() and child.head not in heads:
            heads.add(child.head)
            _poverty_row(book, sheet, county, county.adults[child.head], "lifted", plan)
        _poverty_row(book, sheet, county, child, child.lists.get("poverty", "lifted"), plan)
    if town is None and style == "a":
        nobody = Line(status="rejected", errors=[(None, "required")])
        book.add(sheet, {"town": TOWNS[0][0], "village": VILLAGES[0], "nation": "汉族"}, nobody)
        book.say(sheet, "总计", f"{len(listed)}")
        book.say(sheet, "备注：数据来源于全国防返贫监测信息系统")
        book.sheets["旧表"] = [["姓名", "证件号码"], ["作废", ""]]
        book.hidden_sheets.add("旧表")
    return book.save()


def second_poverty(county: County) -> dict:
    """Who left, who came and what changed between the two poverty lists."""
    poor = [c for c in county.on("poverty") if "poor" in c.tags]
    return {
        "removed": {c.key for c in poor[4:7]} | {"nowhere1", "unheard1"},
        "added": [*county.spare[:2], county.children["unheard2"]],
        "income": {c.key for c in poor[8:10]},
        "type": {poor[10].key} if county.style != "b" else set(),
        "renumbered": {poor[12].key},
        "corrected": {county.damaged["wrong_digit2"]},
    }


def _poverty_row(book: Book, sheet, county: County, person: Person, category: str, plan: dict) -> None:
    """The same person is written the same way in both lists, unless the plan says otherwise."""
    i, style = sum(map(ord, person.key)), county.style
    category = "sudden" if person.key in plan.get("type", ()) else category
    category = "lifted" if style == "b" else category  # 3.1b knows one category here
    since = date(max(2016, person.born.year + 1), 3, 1)
    facts = worn(county, person, i) | {
        "type": KIND_WORDS[category], "lifted": "已脱贫", "year": "2019", "poor": "一般贫困户", "cause": "因病",
        "income": "9050" if person.key in plan.get("income", ()) else "9000",
        "first": f"{since}", "start": f"{since}",
    }  # fmt: skip
    what = line(person, category=category, starts_on=None if style == "b" else since)
    number, head = person.citizen_id, book.header("id")
    written = number
    kind = next((k for k, key in county.damaged.items() if key == person.key), None)
    if person.key in plan.get("corrected", ()):
        kind = None
    if kind in ("wrong_digit", "wrong_digit2", "cut_tail"):
        facts["id"] = written = (dirt.cut_tail if kind == "cut_tail" else dirt.wrong_digit)(number)
        what.auto, what.proposed, what.warnings = False, True, [(head, "id_checksum")]
    elif kind == "as_number" and style != "b":
        facts["id"] = written = dirt.as_number(number)
        what.auto, what.dated, what.warnings = False, None, [(head, "id_numeric_cell")]
    elif kind == "changed_name":
        facts["name"] = county.stranger("changed").name
        what.auto, what.proposed = False, True
    elif kind == "reused":
        stranger = county.stranger("reused", like=person)
        facts |= {"name": stranger.name, "mno": stranger.member_number}
        what.who, what.auto, what.proposed = stranger.key, False, True
    elif kind == "borrowed":
        lender = next(c for c in county.on("poverty") if "poor" in c.tags and c.sex == person.sex)
        facts["id"] = written = lender.citizen_id
        what.auto, what.proposed, what.warnings = False, True, [(head, "duplicate_conflict")]
    elif kind == "as_certificate":
        facts["id"] = written = number + "43"
        what.auto = what.dated = None
    if person.key in plan.get(
        "renumbered", ()
    ):  # the same person by 人编号, though the number is damaged now
        facts["id"] = written = dirt.wrong_digit(number)
        what.auto, what.warnings = None, [(head, "id_checksum")]
    what.facts = (facts["income"], written, category)
    book.add(sheet, facts, what)


def monitored(county: County) -> Book:
    columns = MONITORED_C if county.style == "c" else MONITORED_COLUMNS
    book = Book(county.folder / f"防返贫监测对象{'.xls' if county.style == 'c' else '.xlsx'}", columns)
    book.open_sheet("监测对象", "青溪县防返贫监测对象名单")
    for i, child in enumerate(county.on("monitored")):
        cleared = "cleared" in child.tags
        category = child.lists["monitored"]
        facts = worn(county, child, i) | {
            "mkind": KIND_WORDS[category], "start": "2025-03-15", "risk": "因病", "helper": "驻村工作队",
            "done": "是" if cleared else "否", "end": "2026-08-20" if cleared else None,
        }  # fmt: skip
        ends = date(2026, 8, 20) if cleared else None
        book.add("监测对象", facts, line(child, category=category, starts_on=date(2025, 3, 15), ends_on=ends))
    return book.save()


def _households(county: County, register: str, town: int | None) -> list[tuple[Person, list[Child]]]:
    found: dict[str, list[Child]] = {}
    for child in county.on(register):
        if town is None or child.town == town:
            found.setdefault(child.head, []).append(child)
    return [(county.adults[head], children) for head, children in found.items()]


def dibao(county: County, *, town: int | None = None, shape: str = "person") -> Book:
    """民政 低保: a row per person; or grouped under head rows; or the members sideways."""
    columns = DIBAO_SIDEWAYS if shape == "sideways" else DIBAO_PERSON
    name = "低保" if town is None else f"低保_{TOWNS[town][0]}"
    book = Book(county.folder / f"{name}{'.xls' if shape == 'grouped' else '.xlsx'}", columns)
    sheet = "低保对象" if town is None else TOWNS[town][0]
    book.open_sheet(sheet, "城乡居民最低生活保障对象花名册", "填报单位：青溪县民政局        单位：人、元")
    for i, (head, children) in enumerate(_households(county, "dibao", town)):
        money = {
            "grade": "B类",
            "area": "农村",
            "count": str(1 + len(children)),
            "amount": "820",
            "start": "2024-05",
        }
        if shape == "sideways":
            facts = cells(county, head, i) | money
            for n, child in enumerate(children[:2], 1):
                facts |= {
                    f"n{n}": child.name,
                    f"r{n}": child.relation,
                    f"i{n}": dirt.worn_number(child.citizen_id, i),
                }
            what = line(children[0], category="dibao", also=[c.key for c in children[1:2]])
            book.add(sheet, facts, what)
            continue
        book.add(sheet, worn(county, head, 900 + i) | money, line(head, category="dibao"))
        for child in children:
            facts = worn(county, child, i) | money
            if shape == "grouped":
                facts |= dict.fromkeys(("town", "village", "head", "head_id", "hh", "count", "amount"))
            book.add(sheet, facts, line(child, category="dibao", starts_on=date(2024, 5, 1)))
    book.say(sheet, "合计")
    book.say(sheet, "制表人：        审核人：")
    return book.save()


def tekun(county: County) -> Book:
    """Elderly people and children in one sheet."""
    plain = county.style == "c"
    book = Book(county.folder / f"特困供养{'.csv' if plain else '.xlsx'}", TEKUN_COLUMNS, encoding="utf-8-sig")
    sheet = None if plain else "特困"
    book.open_sheet(sheet, "特困人员供养名单")
    elders = list(county.adults.values())[-4:]
    for i, person in enumerate([*elders, *county.on("tekun")]):
        facts = worn(county, person, i) | {"support": "分散", "amount": "910", "start": "2025-01"}
        book.add(sheet, facts, line(person, category="tekun", starts_on=date(2025, 1, 1)))
    return book.save()


def orphan(county: County) -> Book:
    book = Book(county.folder / "孤儿和事实无人抚养.xlsx", ORPHAN_C if county.style == "c" else ORPHAN_COLUMNS)
    book.open_sheet("儿童福利", "孤儿、事实无人抚养儿童名单")
    for i, child in enumerate(county.on("orphan")):
        category = child.lists["orphan"]
        facts = worn(county, child, i) | {
            "okind": ORPHAN_WORDS[category], "raise": "社会散居", "gname": county.adults[child.head].name,
            "grel": "叔叔", "start": "2025-06-01",
        }  # fmt: skip
        book.add("儿童福利", facts, line(child, category=category, starts_on=date(2025, 6, 1)))
    return book.save()


def disability(county: County) -> Book:
    """残联: the certificate embeds the number. One is cancelled; one row carries a parent's certificate."""
    suffix = {"a": ".xlsx", "b": ".csv", "c": ".txt"}[county.style]
    columns = DISABILITY_C if county.style == "c" else DISABILITY_COLUMNS
    book = Book(county.folder / f"持证残疾人{suffix}", columns)
    sheet = "残疾人" if county.style == "a" else None
    book.open_sheet(sheet)
    adults = list(county.adults.values())[:3]
    cancelled, borrowed = county.spare[4], county.spare[5]
    for i, person in enumerate([*county.on("disability"), *adults, cancelled, borrowed]):
        facts = worn(county, person, i) | {
            "certificate": person.citizen_id + "43", "dkind": "肢体", "dgrade": "三级", "valid": "正常",
            "gname": county.adults[person.head].name,
        }  # fmt: skip
        what = line(person, category="disabled")
        if person is cancelled:
            facts["valid"], what.ends_on = "注销", FIRST - timedelta(days=1)
        if person is borrowed:
            facts |= {
                "id": None,
                "name": person.name,
                "certificate": county.adults[person.head].citizen_id + "41",
            }
            what.auto = False
        book.add(sheet, facts, what)
    return book.save()


def pieces(county: County) -> list[tuple[Book, str]]:
    """低保 as three townships send it: grouped, sideways, per person; with the code of the township."""
    shapes = ("grouped", "sideways", "person", "person")
    towns = {child.town for child in county.on("dibao")}
    return [(dibao(county, town=t, shape=shapes[t]), town_code(t)) for t in sorted(towns)]


def population_pieces(county: County) -> list[tuple[Book, str]]:
    """The population list as one file per township, with the code of the township."""
    return [(population(county, town=t), town_code(t)) for t in range(len(TOWNS))]


def few(county: County, children: list[Child]) -> Book:
    """Some more rows of the poverty list, sent after it."""
    book = Book(county.folder / "脱贫人口_补充.csv", POVERTY_B)
    book.open_sheet(None)
    for child in children:
        _poverty_row(book, None, county, child, "lifted", {})
    return book.save()

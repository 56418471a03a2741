"""The lists of other offices and of schools, as they arrive, and what a row of each says."""

from datetime import date

import openpyxl
import pytest

from bureau.identity import check_digit
from bureau.sheets import read
from students.sheets import ROSTERS, SHEETS
from students.sheets.categories import LABELS

TODAY = date(2026, 9, 10)


def number_of(i: int, born: str = "20120503") -> str:
    first = f"990101{born}{2 * i + 1:03}"
    return first + check_digit(first)


ID, OTHER, PARENT = number_of(1), number_of(2), number_of(3, "19750503")


def reading_of(tmp_path, layouts, heads, *rows):
    book = openpyxl.Workbook()
    for cells in (heads, *rows):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    return read(tmp_path / "a.xlsx", layouts, today=TODAY, in_process=True)


def values_of(tmp_path, register, facts: dict) -> dict:
    """What one row of these headers and cells gives."""
    reading = reading_of(tmp_path, SHEETS[register], list(facts), list(facts.values()))
    assert reading.file_error is None
    return reading.rows[0].values


def test_every_layout_names_its_list_and_has_a_title():
    for name, layouts in (SHEETS | ROSTERS).items():
        assert all(layout.code == name and layout.title for layout in layouts)
        assert len({layout.layout for layout in layouts}) == len(layouts)


def test_the_handbooks_columns_of_the_poverty_list_are_all_understood(tmp_path):
    heads = (
        "序号 县(市、区、旗) 乡(镇) 行政村 自然村 户编号 人编号 姓名 证件号码 人数 与户主关系 民族 文化程度 在校生状况 健康状况 劳动技能 "
        "务工时间（月） 是否参加大病保险 致贫原因1 危房户 是否解决安全饮用水 人均纯收入 户联系电话 人联系电话 首次识别时间 人员识别时间 户类型 "
        "易返贫致贫户(监测对象)类型 风险是否消除 风险识别时间 风险消除时间"
    ).split()
    facts = dict.fromkeys(heads) | {
        "户编号": "990101000001", "人编号": "9901010000011", "姓名": "张三", "证件号码": ID, "与户主关系": "之子", "民族": "苗族",
        "首次识别时间": "2014-03-01", "人员识别时间": "2016-12-01", "户类型": "脱贫户", "人均纯收入": "9000",
    }  # fmt: skip

    values = values_of(tmp_path, "poverty", facts)

    expected = {
        "name": "张三", "citizen_id": ID, "household_no": "990101000001", "person_no": "9901010000011", "relation": "之子",
        "ethnicity": "06", "category": "lifted_poor", "listed_from": date(2016, 12, 1), "other": {"人均纯收入": "9000"},
    }  # fmt: skip
    assert values == expected


@pytest.mark.parametrize(
    ("facts", "category"),
    [
        ({"户类型": "脱贫户"}, "lifted_poor"),
        ({"户类型": "脱贫不稳定户"}, "unstable_lifted"),
        ({"户类型": "边缘易致贫户"}, "marginal_risk"),
        ({"户类型": "突发严重困难户"}, "sudden_hardship"),
        ({"户类型": "一般农户", "监测对象类型": "突发严重困难户"}, "sudden_hardship"),
        ({"户类型": "一般户"}, None),
        ({"脱贫属性": "已脱贫", "贫困户属性": "一般贫困户"}, "lifted_poor"),
        ({"脱贫属性": "未脱贫", "贫困户属性": "低保贫困户"}, "registered_poor"),
        ({"脱贫属性": "返贫"}, "registered_poor"),
        ({}, "lifted_poor"),
    ],
)
def test_the_row_decides_the_category(tmp_path, facts, category):
    values = values_of(tmp_path, "poverty", {"姓名": "张三", "证件号码": ID} | facts)

    assert values.get("category") == category
    assert values.get("off", False) is (category is None)
    assert category is None or category in LABELS


@pytest.mark.parametrize(
    ("facts", "listed_to", "off"),
    [
        ({"风险是否消除": "否", "风险消除时间": None}, None, None),
        ({"风险是否消除": "是", "风险消除时间": "2026-08-20"}, date(2026, 8, 20), None),
        ({"风险是否消除": "否", "风险消除时间": "2026-08-20"}, None, None),
        ({"风险是否消除": "是", "风险消除时间": None}, None, True),
    ],
)
def test_a_cleared_risk_ends_the_stay(tmp_path, facts, listed_to, off):
    row = {
        "姓名": "张三",
        "证件号码": ID,
        "监测对象类别": "边缘易致贫户",
        "识别时间": "2025-03-15",
        "首次识别时间": "2014-01-01",
    }
    values = values_of(tmp_path, "monitored", row | facts)

    assert values["listed_from"] == date(2025, 3, 15)
    assert (values.get("listed_to"), values.get("off")) == (listed_to, off)


def test_a_lifted_household_stays_listed_when_a_risk_was_cleared(tmp_path):
    facts = {
        "姓名": "张三",
        "证件号码": ID,
        "户类型": "脱贫户",
        "风险是否消除": "是",
        "风险消除时间": "2026-01-01",
    }

    assert "listed_to" not in values_of(tmp_path, "poverty", facts)


def test_a_certificate_in_the_numbers_column_gives_the_number(tmp_path):
    values = values_of(tmp_path, "poverty", {"姓名": "张三", "证件号码": ID + "43", "户类型": "脱贫户"})

    assert (values["citizen_id"], values["certificate"]) == (ID, ID + "43")


def test_the_provinces_list_is_recognised(tmp_path):
    heads = [
        "县",
        "乡",
        "村",
        "户编号",
        "人编号",
        "姓名",
        "证件号码",
        "与户主关系",
        "年龄",
        "在校生状况",
        "就读学校",
        "学籍号",
    ]
    row = ["云岭县", "石桥镇", "东村", "1", "11", "张三", ID, "之子", "14", "初二", "外省", None]

    assert reading_of(tmp_path, SHEETS["poverty"], heads, row).rows[0].layout == "3.1c"


def test_low_income_support_with_a_row_for_each_member(tmp_path):
    facts = {
        "乡镇": "石桥镇", "户主姓名": "张大山", "户主身份证号": PARENT, "低保证号": "D001", "保障类别": "B类", "成员姓名": "张三",
        "与户主关系": "之子", "成员身份证号": ID, "纳入时间": "2024-05",
    }  # fmt: skip
    values = values_of(tmp_path, "dibao", facts)

    assert (values["name"], values["citizen_id"], values["head_citizen_id"]) == ("张三", ID, PARENT)
    assert (values["category"], values["listed_from"]) == ("dibao", date(2024, 5, 1))


def test_low_income_support_with_a_row_for_each_household(tmp_path):
    facts = {
        "户主姓名": "张大山", "户主身份证号": PARENT, "低保证号": "D001", "保障人数": 3, "成员1姓名": "张三", "成员1与户主关系": "之子",
        "成员1身份证号": ID, "成员2姓名": "张四", "成员2身份证号": OTHER[:17] + "0", "成员3姓名": None,
    }  # fmt: skip
    reading = reading_of(tmp_path, SHEETS["dibao"], list(facts), list(facts.values()))
    values = reading.rows[0].values

    assert (reading.rows[0].layout, reading.accepted) == ("3.3-household", 1)
    assert values["name"] == values["head_name"] == "张大山"
    assert values["members"] == [
        {"name": "张三", "relation": "之子", "citizen_id": ID},
        {"name": "张四", "citizen_id_damaged": OTHER[:17] + "0"},
    ]


@pytest.mark.parametrize(
    ("remark", "stopped", "listed_to", "off"),
    [
        ("新增", None, None, None),
        ("停发", None, None, True),
        ("停发", "2026-07", date(2026, 7, 1), None),
        ("正常", "2020-01", None, None),
    ],
)
def test_a_stopped_household_has_left_the_list(tmp_path, remark, stopped, listed_to, off):
    facts = {"户主姓名": "张大山", "户主身份证号": PARENT, "状态": remark, "停发时间": stopped}
    values = values_of(tmp_path, "dibao", facts)

    assert (values.get("listed_to"), values.get("off")) == (listed_to, off)


@pytest.mark.parametrize(
    ("register", "facts", "category"),
    [
        ("tekun", {"供养方式": "分散"}, "tekun"),
        ("orphan", {"类别": "孤儿"}, "orphan"),
        ("orphan", {"类别": "事实无人抚养儿童"}, "defacto_unsupported"),
        ("orphan", {"类别": "艾滋病病毒感染儿童"}, "orphan"),
        ("disability", {"证件状态": "正常"}, "disabled"),
        ("low_income", {"类别": "刚性支出困难家庭"}, "rigid_expense"),
        ("low_income", {"类别": "低保边缘家庭"}, "dibao_margin"),
        ("population", {}, None),
        ("deaths", {"注销日期": "2026-03-01"}, None),
        ("student_pool", {"户类型": "脱贫户"}, "lifted_poor"),
        ("xueji", {"学校标识码": "2199000001"}, None),
    ],
)
def test_every_register_has_its_category(tmp_path, register, facts, category):
    assert values_of(tmp_path, register, {"姓名": "张三", "身份证号": ID} | facts).get("category") == category


def test_a_cancelled_certificate_without_a_date_is_off(tmp_path):
    assert (
        values_of(tmp_path, "disability", {"姓名": "张三", "残疾人证号": ID + "43", "证件状态": "注销"})[
            "off"
        ]
        is True
    )


def test_a_row_of_nobody_is_the_only_one_a_register_rejects(tmp_path):
    rows = [["张三", None, "x"], [None, "99010120120503", "y"], [None, None, "石桥镇三组"]]
    reading = reading_of(tmp_path, SHEETS["population"], ["姓名", "身份证号", "住址"], *rows)

    assert [row.status for row in reading.rows] == ["accepted", "accepted", "rejected"]
    assert [(p.row, p.code) for p in reading.problems if p.level == "error"] == [(4, "required")]


def test_a_name_with_lost_characters_is_kept_in_a_register(tmp_path):
    reading = reading_of(tmp_path, SHEETS["population"], ["姓名", "身份证号"], ["张?", ID])

    assert reading.rows[0].values["name"] == "张?"
    assert [p.code for p in reading.problems] == ["name_characters"]


def test_a_class_roll_needs_few_columns(tmp_path):
    reading = reading_of(tmp_path, ROSTERS["roll"], ["班级", "姓名", "身份证号"], ["三年级2班", "张三", ID])

    assert reading.rows[0].values == {
        "class_name": "2班", "class_number": 2, "grade": "P3", "name": "张三", "citizen_id": ID
    }  # fmt: skip


def test_the_daily_export_is_understood(tmp_path):
    heads = (
        "学校名称 学校标识码 年级 班级 姓名 性别 全国学籍号 学籍辅号 身份证件类型 身份证件号 出生日期 民族 户口所在地 现住址 就读方式 学籍状态 监护人1 电话"
    ).split()
    row = ["云岭镇中心小学", "2199000001", "三年级", "1班", "张三", "男", "G" + ID, "0007", "居民身份证", ID, "2012-05-03", "汉族", "云岭县", "东村", "住校",
           "在籍", "张大山", "13812345678"]  # fmt: skip
    reading = reading_of(tmp_path, ROSTERS["roll"], heads, row)
    values = reading.rows[0].values

    assert reading.tables[0].others == []
    assert (values["boarding"], values["boarder"], values["status"], values["local_number"]) == (
        "住校",
        True,
        "在籍",
        "0007",
    )
    assert (values["guardian_name"], values["phone"]) == ("张大山", "13812345678")


def test_the_national_form_is_recognised(tmp_path):
    heads = ["姓名★", "性别★", "出生日期★", "出生地★", "民族★", "国籍/地区★", "身份证件类型★", "身份证件号", "港澳台侨外★", "年级★", "班级★",
             "入学年月★", "就读方式★", "成员1姓名", "成员1关系", "成员1证件号"]  # fmt: skip
    row = [
        "张三",
        "男",
        "20120503",
        "990101001001",
        "汉族",
        "中国",
        "居民身份证",
        ID,
        "否",
        "三年级",
        "1班",
        "202409",
        "走读",
        "张大山",
        "父亲",
        PARENT,
    ]
    reading = reading_of(tmp_path, ROSTERS["roll"], heads, row)

    assert (reading.rows[0].layout, reading.accepted) == ("3.9", 1)
    assert reading.rows[0].values["guardian_citizen_id"] == PARENT
    assert reading.rows[0].values["entered"] == "202409"


def test_an_aid_roster_keeps_fen(tmp_path):
    heads = [
        "序号",
        "学校",
        "年级",
        "班级",
        "姓名",
        "性别",
        "身份证号",
        "是否寄宿",
        "困难类别",
        "资助项目",
        "标准(元)",
        "金额(元)",
        "户名",
        "账号",
    ]
    row = [
        1,
        "云岭镇中心小学",
        "三年级",
        "1班",
        "张三",
        "男",
        ID,
        "是",
        "脱贫户",
        "寄宿生生活补助",
        "625",
        "625.00",
        "张大山",
        "6217000000000000004",
    ]
    values = reading_of(tmp_path, ROSTERS["aid"], heads, row).rows[0].values

    assert (values["rate_fen"], values["amount_fen"], values["hardship"]) == (62500, 62500, "lifted_poor")
    assert values["boarder"] is True


def test_one_child_in_two_programmes_is_no_contradiction(tmp_path):
    heads = ["年级", "姓名", "身份证号", "资助项目", "金额"]
    rows = [["三年级", "张三", ID, "寄宿生生活补助", 625], ["三年级", "张三", ID, "营养餐", 500]]

    assert reading_of(tmp_path, ROSTERS["aid"], heads, *rows).accepted == 2


@pytest.mark.parametrize(("sheet", "grade"), [("三年级1班", "P3"), ("七(1)班", "J7")])
def test_a_sheet_for_each_class_needs_no_column_for_it(tmp_path, sheet, grade):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for cells in (["姓名", "身份证号"], ["张三", ID]):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx", ROSTERS["roll"], today=TODAY, in_process=True)

    assert reading.rows[0].values["grade"] == grade
    assert reading.rows[0].values["class_name"] == "1班"


def test_a_sheet_that_is_named_for_nothing_needs_the_column(tmp_path):
    reading = reading_of(tmp_path, ROSTERS["roll"], ["姓名", "身份证号"], ["张三", ID])

    assert reading.file_error.code == "missing_column"

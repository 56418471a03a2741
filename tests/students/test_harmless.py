"""What is written otherwise and means the same is no change: class names, known aliases, dots, full width."""

from datetime import date

import pytest

from students.models import RosterRow
from tests.students.factories import citizen_id

NUMBER = citizen_id(date(2016, 5, 1), 1)
FIRST = {
    "姓名": "阿依古丽·买买提", "身份证号": NUMBER, "年级": "三年级", "班级": "1班", "民族": "维吾尔族", "性别": "男",
    "就读方式": "住校", "学籍状态": "在籍", "联系电话": "13800000001", "监护人姓名": "买买提·艾力", "户口所在地": "云岭县城关镇",
    "现住址": "云岭县城关镇1号",
}  # fmt: skip


def verdict(office, school, row: dict, **more) -> str:
    roster = office.roll([row], school=school, **more)
    found = RosterRow.objects.get(roster=roster)
    return f"{found.verdict} {found.changes}" if found.changes else found.verdict


@pytest.mark.parametrize(
    "class_name", ["一班", "01班", "1", "(1)班", "（一）班", "三(1)班", "三（一）班", "三年级1班", "三年级一班", "１班", " 1 班 "]
)
def test_another_way_to_write_the_class_is_no_change(office, school, class_name):
    office.enrol([FIRST], school=school)

    assert verdict(office, school, FIRST | {"班级": class_name}) == "unchanged"


@pytest.mark.parametrize("column", ["年级", "班级"])
def test_one_column_for_grade_and_class_is_no_change(office, school, column):
    office.enrol([FIRST], school=school)
    row = {name: text for name, text in FIRST.items() if name not in ("年级", "班级")}

    assert verdict(office, school, row | {"班级": "三(1)班"}) == "unchanged"


@pytest.mark.parametrize(
    "written",
    [
        {"姓名": "阿依古丽•买买提"}, {"姓名": "阿依古丽．买买提"}, {"姓名": "阿依古丽 · 买买提"}, {"姓名": "阿依古丽・买买提"},
        {"民族": "维吾尔"}, {"民族": "05"}, {"就读方式": "寄宿"}, {"就读方式": "住宿生"}, {"学籍状态": "在籍 "},
        {"身份证号": "".join(chr(ord(c) + 0xFEE0) for c in NUMBER)}, {"身份证号": f" {NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}"},
        {"联系电话": "138-0000-0001"}, {"联系电话": "+86 13800000001"}, {"监护人姓名": "买买提 ·艾力"}, {"户口所在地": "云岭县 城关镇"},
        {"现住址": "云岭县城关镇１号"}, {"年级": "小学三年级"}, {"年级": "3"}, {"性别": "1"},
    ],
    ids=lambda written: next(iter(written.items())),
)  # fmt: skip
def test_a_known_alias_is_no_change(office, school, written):
    office.enrol([FIRST], school=school)

    assert verdict(office, school, FIRST | written) == "unchanged"


def test_a_school_under_its_alias_is_the_same_school(office, school):
    school.aliases = ["城关一小"]
    school.save()
    office.enrol([FIRST], school=school)

    assert verdict(office, None, FIRST | {"学校名称": "城关一小"}) == "unchanged"
    assert verdict(office, None, FIRST | {"学校名称": "城关镇 第一小学"}) == "unchanged"


@pytest.mark.parametrize(
    ("written", "changed"),
    [({"班级": "2班"}, "class_name"), ({"就读方式": "走读"}, "boarding"), ({"民族": "汉族"}, "ethnicity")],
)
def test_a_real_change_is_one(office, school, written, changed):
    office.enrol([FIRST], school=school)

    assert changed in verdict(office, school, FIRST | written)

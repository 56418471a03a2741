"""Rolls of kindergartens, vocational and technical schools: the same upload, in the words of each stage."""

import io
from datetime import date

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from bureau.organisation.models import Stage
from bureau.sheets import read
from students.models import Enrolment, RosterRow
from students.sheets import ROSTERS
from tests.factories import SchoolFactory
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id, codes, write_list

DAY = date(2026, 10, 12)


def school_of(*stages: Stage, name: str = "云岭县学校"):
    return SchoolFactory(name=name, stages=[stage.value for stage in stages])


def pupil(born: int, **facts: str) -> dict[str, str]:
    return {"姓名": "张三", "身份证号": citizen_id(date(born, 5, 1), 1)} | facts


@pytest.mark.parametrize(
    ("stages", "grade", "born", "found"),
    [
        ([Stage.VOCATIONAL], "一年级", 2010, ("vocational", 2026)),
        ([Stage.VOCATIONAL], "高二", 2009, ("vocational", 2025)),
        ([Stage.VOCATIONAL], "中职三年级", 2008, ("vocational", 2024)),
        ([Stage.PRIMARY], "一年级", 2020, ("primary", 2026)),
        ([Stage.PRIMARY, Stage.VOCATIONAL], "一年级", 2020, ("primary", 2026)),
        ([Stage.SENIOR_GENERAL], "三年级", 2008, ("senior_general", 2024)),
        ([Stage.SENIOR_GENERAL, Stage.VOCATIONAL], "高一", 2010, ("senior_general", 2026)),
        ([Stage.JUNIOR], "二年级", 2012, ("junior", 2025)),
        ([Stage.SPECIAL], "一年级", 2018, ("primary", 2026)),
        ([Stage.VOCATIONAL], "2025级", 2009, ("vocational", 2025)),
        ([Stage.PRIMARY, Stage.JUNIOR], "2022级", 2016, ("primary", 2022)),
        ([Stage.PRIMARY, Stage.JUNIOR], "2025级", 2019, ("", None)),
        ([Stage.JUNIOR, Stage.SENIOR_GENERAL], "一年级", 2010, ("primary", 2026)),
        ([Stage.PRESCHOOL], "大班", 2020, ("preschool", 2024)),
        ([Stage.PRESCHOOL], "托班", 2024, ("preschool", 2027)),
        ([Stage.PRESCHOOL], "混龄班", 2022, ("preschool", None)),
        ([Stage.VOCATIONAL], "高一（下）", 2010, ("vocational", 2026)),
    ],
)
def test_the_stages_of_a_school_say_what_its_grades_mean(office, world, stages, grade, born, found):
    school = school_of(*stages)

    roster = office.roll([pupil(born, 年级=grade, 班级="1班")], school=school)

    row = RosterRow.objects.get(roster=roster)
    assert (row.stage, row.entered_in) == found
    assert codes(roster, "error") == []


@pytest.mark.parametrize(
    ("name", "grade", "class_name"),
    [("大一班", "大班", "1班"), ("小（2）班", "小班", "2班"), ("中班", "中班", ""), ("托1班", "托班", "1班")],
)
def test_a_kindergartens_class_tells_the_grade(office, world, name, grade, class_name):
    school = school_of(Stage.PRESCHOOL, name="云岭县第一幼儿园")

    office.enrol([pupil(2021, 园所名称=school.name, 班级=name)], school=school)

    enrolment = Enrolment.objects.get()
    assert (enrolment.grade(2026), enrolment.class_name) == (grade, class_name)


def test_a_class_named_after_its_year_tells_the_year(office, world):
    school = school_of(Stage.VOCATIONAL)

    office.enrol([pupil(2010, 班级="25级电子商务1班")], school=school)

    enrolment = Enrolment.objects.get()
    assert (enrolment.stage, enrolment.entered_in, enrolment.class_name) == ("vocational", 2025, "25级电子商务1班")


def test_an_age_that_does_not_fit_is_asked_about_by_what_the_grade_means_there(office, world):
    vocational, primary = school_of(Stage.VOCATIONAL), school_of(Stage.PRIMARY, name="云岭县小学")

    fits = office.roll([pupil(2008, 年级="二年级")], school=vocational)
    does_not = office.roll([pupil(2008, 年级="二年级")], school=primary)

    assert (codes(fits), codes(does_not, "warning")) == ([], ["age_out_of_range"])
    assert does_not.problems[0]["column"] == "年级" and "约 18 岁在二年级" in does_not.problems[0]["message"]


MAJOR = {"专业": "现代农艺技术", "是否涉农": "涉农专业", "学制": "三年制", "实习单位": "云岭县种业公司", "实习状态": "是"}


def test_major_programme_and_internship_are_kept_with_the_enrolment(office, world):
    school = school_of(Stage.VOCATIONAL)

    office.enrol([pupil(2009, 年级="一年级", **MAJOR)], school=school)

    enrolment = Enrolment.objects.get()
    assert (enrolment.major, enrolment.agricultural, enrolment.programme_years) == ("现代农艺技术", True, 3)
    assert enrolment.internship == "云岭县种业公司"


def test_another_major_is_a_change_and_what_is_not_said_is_none(office, world):
    school = school_of(Stage.VOCATIONAL)
    office.enrol([pupil(2009, 年级="一年级", **MAJOR)], school=school)

    silent = office.roll([pupil(2009, 年级="一年级")], school=school)
    roster = office.enrol([pupil(2009, 年级="一年级", 专业="电子商务", 是否涉农="否", 是否实习="否")], school=school)

    assert silent.unchanged == 1
    assert RosterRow.objects.get(roster=roster).changes == [
        ["major", "现代农艺技术", "电子商务"],
        ["agricultural", True, False],
        ["internship", "云岭县种业公司", "未实习"],
    ]
    assert Enrolment.objects.get().major == "电子商务"


@pytest.mark.parametrize(
    ("written", "years"), [("3", 3), ("三年", 3), ("3年制", 3), ("3+2", 5), ("五年一贯制", 5), ("两年制", 2)]
)
def test_the_length_of_a_programme_is_read_in_years(tmp_path, written, years):
    file = write_list(tmp_path / "a.csv", [pupil(2009, 年级="一年级", 学制=written)])

    assert read(file, ROSTERS["roll"], today=DAY, in_process=True).rows[0].values["programme_years"] == years


def test_a_programme_that_cannot_be_read_loses_no_child(office, world):
    roster = office.roll([pupil(2009, 年级="一年级", 学制="弹性", 是否涉农="不清楚")], school=school_of(Stage.VOCATIONAL))

    assert (roster.accepted, codes(roster)) == (1, ["value_unread", "value_unread"])


def test_a_technical_school_sends_the_roll_it_keeps_for_its_own_office(office, world):
    """技工院校: 学籍注册号 of 人社, five years of study, no 全国学籍号."""
    school = school_of(Stage.VOCATIONAL, name="云岭县高级技工学校")
    row = {
        "技工院校": school.name, "姓名": "张三", "身份证号": citizen_id(date(2006, 5, 1), 1), "学籍注册号": "JG2022990101001",
        "专业名称": "数控加工", "培养层次": "高级技工", "学制": "5", "年级": "五年级", "班级": "22级数控1班", "学习形式": "全日制",
    }  # fmt: skip

    roster = office.enrol([row], school=school)

    enrolment = Enrolment.objects.get()
    assert roster.tables[0]["layout"] == "3.9t" and codes(roster) == []
    assert (enrolment.stage, enrolment.entered_in, enrolment.programme_years) == ("vocational", 2022, 5)
    assert not enrolment.student.person.identifiers.filter(kind="student_number").exists()


def test_who_studies_five_years_has_not_finished_after_three(office, world):
    school = school_of(Stage.VOCATIONAL)
    five = pupil(2007, 年级="三年级", 学制="5")
    three = {"姓名": "李四", "身份证号": citizen_id(date(2007, 5, 2), 2), "年级": "三年级", "学制": "3"}
    office.enrol([five, three], school=school)
    next_year = office.term.__class__.objects.create(
        county=office.county, code="2027-autumn", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20),
        school_year=office.term.school_year.__class__.objects.create(county=office.county, starts_in=2027),
    )  # fmt: skip
    newcomer = {"姓名": "王五", "身份证号": citizen_id(date(2011, 5, 2), 1), "年级": "一年级", "学制": "3"}

    roster = office.enrol([newcomer], school=school, term=next_year)

    assert roster.absent == 1
    assert Enrolment.objects.get(student__person__name="李四").exit_kind == "毕业"
    assert Enrolment.objects.get(student__person__name="张三").ended_on is None


@pytest.mark.parametrize(
    ("stage", "asked", "not_asked"),
    [
        ("preschool", {"年级", "入学年月"}, {"全国学籍号", "专业"}),
        ("compulsory", {"全国学籍号", "就读方式"}, {"专业", "实习单位"}),
        ("vocational", {"专业", "是否涉农", "学制", "实习单位"}, set()),
    ],
)
def test_the_template_asks_a_school_for_what_its_stage_has(client, school_clerk, stage, asked, not_asked):
    client.force_login(school_clerk)
    answer = client.get(reverse("students:roster_template", args=["roll"]), {"stage": stage})

    page = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    heads = {str(cell.value).removesuffix("★") for cell in page[3]}
    assert asked <= heads and not not_asked & heads
    assert school_clerk.scope and "学校标识码" in str(page["A2"].value)


def test_a_stage_nobody_has_is_no_template(client, school_clerk):
    client.force_login(school_clerk)

    assert client.get(reverse("students:roster_template", args=["roll"]), {"stage": "moon"}).status_code == 400


def test_a_vocational_school_is_offered_its_own_template(client, school_clerk, school):
    school.stages = [Stage.VOCATIONAL]
    school.save()
    client.force_login(school_clerk)

    page = client.get(reverse("students:upload_roster")).content.decode()

    assert "班级花名册模板（中职、技工）" in page and "班级花名册模板（学前）" not in page


def test_the_childs_page_tells_major_and_internship(client, aid_officer, world):
    child = StudentFactory(county=world.county)
    EnrolmentFactory(
        student=child, school=world.school, stage="vocational", major="护理", programme_years=3, internship="县医院"
    )
    client.force_login(aid_officer)

    page = client.get(child.get_absolute_url()).content.decode()

    assert "护理" in page and "学制 3 年" in page and "实习：县医院" in page

"""逐班核对 as the school's clerk and the county see it."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau.access.roles import Role
from bureau.audit import AccessLog
from students.actions import checking
from students.models import ClassCheck, RollChange, RollCheck, Roster
from tests.factories import AccountFactory, SchoolFactory
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id
from tests.students.test_checking import GIRL, child, classes, confirm, fresh

ZHANG = citizen_id(date(2016, 5, 2), 1)


@pytest.fixture
def clerk(client, school_clerk):
    client.force_login(school_clerk)
    return school_clerk


@pytest.fixture
def check(school, term, school_clerk) -> RollCheck:
    """Two classes: 1班 with Zhang and Li, 2班 with Wang."""
    for name, class_name, number in (("张三", "1班", ZHANG), ("李四", "1班", None), ("王五", "2班", None)):
        EnrolmentFactory(student=StudentFactory(name=name, number=number), school=school, class_name=class_name)
    return checking.open_check(school=school, term=term, on=timezone.localdate(), by=school_clerk)[0]


def page(client, name: str, *args, **query) -> str:
    return client.get(reverse(f"students:{name}", args=args), query).content.decode()


def press(client, page: str, /, *args, **data) -> str:
    return client.post(reverse(f"students:{page}", args=args), data, follow=True).content.decode()


def first_class(check: RollCheck):
    return classes(check)["三年级1班"]


NEW = {
    "name": "钱七", "document_kind": "1", "citizen_id": GIRL, "grade": "P3", "class_name": "2", "boarding": "yes",
    "state": "在籍", "guardian_name": "钱大", "guardian_relation": "母亲", "phone": "138 0000 0009",
}  # fmt: skip


def test_clerk_begins_a_check_from_the_upload_page(client, clerk, school, term):
    EnrolmentFactory(school=school)
    assert reverse("students:checks") in page(client, "upload_roster")
    assert "开始核对" in page(client, "checks")

    told = press(client, "start_check", school=school.pk)

    assert "三年级1班" in told
    assert RollCheck.objects.get().opened_by == clerk
    assert "接着核对" in page(client, "checks")


def test_a_school_out_of_sight_cannot_be_begun(client, clerk, world, term):
    told = press(client, "start_check", school=world.other_school.pk)

    assert "请选择要核对的学校" in told
    assert not RollCheck.objects.exists()


def test_class_shows_its_children_without_any_number(client, clerk, check):
    told = page(client, "check_class", check.pk, first_class(check).key)

    assert "张三" in told and "2016年5月" in told and "本班无变动" in told
    assert ZHANG not in told and ZHANG[-4:] not in told
    assert AccessLog.objects.get(view="students:check_class").count == 2


def test_confirming_leads_to_the_next_class_and_in_the_end_to_the_summary(client, clerk, check):
    one, two = fresh(check).classes

    response = client.post(reverse("students:check_class", args=[check.pk, one.key]), {"seen": one.digest})
    assert response.url == reverse("students:check_class", args=[check.pk, two.key])

    response = client.post(response.url, {"seen": two.digest})
    assert response.url == reverse("students:send_check", args=[check.pk])
    assert "各班都没有变动" in page(client, "send_check", check.pk)


def test_ticked_children_are_noted_and_the_class_is_not_confirmed_by_the_same_button(client, clerk, check):
    one = first_class(check)

    told = press(client, "check_class", check.pk, one.key, seen=one.digest, left=child("李四").pk)

    assert "已登记 1 人不在本班" in told and "确认本班（1 处变动）" in told
    assert not ClassCheck.objects.exists()
    assert RollChange.objects.get().kind == "leave"


def test_a_class_that_changed_under_the_clerk_is_shown_again(client, clerk, check):
    one = first_class(check)
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=clerk)

    told = press(client, "check_class", check.pk, one.key, seen=one.digest)

    assert "刚有变动" in told
    assert not ClassCheck.objects.exists()


def test_a_child_is_moved_to_another_class_and_taken_back(client, clerk, check):
    enrolment = child("李四").pk
    told = press(client, "check_pupil", check.pk, enrolment, grade="P3", class_name="二班", boarding="", state="")
    assert "从别班转入" in told and "<h1>三年级2班</h1>" in told
    assert "已转到别班" in page(client, "check_class", check.pk, first_class(check).key)

    told = press(client, "take_back_change", check.pk, RollChange.objects.get().pk)

    assert "恢复为系统登记的情况" in told
    assert not RollChange.objects.exists()


def test_a_child_who_left_is_taken_back_from_the_list_of_classes_too(client, clerk, check):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=clerk)
    told = page(client, "check", check.pk)

    change = RollChange.objects.get().pk
    assert f'form="take_back_{change}"' in told and f'id="take_back_{change}"' in told


def test_a_child_who_came_is_typed_in_and_can_be_corrected(client, clerk, check):
    told = press(client, "check_add", check.pk, **NEW)
    assert "钱七" in told and "新增" in told and "<h1>三年级2班</h1>" in told and GIRL not in told

    change = RollChange.objects.get()
    assert f'value="{GIRL}"' in page(client, "check_added", check.pk, change.pk)
    press(client, "check_added", check.pk, change.pk, **NEW | {"name": "钱八"})

    assert RollChange.objects.count() == 1
    assert [pupil.name for pupil in classes(check)["三年级2班"].here] == ["王五", "钱八"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"citizen_id": GIRL[:-1] + ("0" if GIRL[-1] != "0" else "1")}, "校验位不符"),
        ({"citizen_id": ""}, "请填写证件号码"),
        ({"citizen_id": "", "without_number": "on"}, "请填写出生日期"),
        ({"citizen_id": ZHANG}, "本校名单上已有这个号码（张三）"),
        ({"name": "张3"}, "姓名"),
        ({"birth_on": "2016-01-01"}, "与证件号码中的出生日期不一致"),
        ({"sex": "1"}, "与证件号码表示的性别不一致"),
        ({"phone": "12"}, "电话"),
        ({"grade": ""}, "请选择年级"),
        ({"class_name": "四(2)班"}, "班级里写的年级与所选年级不一致"),
        ({"name": "张三", "citizen_id": "", "without_number": "on", "birth_on": "2016-05-01"}, "已有同名、同出生日期的学生"),
    ],
)
def test_what_is_typed_wrong_is_told_at_its_field_and_nothing_is_lost(client, clerk, check, wrong, told):
    response = client.post(reverse("students:check_add", args=[check.pk]), NEW | wrong)

    assert response.status_code == 200
    assert any(told in message for messages in response.context["form"].errors.values() for message in messages)
    assert response.context["form"]["guardian_name"].value() == "钱大"
    assert not RollChange.objects.exists()


def test_number_is_checked_while_it_is_typed(client, clerk, check):
    def told(text: str, **more) -> str:
        return press(client, "check_number", check.pk, document_kind="1", citizen_id=text, **more)

    assert "号码可用：女，2017年3月5日出生" in told(GIRL)
    assert "应为18位" in told("990101")
    assert "本校名单上已有这个号码" in told(ZHANG)
    assert told("").strip() == ""


def test_all_is_sent_and_leads_to_the_preview_of_a_roster(client, clerk, check):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=clerk)
    confirm(check)
    assert "已不在本校" in page(client, "send_check", check.pk)

    response = client.post(reverse("students:send_check", args=[check.pk]))

    roster = Roster.objects.get(source="check")
    assert response.url == roster.get_absolute_url()
    assert AccessLog.objects.get(view="students:send_check", method="POST").count == 3  # numbers were opened
    assert "核对结果已提交" in page(client, "check", check.pk)


def test_sending_too_early_is_refused_in_words(client, clerk, check):
    assert "还有 2 个班没有确认" in press(client, "send_check", check.pk)
    assert not Roster.objects.exists()


def test_giving_up_removes_what_was_typed(client, clerk, check):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=clerk)

    assert "已放弃这次核对" in press(client, "give_up_check", check.pk)
    assert not RollChange.objects.exists()


def test_a_check_that_is_over_takes_no_entry(client, clerk, check):
    confirm(check)
    checking.send_check(check=check, by=clerk)
    one = first_class(check)

    assert "不能再录入或确认" in press(client, "check_class", check.pk, one.key, seen=one.digest, left=child("李四").pk)
    assert client.get(reverse("students:check_add", args=[check.pk])).url == check.get_absolute_url()


def test_a_roll_applied_meanwhile_is_told(client, clerk, check, office, school):
    office.enrol([{"姓名": "张三", "身份证号": ZHANG, "年级": "三年级", "班级": "1班"}], school=school)

    told = page(client, "check", check.pk)

    assert "核对期间，本校的花名册" in told and "已入库" in told


def test_colleague_goes_on_where_the_first_one_stopped(client, check, school):
    confirm(check, "三年级1班")
    client.force_login(AccountFactory(role=Role.SCHOOL_CLERK, at=school))

    told = press(client, "start_check", school=school.pk)

    assert "接着办理即可" in told and "已确认 1 / 2 个班" in told


def test_county_sees_how_far_each_school_is_and_changes_nothing(client, aid_officer, check, world):
    confirm(check, "三年级1班")
    client.force_login(aid_officer)

    told = page(client, "checks")
    assert "1 / 2" in told and str(check.opened_by) in told and "没有开始" in told and "开始核对" not in told
    one = first_class(check)
    assert "本班无变动" not in page(client, "check_class", check.pk, one.key)
    assert "县局只能查看" in press(client, "check_class", check.pk, one.key, seen=one.digest)
    assert ClassCheck.objects.count() == 1


@pytest.mark.parametrize(("state", "shown"), [("open", True), ("none", False), ("sent", False)])
def test_county_narrows_the_list_to_schools_that_have_not_begun(client, aid_officer, check, state, shown):
    client.force_login(aid_officer)

    names = [school.name for school in client.get(reverse("students:checks"), {"state": state}).context["page"].rows]

    assert (check.school.name in names) is shown


def test_center_school_checks_for_the_schools_it_manages(client, district_school, check):
    client.force_login(district_school)

    assert check.school.name in page(client, "checks")
    one = first_class(check)
    press(client, "check_class", check.pk, one.key, seen=one.digest)
    assert ClassCheck.objects.get().confirmed_by == district_school


def test_open_check_is_a_to_do_of_the_school_and_not_of_the_county(client, clerk, aid_officer, check):
    assert "逐班核对还没有提交" in client.get(reverse("bureau:desk")).content.decode()
    client.force_login(aid_officer)
    assert "逐班核对还没有提交" not in client.get(reverse("bureau:desk")).content.decode()


def test_list_of_schools_costs_the_same_queries_for_many(client, aid_officer, world, term, django_assert_max_num_queries):
    for _ in range(8):
        school = SchoolFactory(township=world.township)
        EnrolmentFactory(school=school)
        checking.open_check(school=school, term=term, on=timezone.localdate(), by=aid_officer)
    client.force_login(aid_officer)

    with django_assert_max_num_queries(40):
        assert client.get(reverse("students:checks")).status_code == 200

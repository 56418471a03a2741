"""Pages around a roster: taking it back, letting children in without a number, two clerks at once."""

from datetime import date

import pytest
from django.urls import reverse

from bureau.access.roles import Role
from students.actions import rosters, undoing
from students.models import Enrolment, Person, Roster, RosterRow, Student
from tests.factories import AccountFactory
from tests.students.factories import HardshipFactory, citizen_id

HTMX = {"HX-Request": "true", "HX-Target": "back"}


def pupil(name: str, number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "年级": "三年级", "班级": "1班"} | more


ZHANG, LI, WANG = (
    pupil(name, citizen_id(date(2016, 5, n + 1), n)) for n, name in enumerate(("张三", "李四", "王五"), start=1)
)
BAD = pupil("赵六", "123", 出生日期="2016-05-09")


@pytest.fixture
def clerk(client, school_clerk):
    client.force_login(school_clerk)
    return school_clerk


def url(name: str, roster: Roster) -> str:
    return reverse(f"students:{name}", args=[roster.pk])


# Undoing.


def test_the_receipt_offers_undoing_and_the_page_tells_what_changes_back(client, office, school, clerk):
    office.enrol([ZHANG, LI], school=school)
    roster = office.enrol([ZHANG | {"班级": "2班"}, WANG], school=school)

    assert url("undo_roster", roster) in client.get(roster.get_absolute_url()).content.decode()
    page = client.get(url("undo_roster", roster)).content.decode()

    assert "移出 <b>1</b> 人（其中 1 人的档案一并删除），改回 <b>1</b> 人，恢复在校 <b>1</b> 人" in page
    changed = client.get(url("undo_roster", roster) + "?show=changed", headers=HTMX).content.decode()
    assert "<del>2班</del><ins>1班</ins>" in changed and "<html" not in changed
    assert "李四" in client.get(url("undo_roster", roster) + "?show=absent").content.decode()


def test_undone_with_a_reason_the_page_tells_by_whom_and_why(client, office, school, clerk):
    roster = office.enrol([ZHANG], school=school)

    answer = client.post(url("undo_roster", roster), {"reason": "传成了上学期的文件"}, follow=True)

    page = answer.content.decode()
    assert "已撤销入库，学生信息恢复到入库之前" in page
    assert "传成了上学期的文件" in page and clerk.display_name in page
    assert not Person.objects.exists()


def test_without_a_reason_nothing_happens(client, office, school, clerk):
    roster = office.enrol([ZHANG], school=school)

    page = client.post(url("undo_roster", roster), {"reason": ""}).content.decode()

    assert "请写明撤销的理由" in page
    assert Person.objects.exists()


def test_what_stands_in_the_way_is_named_with_the_children_and_there_is_no_button(client, office, school, clerk):
    roster = office.enrol([ZHANG, LI], school=school)
    HardshipFactory(student=Student.objects.get(person__name="张三"))

    page = client.get(url("undo_roster", roster)).content.decode()
    answer = client.post(url("undo_roster", roster), {"reason": "传错了文件"}, follow=True)

    assert "现在不能撤销" in page and "已有“困难身份”" in page and "data-confirm" not in page.split("<main")[1]
    assert "现在不能撤销" in answer.content.decode()
    assert Roster.objects.get(pk=roster.pk).status == Roster.State.APPLIED


def test_the_second_clerk_is_told_who_undid_it(client, office, school, clerk):
    roster = office.enrol([ZHANG], school=school)
    undoing.undo_roster(roster=roster, by=office.by, reason="传错了文件")

    page = client.post(url("undo_roster", roster), {"reason": "传错了文件"}, follow=True).content.decode()

    assert "没有可以撤销的" in page and office.by.display_name in page


# Letting in without a number.


def rejected(roster: Roster) -> list[int]:
    return list(roster.staged.filter(status="rejected").values_list("pk", flat=True))


def test_the_rejected_tab_offers_to_let_in_those_whose_number_alone_is_wrong(client, office, school, clerk):
    roster = office.roll([ZHANG, BAD, pupil("钱七", "123", 性别="不详x")], school=school)
    [bad, worse] = roster.staged.filter(status="rejected").order_by("row")

    page = client.get(roster.get_absolute_url() + "?show=rejected").content.decode()

    assert f'name="rows" value="{bad.pk}"' in page
    assert f'value="{worse.pk}"' not in page


def test_ticked_rows_are_let_in_and_the_counts_move(client, office, school, clerk):
    roster = office.roll([ZHANG, BAD], school=school)

    answer = client.post(url("admit_rows", roster), {"rows": rejected(roster)}, follow=True)

    assert "1 人先入册、证件待补" in answer.content.decode()
    roster.refresh_from_db()
    assert (roster.accepted, roster.rejected) == (2, 0)


def test_all_at_once_takes_a_typed_birth_date_and_tells_of_those_left(client, office, school, clerk):
    roster = office.roll([ZHANG, BAD, pupil("钱七", "123"), pupil("孙八", "123")], school=school)
    qian = RosterRow.objects.get(roster=roster, name="钱七")

    page = client.get(roster.get_absolute_url() + "?show=rejected").content.decode()
    answer = client.post(url("admit_rows", roster), {"all": "yes", f"born_{qian.pk}": "2016-05-20"}, follow=True)

    assert f'name="born_{qian.pk}"' in page
    assert "2 人先入册" in answer.content.decode() and "有 1 人没有先入册" in answer.content.decode()


@pytest.mark.parametrize("given", [{}, {"rows": ["x"]}, {"rows": ["999999"]}, {"rows": [""], "born_1": "2016-02-30"}])
def test_nonsense_lets_nobody_in(client, office, school, clerk, given):
    roster = office.roll([ZHANG, BAD], school=school)

    assert client.post(url("admit_rows", roster), given, follow=True).status_code == 200
    assert roster.staged.filter(admitted=True).count() == 0


def test_the_child_page_the_list_and_the_desk_tell_of_the_missing_number(client, office, school, clerk):
    roster = office.roll([ZHANG, BAD], school=school)
    client.post(url("admit_rows", roster), {"rows": rejected(roster)})
    rosters.apply_roster(roster=roster, by=office.by)
    child = Student.objects.number_pending().get()

    listed = client.get(reverse("students:students") + "?number=pending").content.decode()

    assert "赵六" in listed and "张三" not in listed
    assert "证件待补" in client.get(child.get_absolute_url()).content.decode()
    assert "先入册的学生，证件待补" in client.get(reverse("bureau:desk")).content.decode()


# Two clerks at once.


def confirm(client, roster: Roster, number: int):
    seen = ["id_missing", "enrolled_elsewhere"]
    return client.post(url("apply_roster", roster), {"preview": number, "seen": seen}, follow=True)


def test_what_changed_since_the_page_was_shown_is_shown_again_before_it_is_applied(client, office, school, clerk):
    path = office.file([ZHANG, LI]).rename(office.folder / "first.csv")
    first, second = office.roll(path, school=school), office.roll([LI, WANG], school=school)
    shown = second.preview_no
    rosters.apply_roster(roster=first, by=office.by)

    page = confirm(client, second, shown).content.decode()

    assert "另一份花名册已于" in page and "预览已重新计算，请再看一遍" in page
    second.refresh_from_db()
    assert (second.status, second.new, second.unchanged, second.absent) == (Roster.State.STAGED, 1, 1, 1)
    assert "确认入库：新增 1 人" in page

    confirm(client, second, second.preview_no)
    second.refresh_from_db()
    assert second.status == Roster.State.APPLIED


def test_a_page_of_before_the_last_look_is_not_enough(client, office, school, clerk):
    path = office.file([ZHANG, LI]).rename(office.folder / "first.csv")
    first, second = office.roll(path, school=school), office.roll([LI, WANG], school=school)
    shown = second.preview_no
    rosters.apply_roster(roster=first, by=office.by)
    confirm(client, second, shown)

    confirm(client, second, shown)

    second.refresh_from_db()
    assert second.status == Roster.State.STAGED


def test_an_unchanged_preview_is_applied_at_the_first_word(client, office, school, clerk):
    roster = office.roll([ZHANG, LI], school=school)

    confirm(client, roster, roster.preview_no)

    assert Enrolment.objects.count() == 2


def test_both_rosters_and_the_upload_page_tell_who_else_is_at_it(client, office, school, clerk):
    path = office.file([ZHANG, LI]).rename(office.folder / "first.csv")
    first, second = office.roll(path, school=school), office.roll([LI, WANG], school=school)
    Roster.objects.filter(pk=second.pk).update(uploaded_by=clerk)

    on_first = client.get(first.get_absolute_url()).content.decode()
    on_second = client.get(second.get_absolute_url()).content.decode()
    upload = client.get(reverse("students:upload_roster")).content.decode()

    assert f"<b>{clerk}</b>于" in on_first and "upload.csv" in on_first
    assert f"<b>{office.by}</b>于" in on_second and "first.csv" in on_second
    assert f"<b>{office.by}</b>于" in upload and "待确认" in upload and f"<b>{clerk}</b>于" not in upload


def test_a_staged_roster_tells_that_another_was_applied_meanwhile(client, office, school, clerk):
    path = office.file([ZHANG, LI]).rename(office.folder / "first.csv")
    first, second = office.roll(path, school=school), office.roll([LI, WANG], school=school)
    rosters.apply_roster(roster=first, by=office.by)

    assert "另一份花名册已于" in client.get(second.get_absolute_url()).content.decode()


def test_a_county_file_is_told_without_a_link_the_school_may_not_open(client, office, school, clerk):
    path = office.file([ZHANG | {"学校标识码": school.code}]).rename(office.folder / "county.csv")
    county_file, own = office.roll(path), office.roll([LI], school=school)

    page = client.get(own.get_absolute_url()).content.decode()

    assert "county.csv" in page and county_file.get_absolute_url() not in page


def test_another_school_s_upload_is_nobody_s_business(client, office, world, clerk):
    office.roll([ZHANG], school=world.other_school)
    own = office.roll([LI], school=world.school)
    stranger = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)

    assert "请先与其商量" not in client.get(own.get_absolute_url()).content.decode()
    client.force_login(stranger)
    assert client.get(url("undo_roster", own)).status_code == 404

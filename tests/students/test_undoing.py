"""撤销入库: the registry comes back exactly as it was, or nothing happens because later work stands on the roster."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied

from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.sheets import problem_header, serial_of
from bureau.states import Transition
from students.actions import absences, admitting, linking, rosters, settling, undoing
from students.models import (
    Absence,
    Discrepancy,
    Enrolment,
    Entry,
    Identifier,
    Link,
    Person,
    Roster,
    RosterEffect,
    RosterSchool,
    Student,
    Whereabouts,
)
from tests.factories import SchoolYearFactory, TermFactory
from tests.students.factories import HardshipFactory, WhereaboutsFactory, citizen_id
from tests.students.picture import picture

REASON = "传错了文件"


def pupil(name: str, number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "年级": "三年级", "班级": "1班"} | more


ZHANG, LI, WANG, ZHAO = (
    pupil(name, citizen_id(date(2016, 5, n + 1), n))
    for n, name in enumerate(("张三", "李四", "王五", "赵六"), start=1)
)
ABOUT_CHILDREN = (
    "persons", "students", "enrolments", "guardians", "absences", "entries", "sightings", "links", "hardships",
    "whereabouts", "households", "members",
)  # fmt: skip


def children() -> dict[str, list]:
    """What is recorded of children; absences of an undone roster are its trace and nobody's question."""
    seen = picture()
    return {name: seen[name] for name in ABOUT_CHILDREN} | {
        "absences": [row for row in seen["absences"] if row[2] != Absence.State.CANCELLED]
    }


def undo(roster: Roster, by) -> Roster:
    return undoing.undo_roster(roster=roster, by=by, reason=REASON)


def listed(row: dict[str, str], **more: str) -> dict[str, str]:
    return {"姓名": row["姓名"], "身份证号": row["身份证号"]} | more


def obstacles(roster: Roster) -> dict[str, int]:
    return {found.title: found.count for found in undoing.undo_preview(roster=roster).obstacles}


# Everything back.


def test_undoing_the_first_roll_of_a_school_leaves_nothing_behind(office, school):
    before = children()
    roster = office.enrol(
        [ZHANG | {"学籍号": "G" + ZHANG["身份证号"], "联系电话": "13800000001", "监护人姓名": "张大", "现住址": "城关镇"}, LI],
        school=school,
    )

    undone = undo(roster, office.by)

    assert children() == before
    assert (undone.status, undone.undone_by) == (Roster.State.UNDONE, office.by)
    assert not RosterSchool.objects.exists() and not RosterEffect.objects.exists()


FIRST = [
    ZHANG | {"联系电话": "13800000001", "民族": "汉族", "户口所在地": "云岭县城关镇", "监护人姓名": "张大", "就读方式": "走读"},
    LI | {"学籍状态": "在籍"},
    WANG,
]
CHANGES = {
    "class, boarding and state": [FIRST[0] | {"班级": "2班", "就读方式": "住校"}, LI | {"学籍状态": "休学"}, WANG],
    "name and ethnicity": [FIRST[0] | {"姓名": "张珊", "民族": "苗族"}, FIRST[1], WANG],
    "phone and address": [FIRST[0] | {"联系电话": "13800000002", "现住址": "河口乡"}, FIRST[1], WANG],
    "guardian": [FIRST[0] | {"监护人姓名": "张二"}, FIRST[1], WANG],
    "hukou": [FIRST[0] | {"户口所在地": "邻县某镇"}, FIRST[1], WANG],
    "a child left out and one who came": [FIRST[0], FIRST[1], ZHAO],
    "nothing": [FIRST[0], FIRST[1], WANG | {"班级": "（1）班"}],
}


@pytest.mark.parametrize("rows", CHANGES.values(), ids=CHANGES.keys())
def test_undoing_a_later_roll_gives_back_what_it_replaced(office, school, rows):
    first = office.enrol(FIRST, school=school)
    before = children()

    undo(office.enrol(rows, school=school), office.by)

    assert children() == before
    assert first.parts.get().latest


def test_the_roll_before_is_the_one_the_next_is_compared_with(office, school):
    office.enrol([ZHANG, LI], school=school)
    undo(office.enrol([WANG], school=school), office.by)

    roster = office.roll([ZHANG], school=school)

    assert (roster.new, roster.unchanged, roster.absent) == (0, 1, 1)


def test_finished_children_are_at_school_again_and_their_leaving_is_off(office, school):
    office.enrol([ZHANG | {"年级": "六年级"}, LI], school=school)
    next_year = TermFactory(
        code="2027-autumn", school_year=SchoolYearFactory(starts_in=2027), starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)
    )  # fmt: skip
    before = children()
    roster = office.enrol([LI | {"年级": "四年级"}], school=school, term=next_year)

    assert undoing.undo_preview(roster=roster).leavers == 1
    undo(roster, office.by)

    assert children() == before


def test_a_corrected_number_is_closed_again_and_the_old_one_in_force(office, school):
    office.enrol([ZHANG | {"学籍号": "G" + ZHANG["身份证号"]}], school=school)
    before = children()
    right = citizen_id(date(2016, 5, 2), 77)
    roster = office.enrol([ZHANG | {"身份证号": right, "学籍号": "G" + ZHANG["身份证号"]}], school=school)

    assert undoing.undo_preview(roster=roster).numbers == 1
    undo(roster, office.by)

    assert children() == before


def test_lists_linked_at_apply_are_linked_as_before(office, school):
    office.list("poverty", [listed(ZHANG, 户编号="1001", 户主姓名="张大"), listed(WANG, 户编号="1002", 户主姓名="王大")])
    office.list("dibao", [listed(LI | {"姓名": "李三"})])
    before = children()
    roster = office.enrol([ZHANG, LI], school=school)
    assert Entry.objects.filter(link_state="linked").exists()

    undo(roster, office.by)

    assert children() == before
    assert not Entry.objects.filter(link_state="linked").exists()


def test_children_a_police_list_made_known_stay_known_without_the_school(office, school):
    office.list("population", [listed(ZHANG, 与户主关系="子"), listed(LI)])
    before = children()

    undo(office.enrol([ZHANG | {"班级": "3班"}, LI, WANG], school=school), office.by)

    assert children() == before
    assert Student.objects.count() == 2


def test_a_list_that_came_after_the_roll_makes_its_child_known_in_its_own_right(office, school):
    roster = office.enrol([ZHANG], school=school)
    office.list("population", [listed(ZHANG)])

    undo(roster, office.by)

    assert Person.objects.get().name == "张三"
    assert not Enrolment.objects.exists()
    assert Entry.objects.get().link_method == "created"


def test_a_file_of_many_schools_is_undone_at_all_of_them(office, world):
    for row, school in ((ZHANG, world.school), (LI, world.other_school)):
        office.enrol([row], school=school)
    before = children()
    rows = [WANG | {"学校标识码": world.school.code}, LI | {"学校标识码": world.other_school.code, "班级": "9班"}]
    rows.append(ZHAO | {"学校标识码": world.school.code})
    rows.append(ZHAO | {"学校标识码": world.other_school.code})

    undo(office.enrol(rows), office.by)

    assert children() == before


def test_an_aid_roster_is_undone(office, school):
    office.enrol([ZHANG], school=school)
    before = children()
    aid = {"金额（元）": "500", "资助项目": "义务教育家庭经济困难学生生活补助", "学期": "2026秋", "联系电话": "13800000009"}

    undo(office.enrol([ZHANG | aid], school=school, kind="aid"), office.by)

    assert children() == before


def test_the_child_another_school_claimed_is_open_again_when_that_school_undoes(office, world):
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([LI], school=world.school)
    absence = Absence.objects.get()
    said = absences.Explanation(kind="other_county_in_province", since_on=date(2026, 10, 1), evidence="转学手续")
    absences.explain(absences=Absence.objects.all(), explanation=said, today=date(2026, 10, 12), by=office.by)
    before = children()

    claiming = office.enrol([ZHANG], school=world.other_school)
    absence.refresh_from_db()
    assert (absence.state, Whereabouts.objects.get().withdrawn_at is None) == (Absence.State.CLAIMED, False)
    undo(claiming, office.by)

    assert children() == before
    absence.refresh_from_db()
    assert (absence.state, Whereabouts.objects.get().withdrawn_at) == (Absence.State.EXPLAINED, None)


@pytest.mark.parametrize("kind", ["out_of_province", "graduated", "still_here", "unknown", "in_county"])
def test_what_the_school_said_of_children_left_out_goes_with_the_question(office, world, kind):
    office.enrol([ZHANG | {"年级": "六年级", "学籍状态": "在籍"}, LI], school=world.school)
    before = children()
    roster = office.enrol([LI], school=world.school)
    said = absences.Explanation(kind, date(2026, 10, 1), evidence="谈话记录", to_school=world.other_school)
    assert absences.explain(absences=Absence.objects.all(), explanation=said, today=date(2026, 10, 12), by=office.by) == (1, 0)

    undo(roster, office.by)

    assert Absence.objects.get().state == Absence.State.CANCELLED
    assert not Whereabouts.objects.filter(withdrawn_at=None).exists()
    after = children() | {"whereabouts": before["whereabouts"]}
    assert after == before


def test_the_same_bytes_can_be_sent_again_after_undoing(office, school):
    path = office.file([ZHANG, LI])
    first = office.enrol(path, school=school)
    undo(first, office.by)

    again = office.enrol(path, school=school)

    assert again.pk != first.pk
    assert (again.status, again.new) == (Roster.State.APPLIED, 2)


def test_undoing_is_audited_with_its_reason_and_asks_for_a_comparison(office, school):
    office.list("population", [listed(ZHANG)])
    roster = undo(office.enrol([ZHANG, LI], school=school), office.by)

    assert AuditEvent.objects.get(verb="students.roster_undone").detail == {"new": 2, "changed": 0, "absent": 0}
    assert Transition.objects.of(roster).last().reason == REASON
    assert Job.objects.filter(kind="students.reconcile", state="queued").exists()


def test_a_completion_is_undone_to_what_the_roster_it_completed_had_brought(office, school):
    first = office.roll([ZHANG, LI | {"身份证号": "123"}, WANG], school=school)
    rosters.apply_roster(roster=first, by=office.by, accept_good=True)
    before = children()
    bad = LI | {problem_header(serial_of(first.pk)): "第 3 行：身份证号：请核对。"}
    second = office.enrol([bad], school=school)
    assert (second.completes, Enrolment.objects.present().count()) == (first, 3)

    undo(second, office.by)

    assert children() == before
    assert first.parts.get().latest


def test_a_child_let_in_without_a_number_is_gone_again(office, school):
    office.enrol([ZHANG], school=school)
    before = children()
    roster = office.roll([ZHANG, LI | {"身份证号": "123", "出生日期": "2016-05-03"}], school=school)
    rows = dict.fromkeys(roster.staged.filter(status="rejected").values_list("pk", flat=True))
    assert admitting.admit_rows(roster=roster, rows=rows, today=date(2026, 10, 12), by=office.by) == (1, 0)

    undo(rosters.apply_roster(roster=roster, by=office.by), office.by)

    assert children() == before


def test_a_list_of_family_members_is_undone(office, school):
    office.enrol([ZHANG | {"监护人姓名": "张大", "监护人关系": "父亲"}], school=school)
    before = children()
    row = listed(ZHANG, 成员姓名="张二", 关系="父亲", 成员身份证号=citizen_id(date(1980, 1, 1), 1), 联系电话="13800000009")

    roster = office.enrol([row], school=school, kind="guardians")
    assert roster.accepted == 1
    undo(roster, office.by)

    assert children() == before


# Later work stands in the way.


def test_a_later_roll_of_the_school_is_undone_first(office, school):
    first = office.enrol([ZHANG], school=school)
    second = office.enrol([ZHANG, LI], school=school)

    with pytest.raises(undoing.NotUndone) as refusal:
        undo(first, office.by)
    assert refusal.value.code == "blocked"
    assert obstacles(first) == {"这所学校之后又入库了新的花名册": 1}

    undo(second, office.by)
    undo(Roster.objects.get(pk=first.pk), office.by)
    assert not Person.objects.exists()


def test_work_on_a_new_child_stands_in_the_way_and_nothing_moves(office, school):
    roster = office.enrol([ZHANG, LI], school=school)
    student = Student.objects.get(person__name="张三")
    HardshipFactory(student=student)
    WhereaboutsFactory(student=student)
    before = children()

    with pytest.raises(undoing.NotUndone):
        undo(roster, office.by)

    assert obstacles(roster) == {"已有“困难身份”": 1, "已有“去向佐证”": 1}
    assert undoing.undo_preview(roster=roster).obstacles[0].students == [student.pk]
    assert (children(), Roster.objects.get(pk=roster.pk).status) == (before, Roster.State.APPLIED)


def test_a_link_somebody_decided_stands_in_the_way_until_it_is_taken_back(office, school):
    office.list("poverty", [listed(ZHANG | {"姓名": "章山"})])
    roster = office.enrol([ZHANG], school=school)
    link = linking.decide(link=Link.objects.get(), answer="yes", reason="", by=office.by)

    assert "已认定身份匹配" in obstacles(roster)

    linking.decide(link=link, answer="undecided", reason="再核实", by=office.by)
    assert obstacles(roster) == {"已认定身份匹配": 1}


def test_another_school_that_has_the_new_child_stands_in_the_way(office, world):
    roster = office.enrol([ZHANG], school=world.school)
    office.enrol([ZHANG], school=world.other_school)

    assert obstacles(roster) == {"后来入库的其他花名册里也有这些学生": 1, "新增的学生在另一所学校也有就读记录": 1}


def test_a_change_made_since_then_is_not_covered_up(office, school):
    office.enrol([ZHANG], school=school)
    roster = office.enrol([ZHANG | {"班级": "2班"}], school=school)
    Enrolment.objects.update(class_name="5班")

    assert obstacles(roster) == {"就读信息后来又有改动": 1}


def test_a_change_of_something_else_stands(office, school):
    office.enrol([ZHANG], school=school)
    roster = office.enrol([ZHANG | {"班级": "2班"}], school=school)
    Enrolment.objects.update(boarding=True)

    undo(roster, office.by)

    assert Enrolment.objects.values_list("class_name", "boarding").get() == ("1班", True)


def test_a_xueji_list_that_registers_the_new_child_stands_in_the_way(office, school):
    roster = office.enrol([ZHANG], school=school)
    office.list("xueji", [listed(ZHANG, 学校标识码=school.code, 学籍状态="在籍")])

    assert obstacles(roster) == {"学籍系统名单已据此登记在籍": 1}


def test_a_number_somebody_else_has_by_now_stands_in_the_way(office, world):
    office.enrol([ZHANG | {"学籍号": "G" + ZHANG["身份证号"]}], school=world.school)
    right = citizen_id(date(2016, 5, 2), 77)
    roster = office.enrol([ZHANG | {"身份证号": right, "学籍号": "G" + ZHANG["身份证号"]}], school=world.school)
    office.enrol([pupil("钱八", ZHANG["身份证号"])], school=world.other_school)

    assert obstacles(roster) == {"原来的号码现在登记在别人名下": 1}


def test_a_settled_difference_of_a_new_child_stands_in_the_way_an_untouched_one_does_not(office, school):
    office.list("poverty", [listed(ZHANG)])
    roster = office.enrol([ZHANG], school=school)
    office.reconcile("R25")
    assert obstacles(roster) == {}

    settling.settle(
        discrepancies=Discrepancy.objects.filter(rule="R25"), remedy="accept", by=office.by, reason="家长放弃"
    )
    assert obstacles(roster) == {"待核实问题已经办理": 1}


def test_whereabouts_recorded_for_a_child_left_out_stand_in_the_way(office, school):
    office.enrol([ZHANG, LI], school=school)
    roster = office.enrol([LI], school=school)
    WhereaboutsFactory(student=Student.objects.get(person__name="张三"))

    assert obstacles(roster) == {"本次未出现的学生已另行登记去向": 1}


def test_an_undone_later_roster_leaves_nothing_in_the_way(office, school):
    first = office.enrol([ZHANG, LI], school=school)
    undo(office.enrol([LI], school=school), office.by)

    undo(first, office.by)

    assert not Person.objects.exists()


# Who, when, twice.


def test_the_second_of_two_who_undo_is_told_by_whom(office, school, school_clerk):
    roster = office.enrol([ZHANG], school=school)
    undo(roster, school_clerk)

    with pytest.raises(undoing.NotUndone) as refusal:
        undo(roster, office.by)

    assert refusal.value.code == "undone"
    assert school_clerk.display_name in refusal.value.message
    assert AuditEvent.objects.filter(verb="students.roster_undone").count() == 1


@pytest.mark.parametrize("given_up", [False, True], ids=["staged", "given up"])
def test_only_an_applied_roster_is_undone(office, school, given_up):
    roster = office.roll([ZHANG], school=school)
    if given_up:
        rosters.discard_roster(roster=roster, by=office.by)

    with pytest.raises(undoing.NotUndone) as refusal:
        undo(roster, office.by)
    assert refusal.value.code == "not_applied"


def test_a_reason_is_needed(office, school):
    roster = office.enrol([ZHANG], school=school)

    with pytest.raises(undoing.NotUndone) as refusal:
        undoing.undo_roster(roster=roster, by=office.by, reason="  ")
    assert refusal.value.code == "reason_required"


def test_nobody_without_the_right_undoes(office, school, inspector):
    roster = office.enrol([ZHANG], school=school)

    with pytest.raises(PermissionDenied):
        undo(roster, inspector)
    assert Person.objects.count() == 1
    assert Identifier.objects.count() == 1


def test_the_preview_counts_and_writes_nothing(office, school):
    office.enrol([ZHANG, LI, WANG], school=school)
    roster = office.enrol([ZHANG | {"班级": "2班"}, LI, ZHAO], school=school)
    before = picture()

    undo = undoing.undo_preview(roster=roster)

    assert (undo.children, undo.enrolments, undo.changed, undo.returning, undo.leavers) == (1, 1, 1, 1, 0)
    assert undo.obstacles == []
    assert picture() == before

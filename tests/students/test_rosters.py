"""花名册 against the registry: what a roll would change, what applying it does, and what it never does."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import F

from bureau.audit import AuditEvent
from bureau.organisation.models import Stage
from bureau.states import IllegalMove
from students.actions import rosters
from students.models import Enrolment, Identifier, Person, Roster, RosterRow, Student
from tests.factories import SchoolFactory, SchoolYearFactory, TermFactory
from tests.students.factories import citizen_id, codes

DAY = date(2026, 10, 12)


def pupil(name: str, number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "年级": "三年级", "班级": "1班"} | more


ZHANG, LI, WANG, ZHAO = (
    pupil(name, citizen_id(date(2016, 5, n + 1), n)) for n, name in enumerate(("张三", "李四", "王五", "赵六"), start=1)
)


def verdicts(roster: Roster) -> dict[str, int]:
    return {name: getattr(roster, name) for name in ("new", "changed", "unchanged", "absent")}


def at_school(school) -> set[str]:
    return set(Enrolment.objects.filter(school=school, is_present=True, ended_on=None).values_list("student__person__name", flat=True))


# The preview.


def test_children_nobody_knew_are_new_and_nothing_is_stored_before_it_is_applied(office, school):
    roster = office.roll([ZHANG, LI], school=school)

    assert verdicts(roster) == {"new": 2, "changed": 0, "unchanged": 0, "absent": 0}
    assert roster.status == Roster.State.STAGED
    assert not Person.objects.exists()


def test_applying_makes_children_with_numbers_and_enrolments(office, school):
    office.enrol([ZHANG | {"学籍号": "G" + ZHANG["身份证号"], "联系电话": "13800000001", "监护人姓名": "张大"}], school=school)

    student = Student.objects.get()
    enrolment = student.enrolments.get()
    assert (student.person.name, student.person.birth_on, student.person.sex) == ("张三", date(2016, 5, 2), "1")
    assert (enrolment.school, enrolment.stage, enrolment.entered_in, enrolment.class_name) == (school, "primary", 2024, "1班")
    assert (enrolment.is_present, enrolment.started_on) == (True, office.term.starts_on)
    assert set(student.person.identifiers.values_list("kind", flat=True)) == {"citizen_id", "student_number", "phone"}
    assert student.guardianships.get().name == "张大"


def test_a_second_roll_tells_new_changed_unchanged_and_absent(office, school):
    office.enrol([ZHANG, LI, WANG], school=school)

    roster = office.roll([ZHANG, LI | {"班级": "2班"}, ZHAO], school=school)

    assert verdicts(roster) == {"new": 1, "changed": 1, "unchanged": 1, "absent": 1}
    assert RosterRow.objects.get(roster=roster, name="李四").changes == [["class_name", "1班", "2班"]]
    assert roster.absentees == [str(Enrolment.objects.get(student__person__name="王五").pk)]


@pytest.mark.parametrize(
    "written",
    [
        {"姓名": " 张 三 "},
        {"身份证号": "lower"},
        {"年级": "三  年级", "班级": "（1）班"},
        {"年级": "3年级"},
        {"民族": "汉"},
        {"性别": "男性"},
        {"联系电话": "138 0000 0001"},
        {"班级": "１班"},
    ],
    ids=["spaces in the name", "lower-case x and a quote", "brackets", "digit of the year", "short ethnicity", "word for the sex", "spaces in the phone", "full width"],
)
def test_another_way_to_write_the_same_is_no_change(office, school, written):
    number = next(n for s in range(1, 99, 2) if (n := citizen_id(date(2016, 5, 1), s)).endswith("X"))
    first = pupil("张三", number, 性别="男", 民族="汉族", 联系电话="13800000001")
    office.enrol([first], school=school)
    if written.get("身份证号"):
        written = {"身份证号": f"' {number.lower()}"}

    roster = office.roll([first | written], school=school)

    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": 1, "absent": 0}, RosterRow.objects.get(roster=roster).changes


def test_what_a_roll_does_not_say_is_no_change(office, school):
    office.enrol([ZHANG | {"联系电话": "13800000001", "学籍状态": "在籍", "就读方式": "住校"}], school=school)

    roster = office.enrol([{"姓名": "张三", "身份证号": ZHANG["身份证号"], "班级": "1班"}], school=school)

    assert verdicts(roster)["unchanged"] == 1
    enrolment = Enrolment.objects.get()
    assert (enrolment.boarding, enrolment.state, enrolment.is_registered) == (True, "在籍", True)


def test_a_new_phone_closes_the_old_one_and_the_number_itself_is_not_in_the_preview(office, school):
    office.enrol([ZHANG | {"联系电话": "13800000001"}], school=school)

    roster = office.enrol([ZHANG | {"联系电话": "13800000002"}], school=school)

    assert RosterRow.objects.get(roster=roster).changes == [["phone", None, None]]
    phones = Identifier.objects.filter(kind="phone").order_by("valid_to")
    assert [phone.valid_to for phone in phones] == [office.term.starts_on, None] or [
        phone.valid_to for phone in phones
    ] == [None, office.term.starts_on]


def test_a_school_corrects_the_name_of_its_own_child_and_the_old_one_is_remembered(office, school):
    office.enrol([ZHANG], school=school)

    office.enrol([ZHANG | {"姓名": "张珊"}], school=school)

    person = Person.objects.get()
    assert (person.name, person.name_key, person.former_names) == ("张珊", "张珊", ["张三"])


# Rows with errors.


def test_a_child_whose_row_has_an_error_is_never_absent(office, school):
    office.enrol([ZHANG, LI, WANG], school=school)

    wrong = LI["身份证号"][:-1] + ("0" if LI["身份证号"][-1] != "0" else "1")
    roster = office.roll([ZHANG, LI | {"身份证号": wrong}, WANG | {"姓名": ""}], school=school)

    assert (roster.rejected, roster.absent) == (2, 0)
    assert codes(roster, "error") == ["id_checksum", "required"]


def test_a_child_on_a_row_that_names_another_school_is_not_absent_here(office, world):
    office.enrol([ZHANG, LI], school=world.school)

    roster = office.roll(
        [ZHANG | {"学校标识码": world.school.code}, LI | {"学校标识码": world.other_school.code}], school=world.school
    )

    assert (codes(roster, "error"), roster.absent) == (["other_school"], 0)


def test_a_child_whose_number_was_mistyped_into_somebody_else_s_is_not_absent(office, world):
    """The row is refused as name_conflict: the school's own child of that name is on the roll all the same."""
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([WANG], school=world.other_school)

    roster = office.roll([ZHANG, LI | {"身份证号": WANG["身份证号"]}], school=world.school)

    assert codes(roster, "error") == ["name_conflict"]
    assert roster.absent == 0


def test_a_known_number_under_another_name_at_another_school_is_refused(office, world):
    office.enrol([WANG], school=world.other_school)

    roster = office.roll([ZHANG, pupil("孙七", WANG["身份证号"])], school=world.school)

    assert (roster.accepted, roster.rejected) == (1, 1)
    assert codes(roster, "error") == ["name_conflict"]
    assert verdicts(roster)["new"] == 1


@pytest.mark.parametrize("name", ["王伍", "王·五", "王?"], ids=["homophone", "dot", "damaged"])
def test_a_like_name_under_a_known_number_is_the_same_child(office, world, name):
    office.enrol([WANG], school=world.other_school)

    roster = office.roll([pupil(name, WANG["身份证号"])], school=world.school)

    assert "name_conflict" not in codes(roster)


def test_an_unknown_school_is_told_and_the_file_of_another_school_is_refused(office, world):
    roster = office.roll([ZHANG | {"学校标识码": "3599999999"}, LI | {"学校标识码": world.school.code}])
    foreign = office.roll([ZHANG | {"学校标识码": world.other_school.code}], school=world.school)

    assert codes(roster, "error") == ["unknown_value"]
    assert (foreign.status, foreign.file_error["code"]) == (Roster.State.REFUSED, "other_school")
    assert not foreign.staged.exists()


def test_a_file_of_many_schools_is_split_by_code(office, world):
    rows = [ZHANG | {"学校标识码": world.school.code}, LI | {"学校标识码": world.other_school.code}]

    office.enrol(rows)

    assert (at_school(world.school), at_school(world.other_school)) == ({"张三"}, {"李四"})


def test_a_file_of_many_schools_without_a_school_column_is_refused(office):
    roster = office.roll([ZHANG])

    assert (roster.status, roster.file_error["code"]) == (Roster.State.REFUSED, "missing_column")


# Two schools.


def test_a_child_who_is_present_elsewhere_is_a_warning_and_stays_at_both(office, world):
    office.enrol([ZHANG], school=world.other_school)

    roster = office.enrol([ZHANG], school=world.school)

    assert (codes(roster), roster.warned, roster.new) == (["enrolled_elsewhere"], 1, 1)
    assert Person.objects.count() == 1
    assert at_school(world.school) == at_school(world.other_school) == {"张三"}


def test_a_child_at_two_schools_of_one_file_is_one_child(office, world):
    rows = [ZHANG | {"学校标识码": school.code} for school in (world.school, world.other_school)]

    roster = office.enrol(rows)

    assert roster.new == 2
    assert Person.objects.count() == 1
    assert Enrolment.objects.filter(student__person__name="张三").count() == 2
    assert codes(roster) == ["enrolled_elsewhere"]


def test_a_child_who_left_the_other_school_needs_no_warning(office, world):
    office.enrol([ZHANG, LI], school=world.other_school)
    office.enrol([LI], school=world.other_school)

    roster = office.roll([ZHANG], school=world.school)

    assert codes(roster) == []


# Absent and back.


def test_an_absent_child_is_no_longer_at_school_and_becomes_r01(office, school):
    office.enrol([ZHANG, LI], school=school)
    office.list("population", [{"姓名": row["姓名"], "身份证号": row["身份证号"]} for row in (ZHANG, LI)], on=DAY)
    assert office.reconcile("R01")["R01"]["open"] == 0

    office.enrol([LI], school=school)

    assert at_school(school) == {"李四"}
    assert office.reconcile("R01")["R01"] == {"opened": 1, "open": 1, "resolved": 0}


def test_a_child_who_is_back_is_a_change_and_closes_r01(office, school):
    office.enrol([ZHANG, LI], school=school)
    office.list("population", [{"姓名": "张三", "身份证号": ZHANG["身份证号"]}], on=DAY)
    office.enrol([LI], school=school)
    office.reconcile("R01")

    roster = office.enrol([ZHANG, LI], school=school)

    assert verdicts(roster) == {"new": 0, "changed": 1, "unchanged": 1, "absent": 0}
    assert at_school(school) == {"张三", "李四"}
    assert office.reconcile("R01")["R01"] == {"opened": 0, "open": 0, "resolved": 1}


def test_absent_is_told_once_not_on_every_later_roll(office, school):
    office.enrol([ZHANG, LI], school=school)
    office.enrol([LI], school=school)

    assert office.roll([LI | {"班级": "3班"}], school=school).absent == 0


def test_a_child_whom_only_the_xueji_export_knows_is_not_absent_from_the_roll(office, school):
    row = {"姓名": "王五", "身份证号": WANG["身份证号"], "学校标识码": school.code, "年级": "三年级", "学籍状态": "在籍"}
    office.list("xueji", [row])
    office.enrol([ZHANG], school=school)

    roster = office.roll([LI], school=school)

    assert roster.absent == 1
    assert Enrolment.objects.get(student__person__name="王五").is_registered


def test_an_absent_child_stays_registered_where_an_export_says_so(office, school):
    office.enrol([ZHANG | {"学籍状态": "在籍"}, LI | {"学籍状态": "在籍"}], school=school)
    rows = [{"姓名": r["姓名"], "身份证号": r["身份证号"], "学校标识码": school.code, "学籍状态": "在籍"} for r in (ZHANG, LI)]
    office.list("xueji", rows)

    office.enrol([LI], school=school)

    enrolment = Enrolment.objects.get(student__person__name="张三")
    assert (enrolment.is_present, enrolment.is_registered) == (False, True)


@pytest.mark.parametrize(
    ("state", "registered", "present"),
    [("在籍", True, True), ("", False, True), ("休学", True, False), ("转出", False, False), ("在校", True, True)],
)
def test_the_state_on_the_roll_decides_registered_and_present(office, school, state, registered, present):
    office.enrol([ZHANG | {"学籍状态": state}], school=school)

    enrolment = Enrolment.objects.get()
    assert (enrolment.is_registered, enrolment.is_present) == (registered, present)


@pytest.mark.parametrize(
    ("grade", "leaves"), [("六年级", True), ("五年级", False)], ids=["finished primary school", "has a year to go"]
)
def test_who_finished_leaves_at_the_start_of_a_school_year_and_is_not_absent(office, school, grade, leaves):
    office.enrol([ZHANG | {"年级": grade}, LI], school=school)
    next_year = TermFactory(
        code="2027-autumn", school_year=SchoolYearFactory(starts_in=2027), starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)
    )

    roster = office.enrol([LI | {"年级": "四年级"}], school=school, term=next_year)

    assert roster.absent == (0 if leaves else 1)
    enrolment = Enrolment.objects.get(student__person__name="张三")
    assert (enrolment.ended_on, enrolment.exit_kind) == ((next_year.starts_on, "毕业") if leaves else (None, ""))
    assert not enrolment.is_present


def test_who_should_have_finished_is_absent_in_spring(office, school):
    office.enrol([ZHANG | {"年级": "六年级"}, LI], school=school)
    spring = TermFactory(code="2027-spring", starts_on=date(2027, 2, 20), ends_on=date(2027, 7, 8))

    assert office.roll([LI], school=school, term=spring).absent == 1


def test_the_grade_survives_september(office, school):
    office.enrol([ZHANG], school=school)
    next_year = TermFactory(
        code="2027-autumn", school_year=SchoolYearFactory(starts_in=2027), starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)
    )

    roster = office.roll([ZHANG | {"年级": "四年级"}], school=school, term=next_year)

    assert verdicts(roster)["unchanged"] == 1


def test_an_aid_roster_enrols_nobody_and_makes_nobody_absent(office, school):
    office.enrol([ZHANG, LI], school=school)

    aid = {"金额（元）": "500", "资助项目": "义务教育家庭经济困难学生生活补助", "学期": "2026秋"}
    rows = [{"姓名": row["姓名"], "身份证号": row["身份证号"]} | aid for row in (LI, WANG)]
    roster = office.enrol(rows, school=school, kind="aid")

    assert roster.absent == 0
    assert at_school(school) == {"张三", "李四"}
    assert office.roll([ZHANG, LI | {"班级": "5班"}], school=school).absent == 0


# Children without a number.


def test_a_child_without_a_number_is_found_by_name_birth_date_and_school(office, world):
    bare = {"姓名": "张三", "出生日期": "2016-05-01", "年级": "三年级", "班级": "1班", "身份证件类型": "无", "身份证号": ""}
    office.enrol([ZHANG], school=world.school)
    here, elsewhere = office.roll([bare], school=world.school), office.roll([bare], school=world.other_school)

    assert codes(here, "error") == codes(elsewhere, "error")
    if not here.rejected:
        assert (verdicts(here)["unchanged"], verdicts(elsewhere)["new"]) == (1, 1)


# The same file, two clerks, a registry that moved.


def test_the_same_bytes_are_the_same_roster_and_change_nothing(office, school):
    path = office.file([ZHANG, LI])
    first = office.enrol(path, school=school)

    again = office.roll(path, school=school)

    assert again.pk == first.pk
    assert rosters.apply_roster(roster=again, by=office.by).applied_at == first.applied_at
    rosters.compare_again(roster=again)
    assert verdicts(again) == {"new": 0, "changed": 0, "unchanged": 2, "absent": 0}


def test_the_same_bytes_for_another_school_or_term_are_another_roster(office, world):
    path = office.file([ZHANG])
    spring = TermFactory(code="2027-spring", starts_on=date(2027, 2, 20), ends_on=date(2027, 7, 8))
    first = office.roll(path, school=world.school)

    assert office.roll(path, school=world.other_school).pk != first.pk
    assert office.roll(path, school=world.school, term=spring).pk != first.pk


def test_an_older_file_may_be_sent_again_after_a_newer_one(office, school):
    older = office.file([ZHANG, LI]).rename(office.folder / "older.csv")
    first = office.enrol(older, school=school)
    office.enrol([ZHANG, WANG], school=school)

    back = office.enrol(older, school=school)

    assert back.pk != first.pk
    assert at_school(school) == {"张三", "李四"}


def test_two_clerks_confirm_at_once_and_the_second_changes_nothing(office, school, school_clerk):
    roster = office.roll([ZHANG, LI], school=school)
    seen_by_both = Roster.objects.get(pk=roster.pk)

    rosters.apply_roster(roster=roster, by=office.by)
    again = rosters.apply_roster(roster=seen_by_both, by=school_clerk)

    assert again.applied_by == office.by
    assert Enrolment.objects.count() == 2
    assert AuditEvent.objects.filter(verb="students.roster_applied").count() == 1


def test_two_files_of_one_school_are_each_judged_against_the_registry_as_it_is_when_applied(office, school):
    first, second = office.roll([ZHANG, LI], school=school), office.roll([LI, WANG], school=school)
    assert (first.new, second.new) == (2, 2)

    rosters.apply_roster(roster=first, by=office.by)
    second = rosters.apply_roster(roster=second, by=office.by)

    assert verdicts(second) == {"new": 1, "changed": 0, "unchanged": 1, "absent": 1}
    assert Person.objects.count() == 3
    assert at_school(school) == {"李四", "王五"}


def test_a_child_taken_in_elsewhere_meanwhile_is_not_made_twice(office, world):
    staged = office.roll([ZHANG], school=world.school)
    office.enrol([ZHANG], school=world.other_school)

    rosters.apply_roster(roster=staged, by=office.by)

    assert Person.objects.count() == 1
    assert Enrolment.objects.count() == 2


def test_a_number_taken_meanwhile_by_another_name_stops_the_roster(office, world):
    staged = office.roll([ZHANG], school=world.school)
    office.enrol([pupil("钱八", ZHANG["身份证号"])], school=world.other_school)

    with pytest.raises(rosters.NotApplicable) as refusal:
        rosters.apply_roster(roster=staged, by=office.by)

    assert refusal.value.code == "rejected_rows"
    assert not Enrolment.objects.filter(school=world.school).exists()
    assert Roster.objects.get(pk=staged.pk).status == Roster.State.STAGED


# Only the good rows; giving up.


def with_faults(good: int, faulty: int) -> list[dict]:
    rows = [pupil(f"甲{'一二三四五六七八九十'[n]}", citizen_id(date(2016, 6, 1 + n))) for n in range(good)]
    return rows + [pupil(f"乙{'一二三四五六七八九十'[n]}", "123") for n in range(faulty)]


def test_a_roster_with_errors_is_applied_only_when_asked_for_the_good_rows(office, school):
    office.county.reject_share = "0.2"
    office.county.save()
    roster = office.roll(with_faults(8, 2), school=school)

    with pytest.raises(rosters.NotApplicable) as refusal:
        rosters.apply_roster(roster=roster, by=office.by)
    assert refusal.value.code == "rejected_rows"
    assert not Person.objects.exists()

    applied = rosters.apply_roster(roster=roster, by=office.by, accept_good=True)
    assert (applied.accepted_good_only, Person.objects.count()) == (True, 8)


def test_above_the_bureau_s_share_not_even_the_good_rows_are_taken(office, school):
    office.county.reject_share = "0.2"
    office.county.save()
    roster = office.roll(with_faults(7, 2), school=school)

    with pytest.raises(rosters.NotApplicable) as refusal:
        rosters.apply_roster(roster=roster, by=office.by, accept_good=True)

    assert refusal.value.code == "too_many_rejected"
    assert not Person.objects.exists()


def test_a_roster_given_up_leaves_no_rows_and_cannot_be_applied(office, school):
    path = office.file([ZHANG])
    roster = rosters.discard_roster(roster=office.roll(path, school=school), by=office.by)

    assert roster.status == Roster.State.WITHDRAWN
    assert not roster.staged.exists()
    with pytest.raises(rosters.NotApplicable):
        rosters.apply_roster(roster=roster, by=office.by)
    assert office.roll(path, school=school).pk != roster.pk


def test_an_applied_roster_cannot_be_given_up(office, school):
    roster = office.enrol([ZHANG], school=school)

    with pytest.raises(IllegalMove):
        rosters.discard_roster(roster=roster, by=office.by)
    assert roster.staged.count() == 1


def test_nobody_without_the_right_applies_a_roster(office, school, auditor):
    roster = office.roll([ZHANG], school=school)

    with pytest.raises(PermissionDenied):
        rosters.apply_roster(roster=roster, by=auditor)
    assert not Person.objects.exists()


def test_only_the_newest_roster_of_a_school_is_compared_with(office, world):
    """`latest` is a constraint, not a habit."""
    for rows in ([ZHANG], [ZHANG, LI], [LI]):
        office.enrol(rows, school=world.school)
    office.enrol([WANG], school=world.other_school)

    parts = Enrolment.objects.filter(is_present=True).values_list("roll__latest", flat=True)
    assert set(parts) == {True}
    assert Enrolment.objects.filter(roll__school=F("school")).count() == 3


def test_special_schools_have_no_last_year(office, school):
    school.stages = [Stage.SPECIAL]
    school.save()
    office.enrol([ZHANG, LI], school=school)
    Enrolment.objects.filter(student__person__name="张三").update(stage=Stage.SPECIAL, entered_in=2017)
    next_year = TermFactory(
        code="2027-autumn", school_year=SchoolYearFactory(starts_in=2027), starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)
    )

    assert office.roll([LI], school=school, term=next_year).absent == 1


def test_a_school_outside_the_file_is_left_alone(office, world):
    office.enrol([ZHANG], school=world.school)
    office.enrol([LI | {"学校标识码": world.other_school.code}])

    assert at_school(world.school) == {"张三"}
    assert SchoolFactory._meta.model.objects.count() >= 3

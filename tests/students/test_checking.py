"""核对代替上报: a school confirms its roll class by class, and what comes of it is a roster like any other."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from bureau import jobs
from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.jobs import Job
from students.actions import checking, rosters
from students.actions.refusals import NotApplicable
from students.intake.checkroll import Roll, RollClass, roll_of
from students.models import (
    ClassCheck,
    Enrolment,
    Identifier,
    Person,
    RollChange,
    RollCheck,
    Roster,
    RosterRow,
)
from tests.factories import AccountFactory, SchoolYearFactory, TermFactory
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id
from tests.students.test_rosters import LI, WANG, ZHANG, ZHAO, at_school, pupil, verdicts

DAY = date(2026, 10, 12)
FULL = {
    "性别": "男", "民族": "汉族", "户口所在地": "云岭县城关镇", "现住址": "城关镇东街 5 号", "就读方式": "住校", "学籍状态": "在籍",
    "监护人姓名": "张大", "监护人关系": "父亲", "联系电话": "13800000001",
}  # fmt: skip
GIRL = citizen_id(date(2017, 3, 5), 8)


@pytest.fixture
def clerk(world):
    return world.account(Role.SCHOOL_CLERK)


@pytest.fixture
def check(office, school, clerk) -> RollCheck:
    """Begun with two classes: 1班 with Zhang and Li, 2班 with Wang."""
    office.enrol([ZHANG, LI, WANG | {"班级": "2班"}], school=school)
    return begin(school, office.term, clerk)


def begin(school, term, by) -> RollCheck:
    return checking.open_check(school=school, term=term, on=DAY, by=by)[0]


def classes(check: RollCheck) -> dict[str, RollClass]:
    return {one.title: one for one in fresh(check).classes}


def fresh(check: RollCheck) -> Roll:
    return roll_of(RollCheck.objects.select_related("term__school_year", "school").get(pk=check.pk))


def confirm(check: RollCheck, *titles: str, by=None) -> None:
    for one in fresh(check).classes:
        if not titles or one.title in titles:
            checking.confirm_class(check=check, key=one.key, seen=one.digest, by=by or check.opened_by)


def child(name: str) -> Enrolment:
    return Enrolment.objects.get(student__person__name=name)


def place(name: str, **more) -> dict:
    """The facts of a child as recorded, with some of them otherwise."""
    found = child(name)
    facts = {key: getattr(found, key) for key in ("stage", "entered_in", "class_name", "boarding", "state")}
    return facts | more


def newcomer(**more) -> dict:
    typed = {
        "name": "钱七", "citizen_id": GIRL, "without_number": False, "document_kind": "", "sex": "2", "birth_on": "2017-03-05",
        "guardian_name": "钱大", "guardian_relation": "母亲", "phone": "13800000009",
        "stage": "primary", "entered_in": 2024, "class_name": "2班", "boarding": None, "state": "在籍",
    }  # fmt: skip
    return typed | more


def send(check: RollCheck) -> Roster:
    """Sent, and read as a worker would."""
    roster = checking.send_check(check=check, by=check.opened_by)
    while job := Job.objects.due().filter(kind="students.read_roster").order_by("id").first():
        assert jobs.run(job.pk)
    roster.refresh_from_db()
    return roster


# The roll.


def test_roll_is_the_children_now_at_the_school_class_by_class(check):
    assert {title: [pupil.name for pupil in one.here] for title, one in classes(check).items()} == {
        "三年级1班": ["李四", "张三"],
        "三年级2班": ["王五"],
    }


def test_children_who_are_not_at_school_any_more_are_not_on_the_roll(office, school, check):
    Enrolment.objects.filter(pk=child("李四").pk).update(is_present=False)
    Enrolment.objects.filter(pk=child("王五").pk).update(ended_on=DAY)

    assert list(classes(check)) == ["三年级1班"]
    assert len(fresh(check).pupils) == 1


def test_a_new_school_year_promotes_by_cohort_and_finished_cohorts_are_in_no_class(office, school, clerk):
    office.enrol([ZHANG, LI | {"年级": "六年级"}], school=school)
    year = SchoolYearFactory(starts_in=2027)
    autumn = TermFactory(code="2027-autumn", school_year=year, starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20))

    roll = fresh(begin(school, autumn, clerk))

    assert [one.title for one in roll.classes] == ["四年级1班"]
    assert [pupil.name for pupil in roll.leavers] == ["李四"]


def test_classes_stand_in_the_order_of_a_school(office, school, clerk):
    places = [("三年级", "10班"), ("三年级", "2班"), ("一年级", "1班"), ("七年级", "1班")]
    rows = [pupil(f"学生{'甲乙丙丁'[n]}", citizen_id(date(2016, 5, n + 1), n + 1)) | {"年级": grade, "班级": name} for n, (grade, name) in enumerate(places)]
    office.enrol(rows, school=school)

    assert list(classes(begin(school, office.term, clerk))) == ["一年级1班", "三年级2班", "三年级10班", "七年级1班"]


# Nothing changed.


def test_an_unchanged_check_changes_nothing(office, school, clerk):
    office.enrol([ZHANG | FULL | {"学籍号": "G" + ZHANG["身份证号"]}, LI, WANG | {"就读方式": "走读"}], school=school)
    check = begin(school, office.term, clerk)
    confirm(check)

    roster = send(check)

    assert (roster.status, roster.problems) == (Roster.State.STAGED, [])
    assert (roster.rows, roster.accepted) == (3, 3)
    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": 3, "absent": 0}
    before = set(Identifier.objects.values_list("pk", "valid_to"))
    rosters.apply_roster(roster=roster, by=clerk)
    assert set(Identifier.objects.values_list("pk", "valid_to")) == before
    assert at_school(school) == {"张三", "李四", "王五"}


UNUSUAL = {
    "special school": {"stage": "special"},
    "kindergarten": {"stage": "preschool", "entered_in": 2025},
    "托班": {"stage": "preschool", "entered_in": 2027},
    "混龄班": {"stage": "preschool", "entered_in": None, "class_name": "启明星"},
    "junior": {"stage": "junior", "entered_in": 2026},
    "senior": {"stage": "senior_general", "entered_in": 2024},
    "fourth of five years": {"stage": "vocational", "entered_in": 2023, "programme_years": 5},
    "cohort not known": {"entered_in": None},
    "nothing known": {"stage": "", "entered_in": None, "class_name": ""},
    "repeats a year": {"repeat_offset": 1},
    "class with a name": {"class_name": "启明星"},
    "nothing stated": {"boarding": None, "state": ""},
}
OTHERWISE = {
    "another sex than the number says": {"sex": "2"},
    "another birth date": {"birth_on": date(2015, 1, 1)},
    "a name with a dot": {"name": "艾合买提·吐尔逊", "name_key": "艾合买提吐尔逊"},
}


def test_unchanged_whatever_the_registry_knows_of_a_child(office, school, clerk):
    names = [f"学生{'甲乙丙丁戊己庚辛壬癸子丑寅卯辰'[n]}" for n in range(len(UNUSUAL) + len(OTHERWISE))]
    office.enrol([pupil(name, citizen_id(date(2016, 5, n + 1), 1)) for n, name in enumerate(names)], school=school)
    for name, facts in zip(names, UNUSUAL.values(), strict=False):
        Enrolment.objects.filter(student__person__name=name).update(**facts)
    for name, facts in zip(names[len(UNUSUAL) :], OTHERWISE.values(), strict=True):
        Person.objects.filter(name=name).update(**facts)
    check = begin(school, office.term, clerk)
    confirm(check)

    roster = send(check)

    others = RosterRow.objects.filter(roster=roster).exclude(verdict="unchanged")
    assert not list(others.values_list("name", "status", "changes"))
    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": len(names), "absent": 0}


def test_a_child_with_a_passport_is_unchanged_too(office, school, clerk):
    office.enrol([LI, pupil("约翰", "E12345678") | {"身份证件类型": "护照", "出生日期": "2016-05-01"}], school=school)
    check = begin(school, office.term, clerk)
    confirm(check)

    assert verdicts(send(check)) == {"new": 0, "changed": 0, "unchanged": 2, "absent": 0}


# Children without a number.


def test_a_child_without_a_number_stays_and_is_unchanged(office, school, clerk):
    office.enrol([ZHANG, LI], school=school)
    Identifier.objects.filter(person__name="张三").delete()
    check = begin(school, office.term, clerk)
    confirm(check)

    roster = send(check)

    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": 2, "absent": 0}
    assert (roster.rejected, RosterRow.objects.get(roster=roster, name="张三").admitted) == (0, True)
    rosters.apply_roster(roster=roster, by=clerk)
    assert at_school(school) == {"张三", "李四"}
    assert Person.objects.count() == 2


def test_a_child_who_came_without_a_number_is_admitted_when_the_school_said_so(check, school):
    checking.add_pupil(check=check, typed=newcomer(citizen_id="", without_number=True), by=check.opened_by)
    confirm(check)

    roster = send(check)

    assert (roster.rejected, verdicts(roster)["new"]) == (0, 1)
    rosters.apply_roster(roster=roster, by=check.opened_by)
    assert child("钱七").student.number_due_on is not None


# What changed.


def test_a_child_who_left_is_absent_when_the_check_is_applied(check, school):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=check.opened_by)
    confirm(check)

    roster = send(check)

    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": 2, "absent": 1}
    rosters.apply_roster(roster=roster, by=check.opened_by)
    assert at_school(school) == {"张三", "王五"}


def test_a_child_who_came_by_no_roll_is_absent_too_when_the_school_says_he_left(check, school):
    EnrolmentFactory(student=StudentFactory(name="孙八", number=citizen_id(date(2016, 7, 7), 3)), school=school, class_name="2班")
    checking.note_leavers(check=check, enrolments=[child("孙八").pk], by=check.opened_by)
    confirm(check)

    assert verdicts(send(check)) == {"new": 0, "changed": 0, "unchanged": 3, "absent": 1}


def test_another_class_and_boarding_are_changes_of_that_child(check):
    checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四", class_name="2班", boarding=True), by=check.opened_by)
    roll = classes(check)
    assert [pupil.name for pupil in roll["三年级2班"].here] == ["李四", "王五"]
    assert [pupil.name for pupil in roll["三年级1班"].here] == ["张三"]
    confirm(check)

    roster = send(check)

    assert verdicts(roster) == {"new": 0, "changed": 1, "unchanged": 2, "absent": 0}
    changes = RosterRow.objects.get(roster=roster, name="李四").changes
    assert changes == [["class_name", "1班", "2班"], ["boarding", None, True]]


def test_a_child_on_leave_stays_on_the_roll_and_is_not_at_school(check, school):
    checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四", state="休学"), by=check.opened_by)
    confirm(check)

    rosters.apply_roster(roster=send(check), by=check.opened_by)

    assert at_school(school) == {"张三", "王五"}
    assert child("李四").state == "休学"


def test_a_child_who_came_is_new_with_all_that_was_typed(check, school):
    checking.add_pupil(check=check, typed=newcomer(), by=check.opened_by)
    confirm(check)

    roster = send(check)

    assert verdicts(roster) == {"new": 1, "changed": 0, "unchanged": 3, "absent": 0}
    rosters.apply_roster(roster=roster, by=check.opened_by)
    found = child("钱七")
    assert (found.class_name, found.entered_in, found.state) == ("2班", 2024, "在籍")
    assert (found.student.person.birth_on, found.student.person.sex) == (date(2017, 3, 5), "2")
    assert found.student.guardianships.get().name == "钱大"


def test_a_repeater_of_the_last_year_stays_by_an_entry_of_the_school(office, school, clerk):
    office.enrol([ZHANG | {"年级": "六年级"}, LI], school=school)
    year = SchoolYearFactory(starts_in=2027)
    autumn = TermFactory(code="2027-autumn", school_year=year, starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20))
    check = begin(school, autumn, clerk)
    checking.edit_pupil(check=check, enrolment=child("张三"), facts=place("张三", entered_in=2022), by=clerk)
    confirm(check)

    assert [one.title for one in fresh(check).classes] == ["四年级1班", "六年级1班"]
    assert verdicts(send(check)) == {"new": 0, "changed": 1, "unchanged": 1, "absent": 0}


@pytest.mark.parametrize("season", ["autumn", "spring"])
def test_finished_cohorts_graduate_when_the_check_is_applied(office, school, clerk, season):
    office.enrol([ZHANG | {"年级": "六年级"}, LI], school=school)
    year = SchoolYearFactory(starts_in=2027)
    code = {"autumn": "2027-autumn", "spring": "2028-spring"}[season]
    later = TermFactory(code=code, school_year=year, starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20))
    check = begin(school, later, clerk)
    confirm(check)

    roster = send(check)
    rosters.apply_roster(roster=roster, by=clerk)

    assert verdicts(roster) == {"new": 0, "changed": 0, "unchanged": 1, "absent": 0}
    assert (child("张三").exit_kind, child("张三").is_present) == ("毕业", False)


def test_what_was_typed_is_sealed(check):
    change = checking.add_pupil(check=check, typed=newcomer(), by=check.opened_by)

    change.refresh_from_db()
    assert GIRL.encode() not in bytes(change.sealed) and "钱七".encode() not in bytes(change.sealed)
    assert not AuditEvent.objects.filter(detail__icontains="钱七").exists()


# Corrected, taken back.


def test_an_entry_can_be_taken_back(check):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=check.opened_by)
    added = checking.add_pupil(check=check, typed=newcomer(), by=check.opened_by)
    for change in [*RollChange.objects.exclude(pk=added.pk), added]:
        checking.take_back(check=check, change=change, by=check.opened_by)
    confirm(check)

    assert verdicts(send(check)) == {"new": 0, "changed": 0, "unchanged": 3, "absent": 0}


def test_what_is_recorded_already_is_no_entry(check):
    checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四", boarding=True), by=check.opened_by)
    assert not checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四"), by=check.opened_by)

    assert not RollChange.objects.exists()


def test_a_child_has_one_entry_and_the_last_one_counts(check):
    checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四", boarding=True), by=check.opened_by)
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=check.opened_by)

    change = RollChange.objects.get()
    assert (change.kind, change.sealed) == ("leave", None)


def test_a_child_of_another_school_cannot_be_marked(check, world):
    stranger = EnrolmentFactory(school=world.other_school)

    assert checking.note_leavers(check=check, enrolments=[stranger.pk], by=check.opened_by) == 0
    assert not RollChange.objects.exists()


def test_adding_a_child_who_is_on_the_roll_is_told_before_anything_is_sent(check):
    checking.add_pupil(check=check, typed=newcomer(citizen_id=LI["身份证号"]), by=check.opened_by)
    confirm(check)

    with pytest.raises(NotApplicable, match="已在本校名单上（李四，三年级1班）"):
        checking.send_check(check=check, by=check.opened_by)
    assert not Roster.objects.filter(source="check").exists()


# Confirming.


def test_it_is_sent_only_when_every_class_is_confirmed(check):
    confirm(check, "三年级1班")

    with pytest.raises(NotApplicable, match="还有 1 个班没有确认"):
        checking.send_check(check=check, by=check.opened_by)
    assert check.state == "open"


def test_a_class_changed_after_its_confirmation_must_be_confirmed_again_and_the_others_not(check):
    confirm(check)
    checking.note_leavers(check=check, enrolments=[child("王五").pk], by=check.opened_by)

    roll = classes(check)
    assert (roll["三年级1班"].is_confirmed, roll["三年级2班"].is_confirmed, roll["三年级2班"].is_stale) == (True, False, True)


def test_moving_a_child_asks_for_both_classes_again(check):
    confirm(check)
    checking.edit_pupil(check=check, enrolment=child("李四"), facts=place("李四", class_name="2班"), by=check.opened_by)

    assert not any(one.is_confirmed for one in classes(check).values())


def test_confirming_the_same_class_in_two_tabs_is_once(check):
    one = classes(check)["三年级1班"]
    for _ in range(2):
        checking.confirm_class(check=check, key=one.key, seen=one.digest, by=check.opened_by)

    assert ClassCheck.objects.count() == 1
    assert AuditEvent.objects.filter(verb="students.class_confirmed").count() == 1


def test_a_class_that_a_colleague_changed_meanwhile_is_shown_again_instead_of_confirmed(check):
    seen = classes(check)["三年级1班"]
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=AccountFactory(role=Role.SCHOOL_CLERK, at=check.school))

    with pytest.raises(NotApplicable, match="刚有变动"):
        checking.confirm_class(check=check, key=seen.key, seen=seen.digest, by=check.opened_by)
    assert not ClassCheck.objects.exists()


# A roll that arrives by upload meanwhile.


def test_a_roll_applied_meanwhile_changes_the_classes_it_concerns_and_only_those(office, check, school):
    confirm(check)
    office.enrol([ZHANG, LI, WANG | {"班级": "2班"}, ZHAO | {"班级": "2班"}], school=school)

    roll = classes(check)
    assert (roll["三年级1班"].is_confirmed, roll["三年级2班"].is_stale) == (True, True)
    assert [pupil.name for pupil in roll["三年级2班"].here] == ["王五", "赵六"]


# One check at a time.


def test_the_second_clerk_of_a_school_joins_the_check_that_is_open(check, world):
    colleague = world.account(Role.SCHOOL_CLERK)

    again, is_new = checking.open_check(school=check.school, term=check.term, on=DAY, by=colleague)

    assert (again, is_new) == (check, False)


def test_the_database_keeps_a_second_open_check_out(check):
    with pytest.raises(IntegrityError), transaction.atomic():
        RollCheck.objects.create(county=check.county, school=check.school, term=check.term, opened_by=check.opened_by)


def test_sending_twice_gives_the_same_roster(check):
    confirm(check)
    first = checking.send_check(check=check, by=check.opened_by)

    assert checking.send_check(check=check, by=check.opened_by) == first
    assert Roster.objects.filter(source="check").count() == 1
    assert checking.open_check(school=check.school, term=check.term, on=DAY, by=check.opened_by) == (check, False)


def test_nothing_is_entered_into_a_check_that_was_sent(check):
    confirm(check)
    checking.send_check(check=check, by=check.opened_by)

    with pytest.raises(NotApplicable, match="已提交"):
        checking.note_leavers(check=check, enrolments=[child("李四").pk], by=check.opened_by)


def test_a_result_that_was_given_up_leads_back_to_the_check_with_all_that_was_entered(check):
    checking.note_leavers(check=check, enrolments=[child("李四").pk], by=check.opened_by)
    confirm(check)
    roster = send(check)
    check.refresh_from_db()
    assert not checking.may_reopen(check)
    rosters.discard_roster(roster=roster, by=check.opened_by)

    checking.reopen(check=check, by=check.opened_by)

    check.refresh_from_db()
    assert (check.state, check.roster) == ("open", None)
    assert fresh(check).is_complete
    assert verdicts(send(check))["absent"] == 1


def test_an_applied_result_cannot_be_taken_up_again(check):
    confirm(check)
    rosters.apply_roster(roster=send(check), by=check.opened_by)

    with pytest.raises(NotApplicable, match="已入库"):
        checking.reopen(check=check, by=check.opened_by)


def test_a_check_that_is_given_up_leaves_nothing_typed_behind_and_another_may_begin(check):
    checking.add_pupil(check=check, typed=newcomer(), by=check.opened_by)
    confirm(check)
    checking.give_up(check=check, by=check.opened_by)

    assert not RollChange.objects.exists() and not ClassCheck.objects.exists()
    assert checking.open_check(school=check.school, term=check.term, on=DAY, by=check.opened_by)[1]


def test_who_may_not_upload_may_not_send(check, world):
    confirm(check)

    with pytest.raises(PermissionDenied):
        checking.send_check(check=check, by=world.account(Role.SCHOOL_HEAD))

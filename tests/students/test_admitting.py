"""先入册、证件待补: in without a number, found again as the same child, and due by a date."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from students.actions import admitting, rosters, undoing
from students.models import Enrolment, Identifier, Person, Roster, RosterRow, Student
from tests.students.factories import citizen_id, codes

TODAY = date(2026, 10, 12)
BORN = date(2016, 5, 2)
NUMBER = citizen_id(BORN, 1)
WRONG = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")


def pupil(name: str, number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "年级": "三年级", "班级": "1班", "出生日期": "2016-05-02"} | more


LI = pupil("李四", citizen_id(date(2016, 5, 3), 2), 出生日期="2016-05-03")


def admit(roster: Roster, by, **born: date) -> tuple[int, int]:
    """All rejected rows, with the birth dates typed for some names."""
    rows = {row.pk: born.get(row.name) for row in roster.staged.filter(status="rejected")}
    done = admitting.admit_rows(roster=roster, rows=rows, today=TODAY, by=by)
    roster.refresh_from_db()
    return done


def pending() -> set[str]:
    return set(Student.objects.number_pending().values_list("person__name", flat=True))


@pytest.mark.parametrize(
    "number", ["", "123", WRONG, "9.90101E+17", "#N/A", "111111111111111111", NUMBER[:-1] + "?"],
    ids=["missing", "too short", "checksum", "numeric", "error cell", "placeholder", "characters"],
)  # fmt: skip
def test_a_child_whose_number_is_missing_or_damaged_is_let_in(office, school, number):
    roster = office.roll([pupil("张三", number), LI], school=school)
    assert (roster.accepted, roster.rejected) == (1, 1)

    assert admit(roster, office.by) == (1, 0)

    assert (roster.accepted, roster.rejected, roster.warned, roster.new) == (2, 0, 1, 2)
    assert codes(roster, "error") == []
    rosters.apply_roster(roster=roster, by=office.by)
    assert pending() == {"张三"}
    assert Student.objects.get(person__name="张三").number_due_on == timezone.localdate() + timedelta(days=30)
    assert not Identifier.objects.filter(person__name="张三").exists()


def test_the_bureau_sets_how_long_it_may_take(office, school):
    office.county.number_days = 10
    office.county.save()
    roster = office.roll([pupil("张三", WRONG), LI], school=school)
    admit(roster, office.by)

    rosters.apply_roster(roster=roster, by=office.by)

    assert Student.objects.number_pending().get().number_due_on == timezone.localdate() + timedelta(days=10)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (pupil("", WRONG), "no name"),
        (pupil("张三", WRONG, 出生日期=""), "no birth date"),
        (pupil("张三", WRONG, 性别="不详x"), "another error"),
        (pupil("张三", citizen_id(date(2015, 1, 1), 1)), "a sound number that contradicts the birth date"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_row_with_more_to_correct_is_left(office, school, row, why):
    roster = office.roll([row, LI], school=school)
    assert roster.rejected == 1

    assert admit(roster, office.by) == (0, 1)
    assert (roster.accepted, roster.rejected) == (1, 1)


@pytest.mark.parametrize(("born", "admitted"), [(BORN, 1), (date(2030, 1, 1), 0), (date(1980, 1, 1), 0)])
def test_the_clerk_types_a_birth_date_where_the_row_has_none(office, school, born, admitted):
    roster = office.roll([pupil("张三", WRONG, 出生日期=""), LI], school=school)

    assert admit(roster, office.by, 张三=born)[0] == admitted
    if admitted:
        rosters.apply_roster(roster=roster, by=office.by)
        assert Person.objects.get(name="张三").birth_on == born


def test_a_child_the_school_already_has_is_recognised_and_needs_no_date(office, school):
    office.enrol([pupil("张三", NUMBER), LI], school=school)
    roster = office.roll([pupil("张三", WRONG), LI], school=school)

    admit(roster, office.by)

    assert (roster.new, roster.unchanged, roster.absent) == (0, 2, 0)
    rosters.apply_roster(roster=roster, by=office.by)
    assert pending() == set()
    assert Identifier.objects.filter(person__name="张三", valid_to=None).count() == 1


def test_of_two_children_of_one_name_and_day_the_one_in_that_class_is_meant(office, school):
    office.enrol([pupil("张三", NUMBER), pupil("张三", citizen_id(BORN, 3), 班级="2班")], school=school)
    roster = office.roll([pupil("张三", WRONG, 班级="2班"), pupil("张三", NUMBER)], school=school)

    admit(roster, office.by)

    assert (roster.new, roster.unchanged, roster.absent) == (0, 2, 0)


def test_the_child_is_the_same_when_the_number_comes(office, school):
    first = office.roll([pupil("张三", WRONG), LI], school=school)
    admit(first, office.by)
    rosters.apply_roster(roster=first, by=office.by)

    later = office.roll([pupil("张三", NUMBER), LI], school=school)
    assert (later.new, later.changed, later.absent) == (0, 1, 0)
    assert RosterRow.objects.get(roster=later, name="张三").changes == [["citizen_id", None, None]]
    rosters.apply_roster(roster=later, by=office.by)

    assert pending() == set()
    assert Person.objects.filter(name="张三").count() == 1
    assert Identifier.objects.get(person__name="张三").kind == "citizen_id"


def test_still_without_a_number_the_first_date_stands(office, school):
    for class_name in ("1班", "2班"):
        roster = office.roll([pupil("张三", WRONG, 班级=class_name), LI], school=school)
        admit(roster, office.by)
        rosters.apply_roster(roster=roster, by=office.by)
        Student.objects.number_pending().update(number_due_on=date(2026, 10, 1))

    assert Student.objects.number_pending().get().number_due_on == date(2026, 10, 1)
    assert Enrolment.objects.get(student__person__name="张三").class_name == "2班"


def test_a_namesake_of_another_day_is_another_child(office, school):
    first = office.roll([pupil("张三", WRONG), LI], school=school)
    admit(first, office.by)
    rosters.apply_roster(roster=first, by=office.by)

    later = office.roll([pupil("张三", citizen_id(date(2016, 8, 8), 1), 出生日期="2016-08-08"), LI], school=school)

    assert (later.new, later.absent) == (1, 1)


def test_undoing_brings_the_missing_number_back_to_mind(office, school):
    first = office.roll([pupil("张三", WRONG), LI], school=school)
    admit(first, office.by)
    rosters.apply_roster(roster=first, by=office.by)
    due_on = Student.objects.number_pending().get().number_due_on
    later = office.enrol([pupil("张三", NUMBER), LI], school=school)

    undoing.undo_roster(roster=later, by=office.by, reason="传错了文件")

    assert Student.objects.number_pending().get().number_due_on == due_on
    assert not Identifier.objects.filter(person__name="张三").exists()


def test_nobody_is_let_in_once_the_roster_is_applied(office, school):
    roster = office.roll([pupil("张三", WRONG), LI], school=school)
    rosters.apply_roster(roster=roster, by=office.by, accept_good=True)

    with pytest.raises(rosters.NotApplicable):
        admit(roster, office.by)


def test_rows_of_another_roster_are_not_touched(office, world):
    mine = office.roll([pupil("张三", WRONG), LI], school=world.school)
    other = office.roll([pupil("王五", WRONG), LI], school=world.other_school)
    rows = {row.pk: None for row in other.staged.filter(status="rejected")}

    assert admitting.admit_rows(roster=mine, rows=rows, today=TODAY, by=office.by) == (0, 1)
    assert other.staged.filter(status="rejected").count() == 1

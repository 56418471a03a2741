"""补正: only the bad rows are sent again, and the roster is whole; nobody is absent for not being sent twice."""

from datetime import date

import pytest

from bureau import jobs, states
from bureau.bulk import by_key
from bureau.sheets import problem_header, serial_of
from students.actions import completing, rosters
from students.actions.refusals import NotApplicable
from students.intake import completing as carrying
from students.models import Enrolment, Identifier, Person, Roster, RosterRow
from tests.factories import AccountFactory, TermFactory
from tests.students.factories import citizen_id, codes
from tests.students.test_rosters import LI, WANG, ZHANG, ZHAO, at_school, pupil, verdicts

BAD = "12345"
AID = {"资助项目": "义务教育家庭经济困难学生生活补助", "金额": "625", "开户行": "农商行", "账号": "", "户名": "张大"}
CHEN = pupil("陈七", citizen_id(date(2016, 5, 9), 9))


def header(roster: Roster) -> str:
    return problem_header(serial_of(roster.pk))


def marked(roster: Roster, row: dict, number: int) -> dict:
    """A row as it stands in the marked file of a roster."""
    return row | {header(roster): f"第 {number} 行：身份证号：请核对。"}


def shown(roster: Roster) -> dict[str, tuple[str, bool]]:
    """Name -> (status, carried) of every row of the roster."""
    rows = RosterRow.objects.filter(roster=roster).order_by("pk")
    return {name: (status, carried) for name, status, carried in rows.values_list("name", "status", "carried")}


@pytest.fixture
def first(office, school) -> Roster:
    """Staged: 张三 (row 2) and 王五 (row 4) good, 李四 (row 3) and 赵六 (row 5) with numbers that are none."""
    return office.roll([ZHANG, LI | {"身份证号": BAD}, WANG, ZHAO | {"身份证号": BAD}], school=school)


def test_a_corrected_row_completes_the_roster_it_came_from(office, school, first):
    second = office.roll([marked(first, LI, 3), marked(first, ZHAO, 5)], school=school)

    first.refresh_from_db()
    assert (second.completes, first.status, second.status) == (first, Roster.State.SUPERSEDED, Roster.State.STAGED)
    assert shown(second) == {
        "李四": ("accepted", False),
        "赵六": ("accepted", False),
        "张三": ("accepted", True),
        "王五": ("accepted", True),
    }
    assert codes(second) == ["completes"]


def test_the_counts_are_those_of_the_file_itself(office, school, first):
    second = office.roll([marked(first, LI, 3), marked(first, ZHAO | {"身份证号": BAD}, 5)], school=school)

    assert (second.rows, second.accepted, second.rejected, second.skipped) == (2, 1, 1, 0)
    assert verdicts(second) == {"new": 1, "changed": 0, "unchanged": 0, "absent": 0}


def test_applying_brings_in_carried_and_corrected_rows_with_their_numbers(office, school, first):
    second = office.roll([marked(first, LI, 3), marked(first, ZHAO, 5)], school=school)

    rosters.apply_roster(roster=second, by=office.by)

    assert at_school(school) == {"张三", "李四", "王五", "赵六"}
    assert Identifier.objects.filter(kind="citizen_id", valid_to=None).count() == 4


def test_rows_that_were_not_sent_again_keep_their_verdict(office, school, first):
    second = office.roll([marked(first, LI, 3)], school=school)

    assert shown(second)["赵六"] == ("rejected", True)
    with pytest.raises(NotApplicable, match="还有 1 行有错误"):
        rosters.apply_roster(roster=second, by=office.by)


def test_nobody_is_absent_because_only_the_bad_rows_were_sent(office, school):
    office.enrol([ZHANG, LI, WANG, ZHAO], school=school)
    first = office.roll([ZHANG, LI | {"身份证号": BAD}, WANG], school=school)

    second = office.roll([marked(first, LI, 3)], school=school)

    assert second.absentees == first.absentees == [str(Enrolment.objects.get(student__person__name="赵六").pk)]


@pytest.mark.parametrize(
    ("sent", "replaced"),
    [
        ({"姓名": "李思", "身份证号": LI["身份证号"]}, {"李四"}),
        ({"姓名": "赵六"}, {"赵六"}),
        ({"姓名": "赵六", "班级": "2班"}, set()),
        ({"姓名": "张三"}, set()),
    ],
    ids=["by number", "by name and class", "another class", "a namesake with a number of his own"],
)
def test_without_the_line_a_row_is_known_by_number_else_by_name_and_class(office, school, sent, replaced):
    first = office.roll([ZHANG, LI | {"民族": "没有"}, WANG, ZHAO | {"身份证号": BAD}], school=school)
    row = pupil("", citizen_id(date(2016, 5, 21), 12)) | sent

    second = office.roll([row | {header(first): ""}], school=school)

    carried = set(RosterRow.objects.filter(roster=second, carried=True).values_list("name", flat=True))
    assert {"张三", "李四", "王五", "赵六"} - carried == replaced


def test_a_number_that_is_another_carried_childs_is_an_error_and_takes_nobody_away(office, school, first):
    second = office.roll([marked(first, LI | {"身份证号": ZHANG["身份证号"]}, 3)], school=school)

    assert shown(second)["李四"] == ("rejected", False)
    assert shown(second)["张三"] == ("accepted", True)
    assert codes(second, "error") == ["duplicate_conflict"]


def test_the_whole_file_sent_back_is_the_whole_roll_and_rows_taken_out_are_out(office, school, first):
    second = office.roll([marked(first, ZHANG, 2) | {header(first): ""}, marked(first, LI, 3), WANG], school=school)

    assert shown(second) == {"张三": ("accepted", False), "李四": ("accepted", False), "王五": ("accepted", False)}


def test_a_second_lot_with_the_old_serial_goes_on_from_the_first(office, school, first):
    second = office.roll([marked(first, LI, 3)], school=school)

    third = office.roll([marked(first, ZHAO, 5)], school=school)

    second.refresh_from_db()
    assert (third.completes, second.status) == (second, Roster.State.SUPERSEDED)
    assert {status for status, _ in shown(third).values()} == {"accepted"} and len(shown(third)) == 4


def test_whoever_comes_second_is_told_who_was_first(office, school, first, monkeypatch):
    office.roll([marked(first, LI, 3)], school=school)
    other = AccountFactory(county=office.county, role="aid_officer")
    monkeypatch.setattr(office, "by", other)

    third = office.roll([marked(first, ZHAO, 5)], school=school)

    assert codes(third, "warning") == ["completed_meanwhile"]
    assert shown(third)["李四"] == ("accepted", True)


@pytest.mark.parametrize("serial", ["ZZZZZZZZ", "1"])
def test_a_serial_that_leads_nowhere_is_told_and_the_file_read_as_a_whole_roll(office, school, first, serial):
    second = office.roll([ZHAO | {problem_header(serial): ""}], school=school)

    first.refresh_from_db()
    assert (second.completes, first.status) == (None, Roster.State.STAGED)
    assert codes(second) == ["unknown_serial"] and len(shown(second)) == 1


@pytest.mark.parametrize("foreign", ["school", "kind", "term"])
def test_a_serial_of_another_place_is_not_accepted(office, world, first, foreign):
    place = {
        "school": {"school": world.other_school},
        "kind": {"school": world.school, "kind": "aid"},
        "term": {"school": world.school, "term": TermFactory(county=office.county, code="2027-spring")},
    }
    row = marked(first, ZHAO | AID, 5)

    second = office.roll([row], **place[foreign])

    assert second.completes is None and "unknown_serial" in codes(second)


def test_a_clerk_who_cannot_see_the_roster_cannot_complete_it(office, world, first):
    other = AccountFactory(county=office.county, role="school_clerk", at=world.other_school)
    roster, _ = rosters.new_roster(
        path=office.file([marked(first, ZHAO, 5)]), file_name="偷看.csv", term=office.term, kind="roll",
        school=world.school, county=office.county, by=other,
    )  # fmt: skip
    jobs.run_now("students.read_roster", by=other, county=office.county, roster=roster.pk)

    roster.refresh_from_db()
    assert roster.completes is None and codes(roster, "note") == ["unknown_serial"]


def test_giving_the_completion_up_brings_the_first_one_back(office, school, first):
    second = office.roll([marked(first, LI, 3)], school=school)

    rosters.discard_roster(roster=second, by=office.by)

    first.refresh_from_db()
    assert first.status == Roster.State.STAGED
    again = office.roll([marked(first, LI, 3)], school=school)
    assert again.pk != second.pk and again.completes == first


def test_an_earlier_roster_that_is_completed_cannot_be_applied(office, school, first):
    office.roll([marked(first, LI, 3)], school=school)

    with pytest.raises(NotApplicable):
        rosters.apply_roster(roster=first, by=office.by, accept_good=True)


# The first roster was applied with its good rows.


@pytest.fixture
def applied(office, school, first) -> Roster:
    office.county.reject_share = "0.500"
    office.county.save()
    return rosters.apply_roster(roster=first, by=office.by, accept_good=True)


def test_corrected_rows_come_in_as_new_and_the_others_are_left_alone(office, school, applied):
    Person.objects.filter(name="张三").update(ethnicity="03")
    Enrolment.objects.filter(student__person__name="王五").update(class_name="9班")
    second = office.roll([marked(applied, LI, 3), marked(applied, ZHAO, 5)], school=school)

    rosters.apply_roster(roster=second, by=office.by)

    applied.refresh_from_db()
    assert applied.status == Roster.State.APPLIED
    assert verdicts(second) == {"new": 2, "changed": 0, "unchanged": 0, "absent": 0}
    assert at_school(school) == {"张三", "李四", "王五", "赵六"}
    assert Person.objects.get(name="张三").ethnicity == "03"
    assert Enrolment.objects.get(student__person__name="王五").class_name == "9班"
    assert Person.objects.count() == 4


def test_after_it_the_next_roll_is_compared_with_all_four(office, school, applied):
    second = office.roll([marked(applied, LI, 3), marked(applied, ZHAO, 5)], school=school)
    rosters.apply_roster(roster=second, by=office.by)

    third = office.roll([LI, WANG, CHEN], school=school)

    assert verdicts(third) == {"new": 1, "changed": 0, "unchanged": 2, "absent": 2}


def test_a_child_who_left_meanwhile_is_not_brought_back(office, school, applied):
    Enrolment.objects.filter(student__person__name="张三").update(ended_on=date(2026, 10, 1), is_present=False)
    second = office.roll([marked(applied, LI, 3), marked(applied, ZHAO, 5)], school=school)

    rosters.apply_roster(roster=second, by=office.by)

    assert at_school(school) == {"李四", "王五", "赵六"}


def test_where_a_later_roll_was_applied_the_old_serial_is_out_of_date(office, school, applied):
    office.enrol([ZHANG, WANG, CHEN], school=school)

    second = office.roll([marked(applied, LI, 3)], school=school)

    assert second.completes is None
    assert codes(second, "warning") == ["outdated_serial"]


def test_a_completion_whose_ground_was_replaced_is_not_applied(office, school, applied):
    second = office.roll([marked(applied, LI, 3), marked(applied, ZHAO, 5)], school=school)
    office.enrol([ZHANG, WANG, CHEN], school=school)

    with pytest.raises(NotApplicable) as refusal:
        rosters.apply_roster(roster=second, by=office.by)

    assert refusal.value.code == "base_moved"


# At once, and on second thoughts.


def test_two_completions_at_once_end_one_behind_the_other(office, school, first, monkeypatch):
    """The second is staged while the first is still being judged."""
    really, hidden = carrying.Completion.carried, []

    def meanwhile(completion, reading, judged):
        if not hidden:
            hidden.append(office.roll([marked(first, ZHAO, 5)], school=school))
        return really(completion, reading, judged)

    monkeypatch.setattr(carrying.Completion, "carried", meanwhile)

    last = office.roll([marked(first, LI, 3)], school=school)

    assert last.completes == hidden[0]
    assert {status for status, _ in shown(last).values()} == {"accepted"} and len(shown(last)) == 4
    assert sorted(Roster.objects.values_list("status", flat=True)) == ["staged", "superseded", "superseded"]


def test_a_completing_file_that_is_read_again_still_completes(office, school, first):
    second = office.roll([marked(first, LI, 3)], school=school)
    before = shown(second)

    states.move(Roster.objects.filter(pk=second.pk), to=Roster.State.READING, by=office.by)
    jobs.run_now("students.read_roster", by=office.by, county=office.county, roster=second.pk)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.completes, first.status, shown(second)) == (first, Roster.State.SUPERSEDED, before)


def test_the_clerk_may_say_that_the_file_is_the_whole_roll(office, school, first):
    office.enrol([ZHANG, LI, WANG, CHEN], school=school)
    second = office.roll([marked(first, LI, 3)], school=school)

    completing.stand_alone(roster=second, by=office.by)

    first.refresh_from_db()
    second.refresh_from_db()
    assert shown(second) == {"李四": ("accepted", False)}
    assert (second.completes, second.absent, first.status) == (None, 3, Roster.State.STAGED)
    with pytest.raises(NotApplicable):
        completing.stand_alone(roster=second, by=office.by)


def test_what_an_aid_roster_stated_of_carried_children_stays_stated(office, school):
    first = office.roll([ZHANG | AID, LI | AID | {"身份证号": BAD}, WANG | AID], school=school, kind="aid")

    second = office.roll([marked(first, LI | AID, 3)], school=school, kind="aid")

    lines = by_key(RosterRow.objects.filter(aid__isnull=False), "roster", [second.pk], "name", "aid__amount_fen")
    assert sorted(lines) == sorted((name, 62500) for name in ("张三", "李四", "王五"))

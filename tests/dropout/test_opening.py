"""Signals become cases: one per child, each signal once, and not a day too early."""

from datetime import date

import pytest

from bureau import jobs
from bureau.access.roles import Role
from dropout.actions import handling, opening
from dropout.actions.steps import NotDone
from dropout.models import Case, Deadline, Episode, Signal
from students.actions.settling import settle
from students.models import Absence, Discrepancy, Guardianship
from tests.dropout.factories import TODAY, child_out_of_school, visited
from tests.factories import AccountFactory
from tests.students.factories import DiscrepancyFactory, EnrolmentFactory, RosterFactory, StudentFactory

OPENED, LAST, AFTER = date(2026, 10, 12), date(2026, 10, 21), date(2026, 10, 22)  # seven working days after a Monday


@pytest.fixture
def question(term, school):
    child = child_out_of_school(school)
    return DiscrepancyFactory(student=child, school=school, township=school.township, term=term, opened_on=OPENED)


@pytest.mark.parametrize(("today", "cases"), [(LAST, 0), (AFTER, 1)], ids=["the last day", "the day after"])
def test_question_nobody_answered_becomes_a_case_when_its_days_have_passed(county, question, today, cases):
    opening.gather(county=county, today=today)

    assert Case.objects.count() == cases


def test_days_set_by_the_bureau_count_from_the_day_they_hold(county, question, aid_officer):
    Deadline.objects.create(county=county, stage="signal", days=2, unit="days", valid_from=OPENED, set_by=aid_officer)

    opening.gather(county=county, today=date(2026, 10, 14))
    assert not Case.objects.exists()
    opening.gather(county=county, today=date(2026, 10, 15))
    assert Case.objects.count() == 1


@pytest.mark.parametrize("facts", [{"state": "explained"}, {"rule": "R25"}, {"student": None}], ids=["answered", "about money", "nobody known"])
def test_question_that_opens_no_case(county, question, facts):
    Discrepancy.objects.filter(pk=question.pk).update(**facts)

    opening.gather(county=county, today=AFTER)

    assert not Case.objects.exists()


def test_night_rung_twice_opens_nothing_twice(county, question):
    first, second = (jobs.run_now("dropout.watch", by=None, county=county, day=AFTER.isoformat()) for _ in range(2))

    assert (first.result["new"], second.result["signals"]) == (1, 0)
    assert Case.objects.count() == Episode.objects.count() == Signal.objects.count() == 1


def test_two_questions_and_a_roll_about_one_child_are_one_case(county, question, term, school):
    DiscrepancyFactory(student=question.student, rule="R08", school=school, township=school.township, term=term, opened_on=OPENED)
    absence = Absence.objects.create(
        county=county, roster=RosterFactory(school=school, term=term), school=school, enrolment=question.student.enrolments.get(), state="signalled"
    )

    outcome = opening.gather(county=county, today=AFTER)

    assert (outcome.new, outcome.signals) == (1, 3)
    assert set(Case.objects.get().signals.values_list("key", flat=True)) >= {str(absence.pk)}


def test_child_of_a_kindergarten_left_out_of_a_roll_is_no_case(county, term, school):
    stay = EnrolmentFactory(school=school, stage="preschool", is_present=False)
    Absence.objects.create(county=county, roster=RosterFactory(school=school, term=term), school=school, enrolment=stay, state="signalled")

    opening.gather(county=county, today=AFTER)

    assert not Case.objects.exists()


def test_twins_with_one_phone_and_no_number_are_two_cases(road, school):
    twin = StudentFactory(name="张小二", hukou_township=school.township, at=school)
    for child in (road.student, twin):
        Guardianship.objects.create(student=child, name="张大山", phone_index=b"same")
    road.report()

    opening.report(student=twin, detail="没到校", reason="", on=TODAY, today=TODAY, by=road.clerk)

    assert sorted(Case.objects.values_list("number", flat=True)) == [1, 2]


def test_second_report_hangs_on_the_same_case_and_the_same_words_are_one(road):
    road.report(), road.report()
    opening.report(student=road.student, detail="村主任也说不在", reason="", on=TODAY, today=TODAY, by=road.cadre)

    assert Case.objects.count() == 1 and road.case.signals.count() == 2


def test_case_belongs_to_the_last_school_and_the_township_of_the_hukou(road, world):
    road.student.hukou_township = world.other_township
    road.student.save()

    case = road.report()

    assert (case.school, case.township) == (world.school, world.other_township)
    assert list(Case.objects.visible_to(world.account(Role.SCHOOL_CLERK))) == [case]
    assert not Case.objects.visible_to(AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)).exists()
    assert Case.objects.visible_to(AccountFactory(role=Role.TOWNSHIP_OFFICER, at=world.other_township)).exists()


@pytest.mark.parametrize(
    ("on", "late", "code"),
    [(date(2026, 10, 13), "", "in_the_future"), (date(2026, 10, 9), "", "reason_required"), (date(2026, 10, 9), "停电", None)],
)
def test_report_of_another_day(road, on, late, code):
    def report():
        return opening.report(student=road.student, detail="没到校", reason="", on=on, today=TODAY, late_because=late, by=road.clerk)

    if code:
        with pytest.raises(NotDone) as refused:
            report()
        assert refused.value.code == code and not Case.objects.exists()
    else:
        assert report().opened_on == on and "补录：停电" in Signal.objects.get().detail


def test_ended_case_is_opened_again_with_a_new_episode(road):
    road.up_to("verifying")
    handling.hand_over(case=road.case, place="邻县教育局", letter="接收函3号", when=road.when, by=road.officer)
    road.later(30)

    road.report()

    assert road.case.state == "suspected" and road.case.number == 1
    assert list(road.case.episodes.order_by("pk").values_list("outcome", "ended_on")) == [("transferred", TODAY), ("", None)]
    with pytest.raises(NotDone):  # nothing is written before the new episode began
        handling.record_visit(case=road.case, visited=visited(TODAY), today=road.today, by=road.clerk)


@pytest.mark.parametrize("role", [Role.BASIC_EDUCATION_OFFICER, Role.AID_OFFICER])
def test_officer_settles_a_question_by_opening_a_case(today, world, question, role):
    settled, _ = settle(discrepancies=Discrepancy.objects.all(), remedy="open_case", by=world.account(role), reason="家访不见人")

    question.refresh_from_db()
    assert (settled, question.state) == (1, "accepted") and question.accepted_until > TODAY
    assert Case.objects.get().signals.get().key == f"{question.pk}:1"
    opening.gather(county=question.county, today=AFTER)
    assert Signal.objects.count() == 1

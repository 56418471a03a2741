"""R27 to R29: who is lost between two schools, on both sides of every boundary."""

from datetime import date, timedelta

import pytest

from bureau.access.roles import Role
from bureau.organisation.models import Stage
from students.actions import promoting
from students.models import Catchment, Discrepancy, Leaver, Student, Whereabouts, YearPlan
from students.models.turning import plan_for
from students.rules import RULES, Matter
from students.views.compared import evidence_in_words
from tests.factories import AccountFactory, TermFactory
from tests.students.factories import (
    EnrolmentFactory,
    EntryFactory,
    SnapshotFactory,
    StudentFactory,
    WhereaboutsFactory,
)

DUE = date(2026, 9, 15)  # the usual date: two weeks after 1 September
LATE = DUE + timedelta(days=1)
NOVEMBER = date(2026, 11, 1)

pytestmark = pytest.mark.django_db


def found(rule: str, *, on: date) -> list[tuple]:
    term = TermFactory()
    return [row for query in RULES[rule].offenders(Matter(term.county, term, on)) for row in query]


def graduate(stage: str = Stage.PRIMARY, **facts):
    given = {
        "entered_in": 2020,
        "ended_on": date(2026, 7, 10),
        "exit_kind": "毕业",
        "is_present": False,
        "is_registered": False,
    }
    return EnrolmentFactory(stage=stage, **given | facts)


# R27


@pytest.mark.parametrize(
    ("day", "flagged"), [(DUE, False), (LATE, True)], ids=["last day to report", "the day after"]
)
def test_primary_leaver_who_is_in_no_junior_school_by_the_date(day, flagged):
    child = graduate()

    rows = found("R27", on=day)

    assert bool(rows) is flagged
    if flagged:
        assert (rows[0][0], rows[0][2], rows[0][6]) == ("enrolment", child.student_id, child.school_id)
        assert rows[0][5] == "finished primary school 2026-07-10"


def test_date_is_the_bureaus(term):
    graduate()
    plan = plan_for(term.school_year)
    plan.report_by = date(2026, 9, 30)
    plan.save()

    assert not found("R27", on=date(2026, 9, 30)) and found("R27", on=date(2026, 10, 1))


@pytest.mark.parametrize(
    ("facts", "flagged"),
    [
        ({"stage": Stage.JUNIOR}, False),
        ({"stage": Stage.JUNIOR, "is_present": False}, False),
        ({"stage": Stage.JUNIOR, "is_present": False, "is_registered": False}, True),
        ({"stage": Stage.JUNIOR, "ended_on": date(2026, 9, 10)}, True),
        ({"stage": Stage.PRIMARY}, True),
        ({"stage": Stage.JUNIOR, "school": None, "outside_school": "邻县中学"}, False),
        ({"stage": Stage.SPECIAL}, False),
    ],
    ids=[
        "present",
        "registered only",
        "neither",
        "left again",
        "in primary school again",
        "outside",
        "special school",
    ],
)
def test_primary_leaver_is_found_where_he_is_enrolled(facts, flagged):
    EnrolmentFactory(student=graduate().student, entered_in=2026, **facts)

    assert bool(found("R27", on=LATE)) is flagged


@pytest.mark.parametrize(("until", "flagged"), [(LATE, False), (DUE, True)], ids=["in force", "expired"])
def test_primary_leaver_with_evidence_of_whereabouts(until, flagged):
    WhereaboutsFactory(student=graduate().student, valid_to=until)

    assert bool(found("R27", on=LATE)) is flagged


@pytest.mark.parametrize(
    ("born", "later", "flagged"),
    [
        (date(2013, 5, 1), None, True),
        (date(2013, 5, 1), {"ended_on": date(2026, 6, 1)}, False),
        (date(2010, 8, 19), None, False),
    ],
    ids=["never seen again", "was in junior school", "over sixteen"],
)
def test_leaver_of_an_earlier_year_stays_missing_before_the_date_too(born, later, flagged):
    child = graduate(student=StudentFactory(born=born), ended_on=date(2025, 7, 10))
    if later:
        EnrolmentFactory(student=child.student, stage=Stage.JUNIOR, entered_in=2025, **later)

    assert bool(found("R27", on=date(2026, 9, 2))) is flagged


@pytest.mark.parametrize(
    ("facts", "flagged"),
    [
        ({"ended_on": date(2026, 5, 1)}, True),
        ({"ended_on": date(2026, 4, 30), "entered_in": 2008, "student__born": date(2002, 5, 1)}, False),
        ({"exit_kind": "转出"}, False),
        ({"stage": Stage.SENIOR_GENERAL}, False),
    ],
    ids=["of this summer", "of the year before", "transferred", "of another stage"],
)
def test_only_this_years_primary_leavers_are_asked_for(facts, flagged):
    graduate(**facts)

    assert bool(found("R27", on=LATE)) is flagged


# R28


@pytest.mark.parametrize(
    ("born", "flagged"),
    [
        (date(2020, 8, 31), True),
        (date(2020, 9, 1), False),
        (date(2019, 9, 1), True),
        (date(2019, 8, 31), False),
    ],
    ids=["six on 31 August", "six on 1 September", "the oldest of the year", "of the year before: R01"],
)
def test_six_year_old_of_the_police_list_in_no_grade_one(born, flagged):
    EntryFactory(on="population", student=StudentFactory(born=born), birth_on=born)

    assert bool(found("R28", on=LATE)) is flagged


@pytest.mark.parametrize(("day", "flagged"), [(DUE, False), (LATE, True)])
def test_six_year_old_has_time_to_the_date(day, flagged):
    child = StudentFactory(born=date(2020, 5, 1))
    EntryFactory(on="population", student=child, birth_on=date(2020, 5, 1))

    assert bool(found("R28", on=day)) is flagged


@pytest.mark.parametrize(
    ("stage", "flagged"),
    [(Stage.PRIMARY, False), (Stage.PRESCHOOL, True), (Stage.SPECIAL, False), ("", False)],
)
def test_six_year_old_is_where_he_is_enrolled(stage, flagged):
    child = StudentFactory(born=date(2020, 5, 1))
    EntryFactory(on="population", student=child, birth_on=date(2020, 5, 1))
    EnrolmentFactory(student=child, stage=stage, entered_in=2026)

    rows = found("R28", on=LATE)

    assert [row[2] for row in rows] == ([child.pk] if flagged else [])


def test_deferred_six_year_old_is_explained_while_the_deferral_lasts():
    child = StudentFactory(born=date(2020, 5, 1))
    EntryFactory(on="population", student=child, birth_on=date(2020, 5, 1))
    WhereaboutsFactory(student=child, kind=Whereabouts.Kind.DEFERRED, valid_to=LATE)

    assert not found("R28", on=LATE) and found("R28", on=LATE + timedelta(days=1))


@pytest.mark.parametrize(
    ("born", "flagged"),
    [(date(2019, 5, 1), True), (date(2020, 8, 31), True), (date(2020, 9, 1), False)],
    ids=["seven", "six on 31 August", "five"],
)
def test_child_past_six_who_is_still_in_a_kindergarten(born, flagged):
    child = StudentFactory(born=born)
    stay = EnrolmentFactory(student=child, stage=Stage.PRESCHOOL, entered_in=2023)

    rows = found("R28", on=LATE)

    assert [(row[2], row[6]) for row in rows] == ([(child.pk, stay.school_id)] if flagged else [])


def test_child_who_left_the_kindergarten_for_nowhere():
    child = StudentFactory(born=date(2020, 5, 1))
    graduate(Stage.PRESCHOOL, student=child, entered_in=2023)

    assert [row[2] for row in found("R28", on=LATE)] == [child.pk]


def test_school_of_the_area_is_asked_with_the_township(world):
    child = StudentFactory(born=date(2020, 5, 1))
    Student.objects.filter(pk=child.pk).update(hukou_village=world.village)
    EntryFactory(on="population", student=child, birth_on=date(2020, 5, 1))
    area = {"county": world.county, "village": world.village, "stage": Stage.PRIMARY}
    Catchment.objects.create(**area, school=world.other_school, valid_from=date(2020, 9, 1), valid_to=DUE)
    Catchment.objects.create(**area, school=world.school, valid_from=LATE)

    assert [row[6] for row in found("R28", on=LATE)] == [world.school.pk]


# R29


@pytest.mark.parametrize(("day", "flagged"), [(date(2026, 10, 31), False), (NOVEMBER, True)])
def test_junior_leaver_without_destination_by_the_date(day, flagged):
    graduate(Stage.JUNIOR, entered_in=2023)

    assert bool(found("R29", on=day)) is flagged


@pytest.mark.parametrize("known", ["recorded", "senior", "evidence", "nothing"])
def test_junior_leaver_whose_destination_is_known(known, term):
    child = graduate(Stage.JUNIOR, entered_in=2023)
    leaver = Leaver.objects.create(county=child.county, enrolment=child, school_year=term.school_year)
    if known == "recorded":
        Leaver.objects.filter(pk=leaver.pk).update(destination=Leaver.Destination.WORK)
    elif known == "senior":
        EnrolmentFactory(student=child.student, stage=Stage.VOCATIONAL, entered_in=2026)
    elif known == "evidence":
        WhereaboutsFactory(student=child.student)

    assert bool(found("R29", on=NOVEMBER)) is (known == "nothing")


@pytest.mark.parametrize(
    ("rule", "evidence", "words"),
    [
        ("R27", "finished primary school 2026-07-10", "2026年7月10日小学毕业后没有初中的就读记录"),
        ("R28", "not in grade one", "没有一年级的就读记录"),
        ("R29", "finished junior school 2026-07-10", "2026年7月10日初中毕业后没有登记去向"),
    ],
)
def test_evidence_is_told_in_words(rule, evidence, words):
    assert evidence_in_words(Discrepancy(rule=rule, evidence=evidence)) == words


# A child who has just graduated is no dropout.


@pytest.mark.parametrize(
    ("stage", "born", "day", "flagged"),
    [
        (Stage.PRIMARY, date(2014, 5, 1), DUE, False),
        (Stage.PRIMARY, date(2014, 5, 1), LATE, True),
        (Stage.JUNIOR, date(2011, 5, 1), date(2026, 10, 31), False),
        (Stage.JUNIOR, date(2011, 5, 1), NOVEMBER, True),
    ],
)
def test_leaver_is_not_out_of_school_before_the_date_by_which_he_reports(term, stage, born, day, flagged):
    SnapshotFactory(name="population")
    child = StudentFactory(born=born)
    EntryFactory(on="population", student=child, birth_on=born)
    by = AccountFactory(role=Role.BASIC_EDUCATION_OFFICER)
    EnrolmentFactory(student=child, stage=stage, entered_in=2020 if stage == Stage.PRIMARY else 2023)
    promotion = promoting.start_promotion(school_year=term.school_year, school=None, by=by)
    promoting.apply_promotion(promotion=promoting.stage_promotion(promotion=promotion), by=by)

    assert YearPlan.objects.exists()
    assert bool(found("R01", on=day)) is flagged
    assert Student.objects.enrolled_nowhere().of_unknown_whereabouts(day).exists() is flagged

"""The rules themselves: who is an offender on the day, on both sides of every boundary."""

from datetime import date, timedelta

import pytest

from students.models import Category
from students.rules import RULES, Matter, school_age_births
from tests.factories import CountyFactory, SchoolFactory, TermFactory, TownshipFactory
from tests.students.factories import (
    EnrolmentFactory,
    EntryFactory,
    HardshipFactory,
    SnapshotFactory,
    StudentFactory,
    WhereaboutsFactory,
)

DAY = date(2026, 10, 12)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
A_YEAR_AGO = date(2025, 10, 1)

pytestmark = pytest.mark.django_db


def found(rule: str, *, on: date = DAY) -> list[tuple]:
    """(subject kind, student, category) of every offender, as the engine is given them."""
    term = TermFactory()
    rows = [row for query in RULES[rule].offenders(Matter(term.county, term, on)) for row in query]
    return [(kind, student, category) for kind, _, student, _, category, *_ in rows]


def flagged(rule: str, *, on: date = DAY) -> bool:
    return bool(found(rule, on=on))


# School age, the same for R01 and R08.


@pytest.mark.parametrize("rule", ["R01", "R08"])
@pytest.mark.parametrize(
    ("born", "of_age"),
    [
        (date(2020, 8, 31), True),
        (date(2020, 9, 1), False),
        (date(2010, 10, 13), True),
        (date(2010, 10, 12), False),
    ],
    ids=["six on 31 August", "six on 1 September", "sixteen tomorrow", "sixteenth birthday"],
)
def test_only_children_of_school_age_are_looked_for(rule, born, of_age):
    EntryFactory(on={"R01": "population", "R08": "poverty"}[rule], student=StudentFactory(born=born))

    assert flagged(rule) is of_age


@pytest.mark.parametrize(
    ("as_of", "youngest_out"),
    [
        (date(2026, 3, 1), date(2010, 3, 1)),
        (date(2027, 2, 28), date(2011, 2, 28)),
        (date(2028, 2, 28), date(2012, 2, 28)),
        (date(2028, 2, 29), date(2012, 2, 29)),
    ],
    ids=["1 March", "28 February", "28 February of a leap year", "leap day"],
)
def test_whoever_turns_sixteen_today_is_out_and_whoever_does_tomorrow_is_in(as_of, youngest_out):
    first, _ = school_age_births(CountyFactory.build(), school_year=2026, as_of=as_of)

    assert first == youngest_out + timedelta(days=1)


def test_leap_day_without_a_counterpart_counts_as_the_28th():
    county = CountyFactory.build(age_under=15)

    first, _ = school_age_births(county, school_year=2027, as_of=date(2028, 2, 29))

    assert first == date(2013, 3, 1)


def test_ages_are_the_county_s_own():
    county = CountyFactory.build(age_from=7, age_under=15)

    assert school_age_births(county, school_year=2026, as_of=DAY) == (date(2011, 10, 13), date(2019, 8, 31))


@pytest.mark.parametrize(
    ("on_file", "on_the_row", "of_age"),
    [
        (date(2016, 5, 1), date(2009, 5, 1), True),
        (date(2009, 5, 1), date(2016, 5, 1), False),
        (None, date(2016, 5, 1), True),
        (None, None, False),
    ],
    ids=["person's date wins", "person's date wins over a younger row", "the row's when he has none", "no date at all"],
)
def test_age_is_taken_from_the_person_else_from_the_row(on_file, on_the_row, of_age):
    EntryFactory(on="population", student=StudentFactory(born=on_file), birth_on=on_the_row)

    assert flagged("R01") is of_age


# The stay on the list.


@pytest.mark.parametrize(
    ("rule", "register"), [("R01", "population"), ("R08", "poverty"), ("R08", "monitored"), ("R25", "dibao")]
)
@pytest.mark.parametrize(
    ("listed", "counts"),
    [
        ((A_YEAR_AGO, None), True),
        ((A_YEAR_AGO, DAY), True),
        ((A_YEAR_AGO, BEFORE), False),
        ((DAY, None), True),
        ((AFTER, None), False),
    ],
    ids=["still listed", "last day", "the day after it ended", "first day", "not listed yet"],
)
def test_a_stay_counts_from_its_first_to_its_last_day(rule, register, listed, counts):
    EntryFactory(on=register, listed=listed, student=StudentFactory())

    assert flagged(rule) is counts


@pytest.mark.parametrize("register", ["dibao", "tekun", "disability", "xueji", "deaths", "student_pool"])
def test_r01_looks_at_the_police_list_and_r08_at_poverty_lists_only(register):
    EntryFactory(on=register, student=StudentFactory())

    assert not flagged("R01")
    assert not flagged("R08")


def test_another_county_s_list_is_not_ours():
    far = CountyFactory(code="990102", name="邻县")
    EntryFactory(county=far, on="population", student=StudentFactory(county=far))
    EntryFactory(county=far, on="poverty", student=StudentFactory(county=far))

    assert [found(rule) for rule in RULES] == [[]] * len(RULES)


# Nowhere: no open enrolment, no whereabouts in force.


@pytest.mark.parametrize(("rule", "register"), [("R01", "population"), ("R08", "monitored")])
@pytest.mark.parametrize(
    ("enrolment", "nowhere"),
    [
        ({}, False),
        ({"is_registered": False}, False),
        ({"is_present": False}, False),
        ({"is_registered": False, "is_present": False}, True),
        ({"ended_on": date(2026, 9, 1)}, True),
        ({"school": None, "outside_school": "邻县一中", "is_present": False}, False),
    ],
    ids=["registered and present", "present only", "registered only", "neither", "ended", "at an outside school"],
)
def test_a_child_with_any_open_enrolment_is_somewhere(rule, register, enrolment, nowhere):
    student = StudentFactory()
    EnrolmentFactory(student=student, **enrolment)
    EntryFactory(on=register, student=student)

    assert flagged(rule) is nowhere


@pytest.mark.parametrize(("rule", "register"), [("R01", "population"), ("R08", "poverty")])
@pytest.mark.parametrize(
    ("evidence", "nowhere"),
    [
        ({"valid_to": None}, False),
        ({"valid_to": DAY}, False),
        ({"valid_to": BEFORE}, True),
        ({"valid_from": DAY}, False),
        ({"valid_from": AFTER}, True),
        ({"withdrawn_at": "2026-10-01T08:00:00+08:00"}, True),
    ],
    ids=["without an end", "expires today", "expired yesterday", "from today", "from tomorrow", "withdrawn"],
)
def test_evidence_of_whereabouts_holds_through_its_last_day(rule, register, evidence, nowhere):
    student = StudentFactory()
    WhereaboutsFactory(student=student, **evidence)
    EntryFactory(on=register, student=student)

    assert flagged(rule) is nowhere


def test_a_child_listed_twice_is_one_offender():
    student = StudentFactory()
    for register in ("population", "population", "poverty", "monitored"):
        EntryFactory(on=register, student=student)

    assert found("R01") == [("student", student.pk, "")]
    assert found("R08") == [("student", student.pk, "")]


def test_a_poor_child_enrolled_nowhere_opens_both_rules():
    student = StudentFactory()
    EntryFactory(on="population", student=student)
    EntryFactory(on="poverty", student=student)

    assert (flagged("R01"), flagged("R08")) == (True, True)


# Rows nobody was found for.


@pytest.mark.parametrize("state", ["unlinked", "proposed"])
def test_a_row_without_a_confirmed_person_is_not_found_for_r08_and_nobody_for_the_others(state):
    for register in ("population", "poverty", "dibao"):
        EntryFactory(on=register, link_state=state)

    assert found("R08") == [("listed", None, "")]
    assert not any(map(flagged, ("R01", "R25", "R26")))


def test_one_unfound_child_on_two_lists_is_one_offender():
    for register in ("poverty", "monitored"):
        EntryFactory(on=register, recognised_by=b"the same number".ljust(32))
    EntryFactory(on="poverty", recognised_by=b"another number".ljust(32))

    assert len(found("R08")) == 2


# R25: listed, not recorded.


@pytest.mark.parametrize(
    ("recorded", "missing"),
    [
        ({}, False),
        ({"valid_to": DAY}, False),
        ({"valid_to": BEFORE}, True),
        ({"valid_from": DAY}, False),
        ({"valid_from": AFTER}, True),
        ({"category": Category.LIFTED_POOR}, True),
    ],
    ids=["in force", "ends today", "ended yesterday", "begins today", "begins tomorrow", "of another category"],
)
def test_r25_wants_a_hardship_of_the_list_s_category_in_force(recorded, missing):
    student = StudentFactory()
    HardshipFactory(student=student, **{"category": Category.DIBAO} | recorded)
    EntryFactory(on="dibao", student=student)

    assert flagged("R25") is missing


def test_r25_asks_once_per_student_and_category():
    student, other = StudentFactory(), StudentFactory()
    for register in ("poverty", "student_pool"):
        EntryFactory(on=register, category=Category.LIFTED_POOR, student=student)
    EntryFactory(on="dibao", student=student)
    EntryFactory(on="dibao", student=other)

    assert sorted(found("R25"), key=str) == sorted(
        [
            ("student_category", student.pk, Category.LIFTED_POOR),
            ("student_category", student.pk, Category.DIBAO),
            ("student_category", other.pk, Category.DIBAO),
        ],
        key=str,
    )


def test_r25_is_silent_where_the_row_names_another_county():
    EntryFactory(on="poverty", student=StudentFactory(), foreign=True)

    assert not flagged("R25")


def test_r25_speaks_for_a_child_of_another_county_who_stands_on_our_list():
    EntryFactory(on="poverty", student=StudentFactory(hukou_outside=True))

    assert flagged("R25")


def test_r25_is_about_students_only():
    person = StudentFactory().person
    person.student.delete()
    EntryFactory(on="dibao", person=person)

    assert not flagged("R25")


# R26: recorded, no longer listed.


def recorded(*, listed=(date(2026, 3, 1), BEFORE), on="dibao", **facts):
    """A hardship that came from a stay on a list."""
    student = facts.pop("student", None) or StudentFactory()
    entry = EntryFactory(on=on, student=student, listed=listed, **facts.pop("entry", {}))
    return HardshipFactory(student=student, category=entry.category, register=entry.register, entry=entry, **facts)


@pytest.mark.parametrize(
    ("listed_to", "left"), [(None, False), (DAY, False), (BEFORE, True)], ids=["still listed", "last day", "the day after"]
)
def test_r26_speaks_from_the_day_after_the_stay_ended(listed_to, left):
    SnapshotFactory(name="dibao", as_of=DAY)
    recorded(listed=(date(2026, 3, 1), listed_to))

    assert flagged("R26") is left


@pytest.mark.parametrize(
    ("valid_to", "in_force"), [(None, True), (DAY, True), (BEFORE, False)], ids=["no end", "last day", "ended yesterday"]
)
def test_r26_is_about_hardships_in_force(valid_to, in_force):
    SnapshotFactory(name="dibao", as_of=DAY)
    recorded(valid_to=valid_to)

    assert flagged("R26") is in_force


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        ({"as_of": DAY}, True),
        ({"as_of": AFTER}, False),
        ({"state": "reading"}, False),
        ({"state": "refused"}, False),
        ({"name": "poverty"}, False),
    ],
    ids=["of the day", "of tomorrow", "still being read", "refused", "of another register"],
)
def test_r26_needs_a_closed_list_of_that_register_by_the_day(snapshot, said):
    SnapshotFactory(**{"name": "dibao", "as_of": DAY} | snapshot)
    recorded()

    assert flagged("R26") is said


def test_r26_hears_a_township_s_list_for_its_own_people_only():
    ours, theirs = TownshipFactory(), TownshipFactory()
    SnapshotFactory(name="dibao", township=ours)
    mine = recorded(scope_township=ours)
    recorded(scope_township=theirs)
    recorded(scope_township=None)

    assert found("R26") == [("student_category", mine.student_id, Category.DIBAO)]


def test_r26_never_speaks_of_children_registered_in_another_county():
    SnapshotFactory(name="dibao")
    recorded(student=StudentFactory(hukou_outside=True))

    assert not flagged("R26")


def test_r26_leaves_alone_what_the_bureau_recorded_itself():
    SnapshotFactory(name="dibao")
    HardshipFactory(category=Category.DIBAO, register=None)

    assert not flagged("R26")


def test_r26_is_silent_while_another_list_shows_the_same_category():
    SnapshotFactory(name="poverty")
    hardship = recorded(on="poverty")
    EntryFactory(on="student_pool", category=Category.LIFTED_POOR, student=hardship.student)

    assert not flagged("R26")


def test_r26_speaks_when_the_stay_is_there_but_no_longer_his():
    """The row's number changed, so the link was dissolved: no *linked* stay covers the day."""
    SnapshotFactory(name="dibao")
    hardship = recorded(listed=(date(2026, 3, 1), None))
    hardship.entry.person = None
    hardship.entry.save()

    assert flagged("R26")


def test_r26_a_child_who_moved_to_another_category_left_the_old_one():
    SnapshotFactory(name="poverty")
    hardship = recorded(on="poverty")
    EntryFactory(on="poverty", category=Category.MARGINAL_RISK, student=hardship.student, listed=(DAY, None))

    assert found("R26") == [("student_category", hardship.student_id, Category.LIFTED_POOR)]
    assert found("R25") == [("student_category", hardship.student_id, Category.MARGINAL_RISK)]


# The two ways to say the same thing stay the same.


def test_the_student_list_and_r01_mean_the_same_by_nowhere():
    from students.models import Student

    lost, enrolled, explained = StudentFactory(), StudentFactory(at=SchoolFactory()), StudentFactory()
    WhereaboutsFactory(student=explained)
    for student in (lost, enrolled, explained):
        EntryFactory(on="population", student=student)

    listed = Student.objects.enrolled_nowhere().of_unknown_whereabouts(DAY)

    assert [student for _, student, _ in found("R01")] == [student.pk for student in listed] == [lost.pk]

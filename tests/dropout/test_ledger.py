"""适龄儿童台账: one category per child, in the published order, and parts that sum to the whole."""

from datetime import date

import pytest

from bureau.organisation.models import Stage
from dropout import ledger, rates
from dropout.actions import exempting
from dropout.actions.exempting import Approval
from dropout.ledger import CATEGORIES, Asked
from students.models import Student
from tests.dropout.factories import TODAY, Road
from tests.factories import VillageFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, StudentFactory, WhereaboutsFactory


def child(school, **facts) -> Student:
    return StudentFactory(county=school.county, hukou_township=school.township, **facts)


def category_of(student: Student, day: date = TODAY) -> str:
    return ledger.children(Asked(student.county, day)).get(pk=student.pk).category


def categories(county, base="hukou") -> list[str]:
    return sorted(ledger.children(Asked(county, TODAY, base)).values_list("category", flat=True))


@pytest.mark.parametrize(
    ("enrolled", "proved", "category"),
    [
        (None, None, "suspected"),
        ({}, None, "in_county"),
        ({"is_present": False}, None, "in_county"),
        ({"school": None, "outside_school": "邻县小学"}, None, "other_county_in_province"),
        (None, "out_of_province", "out_of_province"),
        ({}, "suspended", "suspended"),
        ({"is_present": False}, "home_teaching", "home_teaching"),
        ({}, "out_of_province", "in_county"),
        ({}, "deceased", "deceased"),
    ],
)
def test_category_follows_the_published_order(term, school, enrolled, proved, category):
    student = child(school)
    if enrolled is not None:
        EnrolmentFactory(student=student, **({"school": school} | enrolled))
    if proved:
        WhereaboutsFactory(student=student, kind=proved)

    assert category_of(student) == category


@pytest.mark.parametrize(("day", "category"), [(date(2026, 10, 31), "out_of_province"), (date(2026, 11, 1), "suspected")])
def test_evidence_holds_until_its_last_day(term, school, day, category):
    student = child(school)
    WhereaboutsFactory(student=student, valid_to=date(2026, 10, 31))

    assert category_of(student, day) == category


@pytest.mark.parametrize(
    ("state", "facts", "category"),
    [("verifying", {}, "suspected"), ("confirmed", {}, "dropped_out"), ("confirmed", {"kind": "not_enrolled"}, "not_enrolled"),
     ("confirmed", {"reason": "missing"}, "missing"), ("returned", {}, "suspected")],
)  # fmt: skip
def test_case_decides_where_no_roll_has_the_child(road, state, facts, category):
    road.report(), road.verify()
    if state != "verifying":
        road.confirm(**facts)
    if state == "returned":
        road.persuade(), road.back()

    assert category_of(road.student) == category


def test_class_roll_is_stronger_than_a_suspicion_and_weaker_than_a_verified_case(road, school):
    road.report()
    EnrolmentFactory(student=road.student, school=school)
    assert category_of(road.student) == "in_county"

    road.verify(), road.confirm()

    assert category_of(road.student) == "dropped_out"
    assert list(type(road.case).objects.seen_at_school()) == [road.case]


def test_exempted_child_is_suspended_in_the_ledger(road):
    road.up_to("verifying")
    approval = Approval("suspended", "张大山", TODAY, "医院证明", "", TODAY, date(2026, 12, 31))
    exempting.exempt(case=road.case, approval=approval, when=road.when, by=road.cadre)

    assert category_of(road.student) == "suspended"


@pytest.mark.parametrize(
    ("born", "counted"),
    [(date(2020, 8, 31), True), (date(2020, 9, 1), False), (date(2010, 10, 13), True), (date(2010, 10, 12), False)],
    ids=["six on 31 August", "six the day after", "sixteen tomorrow", "sixteen today"],
)
def test_only_school_age_is_counted(term, school, born, counted):
    student = child(school, born=born)

    assert ledger.children(Asked(student.county, TODAY)).exists() is counted


def test_two_bases_count_different_children(term, world):
    child(world.school)  # registered here, nowhere at school
    migrant = StudentFactory(hukou_outside=True)
    EnrolmentFactory(student=migrant, school=world.school)

    assert categories(world.county) == ["suspected"]
    assert categories(world.county, "studying") == ["in_county"]


def test_child_at_two_schools_is_counted_once(term, world):
    student = child(world.school)
    EnrolmentFactory(student=student, school=world.school), EnrolmentFactory(student=student, school=world.other_school)

    for base in ("hukou", "studying"):
        assert categories(world.county, base) == ["in_county"]


@pytest.mark.parametrize("base", ["hukou", "studying"])
@pytest.mark.parametrize("stage", ["", Stage.PRIMARY])
def test_parts_sum_to_the_whole_for_every_filter(term, world, base, stage):
    village = VillageFactory(township=world.township)
    for place in (world.school, world.other_school):
        EnrolmentFactory(student=child(place, hukou_village=village if place == world.school else None), school=place)
        child(place)
    rows = ledger.of_stage(ledger.children(Asked(world.county, TODAY, base)), stage)

    for part in ("place_township", "place_school", "hukou_village"):
        table = ledger.counted(rows, part)
        assert sum(sum(counts.values()) for counts in table.values()) == rows.count() > 0
        for category in CATEGORIES:
            told = sum(counts.get(category.code, 0) for counts in table.values())
            assert told == rows.filter(category=category.code).count()


# Rates


def told(account) -> dict[str, tuple[int, int, str]]:
    return {one.rate.code: (one.num, one.den, one.percent) for one in rates.told(account, TODAY)}


def test_both_rates_of_disabled_children_come_out_of_rows(term, school, basic_education_officer):
    """青阳 2023: 122 = 12 special school + 80 inclusive + 24 at home + 4 graduated + 2 deferred."""
    whole = [("here", 92), ("home_teaching", 24), ("graduated_early", 4), ("deferred", 2)]
    for kind, many in whole:
        for _ in range(many):
            student = child(school)
            EntryFactory(on="disability", student=student)
            if kind == "here":
                EnrolmentFactory(student=student, school=school)
            else:
                WhereaboutsFactory(student=student, kind=kind, recorded_by=basic_education_officer)
    child(school)  # on no list

    found = told(basic_education_officer)

    assert found["DR3"] == (120, 122, "98.36%")
    assert found["DR4"] == (120, 120, "100.00%")


def test_suspended_child_stays_in_the_denominator_and_the_dead_in_neither(term, school, basic_education_officer):
    EnrolmentFactory(student=child(school), school=school)
    WhereaboutsFactory(student=child(school), kind="suspended")
    WhereaboutsFactory(student=child(school), kind="deceased")

    assert told(basic_education_officer)["DR1"] == (1, 2, "50.00%")


def test_rate_without_a_denominator_is_not_told(term, school, basic_education_officer):
    assert told(basic_education_officer)["DR2"] == (0, 0, "")


def test_yearly_dropout_counts_a_child_once(road, school, basic_education_officer):
    EnrolmentFactory(student=child(school), school=school)
    road.up_to("confirmed")

    assert rates.yearly_dropout(basic_education_officer, TODAY) == (1, 1)


def test_township_is_told_of_its_own_children_only(term, world, township_officer):
    child(world.school), child(world.other_school)

    assert told(township_officer)["DR1"] == (0, 1, "0.00%")


def test_road_of_another_school_counts_for_its_township(term, world):
    Road(world.other_school).up_to("confirmed")

    [counts] = ledger.counted(ledger.children(Asked(world.county, TODAY)), "place_township").items()
    assert counts == (world.other_township.pk, {"dropped_out": 1})

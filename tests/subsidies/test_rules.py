"""R09 to R12, R14 to R16, R19: aid against lists and schools, and their remedies."""

from datetime import date

import pytest

from bureau.organisation.models import Stage
from students.actions.settling import NotSettled, settle
from students.models import AidLine, Discrepancy, RosterRow
from students.rules import RULES, Matter
from subsidies.actions import granting
from subsidies.models import Grant
from tests.students.factories import EntryFactory, RosterFactory, WhereaboutsFactory
from tests.subsidies.factories import Way, determined, money, pupil

DAY = date(2026, 10, 31)


@pytest.fixture
def way(boarders, term, school) -> Way:
    return Way(boarders, term, school)


def found(rule: str, term) -> list[tuple]:
    """(student, evidence) of what a rule finds."""
    rows = [row for query in RULES[rule].offenders(Matter(term.county, term, DAY)) for row in query]
    return [(row[2], row[5]) for row in rows]


@pytest.mark.parametrize(
    ("on", "category", "rule"),
    [
        ("poverty", "lifted_poor", "R09"),
        ("dibao", "dibao", "R11"),
        ("tekun", "tekun", "R12"),
        ("disability", "disabled", "R14"),
    ],
)
def test_entitled_child_nobody_applied_for_is_missed_by_the_rule_of_his_category(
    way, school, on, category, rule
):
    pupil(school)
    way.up_to("applied")
    late = pupil(school, listed=None)
    EntryFactory(county=school.county, on=on, category=category, student=late)

    for code in ("R09", "R11", "R12", "R14"):
        assert [child for child, _ in found(code, way.term)] == ([late.pk] if code == rule else [])


def test_before_the_first_line_nobody_is_missed(way, school):
    pupil(school)

    assert found("R09", way.term) == []
    way.list()  # listed, and nobody has applied
    assert len(found("R09", way.term)) == 1
    way.take("applied")
    assert found("R09", way.term) == []


def test_family_that_gave_up_is_not_missed(way, school):
    pupil(school), pupil(school)
    way.list()
    granting.turn_away(
        grants=Grant.objects.filter(pk=Grant.objects.first().pk),
        to="waived",
        by=way.by["applied"],
        reason="放弃",
    )

    assert len(found("R09", way.term)) == 1


@pytest.mark.parametrize(
    ("listed_to", "wrong"), [(date(2026, 8, 31), True), (date(2026, 9, 1), False), (date(2026, 9, 2), False)],
    ids=["off before the reference date", "on that day", "off after it: no fault"],
)  # fmt: skip
def test_line_is_wrong_when_no_list_had_the_child_on_the_reference_date(way, school, listed_to, wrong):
    child = pupil(school)
    way.up_to("applied")
    child.person.entries.update(listed_to=listed_to)

    assert bool(found("R10", way.term)) is wrong


def test_child_of_another_county_is_never_wrong(way, school):
    child = pupil(school)
    way.up_to("applied")
    child.person.entries.all().delete()
    type(child).objects.update(hukou_outside=True)

    assert found("R10", way.term) == []


def test_determination_of_the_day_makes_a_line_right(way, school):
    child = pupil(school)
    way.up_to("applied")
    child.person.entries.all().delete()
    assert len(found("R10", way.term)) == 1
    determined(child, way.term)

    assert found("R10", way.term) == []


def test_certificate_of_a_parent_is_found_among_disabled_pupils(way, school):
    child = pupil(school, listed=None)
    stay = EntryFactory(county=school.county, on="disability", category="disabled", student=child)
    way.up_to("applied")
    stay.delete()

    assert [student for student, _ in found("R14", way.term)] == [child.pk]


def test_amount_that_no_longer_fits_says_both_amounts(way, school):
    child = pupil(school)
    way.up_to("applied")
    child.enrolments.update(stage=Stage.JUNIOR)

    assert found("R16", way.term) == [(child.pk, "义务教育寄宿生生活补助：办理 625.00 元／应为 750.00 元")]


def test_yulu_is_claimed_by_who_studies_and_by_nobody_else(catalogue, term, school):
    facts = {"stage": Stage.VOCATIONAL, "entered_in": 2025, "boarding": None}
    way = Way(catalogue["yulu"], term, school)
    claimed = pupil(school, **facts)
    way.up_to("applied")
    missed = pupil(school, **facts)
    WhereaboutsFactory(student=claimed, kind="suspended", valid_from=date(2026, 9, 1))

    assert {child for child, _ in found("R19", term)} == {claimed.pk, missed.pk}
    assert found("R09", term) == []


def test_two_schools_that_name_one_child_for_one_programme_are_told(catalogue, term, world):
    child = pupil(world.school)
    for school, programme in (
        (world.school, "寄宿生补助"),
        (world.other_school, "寄宿生补助"),
        (world.center_school, "营养餐"),
    ):
        roster = RosterFactory(school=school, kind="aid", term=term)
        row = RosterRow.objects.create(
            roster=roster, sheet="", row=2, status="accepted", school=school, person_id=child.pk
        )
        AidLine.objects.create(row=row, programme=programme, amount_fen=62_500)

    assert found("R15", term) == [(child.pk, "寄宿生补助：2 所学校上报")]


# Remedies


def test_missed_child_is_put_on_the_list_and_the_question_closes(way, school, office):
    pupil(school)
    money(way.programme, way.term, 2000)
    way.up_to("finance_approved")
    late = pupil(school)
    office.reconcile("R09", on=DAY)

    told = settle(discrepancies=Discrepancy.objects.filter(rule="R09"), remedy="claim_aid", by=office.by)

    assert told == (1, 0)
    assert Grant.objects.get(student=late).state == "applied"
    assert office.reconcile("R09", on=DAY)["R09"] == {"opened": 0, "open": 0, "resolved": 1}


def test_wrong_line_is_returned_and_the_question_stays_until_it_is_gone(way, school, office):
    child = pupil(school)
    way.up_to("submitted")
    child.person.entries.all().delete()
    office.reconcile("R10", on=DAY)

    settle(
        discrepancies=Discrepancy.objects.filter(rule="R10"),
        remedy="return_aid",
        by=office.by,
        reason="不在名单",
    )

    assert Grant.objects.get().state == "returned"
    granting.turn_away(
        grants=Grant.objects.all(), to="rejected", by=way.by["school_reviewed"], reason="不在名单"
    )
    assert office.reconcile("R10", on=DAY)["R10"]["open"] == 0


def test_return_of_a_line_that_is_not_ones_to_return_is_refused(way, school, office):
    child = pupil(school)
    money(way.programme, way.term, 2000)
    way.up_to("finance_approved")
    child.person.entries.all().delete()
    office.reconcile("R10", on=DAY)

    with pytest.raises(NotSettled):
        settle(
            discrepancies=Discrepancy.objects.filter(rule="R10"),
            remedy="return_aid",
            by=office.by,
            reason="不在名单",
        )
    assert Grant.objects.get().state == "finance_approved"

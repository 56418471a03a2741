"""Who is entitled, how much and why; and why not."""

from datetime import date

import pytest

from bureau.organisation.models import Stage
from subsidies.entitlement import Entitlement
from subsidies.models import Refusal
from tests.commands import run
from tests.factories import TermFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, StudentFactory, WhereaboutsFactory
from tests.subsidies.factories import determined, pupil

FIRST, LAST = date(2026, 9, 1), date(2027, 1, 22)  # of the term


def judged(programme, term):
    """What the command tells, reasons as a dict."""
    told = Entitlement.of(programme, term).summary()
    return told["entitled"], told["amount_fen"], {row["reason"]: row["count"] for row in told["not"]}


def test_listed_boarder_gets_the_rate_of_the_term(boarders, term, school):
    pupil(school)

    assert judged(boarders, term) == (1, 62_500, {})


@pytest.mark.parametrize(
    ("listed", "entitled"),
    [
        ((date(2026, 3, 1), date(2026, 8, 31)), False),
        ((date(2026, 3, 1), FIRST), True),
        ((LAST, None), True),
        ((date(2027, 1, 23), None), False),
    ],
    ids=[
        "off the list the day before term",
        "off on the first day",
        "identified on the last day",
        "identified after it",
    ],
)
def test_list_stay_is_judged_on_the_days_of_the_entitled_term(boarders, term, school, listed, entitled):
    pupil(school, listed=listed)

    assert judged(boarders, term)[0] == entitled


def test_programme_judged_on_one_day_does_not_take_who_comes_later(boarders, term, school):
    pupil(school, listed=(date(2026, 9, 2), None))
    boarders.reference = "on_day"

    assert judged(boarders, term) == (0, 0, {"not_listed": 1})
    boarders.reference_days = 1
    assert judged(boarders, term)[0] == 1


def test_what_the_bureau_has_not_recorded_hides_nobody(boarders, term, school):
    child = pupil(school)

    assert not child.hardships.exists() and judged(boarders, term)[0] == 1


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"boarding": False}, "not_boarder"),
        ({"boarding": None}, "boarding_unknown"),
        ({"listed": None}, "not_listed"),
        ({"state": "休学"}, "suspended"),
        ({"is_present": False, "is_registered": False}, "left"),
    ],
)
def test_child_who_is_not_entitled_is_counted_under_the_first_reason(boarders, term, school, facts, reason):
    pupil(school, **facts)

    assert judged(boarders, term) == (0, 0, {reason: 1})


def test_child_of_another_county_cannot_be_checked(boarders, term, school):
    child = pupil(school, listed=None)
    type(child).objects.update(hukou_outside=True)

    assert judged(boarders, term) == (0, 0, {"cannot_check": 1})


def test_dead_suspended_and_numberless_children_are_told_apart(boarders, term, school):
    dead, suspended, numberless, refused = (pupil(school) for _ in range(4))
    WhereaboutsFactory(student=dead, kind="deceased", valid_from=date(2026, 10, 1))
    WhereaboutsFactory(student=suspended, kind="suspended", valid_from=FIRST)
    type(numberless).objects.filter(pk=numberless.pk).update(number_due_on=date(2026, 12, 1))
    Refusal.objects.create(
        county=school.county, student=refused, programme=boarders, term=term, reason="家庭自愿", signed_on=FIRST,
        recorded_by=WhereaboutsFactory(student=refused, kind="abroad").recorded_by,
    )  # fmt: skip

    assert judged(boarders, term) == (
        0,
        0,
        {"deceased": 1, "suspended": 1, "number_pending": 1, "refused": 1},
    )


def test_death_is_known_from_the_list_of_deaths_too(boarders, term, school):
    EntryFactory(
        county=school.county,
        on="deaths",
        student=pupil(school),
        listed=(date(2026, 9, 20), None),
        category="",
    )

    assert judged(boarders, term)[2] == {"deceased": 1}


@pytest.mark.parametrize(
    ("ended_on", "entitled"),
    [(FIRST, 0), (date(2026, 9, 2), 1)],
    ids=["gone on the first day", "the day after"],
)
def test_who_leaves_during_the_term_still_gets_it(boarders, term, school, ended_on, entitled):
    pupil(school, ended_on=ended_on, is_present=False, is_registered=False)

    assert judged(boarders, term)[0] == entitled


def test_child_at_two_schools_is_counted_once_where_he_was_on_the_day(boarders, term, world):
    child = pupil(world.school, ended_on=date(2026, 10, 8), is_present=False, is_registered=False)
    EnrolmentFactory(student=child, school=world.other_school, boarding=True, started_on=date(2026, 10, 9))

    [stay] = Entitlement.of(boarders, term).entitled()
    assert stay.school == world.school


def test_own_evidence_counts_once_it_is_confirmed(boarders, term, school):
    child = pupil(school, listed=None)
    found = determined(child, term, state="reviewed")
    assert judged(boarders, term)[0] == 0

    found.state = "confirmed"
    found.save()

    assert judged(boarders, term)[0] == 1


def test_tier_is_that_of_the_determination_else_of_the_list(catalogue, term, school):
    poor, dibao, raised = (
        pupil(school, on=on, boarding=None, stage=Stage.SENIOR_GENERAL, entered_in=2026)
        for on in ("poverty", "dibao", "dibao")
    )
    determined(raised, term, tier="hard", category="dibao")

    rows = Entitlement.of(catalogue["senior_grant"], term).explained()

    told = {row.student_id: (row.tier, row.amount_fen) for row in rows}
    assert told == {
        poor.pk: ("special", 172_500),
        dibao.pk: ("general", 57_500),
        raised.pk: ("hard", 115_000),
    }


def test_years_of_study_bound_the_vocational_grant(catalogue, term, school):
    pupil(school, stage=Stage.VOCATIONAL, entered_in=2025)
    pupil(school, stage=Stage.VOCATIONAL, entered_in=2024)

    assert judged(catalogue["voc_grant"], term) == (1, 115_000, {"not_this_year": 1})


def test_yulu_is_counted_by_hukou_wherever_the_school_is(catalogue, term, world):
    away = StudentFactory(county=world.county, hukou_township=world.township)
    EnrolmentFactory(
        student=away, school=None, outside_school="省城职校", stage=Stage.VOCATIONAL, entered_in=2025
    )
    EntryFactory(county=world.county, student=away)
    guest = pupil(world.school, stage=Stage.VOCATIONAL, entered_in=2025)
    type(guest).objects.filter(pk=guest.pk).update(hukou_outside=True)

    [stay] = Entitlement.of(catalogue["yulu"], term).entitled()
    assert (stay.student, stay.amount_fen) == (away, 150_000)


@pytest.mark.parametrize(
    ("code", "spring", "amount_fen"),
    [
        ("2016-spring", date(2016, 3, 1), 50_000),
        ("2023-autumn", date(2023, 9, 1), 50_000),
        ("2024-spring", date(2024, 3, 1), 62_500),
    ],
)
def test_past_terms_are_computed_with_the_rate_of_their_day(boarders, school, code, spring, amount_fen):
    year = int(code[:4]) - code.endswith("spring")
    term = TermFactory(
        county=school.county, code=code, starts_on=spring, ends_on=date(spring.year, 12, 31),
        school_year=school.county.school_years.get_or_create(starts_in=year)[0],
    )  # fmt: skip
    pupil(school, listed=(date(2015, 1, 1), None), on="dibao", started_on=date(2015, 9, 1))

    assert judged(boarders, term)[:2] == (1, amount_fen)


def test_explanation_names_the_list_and_the_day(boarders, term, school):
    child = pupil(school, listed=(date(2026, 10, 5), None), on="dibao")
    EntryFactory(county=school.county, on="monitored", student=child, listed=(date(2026, 11, 1), None))

    [row] = Entitlement.of(boarders, term).explained()

    assert (row.why, row.judged_on) == ("marginal_risk", date(2026, 11, 1))


def test_command_prints_exactly_the_contract(boarders, term, school):
    pupil(school)
    pupil(school, listed=None)

    outcome = run("entitlements", "--programme", "living_boarder", "--term", term.code)

    assert outcome.status == 0
    assert outcome.result == {
        "entitled": 1,
        "amount_fen": 62_500,
        "not": [{"reason": "not_listed", "count": 1}],
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--programme", "nothing", "--term", "2026-autumn"), "unknown_programme"),
        (("--programme", "yulu", "--term", "1999-autumn"), "unknown_term"),
    ],
)
def test_command_refuses_what_is_not_there(catalogue, term, arguments, code):
    outcome = run("entitlements", *arguments)

    assert (outcome.status, outcome.result["error"]["code"]) == (2, code)


def test_programme_without_a_rate_says_so(catalogue, term, school):
    pupil(school)

    assert judged(catalogue["two_waivers"], term) == (0, 0, {"no_rate": 1})

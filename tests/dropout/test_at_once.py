"""Several people at the same moment: one case per child, numbers without gaps, each step taken once (PostgreSQL)."""

import pytest

from bureau.states import Transition
from dropout.actions import exempting, opening
from dropout.actions.steps import NotDone
from dropout.models import Case, ReturnOrder, Signal
from students.models import Discrepancy
from tests.dropout.factories import TODAY, Road
from tests.dropout.test_handling import approval
from tests.dropout.test_opening import AFTER, OPENED, question  # noqa: F401
from tests.students.test_at_once import together

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_night_report_and_remedy_open_one_case(road, county, question):  # noqa: F811
    child, by = question.student, road.clerk
    found = opening.of_questions(Discrepancy.objects.all())

    outcomes = together(
        lambda: opening.gather(county=county, today=AFTER),
        lambda: opening.gather(county=county, today=AFTER),
        lambda: opening.open_cases(county=county, found=found, by=by, today=AFTER),
        lambda: opening.report(student=child, detail="没到校", reason="", on=AFTER, today=AFTER, by=by),
    )

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert Case.objects.count() == 1 and Signal.objects.count() == 2 and question.opened_on == OPENED


def test_twenty_issuers_use_numbers_without_gaps(road, school):
    roads = [Road(school).up_to("persuading") for _ in range(20)]
    for one in roads:
        one.visit(), one.visit(content="再次")

    outcomes = together(*[one.order for one in roads])

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert sorted(ReturnOrder.objects.values_list("number", flat=True)) == list(range(1, 21))


def test_one_case_confirmed_by_four_is_confirmed_once(road):
    road.up_to("verifying")

    outcomes = together(*[road.confirm] * 4)

    assert [type(one) for one in outcomes if one] == [NotDone] * 3
    assert Transition.objects.filter(to_state="confirmed").count() == 1


def test_ended_exemption_opens_again_once(road, county):
    road.up_to("verifying")
    exempting.exempt(case=road.case, approval=approval(valid_to=TODAY), when=road.when, by=road.officer)

    outcomes = together(*[lambda: exempting.close_ended(county=county, today=road.later(60).today)] * 3)

    assert sorted(outcomes) == [(0, 0), (0, 0), (1, 0)]
    assert Transition.objects.filter(from_state="exempt").count() == 1

"""Two at the same moment: a year turns once, a child reports once, and an undone promotion has nobody reported (PostgreSQL)."""

from datetime import date

import pytest

from bureau.organisation.models import Stage
from students.actions import handing_over, promoting
from students.models import Enrolment, Leaver, Promotion
from tests.factories import SchoolFactory
from tests.students.factories import EnrolmentFactory
from tests.students.test_at_once import done, together
from tests.students.test_promoting import promoted, staged

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = 3


@pytest.fixture
def junior(world):
    return [SchoolFactory(township=world.township, stages=[Stage.JUNIOR.value]) for _ in range(2)]


def test_promotion_confirmed_by_four_is_applied_once(home, school, term, basic_education_officer):
    EnrolmentFactory(school=school, entered_in=2020)
    promotion = staged(term.school_year, basic_education_officer)

    outcomes = together(
        *[lambda: promoting.apply_promotion(promotion=promotion, by=basic_education_officer)] * 4
    )

    assert {found.state for found in outcomes} == {"applied"}
    assert done("students.promoted") == 1 and Leaver.objects.count() == 1


def test_preview_asked_for_by_four_is_one(home, school, term, basic_education_officer):
    given = {"school_year": term.school_year, "school": None, "by": basic_education_officer}

    outcomes = together(*[lambda: promoting.start_promotion(**given)] * 4)

    assert len({found.pk for found in outcomes}) == 1 and Promotion.objects.count() == 1


def test_child_two_schools_tick_at_once_reports_at_one(home, world, term, junior, basic_education_officer):
    for _ in range(ROUNDS):
        EnrolmentFactory(school=world.school, entered_in=2020)
    promoted(term.school_year, basic_education_officer)

    for leaver in Leaver.objects.all():
        given = {
            "leavers": Leaver.objects.filter(pk=leaver.pk),
            "on": date(2026, 9, 1),
            "by": basic_education_officer,
        }
        together(
            *[
                lambda school=school, given=given: handing_over.report_in(school=school, **given)
                for school in junior
            ]
        )

    assert Enrolment.objects.filter(school__in=junior).count() == ROUNDS


def test_promotion_is_not_undone_under_a_child_who_reports(
    home, world, term, junior, basic_education_officer
):
    for _ in range(ROUNDS):
        EnrolmentFactory(school=world.school, entered_in=2020)
        promotion = promoted(term.school_year, basic_education_officer)
        leavers = Leaver.objects.filter(promotion=promotion)
        together(
            lambda promotion=promotion: promoting.undo_promotion(
                promotion=promotion, by=basic_education_officer, reason="误操作"
            ),
            lambda leavers=leavers: handing_over.report_in(
                leavers=leavers, school=junior[0], on=date(2026, 9, 1), by=basic_education_officer
            ),
        )
        promotion.refresh_from_db()
        reported = Enrolment.objects.filter(school=junior[0]).exists()
        assert (promotion.state == "undone") is not reported
        Enrolment.objects.all().delete()

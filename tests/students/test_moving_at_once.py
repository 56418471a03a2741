"""Two clerks, the same moment: a move, a school's change, a term, a handover are done once (PostgreSQL)."""

from datetime import date

import pytest
from django.utils import timezone

from bureau.access.models import Account, Assignment
from bureau.audit import AuditEvent
from bureau.organisation import changing
from bureau.states import IllegalMove
from bureau.year import actions, handing_over
from bureau.year.handing_over import NotHandedOver
from bureau.year.models import FrozenFigure, TermClosing
from students.actions import grouping, transfers
from students.actions.absences import Explanation
from students.actions.transfers import NotMoved
from students.models import Enrolment, GroupFact, Movement
from tests.students.factories import EnrolmentFactory, StudentFactory
from tests.students.test_at_once import together

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
TODAY, LEFT = date(2026, 10, 12), date(2026, 9, 20)


def done(verb: str) -> int:
    return AuditEvent.objects.filter(verb=verb).count()


def stay_of(world, place) -> Enrolment:
    return EnrolmentFactory(school=place, student=StudentFactory(county=world.county))


def test_two_announce_and_two_claim_one_child(world, aid_officer):
    stay = stay_of(world, world.school)
    said = Explanation("in_county", LEFT, to_school=world.other_school)

    found = together(
        *[lambda: transfers.announce(enrolment=stay, change=said, today=TODAY, by=aid_officer)] * 3
    )
    assert [type(one) for one in found if not isinstance(one, Movement)] == [NotMoved, NotMoved]

    movement = Movement.objects.get()
    given = {"arrived_on": LEFT, "class_name": "1班", "today": TODAY, "by": aid_officer}
    found = together(*[lambda: transfers.claim(movement=movement, **given)] * 3)

    assert [type(one) for one in found if not isinstance(one, Movement)] == [IllegalMove, IllegalMove]
    assert Enrolment.objects.filter(school=world.other_school).count() == 1
    assert done("students.movement_claimed") == 1


def test_confirmed_by_one_and_denied_by_the_other_one_of_them_was_second(world, aid_officer):
    stay = stay_of(world, world.school)
    said = Explanation("in_county", LEFT, to_school=world.other_school)
    movement = transfers.announce(enrolment=stay, change=said, today=TODAY, by=aid_officer)
    transfers.claim(movement=movement, arrived_on=LEFT, class_name="", today=TODAY, by=aid_officer)

    together(
        lambda: transfers.confirm(movement=movement, today=TODAY, by=aid_officer),
        lambda: transfers.deny(movement=movement, reason="没有申请", by=aid_officer),
    )

    movement.refresh_from_db()
    stay.refresh_from_db()
    assert movement.state in ("confirmed", "denied")
    assert (stay.ended_on is not None) is (movement.state == "confirmed")


def test_a_school_closed_by_two_is_closed_once(world, administrator, school_clerk):
    for _ in range(3):
        stay_of(world, world.school)
    change = changing.plan(
        school=world.school, kind="close", successor=world.other_school, effective_on=TODAY, decision="1号", by=administrator
    )  # fmt: skip

    together(*[lambda: changing.apply(change=change, today=TODAY, by=administrator)] * 3)

    assert Enrolment.objects.open().filter(school=world.other_school).count() == 3
    assert Assignment.objects.filter(account=school_clerk).count() == 2
    assert done("organisation.change_applied") == 1


def test_a_term_closed_by_two_keeps_its_figures_once(world, basic_education_officer):
    last = world.term.ends_on

    together(*[lambda: actions.close_term(term=world.term, today=last, by=basic_education_officer)] * 3)

    assert TermClosing.objects.count() == 1 and done("year.term_closed") == 1
    assert FrozenFigure.objects.filter(code="S01", part="").count() == 1


def test_a_post_handed_over_by_two_has_one_new_account(world, school_clerk, administrator):
    facts = {
        "display_name": "新经办",
        "post": "",
        "note": "",
        "today": timezone.localdate(),
        "by": administrator,
    }

    found = together(
        *(
            lambda name=name: handing_over.hand_over(leaving=school_clerk, username=name, **facts)
            for name in ("xin-1", "xin-2", "xin-3")
        )
    )

    assert sum(isinstance(one, NotHandedOver) for one in found) == 2
    assert Account.objects.filter(username__startswith="xin-").count() == 1


def test_a_group_recorded_by_two_is_recorded_once(world, aid_officer):
    child = StudentFactory(county=world.county, at=world.school)
    given = {"group": "left_behind", "since_on": LEFT, "source": "school", "today": TODAY, "by": aid_officer}

    found = together(*[lambda: grouping.record(students=[child], **given)] * 3)

    assert sorted(found) == [(0, 1), (0, 1), (1, 0)]
    assert GroupFact.objects.count() == 1

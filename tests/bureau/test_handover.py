"""换人交接: one step closes an account and opens another with the same posts; what lay on the desk is on paper."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau.access.actions import UsernameTaken
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.year import handing_over
from bureau.year.handing_over import NotHandedOver
from bureau.year.models import Handover, WorkDate
from students.models import Discrepancy
from tests.factories import AccountFactory, AssignmentFactory
from tests.students.factories import DiscrepancyFactory, StudentFactory

TODAY, BEFORE = date(2026, 10, 12), date(2026, 10, 11)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY if not args else args[0].date())


def hand_over(leaving, by, **more):
    given = {"username": "xin-jingban", "display_name": "新经办", "post": "资助专干", "note": ""} | more
    return handing_over.hand_over(leaving=leaving, today=TODAY, by=by, **given)


def test_the_new_account_has_the_posts_and_the_old_one_is_closed(world, school_clerk, administrator):
    AssignmentFactory(
        account=school_clerk, role=Role.SCHOOL_CLERK, school=world.center_school, valid_to=date(2027, 7, 9)
    )

    done, slip = hand_over(school_clerk, administrator)

    held = set(slip.account.assignments.values_list("role", "school", "valid_from", "valid_to"))
    assert held == {
        ("school_clerk", world.school.pk, TODAY, None),
        ("school_clerk", world.center_school.pk, TODAY, date(2027, 7, 9)),
    }
    school_clerk.refresh_from_db()
    assert not school_clerk.is_active
    assert set(school_clerk.assignments.values_list("valid_to", flat=True)) == {BEFORE}
    assert slip.account.must_change_password and slip.password
    assert done.posts == ["学校经办人（城关镇第一小学）", "学校经办人（城关镇中心校）"]
    assert AuditEvent.objects.get(verb="year.handed_over").subject_id == str(school_clerk.pk)


def test_what_lay_on_the_desk_and_what_the_year_holds_is_kept(
    world, school_clerk, administrator, basic_education_officer
):
    DiscrepancyFactory(school=world.school, county=world.county, office="school", due_on=BEFORE)
    facts = {"county": world.county, "kind": "monthly", "set_by": basic_education_officer}
    WorkDate.objects.create(
        title="月报", starts_on=TODAY, due_on=date(2026, 10, 28), roles=["school_clerk"], **facts
    )
    WorkDate.objects.create(
        title="拨款", starts_on=TODAY, due_on=date(2026, 10, 28), roles=["finance_officer"], **facts
    )

    done, _ = hand_over(school_clerk, administrator)

    late = [item for item in done.items if item["late"]]
    assert [(item["count"], item["due_on"]) for item in late] == [(1, "2026-10-11")]
    assert [one["title"] for one in done.dates] == ["月报"]


def test_questions_assigned_to_the_one_who_leaves_are_the_other_s_now(world, school_clerk, administrator):
    child = StudentFactory(county=world.county)
    open_one = DiscrepancyFactory(student=child, state="assigned", assigned_to=school_clerk)
    closed = DiscrepancyFactory(student=child, rule="R08", state="closed", assigned_to=school_clerk)

    _, slip = hand_over(school_clerk, administrator)

    assert Discrepancy.objects.get(pk=open_one.pk).assigned_to == slip.account
    assert Discrepancy.objects.get(pk=closed.pk).assigned_to == school_clerk


def test_handed_over_twice_the_second_time_nothing_happens(world, school_clerk, administrator):
    hand_over(school_clerk, administrator)

    with pytest.raises(NotHandedOver):
        hand_over(school_clerk, administrator, username="di-er-ge")

    assert not Account.objects.filter(username="di-er-ge").exists()


def test_with_a_name_somebody_has_nothing_is_closed(world, school_clerk, administrator):
    AccountFactory(username="xin-jingban")

    with pytest.raises(UsernameTaken):
        hand_over(school_clerk, administrator)

    school_clerk.refresh_from_db()
    assert school_clerk.is_active and not Handover.objects.exists()


def test_an_account_without_a_post_has_nothing_to_hand_over(administrator):
    with pytest.raises(NotHandedOver) as refusal:
        hand_over(AccountFactory(role=None), administrator)

    assert refusal.value.code == "no_post"


def test_in_the_browser_the_password_is_shown_once(client, world, school_clerk, administrator):
    client.force_login(administrator)
    page = reverse("bureau:hand_over", args=[school_clerk.pk])
    assert "这个岗位一年做什么" in client.get(page).content.decode()

    answer = client.post(page, {"username": "xin-jingban", "display_name": "新经办"})

    text = answer.content.decode()
    assert "移交人签字" in text and "首次登录" in text
    assert "no-store" in answer.headers["Cache-Control"]
    again = client.get(Handover.objects.get().get_absolute_url()).content.decode()
    assert "移交人签字" in again and "首次登录" not in again
    assert client.get(page).status_code == 404  # closed by now


def test_a_centre_hands_over_at_its_own_schools_only(client, world, district_school):
    stranger = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)
    client.force_login(district_school)

    assert client.get(reverse("bureau:hand_over", args=[stranger.pk])).status_code == 404


def test_a_name_that_is_a_number_is_refused_next_to_its_field(client, school_clerk, administrator):
    client.force_login(administrator)

    given = {"username": "990101201605010011", "display_name": "新经办"}
    answer = client.post(reverse("bureau:hand_over", args=[school_clerk.pk]), given)

    assert "不能用身份证号" in answer.content.decode()
    assert not Handover.objects.exists()

"""开学与收尾: ticks computed from the data, dates the bureau sets on every desk, figures that nothing later alters."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau import figures
from bureau.access.models import Account
from bureau.audit import AuditEvent
from bureau.figures import Asked
from bureau.organisation.models import School
from bureau.year import actions
from bureau.year.actions import NotClosed
from bureau.year.checklists import CLOSING, OPENING, ticks
from bureau.year.models import FrozenFigure, TermClosing, WorkDate
from bureau.year.views import dates_ahead, terms_to_close
from students.models import Collection, Enrolment, Promotion
from tests.factories import AccountFactory, HolidayFactory, TermFactory
from tests.samples import collection_of
from tests.students.factories import EnrolmentFactory, StudentFactory
from tests.students.test_absences import LI, ZHANG

LAST = date(2027, 1, 22)  # of the autumn term
TODAY = date(2026, 10, 12)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY if not args else args[0].date())


def done(phase: str, term, by) -> dict[str, bool]:
    return {check.code: tick.done for check, tick in ticks(phase, term, by)}


# The lists.


def test_opening_ticks_follow_the_data(world, basic_education_officer):
    by, term = basic_education_officer, world.term
    before = done(OPENING, term, by)
    assert not any(before[code] for code in ("promotion", "rolls", "days_off", "work_dates"))

    HolidayFactory(date=date(2026, 10, 1))
    collection_of(world.county)
    Promotion.objects.create(
        county=world.county, school_year=term.school_year, leaves_on=date(2026, 7, 10), state="applied", asked_by=by,
        applied_at=timezone.now(),
    )  # fmt: skip
    work_date(world, by)

    after = done(OPENING, term, by)
    assert all(after[code] for code in ("promotion", "rolls", "days_off", "work_dates"))


def test_a_spring_term_asks_for_no_promotion(world, basic_education_officer):
    spring = TermFactory(
        code="2027-spring",
        school_year=world.term.school_year,
        starts_on=date(2027, 2, 22),
        ends_on=date(2027, 7, 9),
    )

    assert "promotion" not in done(OPENING, spring, basic_education_officer)


def test_closing_ticks_follow_the_data(office, world, basic_education_officer):
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([LI], school=world.school)
    collection = collection_of(world.county)

    before = done(CLOSING, world.term, basic_education_officer)
    assert (before["absences"], before["locks"], before["rosters"]) == (False, False, True)

    Collection.objects.filter(pk=collection.pk).update(locked_at=timezone.now())
    assert done(CLOSING, world.term, basic_education_officer)["locks"]


# Closing and freezing.


def close(world, by, *, on: date = LAST) -> TermClosing:
    return actions.close_term(term=world.term, today=on, by=by)


@pytest.mark.parametrize(
    ("day", "closed"), [(date(2027, 1, 21), False), (LAST, True)], ids=["the day before", "last day"]
)
def test_a_term_is_closed_on_its_last_day_at_the_earliest(world, basic_education_officer, day, closed):
    if closed:
        close(world, basic_education_officer, on=day)
    else:
        with pytest.raises(NotClosed):
            close(world, basic_education_officer, on=day)

    assert TermClosing.objects.exists() is closed


def test_nothing_is_closed_while_schools_can_still_send_rolls(world, basic_education_officer):
    collection = collection_of(world.county)
    with pytest.raises(NotClosed) as refusal:
        close(world, basic_education_officer)
    assert refusal.value.code == "not_ready"

    Collection.objects.filter(pk=collection.pk).update(locked_at=timezone.now())
    assert close(world, basic_education_officer).number == 1


def test_frozen_figures_are_those_of_the_dashboard_and_stay_what_they_were(world, basic_education_officer):
    by = basic_education_officer
    for _ in range(2):
        EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    EnrolmentFactory(school=world.other_school, student=StudentFactory(county=world.county))

    closing = close(world, by)
    Enrolment.objects.all().delete()
    School.objects.filter(pk=world.school.pk).update(name="改名以后")

    present = FrozenFigure.objects.filter(closing=closing, code="S01")
    assert present.get(part="").value == 3
    by_school = dict(present.filter(part="school").values_list("place_name", "value"))
    assert by_school == {"城关镇第一小学": 2, "河口乡中心校": 1}
    assert sum(present.filter(part="township").values_list("value", flat=True)) == 3
    live = Asked.by(Account.objects.get(pk=by.pk), on=LAST, term=world.term)
    assert figures.find("S01").value(live) == 0
    assert {row.code for row in closing.figures.filter(part="")} == {
        figure.code for figure in figures.figures()
    }


def test_closed_twice_the_first_closing_stands(world, basic_education_officer):
    first = close(world, basic_education_officer)
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))

    assert close(world, basic_education_officer, on=date(2027, 1, 25)) == first
    assert first.figures.get(code="S01", part="").value == 0
    assert AuditEvent.objects.filter(verb="year.term_closed").count() == 1


def test_opened_again_the_old_figures_stay_and_the_next_closing_has_its_own(world, basic_education_officer):
    first = close(world, basic_education_officer)
    with pytest.raises(NotClosed):
        actions.reopen_term(closing=first, reason=" ", by=basic_education_officer)
    assert actions.reopen_term(closing=first, reason="补录一所学校", by=basic_education_officer)
    assert not actions.reopen_term(closing=first, reason="再来", by=basic_education_officer)
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))

    second = close(world, basic_education_officer)

    values = [closing.figures.get(code="S01", part="").value for closing in (first, second)]
    assert (second.number, values) == (2, [0, 1])


def test_whoever_sees_a_part_of_the_county_closes_nothing(world, school_clerk):
    with pytest.raises(NotClosed):
        close(world, school_clerk)


# 工作日历.


def work_date(world, by, **more) -> WorkDate:
    given = {
        "title": "秋季学期困难认定", "kind": "assess", "starts_on": date(2026, 10, 10), "due_on": date(2026, 10, 20),
        "roles": [], "note": "",
    } | more  # fmt: skip
    return actions.save_work_date(work_date=WorkDate(county=world.county), values=given, by=by)


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, True),
        ({"roles": ["school_clerk"]}, True),
        ({"roles": ["finance_officer"]}, False),
        ({"starts_on": date(2026, 9, 1), "due_on": TODAY}, True),
        ({"starts_on": date(2026, 9, 1), "due_on": date(2026, 10, 11)}, False),
        ({"starts_on": date(2026, 10, 26), "due_on": date(2026, 10, 30)}, True),
        ({"starts_on": date(2026, 10, 27), "due_on": date(2026, 10, 30)}, False),
    ],
    ids=["everybody's", "his", "another's", "last day", "over", "in a fortnight", "later"],
)
def test_a_date_is_on_the_desk_of_those_it_concerns_while_it_is_near(
    world, basic_education_officer, school_clerk, more, shown
):
    work_date(world, basic_education_officer, **more)

    assert bool(dates_ahead(school_clerk)) is shown


def test_the_same_work_on_the_same_day_is_set_once(world, basic_education_officer):
    work_date(world, basic_education_officer)

    with pytest.raises(NotClosed):
        work_date(world, basic_education_officer)


def test_last_year_s_dates_are_taken_over_on_working_days_and_only_once(world, basic_education_officer):
    work_date(world, basic_education_officer, starts_on=date(2026, 10, 12), due_on=date(2026, 10, 16))

    counts = [
        actions.copy_year(county=world.county, school_year=2027, by=basic_education_officer) for _ in range(2)
    ]

    assert counts == [1, 0]
    copied = WorkDate.objects.get(starts_on__year=2027)
    assert (copied.starts_on, copied.due_on) == (
        date(2027, 10, 12),
        date(2027, 10, 18),
    )  # the 16th is a Saturday


# Pages.


def test_a_date_is_set_changed_and_deleted_in_the_browser(
    client, world, basic_education_officer, school_clerk
):
    client.force_login(basic_education_officer)
    given = {
        "title": "月报",
        "kind": "monthly",
        "starts_on": "2026-10-20",
        "due_on": "2026-10-28",
        "roles": ["school_clerk"],
    }
    client.post(reverse("bureau:add_work_date"), given)
    found = WorkDate.objects.get()

    client.post(reverse("bureau:edit_work_date", args=[found.pk]), given | {"due_on": "2026-10-30"})
    found.refresh_from_db()
    assert (found.due_on, found.roles) == (date(2026, 10, 30), ["school_clerk"])
    wrong = client.post(reverse("bureau:add_work_date"), given | {"due_on": "2026-10-19"}).content.decode()
    assert "截止不能早于开始" in wrong

    client.force_login(school_clerk)
    assert "月报" in client.get(reverse("bureau:work_calendar")).content.decode()
    assert client.post(reverse("bureau:delete_work_date", args=[found.pk])).status_code == 403
    client.force_login(basic_education_officer)
    client.post(reverse("bureau:delete_work_date", args=[found.pk]))
    assert not WorkDate.objects.exists()


def test_a_term_is_closed_in_the_browser_and_its_figures_are_shown(
    client, world, basic_education_officer, monkeypatch
):
    monkeypatch.setattr(timezone, "localdate", lambda *args: LAST if not args else args[0].date())
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    client.force_login(basic_education_officer)
    assert [todo.count for todo in terms_to_close(basic_education_officer)] == [1]
    assert "统计数已冻结" in client.get(reverse("bureau:term_lists", args=[world.term.pk])).content.decode()

    page = client.post(reverse("bureau:close_term", args=[world.term.pk]), follow=True).content.decode()

    assert "在校学生" in page and "城关镇第一小学" in page
    assert terms_to_close(Account.objects.get(pk=basic_education_officer.pk)) == []


def test_another_county_s_closing_is_not_found(client, world, basic_education_officer):
    by = AccountFactory(county=world.far_county)
    theirs = TermClosing.objects.create(
        term=TermFactory(county=world.far_county), closed_on=LAST, closed_by=by
    )
    client.force_login(basic_education_officer)

    assert client.get(theirs.get_absolute_url()).status_code == 404

"""A child moves from one school to another, two clerks in a browser; the bureau's pages of the year fit their windows."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from bureau.access.roles import Role
from bureau.year.models import WorkDate
from students.models import Enrolment, GroupFact, Movement
from tests.browser import log_in
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, StudentFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def opened(browser, live_server, tmp_path):
    """A page logged in as somebody; what the console or the server complained of fails the test."""
    trouble, contexts = [], []

    def page_of(account, window):
        context = browser.new_context(locale="zh-CN", viewport=window)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
        page.on("response", lambda got: trouble.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.on("dialog", lambda dialog: dialog.accept())
        log_in(page, live_server, account)
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert not trouble


def fits(page) -> bool:
    """Nothing has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("window", [DESK, PHONE], ids=["desktop", "phone"])
def test_a_child_is_announced_claimed_and_let_go(opened, live_server, world, school_clerk, window):
    child = StudentFactory(name="张三", county=world.county)
    EnrolmentFactory(school=world.school, student=child)
    receiving = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)
    page = opened(school_clerk, window)
    page.goto(live_server.url + child.get_absolute_url())
    page.get_by_role("link", name="登记异动").click()
    expect(page.get_by_label("转到哪所学校")).to_be_hidden()
    page.get_by_label("转到本县学校").check()
    page.get_by_label("转到哪所学校").select_option(label="河口乡中心校")
    page.get_by_label("离校（转入）日期").fill("2026-09-20")
    assert fits(page)
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("main")).to_contain_text("请等待确认接收")
    assert fits(page)

    other = opened(receiving, window)
    other.goto(live_server.url + "/")
    other.get_by_role("link", name="有学生转来，请确认是否到校").click()
    other.get_by_role("link", name="张三").click()
    other.get_by_label("到校日期").fill("2026-09-21")
    other.get_by_label("编入班级").fill("2班")
    other.get_by_role("button", name="确认接收").click()
    expect(other.locator("main")).to_contain_text("等待转出学校确认")

    page.reload()
    page.get_by_role("button", name="确认转出").click()
    expect(page.locator("main")).to_contain_text("学籍随人转移")
    assert Movement.objects.get().state == "confirmed"
    assert Enrolment.objects.open().get().school == world.other_school


def test_the_pages_of_the_year_fit_a_desk_and_a_phone(
    opened, live_server, world, basic_education_officer, administrator, school_clerk
):
    by, child = basic_education_officer, StudentFactory(name="李四", county=world.county, at=world.school)
    days = {"starts_on": date(2026, 9, 1), "due_on": date(2027, 7, 1)}
    WorkDate.objects.create(county=world.county, title="秋季学期困难认定", kind="assess", set_by=by, roles=["school_clerk"], **days)
    GroupFact.objects.create(
        county=world.county, student=child, group="left_behind", valid_from=date(2026, 9, 1), source="school",
        evidence="家访，父母均在外务工", checked_on=date(2026, 6, 1), checked_by=by, recorded_by=by,
    )  # fmt: skip
    addresses = {
        by: [
            reverse("bureau:work_calendar"), reverse("bureau:add_work_date"), reverse("bureau:term_lists", args=[world.term.pk]),
            reverse("students:groups"), reverse("students:group_counts"), reverse("students:add_site"),
            reverse("students:movements"),
        ],
        administrator: [
            reverse("bureau:plan_change", args=[world.school.pk]), reverse("bureau:hand_over", args=[school_clerk.pk]),
        ],
    }  # fmt: skip
    for account, urls in addresses.items():
        for window in (DESK, PHONE):
            page = opened(account, window)
            for url in urls:
                page.goto(live_server.url + url)
                assert fits(page), (url, window)

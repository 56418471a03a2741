"""逐班核对 in a browser, at a desk by keyboard and on a phone: two classes, one change each way, sent and applied."""

from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bureau.organisation.terms import term_on
from students.models import ClassCheck, Enrolment, RollCheck, Roster
from tests.students.factories import EnrolmentFactory, StudentFactory, child_name, citizen_id
from tests.students.test_main_job_browser import PHONE, visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEWCOMER = citizen_id(date(2017, 3, 5), 8)


@pytest.fixture
def roll(school, term) -> list[Enrolment]:
    """Three children in 1班, two in 2班, of the third grade."""
    year = term_on(school.county, timezone.localdate()).school_year.starts_in
    return [
        EnrolmentFactory(
            student=StudentFactory(name=child_name(n), number=citizen_id(date(2016, 5, n), n)), school=school,
            class_name="1班" if n < 4 else "2班", entered_in=year - 2, state="在籍",
        )
        for n in range(1, 6)
    ]  # fmt: skip


def enter(page) -> None:
    """Nothing is focused: Enter is the big button, once the page has been there for half a second."""
    page.wait_for_selector("[data-enter][data-armed]")
    page.keyboard.press("Enter")


def test_clerk_checks_class_by_class_with_the_keyboard(visit, school_clerk, roll):  # noqa: F811
    clerk = visit(school_clerk)
    page = clerk.page
    clerk.open("students:upload_roster")
    page.get_by_role("link", name="逐班核对").click()
    clerk.press("开始核对")
    page.get_by_role("link", name="三年级1班").click()

    clerk.shows("本班无变动")
    enter(page)
    clerk.shows("三年级2班", "h1")
    assert ClassCheck.objects.count() == 1

    page.get_by_label(f"{roll[4].student}已不在本班").check()
    clerk.shows("登记勾选的学生已不在本班（1 人）", ".confirm")
    clerk.press("登记勾选的学生")
    clerk.shows("确认本班（1 处变动）", ".confirm")

    page.get_by_role("link", name="新增学生").click()
    page.wait_for_url("**/add?class=*")
    page.wait_for_load_state("networkidle")  # what checks the number listens
    page.get_by_label("姓名", exact=True).fill("钱七")
    page.get_by_label("证件号码").fill(NEWCOMER[:-1])
    clerk.shows("应为18位", "#number")
    page.get_by_label("证件号码").fill(NEWCOMER)
    clerk.shows("号码可用：女，2017年3月5日出生", "#number")
    clerk.press("记下这名学生")
    clerk.shows("钱七", ".pupils")

    enter(page)
    clerk.shows("全部班级已确认")
    expect(page.locator("h1")).to_have_text("提交核对结果")
    enter(page)
    page.wait_for_selector("#reading")
    clerk.work()
    clerk.shows("新增 1 人", ".confirm")
    page.get_by_role("button", name="确认入库").click()
    clerk.shows("已入库")

    roster = Roster.objects.get()
    assert (roster.new, roster.changed, roster.unchanged, roster.absent) == (1, 0, 4, 1)
    assert RollCheck.objects.get().roster == roster


def test_clerk_checks_on_a_phone(visit, school_clerk, roll):  # noqa: F811
    clerk = visit(school_clerk, viewport=PHONE, has_touch=True, is_mobile=True)
    page = clerk.page
    clerk.open("students:checks")
    assert clerk.sideways <= 0
    clerk.press("开始核对")
    clerk.shows("三年级1班")
    assert clerk.sideways <= 0
    page.get_by_role("link", name="三年级1班").tap()

    clerk.shows("本班无变动")
    assert clerk.sideways <= 0
    button = page.get_by_role("button", name="本班无变动").bounding_box()
    assert button["height"] >= 44 and button["width"] >= 250
    page.get_by_role("link", name="改").first.tap()
    page.get_by_label("住校").select_option("住校")
    assert clerk.sideways <= 0
    page.get_by_role("button", name="记下变动").tap()
    clerk.shows("有变动", ".pupils")
    page.get_by_role("button", name="确认本班").tap()
    clerk.shows("三年级2班", "h1")
    page.get_by_role("button", name="本班无变动").tap()

    clerk.shows("信息有变")
    assert clerk.sideways <= 0
    page.get_by_role("button", name="全部提交").tap()
    page.wait_for_selector("#reading")
    clerk.work()
    clerk.shows("更新 1 人", ".confirm")

"""Apply, explain in bulk, undo: the clerk in a browser, on a desk and on a phone."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from students.models import Absence, Enrolment, Roster
from tests.browser import log_in
from tests.students.factories import child_name, citizen_id

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}


def rows(numbers) -> list[dict[str, str]]:
    return [
        {"姓名": child_name(n), "身份证号": citizen_id(date(2017, 9, 1 + n), n), "年级": "三年级", "班级": "1班"} for n in numbers
    ]


@pytest.mark.parametrize("window", [{"width": 1440, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_a_clerk_applies_explains_in_bulk_and_takes_the_roster_back(
    browser, live_server, office, school, school_clerk, window
):
    office.enrol(rows(range(1, 9)), school=school)
    staged = office.roll(rows([1, 2, 3, 4, 5, 20]), school=school)
    context = browser.new_context(locale="zh-CN", viewport=window)
    page, trouble = context.new_page(), []
    page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    page.on("response", lambda got: trouble.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, live_server, school_clerk)

    page.goto(live_server.url + staged.get_absolute_url())
    page.get_by_role("button", name="确认入库").click()
    expect(page.locator("main")).to_contain_text("3 人，请说明去向")

    page.get_by_role("link", name="3 人，请说明去向").click()
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    for box in page.locator("#rows tbody input[type=checkbox]").all():
        box.check()
    expect(page.locator("#bulk")).to_contain_text("已选 3 人")
    assert _sideways(page) <= 0
    page.get_by_role("button", name="说明所选学生的去向").click()
    page.get_by_label("休学", exact=True).check()
    page.get_by_label("休学至").fill("2099-07-10")
    page.get_by_label("离校日期").fill("2026-09-20")
    page.get_by_label("佐证").fill("休学审批表")
    assert _sideways(page) <= 0
    page.get_by_role("button", name="说明这 3 人的去向").click()
    expect(page.locator("main")).to_contain_text("已说明 3 人的去向：休学")
    assert set(Absence.objects.values_list("state", flat=True)) == {Absence.State.EXPLAINED}

    page.goto(live_server.url + staged.get_absolute_url())
    page.get_by_role("link", name="撤销入库").click()
    page.get_by_label("撤销理由").fill("传成了上学期的文件")
    assert _sideways(page) <= 0
    page.get_by_role("button", name="撤销入库").click()
    expect(page.locator("main")).to_contain_text("学生信息恢复到入库之前")

    assert Roster.objects.get(pk=staged.pk).status == Roster.State.UNDONE
    assert Enrolment.objects.present().filter(school=school).count() == 8
    assert set(Absence.objects.values_list("state", flat=True)) == {Absence.State.CANCELLED}
    page.goto(live_server.url + reverse("students:absences"))
    expect(page.locator("main")).to_contain_text("没有符合条件的记录")
    context.close()
    assert trouble == []


def _sideways(page) -> int:
    """Pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]

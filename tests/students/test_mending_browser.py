"""A clerk mends a faulty roll in a browser: the marked file, a cut of it sent back, the preview, the confirmation."""

import os
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import expect

from bureau.sheets import marking
from students.models import Enrolment, Roster
from tests.students.test_main_job_browser import (
    FIRST_ROW,
    HEADERS,
    NUMBER,
    PHONE,
    Visitor,
    child_name,
    dirty_roll,  # noqa: F401
    pupil,
    visit,  # noqa: F401
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BAD = (FIRST_ROW + 2, FIRST_ROW + 3)  # a wrong check digit and a number kept as a number: children 3 and 4


@pytest.fixture(autouse=True)
def no_child(monkeypatch):
    monkeypatch.setattr("bureau.sheets.marked.in_child", marking.here)


def cut_of(marked: Path, target: Path, world) -> Path:
    """A new workbook with the header and two of the bad rows, put right; a column nobody needs is left out."""
    source, book = load_workbook(marked).active, Workbook()
    page = book.active
    keep = [place for place, cell in enumerate(source[FIRST_ROW - 1], 1) if cell.value != "户籍地址"]
    page.append([source.cell(FIRST_ROW - 1, place).value for place in keep])
    for row, child in zip(BAD, (3, 4), strict=True):
        source.cell(row, NUMBER + 1).value = pupil(world.school, child)[NUMBER]
        page.append([source.cell(row, place).value for place in keep])
    book.save(target)
    return target


def picture(clerk: Visitor, name: str) -> None:
    """Kept where somebody asks for pictures (`SCREENSHOTS=folder`)."""
    if folder := os.environ.get("SCREENSHOTS"):
        clerk.page.screenshot(path=f"{folder}/{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize("window", [{}, {"viewport": PHONE}], ids=["desktop", "phone"])
def test_clerk_sends_only_the_bad_rows_again(request, visit, school_clerk, world, dirty_roll, tmp_path, window):  # noqa: F811
    world.county.reject_share = "0.500"
    world.county.save()
    shot = request.node.callspec.id
    clerk = visit(school_clerk, **window)
    clerk.open("students:upload_roster")
    clerk.upload(dirty_roll, "上传并检查")
    clerk.work()
    clerk.page.wait_for_selector("#problems")
    assert clerk.sideways <= 0
    picture(clerk, f"{shot}-1-problems")

    clerk.page.get_by_label("查找").fill("校验位")
    clerk.page.get_by_role("button", name="查询").click()
    expect(clerk.page.locator("#problems .kinds > li")).to_have_count(1)
    expect(clerk.page.locator("#problems .places li")).to_have_count(1)
    picture(clerk, f"{shot}-2-filtered")

    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="下载错误标注文件").click()
    marked = tmp_path / "marked.xlsx"
    download.value.save_as(marked)
    header = load_workbook(marked).active.cell(FIRST_ROW - 1, len(HEADERS) + 1).value
    assert header.startswith("问题〔单号 ")

    clerk.page.get_by_role("link", name="改好后重新上传").click()
    clerk.upload(cut_of(marked, tmp_path / "补正.xlsx", world), "上传并检查")
    clerk.work()
    clerk.page.wait_for_selector("#preview")
    clerk.shows("沿用上次 5 行，本次补正 2 行，仍有错误 2 行", ".completes")
    names = clerk.page.locator("#preview tbody td:first-child").all_inner_texts()
    assert {child_name(6)} <= set(names)  # still without a birth date that exists
    picture(clerk, f"{shot}-3-completed")
    assert clerk.sideways <= 0

    ticks = clerk.page.locator("input[name=seen]")
    for place in range(ticks.count()):
        ticks.nth(place).check()
    clerk.page.on("dialog", lambda dialog: dialog.accept())
    clerk.press("仅导入合格行（5 行）")
    clerk.page.wait_for_selector(".receipt")
    clerk.shows("新增 5", ".receipt")
    picture(clerk, f"{shot}-4-receipt")
    assert clerk.sideways <= 0
    here = Enrolment.objects.filter(school=world.school, is_present=True)
    assert set(here.values_list("student__person__name", flat=True)) == {child_name(n) for n in range(1, 6)}
    assert sorted(Roster.objects.values_list("status", flat=True)) == ["applied", "superseded"]

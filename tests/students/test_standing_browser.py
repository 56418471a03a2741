"""Standing reconciliation in a browser: a list arrives, differs, is linked, its differences are settled, and the next one
resolves what was left. And a village without a network: paper goes out and is keyed in."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import expect

from students.models import Discrepancy, FieldSheet, Hardship, Link, Whereabouts
from tests.students.factories import DiscrepancyFactory, StudentFactory, child_name, citizen_id
from tests.students.test_main_job_browser import POVERTY, Visitor, visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BORN = date(2017, 9, 1)
State = Discrepancy.State


def list_of(folder: Path, world, numbers: dict[int, str]) -> Path:
    """A poverty list as the county sends it: these children, each with the number that stands on it."""
    book = Workbook()
    sheet = book.active
    sheet.append(["云岭县脱贫人口名单"])
    sheet.append(POVERTY)
    for place, (n, number) in enumerate(numbers.items(), 1):
        house = f"5399010{n:04}"
        sheet.append([place, world.township.name, world.village.name, house, f"{house}01", child_name(n), number, "之孙女", "脱贫户"])
    path = folder / "脱贫人口.xlsx"
    book.save(path)
    return path


def arrives(officer: Visitor, path: Path, on: str) -> None:
    """Uploaded, read, compared with the issue before, linked; the rules that depend on it run by themselves."""
    officer.open("students:upload_register", query="?register=poverty")
    officer.page.fill("[name=as_of]", on)
    officer.upload(path, "导入")
    officer.work()
    officer.page.wait_for_selector("#difference")


def differs(officer: Visitor) -> dict[str, str]:
    told = {}
    for tab in officer.page.locator("#difference .tabs a").all():
        count = tab.locator("b").inner_text()
        told[tab.inner_text().replace(count, "").strip()] = count
    return told


def questions(rule: str, **facts) -> set[str]:
    rows = Discrepancy.objects.filter(rule=rule, **facts)
    return set(rows.values_list("student__person__name", flat=True))


def names(*numbers: int) -> set[str]:
    return {child_name(n) for n in numbers}


def test_a_list_arrives_is_linked_and_settled_and_the_next_resolves_the_rest(visit, aid_officer, world, tmp_path):  # noqa: F811
    number = {n: citizen_id(BORN, n) for n in range(1, 16)}
    for n in range(1, 14):
        StudentFactory(name=child_name(n), born=BORN, number=number[n], at=world.school, hukou_township=world.township)
    officer = visit(aid_officer)

    # September: ten of our pupils; all are to be recorded, and are, at once.
    arrives(officer, list_of(tmp_path, world, {n: number[n] for n in range(1, 11)}), "2026-09-10")
    officer.open("students:discrepancies", query="?rule=R25")
    officer.page.get_by_role("link", name="办理符合条件的全部 10 件").click()
    officer.page.get_by_label("认定困难身份").check()
    officer.page.once("dialog", lambda asked: asked.accept())
    officer.press("办理这 10 件")
    officer.page.wait_for_selector("text=已办理 10 件")
    assert Hardship.objects.count() == 10

    # October: 10 is gone, 11 and 12 are new, and 13 stands there with a number that is one digit off.
    wrong = number[13][:-2] + str((int(number[13][-2]) + 1) % 10) + number[13][-1]
    october = {n: number[n] for n in range(1, 10)} | {11: number[11], 12: number[12], 13: wrong}
    arrives(officer, list_of(tmp_path, world, october), "2026-10-12")
    found = differs(officer)
    assert (found["新增"], found["退出"]) == ("3", "1")
    assert questions("R25", state=State.NEW) == names(11, 12) and questions("R26", state=State.NEW) == names(10)
    assert Discrepancy.objects.filter(rule="R25", state=State.CLOSED).count() == 10, "the run has verified September"

    officer.open("students:links")
    officer.shows(child_name(13))
    officer.page.keyboard.press("y")
    officer.page.wait_for_selector(".proposal.decided")
    officer.work()
    assert Link.objects.get().status == Link.State.CONFIRMED

    officer.open("students:run_reconcile")
    officer.press("开始比对")
    officer.page.wait_for_selector(".job")
    officer.work()
    officer.page.wait_for_selector("text=已完成")
    assert questions("R25", state=State.NEW) == names(11, 12, 13)
    officer.open("students:discrepancies", query="?rule=R25")
    officer.page.get_by_role("link", name=child_name(13)).click()
    officer.shows("10月期名单（2026年10月12日）", "#compared")
    officer.shows("没有登记", "#compared")

    # Two of the three are settled in bulk; 10 and 13 wait for what the next list says.
    officer.open("students:discrepancies", query="?rule=R25")
    for n in (11, 12):
        officer.page.get_by_label(f"选中{child_name(n)}", exact=True).check()
    officer.press("办理所选")
    officer.page.get_by_label("认定困难身份").check()
    officer.page.once("dialog", lambda asked: asked.accept())
    officer.press("办理这 2 件")
    officer.page.wait_for_selector("text=已办理 2 件")

    # November: 10 is back, 13 is gone. Nothing is left to do.
    november = {n: number[n] for n in range(1, 13)}
    arrives(officer, list_of(tmp_path, world, november), "2026-11-10")
    assert not Discrepancy.objects.open().filter(rule__in=["R25", "R26"]).exists()
    officer.open("students:discrepancies", query="?rule=R26&state=closed")
    officer.shows("共 1 件", "#told")
    officer.open("students:runs")
    expect(officer.page.locator("#rows tbody tr").first).to_contain_text("已消除")


def test_paper_goes_to_the_village_and_its_serial_brings_it_back(visit, township_officer, world):  # noqa: F811
    for n in (1, 2, 3):
        child = StudentFactory(name=child_name(n), born=BORN, hukou_township=world.township, hukou_village=world.village)
        DiscrepancyFactory(student=child, township=world.township, term=world.term)
    officer = visit(township_officer)
    officer.open("students:field_sheets")
    officer.page.get_by_role("button", name=f"打印{world.village}的核查名单").click()
    officer.page.wait_for_selector(".paper")
    sheet = FieldSheet.objects.get()
    officer.shows(sheet.serial, ".papertop")
    officer.page.emulate_media(media="print")
    assert officer.page.locator(".paper tbody tr").count() == 3
    assert officer.page.locator(".papertop .qr svg").bounding_box()["width"] > 60
    assert officer.page.evaluate("document.documentElement.scrollWidth") <= officer.page.viewport_size["width"]
    officer.page.emulate_media(media="screen")

    officer.open("students:field_sheets")
    officer.page.locator("#serial").press_sequentially(sheet.serial)  # as a hand scanner types it
    officer.page.keyboard.press("Enter")
    officer.page.wait_for_selector("[name=answer_1]")
    officer.page.keyboard.press("3")  # the cursor stands in the first line
    officer.page.keyboard.press("Tab")
    officer.page.keyboard.type("义乌市稠城一小")
    officer.page.get_by_label("第 2 行核查结果").select_option(label="9 查无此人")
    officer.press("保存录入")

    officer.shows("登记去向 1 件，答复 1 件", ".alert")
    officer.shows("还有 1 行没有录入", ".alert")
    assert Whereabouts.objects.get().place == "义乌市稠城一小"

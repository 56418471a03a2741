"""The main job in a browser, with files as they arrive: the school's clerk and the aid officer do it from end to end.

Every page of these tests must be quiet: no error in the console, nothing the content security policy refuses, no
answer of 400 or above.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from playwright.sync_api import expect

from bureau import jobs
from bureau.access.models import Account
from bureau.audit import AccessLog
from bureau.jobs import Job
from bureau.sheets.process import here
from students.models import Discrepancy, Enrolment, Hardship, Link, Roster
from tests.browser import log_in
from tests.factories import PASSWORD
from tests.students.factories import EntryFactory, StudentFactory, child_name, citizen_id

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADERS = ["学校名称", "年级", "班级", "学生姓名", "性别", "身份证号码", "出生日期", "户籍地址", "监护人姓名"]
NUMBER, BORN, SCHOOL = HEADERS.index("身份证号码"), HEADERS.index("出生日期"), HEADERS.index("学校名称")
FIRST_ROW = 4  # after a title, the line of the sender and the headers
RED, PHONE = "00FFC7CE", {"width": 390, "height": 844}


class Visitor:
    """One person at one browser window; `trouble` is what he must never have."""

    def __init__(self, page, base: str) -> None:
        self.page, self.base, self.trouble = page, base, []
        page.on(
            "console",
            lambda said: self.trouble.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on(
            "response",
            lambda got: self.trouble.append(f"{got.status} {got.url}") if got.status >= 400 else None,
        )
        page.route("**/*", lambda route: route.continue_())  # so no request is on its way while a job runs

    def open(self, name: str, *args, query: str = "") -> None:
        self.page.goto(self.base + reverse(name, args=args) + query)

    def upload(self, path: Path, button: str) -> None:
        self.page.set_input_files("input[type=file]", path)
        expect(self.page.locator("[data-dropzone] .picked")).to_contain_text(path.name)
        self.page.get_by_role("button", name=button).click()
        self.page.wait_for_selector("#reading")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def work(self) -> None:
        """What the workers would do meanwhile; here the page's requests and the jobs share one connection."""
        self.page.wait_for_load_state("networkidle")
        while job := Job.objects.due().order_by("id").first():
            assert jobs.run(job.pk)
        assert not Job.objects.filter(state=Job.State.FAILED).exists()

    def shows(self, text: str, where: str = "main") -> None:
        """The text comes to stand there; the page may still be on its way."""
        expect(self.page.locator(where).first).to_contain_text(text)

    @property
    def sideways(self) -> int:
        """Pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth") - self.page.viewport_size["width"]


@pytest.fixture
def visit(browser, live_server, home, monkeypatch) -> Iterator:
    """`visit(account)` opens a window for him; in the end every window must have been quiet."""
    monkeypatch.setattr("bureau.sheets.reader.listen", here)
    opened: list[Visitor] = []

    def open_window(account: Account | None, **window) -> Visitor:
        context = browser.new_context(
            locale="zh-CN", **({"viewport": {"width": 1440, "height": 900}} | window)
        )
        visitor = Visitor(context.new_page(), live_server.url)
        if account:
            log_in(visitor.page, live_server, account)
        opened.append(visitor)
        return visitor

    yield open_window
    for visitor in opened:
        visitor.page.context.close()
    assert [trouble for visitor in opened for trouble in visitor.trouble] == []


def pupil(school, n: int, **other) -> list:
    """A row of the roll: child number `n` of the third grade, born on a day of her own."""
    born = date(2017, 9, 1 + n % 28)
    row = [
        school.name, "三年级", "1班", child_name(n), "男" if n % 2 else "女", citizen_id(born, n), born.isoformat(),
        "云岭县城关镇", f"家长{child_name(n)[0]}",
    ]  # fmt: skip
    for header, value in other.items():
        row[HEADERS.index(header)] = value
    return row


def write_roll(path: Path, rows: list[list]) -> Path:
    book = Workbook()
    sheet = book.active
    sheet.append(["云岭县城关镇第一小学2026年秋季学期学生花名册"])
    sheet.append(["填报单位：城关镇第一小学", None, None, "填报时间：2026年9月5日"])
    for row in [HEADERS, *rows, ["合计", None, None, f"{len(rows)}人"]]:
        sheet.append(row)
    book.save(path)
    return path


@pytest.fixture
def dirty_roll(tmp_path, world) -> Path:
    """Eight rows: two sound, a wrong check digit, a number kept as a number, a twin, a day that is none, a stranger."""
    rows = [pupil(world.school, n) for n in (1, 2, 3, 4, 5, 5, 6, 7)]
    sound = rows[2][NUMBER]
    rows[2][NUMBER] = sound[:-1] + ("1" if sound[-1] != "1" else "2")
    rows[3][NUMBER] = int(rows[3][NUMBER].replace("X", "0"))
    rows[6][BORN] = "2017-9-31"
    rows[7][SCHOOL] = world.other_school.name
    return write_roll(tmp_path / "三年级花名册.xlsx", rows)


def corrected(marked: Path, target: Path, world) -> Path:
    """The marked file as the clerk sends it back: cells put right, the other school's row taken out."""
    book = load_workbook(marked)
    sheet = book.active
    for place, n, header in ((2, 3, NUMBER), (3, 4, NUMBER), (6, 6, BORN)):
        sheet.cell(FIRST_ROW + place, header + 1).value = pupil(world.school, n)[header]
    sheet.delete_rows(FIRST_ROW + 7)
    book.save(target)
    return target


def test_clerk_mends_a_dirty_roll_and_his_children_are_in(visit, school_clerk, world, dirty_roll, tmp_path):
    clerk = visit(None)
    clerk.open("bureau:login")
    clerk.page.fill("[name=username]", school_clerk.username)
    clerk.page.fill("[name=password]", PASSWORD)
    clerk.press("登录")
    clerk.page.wait_for_selector("text=我的工作台")

    clerk.open("students:upload_roster")
    clerk.upload(dirty_roll, "上传并检查")
    clerk.work()
    clerk.page.wait_for_selector("#problems")  # the page moves on by itself

    kinds = [
        (kind.locator("b").first.inner_text(), kind.locator(".count").inner_text())
        for kind in clerk.page.locator("#problems .kinds > li").all()
    ]
    assert {
        ("身份证号校验位不符", "1"),
        ("身份证号、学籍号被存为数字", "1"),
        ("日期不存在或超出范围", "1"),
        ("不是本校的学生", "1"),
        ("与前面某行完全相同", "1"),
    } <= set(kinds)
    clerk.shows("合格 3，有错误 4")
    assert not clerk.page.get_by_role("button", name="确认入库").count()
    clerk.page.get_by_label("列出这 1 处").first.click()
    clerk.page.wait_for_selector(".places li")

    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="下载错误标注文件").click()
    marked = tmp_path / "marked.xlsx"
    download.value.save_as(marked)
    sheet = load_workbook(marked).active
    for place, column, told in (
        (2, NUMBER, "校验位"),
        (3, NUMBER, "数字"),
        (6, BORN, "没有"),
        (7, SCHOOL, "其他学校"),
    ):
        cell = sheet.cell(FIRST_ROW + place, column + 1)
        assert (cell.fill.fgColor.rgb, told in cell.comment.text) == (RED, True)
    assert sheet.cell(FIRST_ROW, NUMBER + 1).fill.fill_type is None
    assert sheet.cell(FIRST_ROW - 1, len(HEADERS) + 1).value.startswith("问题〔单号 ")

    clerk.page.get_by_role("link", name="改好后重新上传").click()
    clerk.upload(corrected(marked, tmp_path / "改好.xlsx", world), "上传并检查")
    clerk.work()
    clerk.page.wait_for_selector("#preview")
    assert not clerk.page.get_by_role("link", name="下载错误标注文件").count()
    names = clerk.page.locator("#preview tbody td:first-child").all_inner_texts()
    assert names == [child_name(n) for n in range(1, 7)]
    assert not Enrolment.objects.exists()

    clerk.shows("合计行写的是 8 人，实际是 6 人", ".ticks")
    clerk.page.get_by_label("我已核对").check()
    clerk.press("确认入库：新增 6 人，更新 0 人")
    clerk.page.wait_for_selector(".receipt")
    clerk.shows("入库回执", "h1")
    clerk.shows("新增 6", ".receipt")
    clerk.open("students:students")
    assert set(clerk.page.locator("#rows td:first-child b").all_inner_texts()) == {
        child_name(n) for n in range(1, 7)
    }
    assert Roster.objects.get(status=Roster.State.APPLIED).applied_by == school_clerk


POVERTY = ["序号", "乡(镇)", "行政村", "户编号", "人编号", "姓名", "证件号码", "与户主关系", "户类型"]


@pytest.fixture
def poverty_list(tmp_path, world) -> Path:
    """52 pupils of the school nobody has recorded a hardship of, each in a household of her own with a grandmother."""
    book = Workbook()
    sheet = book.active
    sheet.append(["云岭县2026年脱贫人口名单"])
    sheet.append(POVERTY)
    for n in range(1, 53):
        born, house = date(2017, 9, 1 + n % 28), f"5399010{n:04}"
        number, home = citizen_id(born, n), [world.township.name, world.village.name, house]
        StudentFactory(
            name=child_name(n), born=born, number=number, at=world.school, hukou_township=world.township
        )
        elder = citizen_id(date(1955, 3, 1 + n % 28), n)
        sheet.append([2 * n - 1, *home, f"{house}01", f"奶奶{child_name(n)[1]}", elder, "户主", "脱贫户"])
        sheet.append([2 * n, *home, f"{house}02", child_name(n), number, "之孙女", "脱贫户"])
    book.save(tmp_path / "脱贫人口.xlsx")
    return tmp_path / "脱贫人口.xlsx"


def compare(officer: Visitor) -> None:
    officer.open("students:run_reconcile")
    officer.press("开始比对")
    officer.page.wait_for_selector(".job")
    officer.work()
    officer.page.wait_for_selector("text=已完成")


def test_aid_officer_loads_a_list_and_settles_one_and_fifty(visit, aid_officer, world, poverty_list):
    officer = visit(aid_officer)
    officer.open("students:upload_register", query="?register=poverty")
    officer.page.fill("[name=as_of]", "2026-10-12")
    officer.page.fill("[name=received_from]", "县农业农村局")
    officer.upload(poverty_list, "导入")
    officer.work()
    officer.page.wait_for_selector("#difference")
    officer.shows("采用 104 行")
    expect(officer.page.locator(".tabs a.on b")).to_have_text("104")

    officer.open("students:registers")
    card = officer.page.get_by_label("脱贫人口名单")
    assert card.locator(".shares b").all_inner_texts() == ["52", "0", "0"]
    card.get_by_role("link", name="成年人 52 人").click()
    officer.page.wait_for_selector("#rows tbody tr")
    officer.shows("共 52 条", "#told")

    compare(officer)
    officer.open("students:discrepancies", query="?rule=R25")
    officer.shows("共 52 件", "#told")
    first = officer.page.locator("#rows tbody a").first
    name = first.inner_text()
    first.click()
    officer.shows("脱贫人口名单 · 脱贫户")
    officer.shows("城关镇第一小学三年级1班")
    officer.page.get_by_label("认定困难身份").check()
    officer.press("办理这一件")
    officer.page.wait_for_selector("text=已办理 1 件")

    officer.open("students:discrepancies", query="?rule=R25")
    assert name not in officer.page.locator("#rows tbody b").all_inner_texts()
    assert officer.page.get_by_role("button", name="办理所选").is_disabled()
    officer.page.get_by_label("选中本页全部").check()
    expect(officer.page.locator("[data-count-checked]")).to_have_text("50")
    officer.press("办理所选")
    officer.shows("办理 50 件", "h1")
    officer.page.get_by_label("认定困难身份").check()
    officer.page.once("dialog", lambda asked: asked.accept())
    officer.press("办理这 50 件")
    officer.page.wait_for_selector("text=已办理 50 件")
    officer.shows("共 1 件", "#told")
    assert Hardship.objects.count() == 51

    compare(officer)
    assert Discrepancy.objects.filter(rule="R25", state=Discrepancy.State.CLOSED).count() == 51
    officer.open("students:discrepancies", query="?rule=R25&state=closed")
    officer.shows("共 51 件", "#told")


def test_a_phone_shows_upload_and_preview_without_scrolling_sideways(visit, school_clerk, world, dirty_roll):
    clerk = visit(school_clerk, viewport=PHONE, is_mobile=True, has_touch=True)
    clerk.open("students:upload_roster")
    assert clerk.sideways <= 0
    clerk.upload(dirty_roll, "上传并检查")
    assert clerk.sideways <= 0
    clerk.work()
    clerk.page.wait_for_selector("#preview")
    assert clerk.sideways <= 0
    for tab in clerk.page.locator("#preview .tabs a").all():
        assert tab.bounding_box()["width"] > 100
    clerk.page.locator("#preview .tabs a", has_text="新增").click()
    clerk.page.wait_for_selector("#preview .tabs a.on:has-text('新增')")
    assert clerk.sideways <= 0


@pytest.fixture
def three_proposals(world) -> list[Link]:
    links = []
    for n in range(3):
        child = StudentFactory(name=child_name(n), born=date(2016, 5, n + 1), at=world.school)
        entry = EntryFactory(
            name=child_name(n), link_state="proposed", birth_on=date(2016, 5, n + 1), township=world.township
        )
        links.append(
            Link.objects.create(
                county=world.county, entry=entry, person=child.person, method="likeness", score=90 - n,
                evidence={"name": "same", "number": "one_off", "birth": "same"}, digest=b"",
            )
        )  # fmt: skip
    return links


def test_the_queue_of_matches_is_answered_by_keyboard_alone(visit, aid_officer, three_proposals):
    officer = visit(aid_officer)
    officer.open("students:links")
    keys = officer.page.keyboard
    _, second, third = three_proposals

    keys.press("y")
    officer.page.wait_for_selector(f"#link-{second.pk}.here")
    keys.press("N")  # 不是 wants a reason: the cursor goes there
    keys.type("同名不同人，监护人不同")
    keys.press("Enter")
    officer.page.wait_for_selector(f"#link-{third.pk}.here")
    keys.press("u")
    keys.press("Enter")  # still without a reason: nothing is sent
    keys.type("需向村里核实")
    keys.press("Enter")
    officer.page.wait_for_selector(f"#link-{third.pk}.decided")

    states = list(Link.objects.order_by("-score").values_list("status", "reason"))
    assert states == [
        (Link.State.CONFIRMED, ""),
        (Link.State.REJECTED, "同名不同人，监护人不同"),
        (Link.State.UNDECIDED, "需向村里核实"),
    ]


def test_paper_gets_the_page_without_the_frame(visit, aid_officer, three_proposals):
    officer = visit(aid_officer)
    child = three_proposals[0].person_id
    for name, args in (("students:students", []), ("students:student", [child]), ("students:registers", [])):
        officer.open(name, *args)
        officer.page.emulate_media(media="print")
        for frame in (".topbar", "nav.side", "form.filters", ".pagehead .buttons", "details"):
            assert not any(part.is_visible() for part in officer.page.locator(frame).all()), (name, frame)
        assert officer.page.locator(".printhead").is_visible()
        assert officer.page.locator("h1").is_visible()
        officer.page.emulate_media(media="screen")


def test_a_full_number_is_shown_once_and_the_reason_is_kept(visit, aid_officer, world):
    number = citizen_id(date(2016, 5, 1), 7)
    child = StudentFactory(name="张三", born=date(2016, 5, 1), number=number, at=world.school)
    officer = visit(aid_officer)
    officer.open("students:student", child.pk)
    assert number not in officer.page.content()

    officer.page.get_by_text("查看完整号码").click()
    officer.page.get_by_label("查看理由").fill("核对银行退回的户名")
    officer.press("查看，并记录理由")
    officer.page.wait_for_selector(".revealed")
    assert officer.page.inner_text(".revealed") == number

    officer.page.reload()
    assert number not in officer.page.content()
    looks = AccessLog.objects.of_child(child.pk).exclude(reason="")
    assert [(look.by, look.reason) for look in looks] == [(aid_officer, "公民身份号码：核对银行退回的户名")]

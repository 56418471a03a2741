"""In a browser: a class is handed over, one child does not report, and is found at another school."""

from datetime import date

import pytest
from django.urls import reverse

from bureau import jobs
from bureau.access.roles import Role
from bureau.jobs import Job
from bureau.organisation.models import Stage
from students.models import Catchment, Leaver, Student
from tests.browser import log_in
from tests.factories import AccountFactory, SchoolFactory
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_page(browser, live_server, account, *, phone: bool = False):
    size = {"width": 390, "height": 844} if phone else {"width": 1366, "height": 768}
    page = browser.new_context(viewport=size).new_page()
    log_in(page, live_server, account)
    return page


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def work() -> None:
    """What a worker would do now."""
    for job in Job.objects.filter(state=Job.State.QUEUED):
        jobs.run(job.pk)


def click(page, name: str) -> None:
    """Press the button, and say yes when it asks."""
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state()


def promote(page, live_server) -> None:
    page.goto(live_server.url + reverse("students:year") + "?year=2026")
    click(page, "计算预览")
    work()
    page.reload()
    assert "其中 0 人照常升级" in page.content()
    click(page, "确认升级")
    work()
    page.reload()
    assert "下一步：整班移交" in page.content()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_child_who_did_not_report_is_found_elsewhere(
    browser, live_server, office, world, basic_education_officer, school_clerk, tmp_path, phone
):
    junior = SchoolFactory(township=world.township, name="城关镇初级中学", stages=[Stage.JUNIOR.value])
    elsewhere = SchoolFactory(
        township=world.other_township, name="河口乡初级中学", stages=[Stage.JUNIOR.value]
    )
    clerk = AccountFactory(role=Role.SCHOOL_CLERK, at=junior)
    born = {"赵小来": date(2014, 5, 1), "钱小走": date(2014, 5, 2)}
    for name, day in born.items():
        EnrolmentFactory(
            school=world.school,
            entered_in=2020,
            student=StudentFactory(name=name, born=day, number=citizen_id(day)),
        )
    promote(open_page(browser, live_server, basic_education_officer), live_server)

    sending = open_page(browser, live_server, school_clerk, phone=phone)
    sending.goto(live_server.url + reverse("students:handover") + "?year=2026")
    assert fits(sending)
    sending.screenshot(path=tmp_path / "handover.png", full_page=True)
    sending.get_by_role("link", name="整班移交城关镇第一小学1班").click()
    sending.get_by_label("移交到").select_option(label="城关镇初级中学")
    assert fits(sending)
    click(sending, "移交（2 人）")
    assert "已移交 2 人" in sending.content()

    receiving = open_page(browser, live_server, clerk, phone=phone)
    receiving.goto(live_server.url + reverse("students:leavers") + "?year=2026&state=missing")
    assert receiving.get_by_text("未报到").count() >= 2 and fits(receiving)
    receiving.screenshot(path=tmp_path / "missing.png", full_page=True)
    receiving.get_by_label("选中赵小来").check()
    receiving.get_by_role("button", name="登记报到").click()
    receiving.get_by_label("报到日期").fill("2026-09-01")
    click(receiving, "已报到（1 人）")
    receiving.goto(live_server.url + reverse("students:leavers") + "?year=2026&state=missing")
    assert "钱小走" in receiving.content() and "赵小来" not in receiving.content()
    assert office.reconcile("R27", on=date(2026, 9, 16))["R27"]["open"] == 1

    number = citizen_id(born["钱小走"])
    office.enrol([{"姓名": "钱小走", "身份证号": number, "年级": "七年级", "班级": "2班"}], school=elsewhere)
    receiving.goto(live_server.url + reverse("students:leavers") + "?year=2026&state=elsewhere")
    assert "已在他校报到" in receiving.content() and "河口乡初级中学" in receiving.content()
    assert office.reconcile("R27", on=date(2026, 9, 16))["R27"] == {"opened": 0, "open": 0, "resolved": 1}
    assert Leaver.objects.missing().count() == 0


def test_letters_print_one_to_a_page(browser, live_server, world, term, school_clerk, tmp_path):
    for n in (1, 2):
        StudentFactory(name=f"赵小{'一二'[n - 1]}", born=date(2020, 5, n))
    Student.objects.update(hukou_village=world.village)
    Catchment.objects.create(
        county=world.county,
        school=world.school,
        village=world.village,
        stage=Stage.PRIMARY,
        valid_from=date(2026, 3, 1),
    )
    page = open_page(browser, live_server, school_clerk)
    page.goto(live_server.url + reverse("students:letters", args=[world.school.pk]) + "?year=2026")

    paper = page.pdf(format="A4", path=tmp_path / "letters.pdf")

    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type/Page/") == 2

"""In a browser: a refused roll, its headers explained, read again; a lock met and asked about; a blank form filled."""

import io

import openpyxl
import pytest
from django.urls import reverse

from bureau import jobs
from bureau.jobs import Job
from students.actions import collecting
from students.models import Roster, UnlockRequest
from tests.browser import log_in
from tests.samples import collection_of
from tests.students.factories import EnrolmentFactory, StudentFactory, write_list
from tests.students.test_teaching import pupil

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_page(browser, live_server, account, *, phone: bool = False):
    size = {"width": 390, "height": 844} if phone else {"width": 1366, "height": 768}
    page = browser.new_context(viewport=size, accept_downloads=True).new_page()
    log_in(page, live_server, account)
    return page


def work() -> None:
    """What a worker would do now."""
    for job in Job.objects.filter(state=Job.State.QUEUED):
        jobs.run(job.pk)


def picture(page, folder, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_clerk_explains_his_headers_and_the_roll_is_read(browser, live_server, home, tmp_path, school, term, school_clerk, phone):
    page = open_page(browser, live_server, school_clerk, phone=phone)
    page.goto(live_server.url + reverse("students:upload_roster"))
    page.set_input_files("input[type=file]", write_list(tmp_path / "花名册.csv", [pupil(1, 爱好="跳绳"), pupil(2)]))
    page.get_by_role("button", name="上传并检查").click()
    work()
    page.reload()
    assert "缺少必需的列" in page.content()

    page.get_by_role("link", name="这些列是什么？").click()
    page.get_by_label("娃名").select_option(label="姓名")
    page.get_by_label("证号").select_option(label="身份证号")
    page.get_by_label("爱好").select_option(label="不需要这一列")
    assert fits(page)
    picture(page, tmp_path, f"teach-{phone}")
    page.get_by_role("button", name="保存并重新读取").click()
    page.wait_for_load_state()
    work()
    page.reload()

    assert "按对应表识别" in page.content()
    assert Roster.objects.get().accepted == 2
    picture(page, tmp_path, f"understood-{phone}")


def test_clerk_meets_the_lock_and_asks(browser, live_server, home, tmp_path, county, school, term, school_clerk, aid_officer):
    collecting.lock_collection(collection=collection_of(county), by=aid_officer)
    page = open_page(browser, live_server, school_clerk)
    page.goto(live_server.url + reverse("students:upload_roster"))
    picture(page, tmp_path, "upload-locked")
    page.set_input_files("input[type=file]", write_list(tmp_path / "a.csv", [pupil(1)]))
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_label("理由").fill("9月18日转入三名学生，原名册未含")
    picture(page, tmp_path, "refused")
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_load_state()
    assert "转入三名学生" in page.content()

    page = open_page(browser, live_server, aid_officer)
    page.goto(live_server.url + reverse("students:collections"))
    picture(page, tmp_path, "collections")
    page.goto(live_server.url + collection_of(county).get_absolute_url())
    picture(page, tmp_path, "collection")
    page.goto(live_server.url + reverse("students:unlock_request", args=[UnlockRequest.objects.get().pk]))
    page.get_by_label("同意解锁").check()
    page.get_by_label("开放至").fill("2099-01-01")
    picture(page, tmp_path, "answer")
    page.get_by_role("button", name="答复").click()
    page.wait_for_load_state()
    assert UnlockRequest.objects.get().granted is True
    page.goto(live_server.url + reverse("students:remind", args=[collection_of(county).pk]))
    picture(page, tmp_path, "remind")


def test_officer_fills_a_blank_form(browser, live_server, home, tmp_path, world, aid_officer):
    for place in range(3):
        EnrolmentFactory(student=StudentFactory(hukou_township=world.township), school=world.school, class_name=f"{place}班")
    book = openpyxl.Workbook()
    book.active.append(["某市学生情况汇总表"])
    book.active.append(["序号", "学生姓名", "性别", "就读学校", "年级", "帮扶措施"])
    book.active.append([None])
    book.active.append(["填表人："])
    book.save(tmp_path / "汇总表.xlsx")
    page = open_page(browser, live_server, aid_officer)
    page.goto(live_server.url + reverse("students:forms"))
    picture(page, tmp_path, "forms")
    page.set_input_files("input[type=file]", tmp_path / "汇总表.xlsx")
    page.get_by_role("button", name="上传并识别表头").click()
    page.get_by_label("就读学校").first.select_option(str(world.school.pk))
    page.wait_for_load_state()
    page.get_by_label("用途").fill("市局统计")
    picture(page, tmp_path, "form")
    page.get_by_role("button", name="填入 3 人").click()
    page.wait_for_load_state()
    work()
    page.reload()
    picture(page, tmp_path, "filled")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载填好的表").click()

    rows = list(openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active.values)
    assert [row[0] for row in rows] == ["某市学生情况汇总表", "序号", 1, 2, 3, "填表人："]

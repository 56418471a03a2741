"""A roster's file: back with marks, opened with its password, read once more, stopped while it is read."""

import io
import os
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from msoffcrypto.format.ooxml import OOXMLFile
from openpyxl import Workbook, load_workbook

from bureau import jobs, secrecy
from bureau.audit import AuditEvent
from bureau.jobs import Cancelled, Job
from bureau.sheets import marking as sheet_marking
from bureau.sheets import process, read, serial_of
from students.actions import marking, opening, registers
from students.intake.known import register_named
from students.models import Roster, Snapshot
from students.sheets import ROSTERS
from tests.samples import student_at
from tests.students.test_rosters import LI, WANG, ZHANG

PASSWORD = "云岭2026#Kai"
HEADERS = ["姓名", "身份证号", "年级", "班级"]


def workbook(path: Path, *rows: dict) -> Path:
    book = Workbook()
    book.active.append(HEADERS)
    for row in rows:
        book.active.append([row[name] for name in HEADERS])
    book.create_sheet("说明")["A1"] = "勿删"
    book.save(path)
    return path


def protected(path: Path, *rows: dict) -> Path:
    plain = workbook(path.with_name("plain.xlsx"), *rows)
    with plain.open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt(PASSWORD, target)
    return path


def run_all() -> None:
    while job := Job.objects.due().order_by("id").first():
        jobs.run(job.pk)


@pytest.fixture
def real_child() -> None:
    """Files are read and marked by the children that do it for users."""


@pytest.fixture(autouse=True)
def no_child(request, monkeypatch):
    """Files are read and marked in this process, but where a test is about the children."""
    if "real_child" not in request.fixturenames:
        monkeypatch.setattr("bureau.sheets.reader.listen", process.here)
        monkeypatch.setattr("bureau.sheets.marked.in_child", sheet_marking.here)


@pytest.fixture
def clerk(client, school_clerk, home):
    client.force_login(school_clerk)
    return school_clerk


def upload(client, path: Path, term) -> Roster:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    client.post(reverse("students:upload_roster"), {"file": file, "kind": "roll", "term": term.pk})
    run_all()
    return Roster.objects.latest("pk")


@pytest.fixture
def faulty(client, clerk, term, tmp_path) -> Roster:
    """Uploaded and read: one row with an error."""
    return upload(client, workbook(tmp_path / "三年级.xlsx", ZHANG, LI | {"身份证号": "123"}), term)


# His own file back.


@pytest.mark.usefixtures("real_child")
def test_the_marked_file_is_prepared_as_soon_as_errors_are_found(client, faulty):
    page = client.get(faulty.get_absolute_url()).content.decode()
    answer = client.get(reverse("students:roster_errors", args=[faulty.pk]))

    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert "下载错误标注文件" in page
    assert book.sheetnames == ["Sheet", "说明"]
    assert book["Sheet"]["E1"].value == f"问题〔单号 {serial_of(faulty.pk)}〕"
    assert book["Sheet"]["E3"].value.startswith("第 3 行：身份证号：")
    assert "三年级（错误标注）.xlsx" in answer.filename


def test_it_lies_sealed_on_disk(faulty, settings):
    (file,) = settings.MEDIA_ROOT.glob("marked/*/*.sealed")

    assert not file.read_bytes().startswith(b"PK")
    assert marking.marked_file(Roster.objects.get()).startswith(b"PK")


def test_it_is_no_longer_offered_when_the_roster_has_changed(client, faulty, settings):
    faulty.problems = [*faulty.problems, faulty.problems[0] | {"row": 2}]
    faulty.save()

    page = client.get(faulty.get_absolute_url()).content.decode()
    answer = client.get(reverse("students:roster_errors", args=[faulty.pk]))

    assert "生成错误标注文件" in page and answer.url == faulty.get_absolute_url()
    client.post(reverse("students:mark_roster", args=[faulty.pk]))
    client.post(reverse("students:mark_roster", args=[faulty.pk]))
    assert Job.objects.due().count() == 1
    assert "正在标注原文件" in client.get(faulty.get_absolute_url()).content.decode()
    run_all()
    assert len(list(settings.MEDIA_ROOT.glob("marked/*/*.sealed"))) == 1
    assert client.get(reverse("students:roster_errors", args=[faulty.pk])).status_code == 200


def test_a_file_that_cannot_be_marked_says_so_and_may_be_asked_for_again(client, faulty, monkeypatch):
    faulty.problems = faulty.problems[:-1]
    faulty.save()
    monkeypatch.setattr("bureau.sheets.marked.in_child", lambda request, tell: False)
    client.post(reverse("students:mark_roster", args=[faulty.pk]))
    run_all()

    page = client.get(faulty.get_absolute_url()).content.decode()

    assert "标注不了" in page and "重新生成错误标注文件" in page


def test_a_sound_file_has_no_marked_one(client, clerk, term, tmp_path):
    roster = upload(client, workbook(tmp_path / "三年级.xlsx", ZHANG, LI), term)

    page = client.get(roster.get_absolute_url()).content.decode()

    assert "标注" not in page.split("核对花名册")[1].split("核对")[0]
    client.post(reverse("students:mark_roster", args=[roster.pk]))
    assert not Job.objects.filter(kind="students.mark_roster").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("real_child")
def test_twenty_thousand_rows_come_back_within_the_limits(tmp_path):
    book = Workbook(write_only=True)
    page = book.create_sheet("名册")
    page.append([*HEADERS, *(f"列{n}" for n in range(16))])
    for n in range(19_990):
        page.append([f"张{n}", "123", "三年级", "1班", *(f"内容{n}" for _ in range(16))])
    book.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx", ROSTERS["roll"], today=timezone.localdate())

    marking.write_marked(
        tmp_path / "a.xlsx", tmp_path / "b.xlsx", sheet=ROSTERS["roll"][0], problems=reading.problems,
        tables=[{"sheet": t.sheet, "header_row": t.header_row, "columns": t.columns} for t in reading.tables],
    )  # fmt: skip

    marked = load_workbook(tmp_path / "b.xlsx", read_only=True)["名册"]
    last = next(iter(marked.iter_rows(min_row=19_991, values_only=True)))
    assert last[0] == "张19989" and last[20].startswith("第 19991 行")


# The password.


@pytest.fixture
def locked(client, clerk, term, tmp_path) -> Roster:
    return upload(client, protected(tmp_path / "有密码.xlsx", ZHANG, LI), term)


def unlock(client, roster: Roster, password: str) -> str:
    answer = client.post(reverse("students:unlock_roster", args=[roster.pk]), {"password": password}, follow=True)
    return answer.content.decode()


def test_a_protected_file_asks_for_its_password_and_is_read_with_it(client, locked):
    asked = client.get(locked.get_absolute_url()).content.decode()
    unlock(client, locked, PASSWORD)
    run_all()

    locked.refresh_from_db()
    assert "打开并检查" in asked
    assert (locked.status, locked.accepted, locked.file_error) == (Roster.State.STAGED, 2, None)


def test_the_password_is_written_nowhere(client, locked, settings, caplog):
    unlock(client, locked, PASSWORD)
    run_all()

    assert PASSWORD not in caplog.text
    assert not any(PASSWORD in str(values) for values in Job.objects.values_list("params", "result", "cursor"))
    assert not any(PASSWORD in str(event.detail) for event in AuditEvent.objects.all())
    assert PASSWORD not in str(dict(client.session))
    (file,) = settings.MEDIA_ROOT.glob("raw/*/*.sealed")
    assert secrecy.open_file(file, value_id=locked.pk).startswith(b"PK")  # and it opens without one from now on


def test_a_wrong_password_is_told_and_five_an_hour_are_enough(client, locked):
    told = [unlock(client, locked, f"falsch{n}") for n in range(6)]

    assert all("打开密码不正确" in page for page in told[:5])
    assert "一小时内已试了 5 次" in told[5]
    assert "一小时内已试了 5 次" in unlock(client, locked, PASSWORD)
    locked.refresh_from_db()
    assert locked.status == Roster.State.REFUSED


def test_an_hour_later_it_may_be_tried_again(client, locked, monkeypatch):
    for n in range(5):
        unlock(client, locked, f"falsch{n}")
    later = timezone.now() + timedelta(hours=1, seconds=5)
    monkeypatch.setattr("students.actions.opening.timezone.now", lambda: later)

    opening.open_roster(roster=locked, password=PASSWORD, by=locked.uploaded_by)

    locked.refresh_from_db()
    assert locked.status == Roster.State.READING


@pytest.mark.parametrize("password", ["", " " * 300])
def test_no_password_opens_nothing(client, locked, password):
    unlock(client, locked, password)

    locked.refresh_from_db()
    assert locked.status == Roster.State.REFUSED


def test_a_file_that_needs_no_password_is_not_opened_with_one(client, faulty):
    assert "不需要密码" in unlock(client, faulty, PASSWORD)


def test_what_is_inside_a_protected_file_is_judged_like_any_other(client, clerk, term, tmp_path):
    plain = tmp_path / "macro.xlsx"
    workbook(plain, ZHANG)
    with zipfile.ZipFile(plain, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with plain.open("rb") as source, (tmp_path / "b.xlsx").open("wb") as target:
        OOXMLFile(source).encrypt(PASSWORD, target)
    roster = upload(client, tmp_path / "b.xlsx", term)

    assert "含有宏" in unlock(client, roster, PASSWORD)


def test_a_protected_list_of_another_office_is_opened_the_same_way(client, aid_officer, county, home, tmp_path):
    client.force_login(aid_officer)
    book = Workbook()
    book.active.append(["姓名", "公民身份号码", "户主姓名", "与户主关系", "性别", "出生日期"])
    book.active.append(["张三", ZHANG["身份证号"], "张大", "子", "男", "2016-05-02"])
    book.save(tmp_path / "plain.xlsx")
    with (tmp_path / "plain.xlsx").open("rb") as source, (tmp_path / "公安.xlsx").open("wb") as target:
        OOXMLFile(source).encrypt(PASSWORD, target)
    snapshot = registers.receive_snapshot(
        file=tmp_path / "公安.xlsx", file_name="公安.xlsx", register=register_named(county, "population"),
        as_of=timezone.localdate(), county=county, township=None, partial=False, by=aid_officer,
    )  # fmt: skip
    run_all()
    page = client.get(snapshot.get_absolute_url()).content.decode()

    client.post(reverse("students:unlock_snapshot", args=[snapshot.pk]), {"password": PASSWORD})
    run_all()

    snapshot.refresh_from_db()
    assert "打开并检查" in page
    assert (snapshot.state, snapshot.file_error) == (Snapshot.State.CLOSED, None)


# While it is read.


def test_reading_is_stopped_on_request_and_asked_for_again(client, clerk, term, tmp_path, school):
    path = workbook(tmp_path / "三年级.xlsx", ZHANG, LI, WANG)
    file = SimpleUploadedFile(path.name, path.read_bytes())
    client.post(reverse("students:upload_roster"), {"file": file, "kind": "roll", "term": term.pk})
    roster = Roster.objects.get()
    page = client.get(roster.get_absolute_url()).content.decode()

    back = client.post(
        reverse("bureau:cancel_job", args=[roster.job_id]), {"next": roster.get_absolute_url()}, follow=True
    )
    run_all()

    assert "停止读取" in page
    assert back.redirect_chain[0][0] == roster.get_absolute_url() and "已停止读取" in back.content.decode()
    client.post(reverse("students:read_roster", args=[roster.pk]))
    client.post(reverse("students:read_roster", args=[roster.pk]))
    assert Job.objects.due().count() == 1
    run_all()
    roster.refresh_from_db()
    assert (roster.status, roster.accepted) == (Roster.State.STAGED, 3)


def test_the_same_file_sent_again_after_a_stop_is_read(client, clerk, term, tmp_path):
    path = workbook(tmp_path / "三年级.xlsx", ZHANG)
    file = SimpleUploadedFile(path.name, path.read_bytes())
    client.post(reverse("students:upload_roster"), {"file": file, "kind": "roll", "term": term.pk})
    jobs.cancel(Roster.objects.get().job, by=clerk)

    roster = upload(client, path, term)

    assert (Roster.objects.count(), roster.status) == (1, Roster.State.STAGED)


def test_a_stop_during_the_reading_ends_it_with_nothing_staged(office, school, monkeypatch):
    def stop_at_once(run, done, total, message=""):
        raise Cancelled

    monkeypatch.setattr(Job, "advance", stop_at_once)

    with pytest.raises(Cancelled):
        office.roll([ZHANG], school=school)

    roster = Roster.objects.get()
    assert (roster.status, roster.staged.count()) == (Roster.State.READING, 0)


@pytest.mark.usefixtures("real_child")
def test_the_child_that_reads_is_gone_at_once_when_the_reading_is_stopped(tmp_path, monkeypatch):
    """The child is silent for a minute; whoever waits hears of the stop within a second."""
    workbook(tmp_path / "a.xlsx", ZHANG)
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "child.py").write_text(
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    monkeypatch.setattr(process, "HERE", tmp_path)
    started = time.monotonic()

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        read(tmp_path / "a.xlsx", ROSTERS["roll"], today=timezone.localdate(), progress=stop)

    assert time.monotonic() - started < 5
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_progress_counts_rows_and_knows_how_many_there_are(tmp_path):
    workbook(tmp_path / "a.xlsx", *[ZHANG, LI, WANG])
    told = []

    read(
        tmp_path / "a.xlsx", ROSTERS["roll"], today=timezone.localdate(), in_process=True,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip

    assert told[-1] == (5, 5)  # header and the line of the other sheet included


def test_speed_and_time_left_are_those_of_the_present_step(clerk, client, faulty):
    now = timezone.now()
    job = faulty.job
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.RUNNING, done=5_000, total=20_000, message="正在登记结果", started_at=now - timedelta(seconds=60),
        counting_since=now - timedelta(seconds=5), finished_at=None,
    )  # fmt: skip
    Roster.objects.update(status=Roster.State.READING)

    page = client.get(faulty.get_absolute_url()).content.decode()

    assert "约剩 1" in page and "正在登记结果" in page
    assert "每秒 9" in page or "每秒 1,0" in page


def test_lists_of_rosters_do_not_load_the_problems(client, clerk, faulty, django_assert_max_num_queries):
    student_at(faulty.school)
    for name in ("students:rosters", "students:upload_roster", "bureau:desk"):
        with django_assert_max_num_queries(70) as seen:
            client.get(reverse(name))
        asked = [query["sql"] for query in seen.captured_queries if "students_roster" in query["sql"]]
        assert asked and not any('"students_roster"."problems"' in sql for sql in asked), name



"""Comments and attachments of a 待核实问题: who says and reads them, what a file may be, where it is kept."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bureau.audit import AccessLog, AuditEvent
from students.actions import merging, remarking
from students.models import Attachment, Comment, Discrepancy
from tests.samples import student_at
from tests.students.factories import DiscrepancyFactory, StudentFactory

PDF = b"%PDF-1.4 proof of attendance %%EOF"


@pytest.fixture
def found(home, school) -> Discrepancy:
    return DiscrepancyFactory(student=student_at(school), school=school, township=school.township)


def say(client, found, text: str):
    return client.post(reverse("students:comment", args=[found.pk]), {"text": text}, follow=True)


def hang(client, found, content: bytes = PDF, name: str = "就读证明.pdf"):
    return client.post(reverse("students:attach", args=[found.pk]), {"file": SimpleUploadedFile(name, content)}, follow=True)


def test_school_and_bureau_talk_on_the_question_s_page(client, found, school_clerk, supervisor):
    client.force_login(school_clerk)
    say(client, found, "已与奶奶通话，孩子在义乌")
    client.force_login(supervisor)

    page = say(client, found, "请附就读证明").content.decode()

    assert page.index("请附就读证明") < page.index("已与奶奶通话，孩子在义乌")
    events = AuditEvent.objects.filter(verb="students.question_commented").order_by("pk")
    assert [(event.by, event.detail) for event in events] == [(school_clerk, {}), (supervisor, {})]


@pytest.mark.parametrize(("text", "told"), [("  ", "请写留言"), ("长" * 501, "不能超过 500 字")], ids=["blank", "too long"])
def test_a_comment_that_cannot_be_taken_is_not_lost(client, found, school_clerk, text, told):
    client.force_login(school_clerk)

    answer = say(client, found, text)

    assert answer.status_code == 400 and told in answer.content.decode() and text.strip() in answer.content.decode()
    assert not Comment.objects.exists()


def test_a_button_pressed_twice_says_it_once(found, school_clerk, aid_officer):
    for by in (school_clerk, school_clerk, aid_officer, school_clerk):
        remarking.comment(discrepancy=found, text="在外地", by=by)

    assert [comment.by for comment in Comment.objects.order_by("pk")] == [school_clerk, aid_officer, school_clerk]


def test_what_was_said_stays_with_its_round(client, office, found, school_clerk):
    remarking.comment(discrepancy=found, text="第一次说的话", by=school_clerk)
    Discrepancy.objects.update(occurrence=2)
    found.refresh_from_db()
    remarking.comment(discrepancy=found, text="第二次说的话", by=school_clerk)
    client.force_login(school_clerk)

    page = client.get(found.get_absolute_url()).content.decode()

    assert [comment.occurrence for comment in found.comments.order_by("pk")] == [1, 2]
    assert "第 1 次出现时" in page and "第 2 次出现时" in page


def test_an_attachment_is_sealed_and_who_takes_a_copy_is_noted(client, found, home, school_clerk, aid_officer):
    client.force_login(school_clerk)
    hang(client, found, name="..\\就读证明.PDF")
    kept = Attachment.objects.get()
    client.force_login(aid_officer)

    answer = client.get(kept.get_absolute_url())

    assert answer.content == PDF and answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert all(PDF not in path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert AuditEvent.objects.get(verb="students.attachment_downloaded").by == aid_officer
    assert AccessLog.objects.get(view="students:attachment").children.get().student_id == found.student_id


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"MZ executable", "证明.pdf", "只能上传 PDF、JPG、PNG"),
        (b"<html><script>", "证明.jpg", "只能上传 PDF、JPG、PNG"),
        (b"", "证明.pdf", "这个文件是空的"),
    ],
    ids=["a program", "a page", "nothing"],
)
def test_what_is_no_proof_is_refused_whatever_its_name(client, found, school_clerk, content, name, told):
    client.force_login(school_clerk)

    answer = hang(client, found, content, name)

    assert answer.status_code == 400 and told in answer.content.decode()
    assert not Attachment.objects.exists()


def test_the_same_file_twice_is_one_attachment(client, found, school_clerk):
    client.force_login(school_clerk)
    for _ in range(2):
        hang(client, found)

    assert Attachment.objects.count() == 1


def test_one_file_more_than_a_question_holds_is_refused(found, school_clerk, tmp_path, monkeypatch):
    monkeypatch.setattr(remarking, "MOST_FILES", 1)
    for number, refused in ((1, False), (2, True)):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(PDF.replace(b"proof", b"proof %d" % number))
        try:
            remarking.attach(discrepancy=found, path=path, file_name=path.name, by=school_clerk)
        except remarking.NotTaken as refusal:
            assert refused and refusal.code == "too_many"
        else:
            assert not refused


def test_a_withdrawn_file_is_gone_and_only_its_sender_withdraws_it(
    client, found, home, school_clerk, aid_officer, django_capture_on_commit_callbacks
):
    client.force_login(school_clerk)
    hang(client, found)
    kept = Attachment.objects.get()
    address = reverse("students:withdraw_attachment", args=[kept.pk])
    client.force_login(aid_officer)
    assert "只能撤回自己上传的附件" in client.post(address, follow=True).content.decode()
    client.force_login(school_clerk)

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(address, follow=True).content.decode()

    assert "附件（已撤回）" in page and kept.get_absolute_url() not in page
    assert not list(home.rglob("*.sealed"))
    assert "已经撤回" in client.get(kept.get_absolute_url(), follow=True).content.decode()


def test_a_reader_hangs_nothing_on_a_question(client, found, school_head):
    client.force_login(school_head)

    assert hang(client, found).status_code == 403


def test_a_stranger_s_question_is_neither_spoken_to_nor_read(client, found, school_clerk, world):
    foreign = DiscrepancyFactory(school=world.other_school)
    kept = Attachment.objects.create(
        discrepancy=foreign, occurrence=1, file_name="a.pdf", kind="pdf", size=1, sha256="0" * 64, by=school_clerk
    )
    client.force_login(school_clerk)

    answers = [say(client, foreign, "嗯"), hang(client, foreign), client.get(kept.get_absolute_url())]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_what_was_said_stands_in_the_child_s_time_line(client, found, school_clerk):
    remarking.comment(discrepancy=found, text="孩子在义乌上学", by=school_clerk)
    client.force_login(school_clerk)

    page = client.get(found.student.get_absolute_url()).content.decode()

    assert "户籍适龄儿童未在校：留言" in page and "孩子在义乌上学" in page


def test_comments_go_along_when_two_files_are_merged_and_come_back(found, office, school_clerk):
    kept = StudentFactory(county=found.county)
    remarking.comment(discrepancy=found, text="同一个孩子", by=school_clerk)

    merged = merging.merge(kept=kept, other=found.student, reason="同一人", by=office.by)
    found.refresh_from_db()
    assert (found.student, found.comments.count()) == (kept, 1)

    merging.undo(done=merged, reason="弄错了", by=office.by)
    found.refresh_from_db()
    assert found.student != kept and found.comments.get().text == "同一个孩子"


def test_a_question_somebody_spoke_about_is_worked_on(found, school_clerk):
    untouched = DiscrepancyFactory(opened_on=date(2026, 10, 13))
    remarking.comment(discrepancy=found, text="在查", by=school_clerk)

    assert set(Discrepancy.objects.worked_on()) == {found}, untouched

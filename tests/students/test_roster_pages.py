"""花名册: upload, reading, preview, confirmation, receipt; seen by the school's clerk."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from bureau.keys import uuid7
from students.models import Enrolment, Roster, RosterRow
from tests.samples import student_at

HTMX = {"HX-Request": "true"}


@pytest.fixture
def clerk(client, school_clerk):
    client.force_login(school_clerk)
    return school_clerk


@pytest.fixture
def roster(school, term, school_clerk) -> Roster:
    """Staged: two rows, one of them new, the other one with an error."""
    roster = Roster.objects.create(
        county=school.county, term=term, school=school, kind=Roster.Kind.ROLL, status=Roster.State.STAGED,
        file_name="一年级.xlsx", sha256=uuid7().hex * 2, uploaded_by=school_clerk,
        rows=2, accepted=1, rejected=1, new=1,
        tables=[{"sheet": "一年级", "layout": "3.9b", "header_row": 3, "headers": ["姓名"], "others": [], "ignored": ["爱好"]}],
        problems=[
            problem(row=5, code="id_checksum", message="身份证号校验位不符。"),
            problem(row=9, code="subtotal", level="note", column=None, message="小计行，已跳过。"),
        ],
    )  # fmt: skip
    row(roster, 4, name="王子轩", verdict="new", person_is_new=True)
    row(roster, 5, name="陈思佳", status="rejected")
    return roster


def problem(
    *, row: int, code: str, message: str, level: str = "error", column: str | None = "身份证号"
) -> dict:
    return {"sheet": "一年级", "row": row, "column": column, "level": level, "code": code, "message": message}


def row(roster: Roster, number: int, **facts) -> RosterRow:
    facts = {"status": "accepted", "person_id": uuid7()} | facts
    return RosterRow.objects.create(roster=roster, sheet="一年级", row=number, school=roster.school, **facts)


def test_clerk_of_one_school_is_not_asked_for_it(client, clerk, school):
    page = client.get(reverse("students:upload_roster"))

    assert "school" not in page.context["form"].fields
    assert school.name in page.content.decode()


def test_upload_keeps_the_file_and_leads_to_its_page(client, clerk, school, term):
    file = SimpleUploadedFile("一年级.csv", "姓名,身份证号\n".encode())

    answer = client.post(reverse("students:upload_roster"), {"file": file, "kind": "roll", "term": term.pk})

    uploaded = Roster.objects.get()
    assert answer.url == uploaded.get_absolute_url()
    assert (uploaded.school, uploaded.status, uploaded.uploaded_by) == (school, Roster.State.READING, clerk)
    assert uploaded.job.kind == "students.read_roster"


@pytest.mark.parametrize(
    ("file", "told"),
    [(None, "请选择要上传的文件"), (SimpleUploadedFile("空.xlsx", b""), "空")],
    ids=["no file", "empty file"],
)
def test_upload_without_content_is_refused_beside_the_field(client, clerk, term, file, told):
    given = {"kind": "aid", "term": term.pk} | ({"file": file} if file else {})

    page = client.post(reverse("students:upload_roster"), given)

    assert told in "".join(page.context["form"].errors["file"])
    assert page.context["form"]["kind"].value() == "aid"
    assert not Roster.objects.exists()


def test_another_schools_place_cannot_be_uploaded_to(client, district_school, world):
    client.force_login(district_school)
    file = SimpleUploadedFile("一年级.csv", b"x")

    client.post(
        reverse("students:upload_roster"),
        {"file": file, "kind": "roll", "term": world.term.pk, "school": world.other_school.pk},
    )

    assert not Roster.objects.exists()


@pytest.mark.parametrize("kind", ["roll", "aid"])
def test_template_is_a_workbook_with_the_name_column(client, clerk, kind):
    answer = client.get(reverse("students:roster_template", args=[kind]))

    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert any("姓名" in str(cell) for line in book.worksheets[0].values for cell in line)


def test_page_asks_again_while_the_file_is_read_and_moves_on_when_it_is_done(client, clerk, roster):
    Roster.objects.update(status=Roster.State.READING)
    reading = client.get(roster.get_absolute_url(), headers=HTMX | {"HX-Target": "reading"})
    Roster.objects.update(status=Roster.State.STAGED)
    done = client.get(roster.get_absolute_url(), headers=HTMX | {"HX-Target": "reading"})

    assert "hx-trigger" in reading.content.decode() and "<html" not in reading.content.decode()
    assert done.headers["HX-Refresh"] == "true"


def test_refused_file_says_why_and_that_nothing_happened(client, clerk, roster):
    Roster.objects.update(
        status=Roster.State.REFUSED,
        file_error={"code": "no_header", "message": "找不到表头。"},
        problems=[],
        rows=0,
    )

    page = client.get(roster.get_absolute_url()).content.decode()

    assert "找不到表头。" in page and "没有改动任何学生信息" in page


def test_preview_tells_what_was_understood_and_groups_the_problems(client, clerk, roster):
    page = client.get(roster.get_absolute_url())

    text = page.content.decode()
    assert "第 <b>3</b> 行是表头" in text and "爱好" in text
    kinds = page.context["problems"].kinds
    assert [(kind.code, kind.count, kind.title) for kind in kinds] == [
        ("id_checksum", 1, "身份证号校验位不符"),
        ("subtotal", 1, "小计、合计行"),
    ]


def test_every_number_opens_its_rows(client, clerk, roster):
    def names(show):
        return [
            line.name
            for line in client.get(roster.get_absolute_url(), {"show": show}).context["preview"].lines
        ]

    assert (names("new"), names("rejected"), names("changed")) == (["王子轩"], ["陈思佳"], [])


def test_places_of_one_kind_of_problem_are_listed_on_demand(client, clerk, roster):
    asked = {"level": "error", "code": "id_checksum", "column": "身份证号"}

    page = client.get(roster.get_absolute_url(), asked, headers=HTMX | {"HX-Target": "problems"})

    assert [place["row"] for place in page.context["problems"].places] == [5]


def test_changes_are_told_in_words_and_numbers_without_their_values(client, clerk, roster, school):
    child = student_at(school)
    row(
        roster, 6, name="张三", verdict="changed", person_id=child.pk,
        changes=[["class_name", "2班", "1班"], ["boarding", False, True], ["citizen_id", None, None]],
    )  # fmt: skip

    lines = client.get(roster.get_absolute_url(), {"show": "changed"}).context["preview"].lines

    told = [(change.label, change.old, change.new) for change in lines[0].changes]
    assert told == [("班级", "2班", "1班"), ("住校", "否", "是"), ("公民身份号码", "", "")]


def test_absent_children_are_listed_by_name(client, clerk, roster, school):
    child = student_at(school)
    Roster.objects.update(absent=1, absentees=[str(Enrolment.objects.get(student=child).pk)])

    lines = client.get(roster.get_absolute_url(), {"show": "absent"}).context["preview"].lines

    assert [line.student for line in lines] == [child.pk]


@pytest.mark.parametrize(
    ("share", "offered"), [("0.500", True), ("0.499", False)], ids=["at the bureau's share", "just above it"]
)
def test_good_rows_alone_may_be_chosen_only_up_to_the_bureaus_share(client, clerk, roster, share, offered):
    roster.county.reject_share = share
    roster.county.save()

    page = client.get(roster.get_absolute_url()).content.decode()

    assert ("仅导入合格行（1 行）" in page) is offered
    assert "确认入库" not in page


def test_confirming_names_the_counts_and_ends_in_a_receipt(client, clerk, roster):
    roster.staged.filter(status="rejected").delete()
    Roster.objects.update(rows=1, rejected=0, problems=[])
    button = "确认入库：新增 1 人，更新 0 人"
    before = client.get(roster.get_absolute_url()).content.decode()

    answer = client.post(reverse("students:apply_roster", args=[roster.pk]), follow=True)

    roster.refresh_from_db()
    assert button in before
    assert (roster.status, roster.applied_by) == (Roster.State.APPLIED, clerk)
    assert "入库回执" in answer.content.decode() and "打印回执" in answer.content.decode()


def test_rows_with_errors_are_not_left_behind_by_the_plain_button(client, clerk, roster):
    answer = client.post(reverse("students:apply_roster", args=[roster.pk]), follow=True)

    roster.refresh_from_db()
    assert roster.status == Roster.State.STAGED
    assert "还有 1 行有错误" in answer.content.decode()


def test_good_rows_go_in_when_that_was_chosen(client, clerk, roster):
    client.post(reverse("students:apply_roster", args=[roster.pk]), {"accept_good": "yes"})

    roster.refresh_from_db()
    assert (roster.status, roster.accepted_good_only) == (Roster.State.APPLIED, True)


def test_giving_up_changes_no_child(client, clerk, roster):
    client.post(reverse("students:discard_roster", args=[roster.pk]))

    roster.refresh_from_db()
    assert roster.status == Roster.State.WITHDRAWN
    assert not Enrolment.objects.exists()


def test_giving_up_an_applied_roster_is_answered_not_raised(client, clerk, roster):
    Roster.objects.update(
        status=Roster.State.APPLIED, applied_at="2026-09-12T08:00:00+08:00", applied_by=clerk
    )

    answer = client.post(reverse("students:discard_roster", args=[roster.pk]), follow=True)

    roster.refresh_from_db()
    assert answer.status_code == 200 and roster.status == Roster.State.APPLIED


def test_list_of_rosters_is_the_schools_own(client, clerk, roster, world):
    Roster.objects.create(
        county=world.county, term=world.term, school=world.other_school, kind="roll", file_name="别校.xlsx",
        sha256=uuid7().hex * 2, uploaded_by=clerk,
    )  # fmt: skip

    page = client.get(reverse("students:rosters"))

    assert page.context["page"].rows == [roster]
    assert page.context["page"].total == 1

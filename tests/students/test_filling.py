"""空表一键填数 on its pages: recognised, bound, filtered, filled by a job, remembered, and nobody sees more than he may."""

import io
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bureau import jobs
from bureau.audit.models import AccessLog
from bureau.sheets.process import here
from students.models import FilledForm
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, HardshipFactory, StudentFactory, citizen_id

NUMBER = citizen_id(date(2016, 5, 1))
HEADS = ["序号", "学生姓名", "性别", "身份证号", "就读学校", "年级", "困难类别", "帮扶措施"]


@pytest.fixture(autouse=True)
def peeking(monkeypatch, home):
    monkeypatch.setattr("bureau.sheets.peek.listen", here)


@pytest.fixture
def child(school, township):
    student = StudentFactory(name="张晓梅", number=NUMBER, hukou_township=township, person__sex="2")
    EnrolmentFactory(student=student, school=school, stage="primary", entered_in=2024, class_name="1班")
    HardshipFactory(student=student, category="dibao", valid_from=date(2020, 1, 1))
    return student


@pytest.fixture
def elsewhere(world):
    student = StudentFactory(name="王外校", hukou_township=world.other_township)
    EnrolmentFactory(student=student, school=world.other_school)
    return student


def blank(heads=HEADS, name="汇总表.xlsx") -> SimpleUploadedFile:
    book = openpyxl.Workbook()
    book.active.append(["某市学生情况汇总表"])
    book.active.append(heads)
    book.active.append([None] * len(heads))
    book.active.append(["填表人："])
    content = io.BytesIO()
    book.save(content)
    return SimpleUploadedFile(name, content.getvalue())


def sent(client, file=None) -> FilledForm:
    client.post(reverse("students:forms"), {"file": file or blank()})
    return FilledForm.objects.order_by("pk").last()


def fill(client, form: FilledForm, columns: dict[str, str] | None = None, **more) -> FilledForm:
    given = {f"column_{letter}": fact for letter, fact in (columns or form.columns).items()}
    client.post(reverse("students:form", args=[form.pk]), given | {"fill": "yes", "purpose": "市局统计", "sheet": form.sheet} | more)
    form.refresh_from_db()
    if form.job:
        jobs.run(form.job_id)
        form.refresh_from_db()
    return form


def rows_of(client, form: FilledForm) -> list[tuple]:
    answer = client.get(reverse("students:filled_form", args=[form.pk]))
    return list(openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)


def test_columns_are_recognised_and_unknown_ones_left_blank(client, aid_officer):
    client.force_login(aid_officer)

    form = sent(client)

    assert form.columns == {
        "A": "serial", "B": "name", "C": "sex", "D": "citizen_id", "E": "school", "F": "grade", "G": "hardships"
    }  # fmt: skip
    page = client.get(reverse("students:form", args=[form.pk])).content.decode()
    assert "帮扶措施" in page and "填入 0 人" in page


def test_form_is_filled_with_the_children_its_asker_may_see(client, aid_officer, child, elsewhere, school):
    client.force_login(aid_officer)

    form = fill(client, sent(client))

    rows = rows_of(client, form)
    assert form.rows == 2
    assert rows[2][:7] == (1, "张晓梅", "女", NUMBER, school.name, "三年级", "低保")
    assert rows[3][1] == "王外校"
    assert rows[4][0] == "填表人："


def test_school_gets_its_own_children_and_no_numbers(client, school_clerk, child, elsewhere):
    client.force_login(school_clerk)
    form = sent(client)
    page = client.get(reverse("students:form", args=[form.pk])).content.decode()
    assert "没有查看完整号码的权限" in page

    form = fill(client, form)

    assert form.rows == 1
    assert rows_of(client, form)[2][:5] == (1, "张晓梅", "女", None, child.enrolments.get().school.name)


def test_who_was_filled_in_and_what_for_stands_in_the_access_log(client, aid_officer, child):
    client.force_login(aid_officer)

    fill(client, sent(client))

    log = AccessLog.objects.get(view="students:fill_form")
    assert (log.by, log.count) == (aid_officer, 1)
    assert log.reason == "完整号码，用途：市局统计"
    assert list(log.children.values_list("student_id", flat=True)) == [child.pk]


@pytest.mark.parametrize("filters", ["school", "hardship", "township"])
def test_filters_decide_who_goes_in(client, aid_officer, world, child, elsewhere, filters):
    client.force_login(aid_officer)
    value = {"school": world.school.pk, "hardship": "dibao", "township": world.township.pk}[filters]

    form = fill(client, sent(client), **{filters: str(value)})

    assert [row[1] for row in rows_of(client, form)[2:3]] == ["张晓梅"]
    assert form.rows == 1


def test_count_is_told_before_anything_is_filled(client, aid_officer, world, child, elsewhere):
    client.force_login(aid_officer)
    form = sent(client)

    page = client.post(
        reverse("students:form", args=[form.pk]), {"count": "yes", "school": world.school.pk, "column_B": "name"}
    )

    assert page.context["count"] == 1
    form.refresh_from_db()
    assert form.job is None


def test_same_form_is_bound_as_before_the_next_time(client, aid_officer, child):
    client.force_login(aid_officer)
    first = fill(client, sent(client), {"B": "name", "H": "village"})

    second = sent(client, blank(name="另一月.xlsx"))

    assert (second.fingerprint, second.columns) == (first.fingerprint, {"B": "name", "H": "village"})


def test_form_of_another_account_is_not_there(client, aid_officer, world, child):
    client.force_login(aid_officer)
    form = fill(client, sent(client))

    client.force_login(AccountFactory(role="aid_officer", county=world.county))

    assert client.get(reverse("students:form", args=[form.pk])).status_code == 404
    assert client.get(reverse("students:filled_form", args=[form.pk])).status_code == 404


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (SimpleUploadedFile("旧表.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "损坏"),
        (SimpleUploadedFile("表.csv", "姓名,性别\n".encode()), "另存为 .xlsx"),
        (blank(heads=[None, None], name="空.xlsx"), "没有找到表头"),
        (None, "请选择要填的空表"),
    ],
    ids=["broken xls", "csv", "no header", "nothing chosen"],
)
def test_what_is_no_form_is_refused_beside_the_field(client, aid_officer, file, told):
    client.force_login(aid_officer)

    page = client.post(reverse("students:forms"), {"file": file} if file else {"sent": "yes"})

    assert told in page.content.decode()
    assert not FilledForm.objects.exists()


@pytest.mark.parametrize(
    ("more", "told"), [({"purpose": ""}, "请写明这张表"), ({"school": "x"}, "改变范围")], ids=["no purpose", "nobody"]
)
def test_nothing_is_filled_without_purpose_or_children(client, aid_officer, child, more, told):
    client.force_login(aid_officer)
    form = sent(client)
    given = {"column_B": "name", "fill": "yes", "purpose": "市局统计"} | more

    page = client.post(reverse("students:form", args=[form.pk]), given)

    form.refresh_from_db()
    assert told in page.content.decode() and form.job is None


def test_right_that_was_taken_away_meanwhile_fills_nothing(client, aid_officer, child):
    client.force_login(aid_officer)
    form = sent(client)
    client.post(reverse("students:form", args=[form.pk]), {"column_B": "name", "fill": "yes", "purpose": "市局统计"})
    aid_officer.assignments.update(valid_to=date(2021, 1, 1))
    form.refresh_from_db()

    jobs.run(form.job_id)

    form.refresh_from_db()
    assert (form.job.state, form.job.error_code, form.rows) == ("failed", "no_right", None)

"""What leaves the house comes back unchanged, and no text of ours becomes a formula on somebody's computer."""

import ast
import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bureau import jobs
from bureau.access.roles import Role
from bureau.access.table import pages
from bureau.audit.models import AccessLog
from bureau.organisation.models import School, Township, Village
from bureau.sheets import read, write_csv, write_workbook
from bureau.sheets.process import here
from dropout.models import Case
from students.models import FilledForm, GroupFact, Guardianship, Leaver, Movement
from students.sheets import ROSTERS
from students.sheets.facts import ChildFacts
from students.views import exporting
from subsidies.actions import listing, programmes
from subsidies.models import Programme
from tests.factories import TermFactory
from tests.samples import collection_of
from tests.students.factories import (
    DiscrepancyFactory,
    EnrolmentFactory,
    HardshipFactory,
    StudentFactory,
    citizen_id,
)

PLANTED = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")
WRITERS = {"write.py", "marking.py", "fill.py"}


def content_of(answer) -> bytes:
    assert answer.status_code == 200, answer.status_code
    return b"".join(answer.streaming_content)


def formulas_in(book: bytes) -> int:
    """Formulas and links in every sheet of a workbook, as the raw file has them."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    return sum(part.count(mark) for part in parts for mark in (b"<f>", b"<f ", b"<hyperlink"))


# The same again


def roll_rows(count: int) -> list[dict]:
    return [
        {
            "姓名": "赵钱孙李周吴郑王"[n % 8] + "小明", "身份证号": citizen_id(date(2016, 5, 1 + n), 1 + n % 2), "性别": "男" if n % 2 == 0 else "女",
            "年级": "三年级", "班级": "1班", "民族": "苗族", "户口所在地": "云岭县城关镇", "现住址": f"城关镇{n}号", "就读方式": "住校" if n % 2 else "走读",
            "学籍状态": "在籍", "监护人姓名": "赵大山", "监护人关系": "父亲", "联系电话": f"1380000000{n}", "学籍号": "G" + citizen_id(date(2016, 5, 1 + n), 1 + n % 2),
        }
        for n in range(count)
    ]  # fmt: skip


def test_prefilled_template_sent_back_changes_nobody(client, office, school, term, aid_officer, tmp_path):
    office.enrol(roll_rows(6), school=school)
    client.force_login(aid_officer)
    given = {"school": school.pk, "term": term.pk, "purpose": "送学校核对"}

    book = content_of(client.post(reverse("students:filled_template"), given))

    (tmp_path / "back.xlsx").write_bytes(book)
    roster = office.roll(tmp_path / "back.xlsx", school=school)
    assert (roster.accepted, roster.rejected, roster.unchanged) == (6, 0, 6), roster.problems
    assert (roster.new, roster.changed, roster.absent) == (0, 0, 0)
    assert not [problem for problem in roster.problems if problem["code"] in ("old_template", "other_term")]


def test_prefilled_template_is_recorded_with_its_purpose(client, office, school, term, aid_officer):
    office.enrol(roll_rows(2), school=school)
    client.force_login(aid_officer)

    client.post(reverse("students:filled_template"), {"school": school.pk, "term": term.pk, "purpose": "送学校核对"})

    log = AccessLog.objects.get(view="students:filled_template")
    assert (log.count, log.reason) == (2, "预填模板，用途：送学校核对")


def test_who_may_not_see_numbers_gets_no_prefilled_template(client, school_clerk):
    client.force_login(school_clerk)

    assert client.get(reverse("students:filled_template")).status_code == 403


def test_template_of_one_school_is_refused_at_another(client, office, world, term, aid_officer, tmp_path):
    office.enrol(roll_rows(2), school=world.school)
    client.force_login(aid_officer)
    given = {"school": world.school.pk, "term": term.pk, "purpose": "送学校核对"}
    (tmp_path / "back.xlsx").write_bytes(content_of(client.post(reverse("students:filled_template"), given)))

    assert office.roll(tmp_path / "back.xlsx", school=world.other_school).file_error["code"] == "other_school"
    assert office.roll(tmp_path / "back.xlsx").unchanged == 2  # without a school the template itself says whose it is


def test_template_of_another_term_is_told(client, office, world, aid_officer, tmp_path):
    office.enrol(roll_rows(2), school=world.school)
    spring = TermFactory(county=world.county, code="2027-spring", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 9))
    client.force_login(aid_officer)
    given = {"school": world.school.pk, "term": spring.pk, "purpose": "送学校核对"}
    (tmp_path / "back.xlsx").write_bytes(content_of(client.post(reverse("students:filled_template"), given)))

    roster = office.roll(tmp_path / "back.xlsx", school=world.school)

    assert "other_term" in [problem["code"] for problem in roster.problems]


@pytest.mark.parametrize("kind", ROSTERS)
def test_rows_of_a_roster_written_and_read_again_are_the_same(kind, tmp_path):
    """Every column of every layout has something in it. Lists of other offices have no export."""
    for layout in ROSTERS[kind]:
        first = read(_sample(layout, tmp_path), layout, today=date(2026, 9, 10), in_process=True)
        assert first.file_error is None, (layout, first.file_error)
        rows = [row for row in first.rows if row.status == "accepted"]
        assert rows, (layout, [problem.message for problem in first.problems])
        for write, ending in ((write_workbook, "xlsx"), (write_csv, "csv")):
            again_at = tmp_path / f"again.{ending}"
            write(again_at, layout, [row.values for row in rows])
            again = read(again_at, layout, today=date(2026, 9, 10), in_process=True)
            assert [_plain(row) for row in again.rows] == [_plain(row) for row in rows], layout


def _plain(row) -> dict:
    return {attr: value for attr, value in row.values.items() if attr not in ("other", "members")}


def _sample(layout, folder: Path) -> Path:
    """One row in which each column has something its kind accepts."""
    path = folder / "first.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.header for column in layout.columns])
        writer.writerow([_accepted(column) for column in layout.columns])
    return path


_BY_KIND = {
    "CitizenNumber": citizen_id(date(2012, 6, 3)), "StudentNumber": "G" + citizen_id(date(2012, 6, 3)), "Phone": "13800000000",
    "Date": "2012-06-03", "YearMonth": "2018-09", "Sex": "男", "Ethnicity": "苗族", "PersonName": "赵小明", "Grade": "三年级",
    "ClassName": "1班", "Amount": "625", "Integer": "3", "YesNo": "是", "Account": "6217000000000000004",
    "DocumentKind": "居民身份证", "Code": "520000123456",
}  # fmt: skip


def _accepted(column) -> str:
    kind = type(column.kind).__name__
    if column.attr == "guardian_citizen_id" or column.attr.endswith("_citizen_id") or column.attr == "head_id":
        return citizen_id(date(1980, 6, 3))
    if kind == "DisabilityCertificate":
        return citizen_id(date(2012, 6, 3)) + "42"
    if column.attr in ("listed_to", "ended_on"):
        return ""
    return _BY_KIND.get(kind) or (column.kind.options[0] if column.kind.options else "") or column.example or "云岭"


# No formula


@pytest.fixture
def planted(home, world, term, aid_officer):
    """Every text field somebody can fill holds something a spreadsheet would run."""
    students = []
    for place, text in enumerate(PLANTED):
        student = StudentFactory(name=text, number=citizen_id(date(2016, 5, 1 + place)), hukou_township=world.township, hukou_text=text)
        EnrolmentFactory(student=student, school=world.school, class_name=text, state=text[:20])
        Guardianship.objects.create(student=student, name=text, relation=text[:20], valid_from=date(2020, 1, 1))
        HardshipFactory(student=student, evidence=text)
        DiscrepancyFactory(student=student, school=world.school, township=world.township, note=text, county=world.county, term=term)
        students.append(student)
    for model, field in ((School, "name"), (Township, "name"), (Village, "name")):
        for place, row in enumerate(model.objects.all()):
            model.objects.filter(pk=row.pk).update(**{field: PLANTED[place % len(PLANTED)]})
    return students


def download(name: str):
    def made(client, world, office) -> bytes:
        return content_of(client.get(reverse(name)))

    return made


def _owed(client, world, office) -> bytes:
    return content_of(client.get(reverse("students:export_owed", args=[collection_of(world.county).pk])))


def _groups(client, world, office) -> bytes:
    facts = {"group": "left_behind", "valid_from": date(2026, 9, 1), "source": "school", "checked_on": date(2026, 9, 1)}
    for stay in world.school.enrolments.all():
        people = {"checked_by": office.by, "recorded_by": office.by}
        GroupFact.objects.create(county=world.county, student_id=stay.student_id, evidence=stay.class_name, **facts, **people)
    return content_of(client.get(reverse("students:export_groups")))


def _movements(client, world, office) -> bytes:
    facts = {"county": world.county, "since_on": date(2026, 9, 10), "announced_by": office.by, "kind": "abroad"}
    for stay in world.school.enrolments.all():
        Movement.objects.create(enrolment=stay, school=world.school, place=stay.class_name, evidence=stay.class_name, **facts)
    return content_of(client.get(reverse("students:export_movements")))


def _leavers(client, world, office) -> bytes:
    facts = {"county": world.county, "school_year": world.term.school_year, "to_school": world.other_school}
    for stay in world.school.enrolments.all():
        Leaver.objects.create(enrolment=stay, handed_on=date(2026, 7, 12), destination="home", place=stay.class_name, **facts)
    return content_of(client.get(reverse("students:export_leavers") + "?year=2026"))


def _of_dropout(name: str):
    """Cases of the planted children, downloaded by the officer who may."""

    def made(client, world, office) -> bytes:
        for n, stay in enumerate(world.school.enrolments.all(), 1):
            case = Case.objects.create(
                county=world.county, student_id=stay.student_id, number=n, school=world.school, township=world.township,
                plan=stay.class_name, opened_on=date(2026, 9, 10),
            )  # fmt: skip
            case.episodes.create(opened_on=case.opened_on, grade=stay.class_name, placed_at=stay.class_name, evidence=stay.class_name)
        client.force_login(world.account(Role.BASIC_EDUCATION_OFFICER))
        return content_of(client.get(reverse(name)))

    return made


def _template(client, world, office) -> bytes:
    return content_of(client.get(reverse("students:roster_template", args=["roll"])))


def _prefilled(client, world, office) -> bytes:
    given = {"school": world.school.pk, "term": world.term.pk, "purpose": "=核对名单"}
    return content_of(client.post(reverse("students:filled_template"), given))


def _filled(client, world, office) -> bytes:
    book = openpyxl.Workbook()
    book.active.append([column.header for column in ChildFacts.columns])
    blank = io.BytesIO()
    book.save(blank)
    client.post(reverse("students:forms"), {"file": SimpleUploadedFile("=1.xlsx", blank.getvalue())})
    form = FilledForm.objects.get()
    columns = {f"column_{letter}": fact for letter, fact in form.columns.items()}
    client.post(reverse("students:form", args=[form.pk]), columns | {"fill": "yes", "purpose": "=统计"})
    form.refresh_from_db()
    jobs.run(form.job_id)
    return content_of(client.get(reverse("students:filled_form", args=[form.pk])))


def _aid(name: str, code: str = ""):
    """Every pupil gets meals, and none of the planted is on a list of boarders in hardship."""

    def made(client, world, office) -> bytes:
        programmes.install(world.county)
        meals = Programme.objects.get(county=world.county, code="meal_plan")
        listing.list_candidates(programme=meals, term=world.term, by=office.by)
        asked = [Programme.objects.get(county=world.county, code=code).pk] if code else []
        return content_of(client.get(reverse(name, args=asked)))

    return made


# A page that gives out a file and is in neither list fails the walk.
DOWNLOADS = {
    "subsidies:export_entitled": _aid("subsidies:export_entitled", "meal_plan"),
    "subsidies:export_others": _aid("subsidies:export_others", "living_boarder"),
    "subsidies:export_grants": _aid("subsidies:export_grants"),
    "students:export_students": download("students:export_students"),
    "students:export_discrepancies": download("students:export_discrepancies"),
    "students:export_movements": _movements,
    "students:export_leavers": _leavers,
    "students:export_groups": _groups,
    "dropout:export_cases": _of_dropout("dropout:export_cases"),
    "dropout:export_children": _of_dropout("dropout:export_children"),
    "students:roster_template": _template,
    "students:filled_template": _prefilled,
    "students:filled_form": _filled,
    "students:export_owed": _owed,
}
ELSEWHERE = {
    "students:roster_errors": "the clerk's own file, with its own formulas; see tests/bureau/sheets",
}


def test_every_download_is_walked():
    files = {page.name for page in pages() if page.route.rsplit(".", 1)[-1] in ("xlsx", "csv", "zip", "docx")}

    assert files - set(DOWNLOADS) - set(ELSEWHERE) == set()


@pytest.mark.parametrize("name", DOWNLOADS)
def test_no_planted_text_becomes_a_formula(client, planted, world, office, aid_officer, monkeypatch, name):
    monkeypatch.setattr("bureau.sheets.peek.listen", here)
    client.force_login(aid_officer)

    book = DOWNLOADS[name](client, world, office)

    assert formulas_in(book) == 0
    cells = [cell for page in openpyxl.load_workbook(io.BytesIO(book)) for row in page for cell in row if cell.value is not None]
    assert cells and all(cell.data_type != "f" for cell in cells)


@pytest.mark.parametrize("text", PLANTED)
def test_no_csv_cell_begins_with_a_trigger(tmp_path, text):
    write_csv(tmp_path / "a.csv", exporting.StudentSheet, [dict.fromkeys(exporting.StudentSheet.by_attr, text)])

    with open(tmp_path / "a.csv", encoding="utf-8-sig", newline="") as file:
        [_, cells] = csv.reader(file)
    assert not [cell for cell in cells if cell.startswith(TRIGGERS)]


def test_only_the_safe_writers_make_workbooks():
    """Anybody else would have to remember what `put` knows."""
    makers = set()
    for app in ("bureau", "students", "subsidies", "dropout", "inspections"):
        for path in (settings.ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = node.names if isinstance(node, ast.ImportFrom | ast.Import) else []
                module = getattr(node, "module", "") or ""
                words = {module.split(".")[0], *(name.name.split(".")[0] for name in names)}
                if words & {"openpyxl", "xlsxwriter", "xlwt", "odf", "pyexcel"}:
                    makers.add(path.relative_to(settings.ROOT))
    allowed = {Path("bureau/sheets") / name for name in WRITERS}

    assert {path for path in makers if path.parts[1] != "demo"} - allowed == set()

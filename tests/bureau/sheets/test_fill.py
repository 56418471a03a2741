"""空表一键填数: rows go into somebody's own form, and everything else of it stays as it was."""

import zipfile

import openpyxl
import pytest
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation

from bureau.sheets.fill import check_form, fill_form
from bureau.sheets.intake.faults import FileFault

from .pupils import Pupils

THIN = Border(*[Side("thin")] * 4)
COLUMNS = {0: "serial", 1: "name", 2: "sex", 3: "citizen_id"}


def people(count: int) -> list[dict]:
    return [{"name": f"学生{n}", "sex": "男", "citizen_id": "990101201205030011"} for n in range(1, count + 1)]


@pytest.fixture
def form(tmp_path):
    """Title, two-level header, three blank rows with borders, a total with a formula, a signature line, a second sheet."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "统计表"
    page["A1"] = "××县学生情况统计表"
    page.merge_cells("A1:F1")
    for place, text in zip(["A2", "B2", "E2", "F2"], ["序号", "学生", "年龄", "备注"], strict=True):
        page[place] = text
    page.merge_cells("B2:D2")
    for place, text in zip(["B3", "C3", "D3"], ["姓名", "性别", "身份证号"], strict=True):
        page[place] = text
    page.merge_cells("A2:A3")
    for row in (4, 5, 6):
        page.row_dimensions[row].height = 24
        for column in range(1, 7):
            cell = page.cell(row, column)
            cell.border, cell.font = THIN, Font(name="仿宋", size=12)
        page.cell(row, 5).value = f"=2026-MID(D{row},7,4)"
    page["A7"], page["C7"] = "合计", "=COUNTA(B4:B6)"
    page.merge_cells("A7:B7")
    page["A8"] = "填表人：　　　审核人："
    page.merge_cells("A8:F8")
    page.row_dimensions[8].height = 40
    page["A8"].fill = PatternFill("solid", fgColor="FFFF00")
    page.column_dimensions["D"].width = 33
    choice = DataValidation(type="list", formula1='"男,女"')
    choice.add("C4:C6")
    page.add_data_validation(choice)
    page.print_area = "A1:F8"
    other = book.create_sheet("填表说明")
    other["A1"] = "请于月底前报送"
    book.save(tmp_path / "form.xlsx")
    return tmp_path / "form.xlsx"


def filled(form, count: int, **more):
    target = form.with_name("filled.xlsx")
    outcome = fill_form(form, target, sheet="统计表", header_row=3, columns=COLUMNS, rows=more.pop("rows", people(count)))
    return openpyxl.load_workbook(target), outcome


def test_blank_rows_are_used_first_and_what_stands_below_stays(form):
    book, outcome = filled(form, 3)
    page = book["统计表"]

    assert [page.cell(row, 2).value for row in (4, 5, 6)] == ["学生1", "学生2", "学生3"]
    assert [page.cell(row, 1).value for row in (4, 5, 6)] == [1, 2, 3]
    assert (page["A7"].value, page["A8"].value) == ("合计", "填表人：　　　审核人：")
    assert outcome.rows == 3


def test_more_rows_than_the_form_has_push_the_rest_down_and_look_like_the_first(form):
    book, _ = filled(form, 10)
    page = book["统计表"]

    assert page["B13"].value == "学生10"
    assert page["B13"].border.top.style == "thin" and page["B13"].font.name == "仿宋"
    assert page.row_dimensions[13].height == 24
    assert (page["A14"].value, page["A15"].value) == ("合计", "填表人：　　　审核人：")
    assert page["A15"].fill.fgColor.rgb == "00FFFF00" and page.row_dimensions[15].height == 40
    assert {str(r) for r in page.merged_cells.ranges} == {"A1:F1", "B2:D2", "A2:A3", "A14:B14", "A15:F15"}
    assert "C13" in page.data_validations.dataValidation[0].sqref
    assert page.print_area.replace("$", "").endswith("A1:F15")


def test_layout_of_columns_and_other_sheets_are_kept(form):
    book, _ = filled(form, 10)

    assert book["统计表"].column_dimensions["D"].width == 33
    assert book["填表说明"]["A1"].value == "请于月底前报送"


def test_formulas_of_the_form_are_left_alone(form):
    source = openpyxl.load_workbook(form)["统计表"]
    target = form.with_name("filled.xlsx")
    outcome = fill_form(form, target, sheet="统计表", header_row=3, columns=COLUMNS | {4: "sex"}, rows=people(2))
    page = openpyxl.load_workbook(target)["统计表"]

    assert page["E4"].value == source["E4"].value
    assert outcome.formulas == 2
    assert page["C7"].value == "=COUNTA(B4:B6)"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"])
def test_no_text_becomes_a_formula(form, text):
    def formulas(path) -> int:
        with zipfile.ZipFile(path) as archive:
            return sum(archive.read(n).count(b"<f>") for n in archive.namelist() if n.startswith("xl/worksheets/sheet"))

    filled(form, 0, rows=[{"name": text, "sex": text, "citizen_id": text}])

    assert formulas(form.with_name("filled.xlsx")) == formulas(form)


def test_number_is_text_and_keeps_all_its_digits(form):
    book, _ = filled(form, 1)
    cell = book["统计表"]["D4"]

    assert (cell.value, cell.data_type, cell.number_format) == ("990101201205030011", "s", "@")


def test_line_that_numbers_the_columns_belongs_to_the_header(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in (["序号", "姓名", "性别", "身份证号"], ["甲", 1, 2, 3], [None] * 4, ["填表人："]):
        page.append(row)
    book.save(tmp_path / "form.xlsx")

    fill_form(tmp_path / "form.xlsx", tmp_path / "filled.xlsx", sheet=None, header_row=1, columns=COLUMNS, rows=people(2))

    page = openpyxl.load_workbook(tmp_path / "filled.xlsx").active
    assert [row[1] for row in page.values] == ["姓名", 1, "学生1", "学生2", None]
    assert page["A5"].value == "填表人："


def test_numbers_printed_in_advance_are_free_rows(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in (["序号", "姓名", "性别", "身份证号"], [1], [2], [3], ["填表人："]):
        page.append(row)
    book.save(tmp_path / "form.xlsx")

    fill_form(tmp_path / "form.xlsx", tmp_path / "filled.xlsx", sheet=None, header_row=1, columns=COLUMNS, rows=people(2))

    page = openpyxl.load_workbook(tmp_path / "filled.xlsx").active
    assert [row[:2] for row in page.values] == [("序号", "姓名"), (1, "学生1"), (2, "学生2"), (3, None), ("填表人：", None)]


def test_footer_right_under_the_header_moves_down(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in (["序号", "姓名", "性别", "身份证号"], ["填表人："]):
        page.append(row)
    page["B1"].border = THIN
    book.save(tmp_path / "form.xlsx")

    fill_form(tmp_path / "form.xlsx", tmp_path / "filled.xlsx", sheet=None, header_row=1, columns=COLUMNS, rows=people(2))

    page = openpyxl.load_workbook(tmp_path / "filled.xlsx").active
    assert [row[:2] for row in page.values] == [("序号", "姓名"), (1, "学生1"), (2, "学生2"), ("填表人：", None)]
    assert page["B2"].border.top.style == "thin"


def test_rows_merged_sideways_are_merged_in_every_new_row(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["姓名", None, "性别"])
    page.merge_cells("A1:B1")
    page.append([None] * 3)
    page.merge_cells("A2:B2")
    page.append(["注：一式两份"])
    book.save(tmp_path / "form.xlsx")

    columns = {0: "name", 2: "sex"}
    fill_form(tmp_path / "form.xlsx", tmp_path / "filled.xlsx", sheet=None, header_row=1, columns=columns, rows=people(3))

    page = openpyxl.load_workbook(tmp_path / "filled.xlsx").active
    assert {str(r) for r in page.merged_cells.ranges} == {"A1:B1", "A2:B2", "A3:B3", "A4:B4"}
    assert (page["A4"].value, page["C4"].value, page["A5"].value) == ("学生3", "男", "注：一式两份")


def test_nobody_to_fill_in_leaves_the_form_as_it_is(form):
    book, outcome = filled(form, 0)

    assert outcome.rows == 0
    assert [cell.value for cell in book["统计表"]["B"]][3:6] == [None, None, None]


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [("姓名,性别\n".encode(), "表.csv", "not_a_workbook"), (b"", "表.xlsx", "empty"), (b"PK\x03\x04junk", "表.xlsx", "truncated")],
    ids=["csv", "empty", "damaged"],
)
def test_what_cannot_be_filled_is_refused_kindly(tmp_path, content, name, code):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(FileFault) as refused:
        check_form(tmp_path / name, name=name, limits=Pupils)

    assert refused.value.code == code

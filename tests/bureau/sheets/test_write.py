"""Nothing written can become a formula, and what is written reads back the same."""

import csv
import zipfile
from datetime import date

import openpyxl
import pytest

from bureau.sheets import write_csv, write_template, write_workbook

from .pupils import Pupils, number_of, verdict

PERSON = {
    "school_name": "云岭镇中心小学", "grade": "P3", "class_name": "1班", "class_number": 1, "name": "阿依古丽·买买提", "sex": "1",
    "document_kind": "1", "citizen_id": number_of(1), "birth_on": date(2012, 5, 3), "ethnicity": "05",
    "student_number": "G" + number_of(1), "boarding": True, "phone": "13812345678", "account": "6217000000000000004",
    "amount_fen": 62510,
}  # fmt: skip
PLANTED = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "=cmd|'/c calc'!A1",
    'http://x.example/"><script>',
    "a\0b",
]


@pytest.mark.parametrize("write", [write_workbook, write_template], ids=["export", "template"])
def test_an_export_reads_back_without_a_change(tmp_path, write):
    args = {"rows": [PERSON]}
    write(tmp_path / "a.xlsx", Pupils, **args)

    reading = verdict(tmp_path / "a.xlsx")

    assert reading.rows[0].values == PERSON
    assert reading.rejected == 0


@pytest.mark.parametrize("text", PLANTED)
def test_no_text_becomes_a_formula(tmp_path, text):
    write_workbook(tmp_path / "a.xlsx", Pupils, [PERSON | {"address": text, "name": text}])
    write_template(
        tmp_path / "b.xlsx", Pupils, rows=[PERSON | {"address": text}], term=text, school=(text, text)
    )

    for name in ("a.xlsx", "b.xlsx"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in xml or b"<hyperlink" in xml for xml in sheets)
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["Q2"]
    assert cell.data_type == "s"


@pytest.mark.parametrize("text", PLANTED)
def test_no_text_of_a_csv_is_run(tmp_path, text):
    write_csv(tmp_path / "a.csv", Pupils, [{"address": text}], attrs=["address"])

    with open(tmp_path / "a.csv", encoding="utf-8-sig", newline="") as file:
        [_, [cell]] = csv.reader(file)
    assert cell[0] not in "=+-@\t\r\n＝＋－＠"


def test_a_template_guides_and_does_not_lock(tmp_path):
    write_template(tmp_path / "a.xlsx", Pupils, school=("2199000001", "云岭镇中心小学"), term="2026-autumn")

    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    page = book["填报"]
    heads = {cell.value: cell for cell in page[3]}
    assert not page.protection.sheet
    assert "2199000001" in page["A2"].value and "2026-autumn" in page["A2"].value
    assert "身份证号★" in heads
    assert page.cell(4, heads["身份证号★"].column).number_format == "@"
    assert any('"男,女"' == choice.formula1 for choice in page.data_validations.dataValidation)


def test_a_blank_template_is_an_empty_file_not_a_fault(tmp_path):
    write_template(tmp_path / "a.xlsx", Pupils)

    assert verdict(tmp_path / "a.xlsx").file_error.code == "empty"

"""The clerk's own file back: what he sent, with marks; nothing in it can start; sent again it is judged the same."""

import csv
import zipfile

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.formula import ArrayFormula

from bureau.keys import uuid7
from bureau.sheets import marked, marking, problem_header, row_in, serial_in, serial_of, write_marked
from bureau.sheets.problem_column import LETTERS, is_problem_header

from .pupils import HEADS, Pupils, codes, pupil, rewrite, save, verdict

HEADER = problem_header("7K2M9QXA")
RED, AMBER = "00FFC7CE", "00FFEB9C"


@pytest.fixture
def no_child(monkeypatch):
    """The work itself, in this process: a child takes most of a second to start."""
    monkeypatch.setattr(marked, "in_child", marking.here)


def came_back(source, *, name=None, **more):
    """The marked workbook of a file, as the product makes it."""
    reading = verdict(source)
    target = source.with_name("marked.xlsx")
    tables = [
        {"sheet": table.sheet, "header_row": table.header_row, "columns": table.columns} for table in reading.tables
    ]
    write_marked(
        source, target, sheet=Pupils, tables=tables, problems=reading.problems, header=HEADER, name=name, **more
    )
    return target


def test_problem_cells_are_coloured_and_commented_and_each_bad_row_is_told(no_child, tmp_path):
    rows = [pupil(1), pupil(2, sex="?"), pupil(3, id="12"), ["合计"]]
    source = save(tmp_path / "a.xlsx", [["名册"], HEADS, *rows])

    page = openpyxl.load_workbook(came_back(source))["名册"]

    assert (page["F4"].fill.fgColor.rgb, "性别" in page["F4"].comment.text) == (RED, True)
    assert page["F3"].fill.fill_type is None and page["F3"].comment is None
    assert page["I2"].value == "问题〔单号 7K2M9QXA〕"
    assert page["I5"].value.startswith("第 5 行：身份证号：")
    assert [page["I3"].value, page["I6"].value] == [None, None]


def test_a_warning_has_another_colour_than_an_error(no_child, tmp_path):
    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, name="Zhang"), pupil(2, sex="?")])

    page = openpyxl.load_workbook(came_back(source)).active

    assert (page["E2"].fill.fgColor.rgb, page["F3"].fill.fgColor.rgb) == (AMBER, RED)


def test_sent_again_it_is_judged_the_same_and_the_added_column_is_no_stranger(tmp_path):
    source = save(tmp_path / "a.xlsx", [["名册"], HEADS, pupil(1), pupil(2, sex="?"), pupil(3, id="12"), ["合计"]])

    again = verdict(came_back(source))

    assert (codes(again), again.counts) == (codes(verdict(source)), verdict(source).counts)
    assert again.tables[0].ignored == []


def test_a_second_round_replaces_the_marks_of_the_first(no_child, tmp_path):
    first = came_back(save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?"), pupil(2, sex="?")]))
    book = openpyxl.load_workbook(first)
    book.active["F2"].value = "男"
    book.save(tmp_path / "b.xlsx")

    page = openpyxl.load_workbook(came_back(tmp_path / "b.xlsx")).active

    assert page["F2"].comment is None and page["F2"].fill.fill_type is None
    assert [page[f"I{row}"].value is None for row in (1, 2, 3)] == [False, True, False]
    assert page.max_column == 9


def test_layout_other_sheets_widths_and_merged_cells_are_kept(no_child, tmp_path):
    def finish(book, page):
        page.merge_cells("A1:H1")
        page.column_dimensions["E"].width = 33
        page["A1"].font = Font(bold=True, size=18)
        page["E3"].comment = Comment("班主任说的", "王老师")
        book.create_sheet("说明")["B2"] = "请勿外传"

    source = save(tmp_path / "a.xlsx", [["名册"], HEADS, pupil(1, sex="?")], finish=finish)

    book = openpyxl.load_workbook(came_back(source))

    page = book["名册"]
    assert [str(span) for span in page.merged_cells.ranges] == ["A1:H1"]
    assert (page.column_dimensions["E"].width, page["A1"].font.size) == (33, 18)
    assert page["E3"].comment.text == "班主任说的"
    assert book["说明"]["B2"].value == "请勿外传"


def test_a_comment_of_his_own_at_a_problem_cell_is_not_lost(no_child, tmp_path):
    def finish(book, page):
        page["F2"].comment = Comment("转学来的", "王老师")

    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?")], finish=finish)

    assert "转学来的" in openpyxl.load_workbook(came_back(source)).active["F2"].comment.text


def test_two_tables_on_one_sheet_share_one_column(no_child, tmp_path):
    first = [HEADS, pupil(1, sex="?"), *(pupil(n) for n in range(2, 22))]
    turned = pupil(30, sex="?", grade="五年级")
    second = [[HEADS[0], *HEADS[:0:-1], "民族"], [turned[0], *turned[:0:-1], "汉族"]]
    source = save(tmp_path / "a.xlsx", [*first, *second])

    page = openpyxl.load_workbook(came_back(source)).active

    assert [page[f"J{row}"].value for row in (1, 23)] == [HEADER, HEADER]
    assert page["F2"].fill.fgColor.rgb == page["D24"].fill.fgColor.rgb == RED


def test_rows_of_several_sheets_name_their_sheet(no_child, tmp_path):
    def finish(book, page):
        other = book.create_sheet("“二”班")
        for line in (HEADS, pupil(5, sex="?")):
            other.append(line)

    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?")], finish=finish)

    book = openpyxl.load_workbook(came_back(source))

    assert row_in(book["名册"]["I2"].value) == ("名册", 2)
    assert row_in(book["“二”班"]["I2"].value) == ("“二”班", 2)


@pytest.mark.parametrize("danger", ["=1+1", "=cmd|'/c calc'!A0", "+1", "@SUM(A1)", "-2+3"])
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_no_text_becomes_a_formula(no_child, tmp_path, ending, danger):
    rows = [[*HEADS, "住址"], [*pupil(1, sex="?"), danger]]
    if ending == "xlsx":
        source = save(tmp_path / "a.xlsx", rows)
    else:
        source = tmp_path / "a.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    cell = openpyxl.load_workbook(came_back(source)).active["I2"]

    assert (cell.value, cell.data_type) == (danger, "s")


def test_formulas_come_back_as_their_results_and_uncomputed_ones_as_errors(no_child, tmp_path):
    def finish(book, page):
        page["F2"] = "=1+1"
        page["G2"] = ArrayFormula("G2:G2", "=A2*2")
        page["H2"] = "=A2&\"2012-05-03\""

    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?"), pupil(2, sex="?")], finish=finish)
    rewrite(
        source,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>").replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>"),
    )

    target = came_back(source)

    page = openpyxl.load_workbook(target).active
    assert (page["F2"].value, page["F2"].data_type) == (2, "n")
    assert (page["G2"].value, page["G2"].data_type) == ("#N/A", "e")
    with zipfile.ZipFile(target) as archive:
        assert not any(b"<f" in archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)
    assert {code for row, _, code in codes(verdict(target)) if row == 2} >= {"cell_error"}


def test_a_text_file_comes_back_as_a_workbook_with_rows_where_they_were(no_child, tmp_path):
    source = tmp_path / "a.csv"
    lines = [",".join(map(str, cells)) for cells in (HEADS, pupil(1), pupil(2, sex="?"))]
    source.write_text("\n".join([lines[0], "", *lines[1:]]), encoding="gb18030")

    page = openpyxl.load_workbook(came_back(source)).active

    assert page["F4"].fill.fgColor.rgb == RED
    assert page["I4"].value.startswith("第 4 行：性别")
    assert page["I1"].value == HEADER
    assert [(row, code) for row, _, code in codes(verdict(tmp_path / "marked.xlsx"))] == [(4, "unknown_value")]


def test_a_workbook_only_our_reader_understands_comes_back_rebuilt(tmp_path):
    source = save(tmp_path / "a.xlsx", [["名册"], HEADS, pupil(1, sex="?")], finish=lambda b, p: p.merge_cells("A1:H1"))
    rewrite(source, "xl/styles.xml", lambda xml: xml.replace('fontId="0"', 'fontId="zero"'))

    page = openpyxl.load_workbook(came_back(source)).active

    assert [str(span) for span in page.merged_cells.ranges] == ["A1:H1"]
    assert (page["F3"].fill.fgColor.rgb, page["I3"].value[:6]) == (RED, "第 3 行：")


def test_nothing_is_written_when_the_limits_do_not_suffice(tmp_path, monkeypatch):
    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?")])
    monkeypatch.setattr(marked, "MEMORY", 1024 * 1024)

    with pytest.raises(marked.NotMarked):
        came_back(source)


def test_whoever_is_asked_to_stop_ends_the_child(tmp_path):
    source = save(tmp_path / "a.xlsx", [HEADS, pupil(1, sex="?")])

    def stop(done, total, words):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        came_back(source, tell=stop)
    assert not (tmp_path / "marked.xlsx").exists()


@pytest.mark.parametrize(
    ("header", "serial"),
    [
        ("问题〔单号 7K2M9QXA〕", "7K2M9QXA"),
        ("问题〔单号７ｋ２ｍ９ｑｘａ〕", "7K2M9QXA"),
        ("问题(单号:7K2M9QXO)", "7K2M9QX0"),
        ("监护人/问题〔单号 7K2M9QXA〕", "7K2M9QXA"),
        ("问题", None),
    ],
)
def test_the_serial_is_read_however_it_was_copied(header, serial):
    assert is_problem_header(header)
    assert serial_in(header) == serial


@pytest.mark.parametrize("header", ["问题描述", "存在问题", "单号 7K2M9QXA", ""])
def test_a_column_of_his_own_is_not_ours(header):
    assert not is_problem_header(header)


def test_a_serial_has_eight_letters_nobody_mistakes():
    serials = {serial_of(uuid7()) for _ in range(200)}

    assert len(serials) == 200
    assert {len(serial) for serial in serials} == {8}
    assert set("".join(serials)) <= set(LETTERS) and not set(LETTERS) & set("ILOU")

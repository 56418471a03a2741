"""Headers wherever they are, rows that are no data, and everything a fast reader would hide."""

import zipfile

import pytest

from bureau.sheets.intake.facts import Look
from bureau.sheets.intake.look import chunks, walk
from bureau.sheets.intake.scan import scan

from .pupils import (
    HEADS,
    Pupils,
    codes,
    number_of,
    pupil,
    rewrite,
    save,
    shifted,
    table_codes,
    verdict,
)


def test_titles_above_the_header_are_no_rows(tmp_path):
    path = save(tmp_path / "a.xlsx", [["××县学生名册"], ["填报单位：××小学"], [], HEADS, pupil(1)])

    reading = verdict(path)

    assert reading.counts["rows"] == 1
    assert reading.rows[0].number == 5


@pytest.mark.parametrize(
    "heads",
    [
        ["*姓名（必填）", "★身份证号", " 年 级 ", "班\n级"],
        ["学生姓名", "公民身份号码", "年级", "班级"],
        ["1.姓名", "2.身份证件号", "3.年级", "4.班级"],
        ["姓名\u200b", "SFZH", "年级（必填）", "班级[例：1班]"],
        ["班级", "年级", "身份证号", "姓名"],
    ],
)
def test_headers_are_found_by_what_they_say(tmp_path, heads):
    facts = {
        "姓": "张三",
        "身": number_of(1),
        "公": number_of(1),
        "sf": number_of(1),
        "SF": number_of(1),
        "年": "三年级",
        "班": "1班",
    }

    def value(head):
        bare = head.strip(" *★.0123456789")
        return next(
            v for k, v in facts.items() if bare.startswith(k) or (k == "姓" and bare.startswith("学生"))
        )

    path = save(tmp_path / "a.xlsx", [heads, [value(head) for head in heads]])

    assert verdict(path).accepted == 1


def test_two_header_rows_are_joined(tmp_path):
    def finish(book, page):
        page.merge_cells("A1:A2")
        page.merge_cells("B1:B2")
        page.merge_cells("C1:C2")
        page.merge_cells("D1:E1")

    upper, lower = ["姓名", "身份证号", "年级", "监护人", None], [None, None, None, "姓名", "身份证号"]
    row = ["张三", number_of(1), "三年级", "张大山", number_of(9)]
    path = save(tmp_path / "a.xlsx", [upper, lower, row], finish=finish)

    reading = verdict(path)

    assert reading.tables[0].headers["guardian_name"] == "监护人/姓名"
    assert reading.rows[0].values["guardian_citizen_id"] == number_of(9)


def test_the_number_of_somebody_else_in_brackets_is_not_the_childs(tmp_path):
    path = save(
        tmp_path / "a.xlsx", [["姓名", "年级", "身份证号（监护人）"], ["张三", "三年级", number_of(9)]]
    )

    assert verdict(path).file_error.code == "missing_column"


def test_all_missing_columns_are_listed_at_once(tmp_path):
    error = verdict(
        save(tmp_path / "a.xlsx", [["性别", "出生日期", "学校"], ["男", "2012-05-03", "x"]])
    ).file_error

    assert error.code == "missing_column"
    assert all(word in error.message for word in ("姓名", "身份证号", "年级或班级"))


def test_the_same_header_twice_is_refused_with_its_letters(tmp_path):
    error = verdict(save(tmp_path / "a.xlsx", [[*HEADS, "姓名"], pupil(1)])).file_error

    assert (error.code, "E列与I列" in error.message) == ("duplicate_header", True)


def test_a_sheet_without_any_header_is_refused(tmp_path):
    assert verdict(save(tmp_path / "a.xlsx", [["甲", "乙"], ["丙", "丁"]])).file_error.code == "no_header"


def test_only_a_header_is_an_empty_file(tmp_path):
    assert verdict(save(tmp_path / "a.xlsx", [HEADS])).file_error.code == "empty"


def test_every_sheet_with_a_header_is_read_and_the_others_are_told(tmp_path):
    def finish(book, page):
        second = book.create_sheet("二班")
        for cells in (HEADS, pupil(2)):
            second.append(cells)
        book.create_sheet("统计").append(["人数", 2])

    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1)], name="一班", finish=finish))

    assert [(row.sheet, row.number) for row in reading.rows] == [("一班", 2), ("二班", 2)]
    assert "sheet_skipped" in table_codes(reading)


def test_rows_that_are_no_data_are_skipped_with_a_note_each(tmp_path):
    path = save(
        tmp_path / "a.xlsx",
        [
            HEADS, pupil(1), ["小计", None, None, None, "1人"], [], ["三年级2班学生名单"], HEADS, pupil(2),
            [99], ["单位：人  日期：2026-09-01"], [None, None, "总人数", 2], ["备注：一式两份"],
            ["制表人：王五        审核人："], ["校长签字（公章）："],
        ],
    )  # fmt: skip

    reading = verdict(path)

    assert reading.counts == {"rows": 11, "accepted": 2, "rejected": 0, "warned": 0, "skipped": 9}
    assert [code for _, _, code in codes(reading, "note")] == [
        "subtotal", "title", "repeated_header", "only_number", "unit_line", "subtotal", "footer", "footer", "footer"
    ]  # fmt: skip


def test_a_child_whose_name_sounds_like_a_total_is_a_child(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1, name="合计明"), pupil(2, name="注远")]))

    assert reading.accepted == 2


def test_a_row_with_only_a_name_is_rejected_not_skipped(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), [None, None, None, None, "李四"]]))

    assert codes(reading, "error") == [(3, "身份证号", "required")]


def test_hidden_rows_and_columns_are_read_and_told(tmp_path):
    def finish(book, page):
        page.row_dimensions[2].hidden = True
        page.column_dimensions["H"].hidden = True

    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)], finish=finish))

    assert reading.accepted == 2
    assert {"hidden_rows", "hidden_columns"} <= table_codes(reading)


def test_a_hidden_sheet_with_data_is_named_and_not_read(tmp_path):
    def finish(book, page):
        other = book.create_sheet("旧表")
        other.append(HEADS)
        other.sheet_state = "veryHidden"

    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1)], finish=finish))

    assert reading.counts["rows"] == 1
    assert [p.sheet for p in reading.problems if p.code == "hidden_sheet"] == ["旧表"]


@pytest.mark.parametrize(("blank", "told"), [(200, False), (201, True)])
def test_rows_after_a_long_gap_are_read_and_told(tmp_path, blank, told):
    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: shifted(xml, blank, after=2))

    reading = verdict(path)

    assert [row.number for row in reading.rows] == [2, 3 + blank]
    assert ("gap" in table_codes(reading)) is told


@pytest.mark.parametrize("lie", ["A1", "A1:XFD1048576"])
def test_a_lying_dimension_loses_nothing(tmp_path, lie):
    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace('ref="A1:H3"', f'ref="{lie}"'))

    reading = verdict(path)

    assert reading.accepted == 2
    assert "dimension" in table_codes(reading)


def test_error_cells_are_not_blanks(tmp_path):
    def finish(book, page):
        page["H2"].value, page["H2"].data_type = "#N/A", "e"
        page["I4"].value, page["I4"].data_type = "#REF!", "e"

    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1)], finish=finish))

    assert (2, "出生日期", "cell_error") in codes(reading)
    assert reading.counts["rows"] == 2  # the row that holds nothing but an error counts too


def test_formulas_with_and_without_a_saved_result(tmp_path):
    def finish(book, page):
        page["F2"] = '=IF(1,"男","女")'
        page["F3"] = '=IF(1,"男","女")'

    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)], finish=finish)

    def cached(xml):
        head, tail = xml.split('<c r="F2"', 1)
        cell, rest = tail.split("</c>", 1)
        assert "<f>" in cell
        cell = ' t="str">' + cell.split(">", 1)[1].replace("<v></v>", "").replace("<v />", "").replace(
            "<v/>", ""
        )
        return head + '<c r="F2"' + cell + "<v>男</v></c>" + rest

    reading = verdict(rewrite(path, "xl/worksheets/sheet1.xml", cached))

    assert codes(reading, "error") == [(3, "性别", "formula_without_value")]
    assert reading.rows[0].values["sex"] == "1"
    assert [(p.column, p.level) for p in reading.problems if p.code == "formula_value"] == [
        ("性别", "warning")
    ]


def test_merged_cells_fill_school_grade_and_class_only(tmp_path):
    def finish(book, page):
        for letter in "BCDF":
            page.merge_cells(f"{letter}2:{letter}3")

    second = pupil(2, school=None, grade=None, sex=None)
    second[3] = None
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), second], finish=finish))

    values = reading.rows[1].values
    assert (values["school_name"], values["grade"], values["class_name"]) == ("云岭镇中心小学", "P3", "1班")
    assert codes(reading, "error") == [(3, "性别", "merged_cell")]


def test_blank_cells_that_are_not_merged_are_never_filled(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2, school=None)]))

    assert "school_name" not in reading.rows[1].values


def test_unknown_columns_are_told_and_kept_and_forbidden_ones_are_not(tmp_path):
    row = [*pupil(1), "足球", "佛教"]
    reading = verdict(save(tmp_path / "a.xlsx", [[*HEADS, "特长爱好", "宗教信仰"], row]))

    assert reading.tables[0].ignored == ["特长爱好"]
    assert reading.rows[0].values["other"] == {"序号": "1", "特长爱好": "足球"}


def test_prefixed_xml_gives_the_same_verdict(tmp_path):
    def finish(book, page):
        page["H2"].value, page["H2"].data_type = "#N/A", "e"

    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1)], finish=finish)
    plain = codes(verdict(path))

    def prefixed(xml):
        import re

        xml = re.sub(r"<(/?)([A-Za-z])", r"<\1x:\2", xml).replace("xmlns=", "xmlns:x=")
        return xml.replace("<?x:xml", "<?xml")

    rewrite(path, "xl/worksheets/sheet1.xml", prefixed)

    assert codes(verdict(path)) == plain == [(2, "出生日期", "cell_error")]


def test_searching_and_walking_find_the_same(tmp_path):
    def finish(book, page):
        page["H2"].value, page["H2"].data_type = "#N/A", "e"
        page["A3"], page["B3"] = "=1+1", '=IF(1,"a","b")'
        page["C2"] = 't="e" <f>1</f> hidden="1"'
        page.row_dimensions[3].hidden = True
        page.column_dimensions["C"].hidden = True

    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)], finish=finish)
    part = "xl/worksheets/sheet1.xml"
    rewrite(
        path,
        part,
        lambda xml: xml.replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>").replace(
            "<f>1+1</f><v />", "<f>1+1</f><v>2</v>"
        ),
    )

    with zipfile.ZipFile(path) as archive:
        searched, walked = scan(chunks(archive, part), Look()), Look()
        walk(archive, part, walked)

    assert vars(searched) == vars(walked)
    assert searched.patches == {1: {7: ("cell_error", "#N/A")}, 2: {1: ("formula_without_value", "")}}
    assert (searched.formulas, searched.hidden_rows, searched.hidden_columns) == ({0: [1, 2, 0]}, {2}, [(2, 2)])


def test_the_layout_that_explains_a_table_best_is_taken(tmp_path):
    from bureau.sheets import Column

    class Plain(Pupils):
        layout = "plain"

    class WithPledge(Pupils):
        layout = "pledge"
        pledge = Column("承诺书编号", present=True)

    plain = save(tmp_path / "a.xlsx", [HEADS, pupil(1)])
    pledged = save(tmp_path / "b.xlsx", [[*HEADS, "承诺书编号"], [*pupil(1), "7"]])

    assert verdict(plain, [Plain, WithPledge]).rows[0].layout == "plain"
    assert verdict(pledged, [Plain, WithPledge]).rows[0].layout == "pledge"


def test_the_old_binary_format_hides_nothing_either(tmp_path):
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("名册")
    for r, cells in enumerate([HEADS, pupil(1), pupil(2)]):
        for c, value in enumerate(cells):
            page.write(r, c, value)
    page.write(3, 4, "张三")
    page.write(3, 7, xlwt.Formula("1/0"))
    page.row(2).hidden = True
    page.col(1).hidden = True
    page.panes_frozen = False
    book.save(str(tmp_path / "a.xls"))

    reading = verdict(tmp_path / "a.xls")

    assert {"hidden_rows", "hidden_columns", "formula_value"} <= table_codes(reading)


def test_error_cells_of_the_old_binary_format_are_found(tmp_path):
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("名册")
    for r, cells in enumerate([HEADS, pupil(1)]):
        for c, value in enumerate(cells):
            page.write(r, c, value)
    page.row(2).set_cell_error(7, 0x2A)
    book.save(str(tmp_path / "a.xls"))

    assert (3, "出生日期", "cell_error") in codes(verdict(tmp_path / "a.xls"))


def test_an_open_document_hides_nothing_either(tmp_path):
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    table = Table(name="名册")
    for number, cells in enumerate([HEADS, pupil(1), pupil(2)]):
        row = TableRow(visibility="collapse" if number == 2 else "visible")
        for value in cells:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=str(value)))
            row.addElement(cell)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    book.save(str(tmp_path / "a.ods"))

    assert "hidden_rows" in table_codes(verdict(tmp_path / "a.ods"))


def test_two_tables_on_one_sheet_are_both_read(tmp_path):
    other = ["姓名", "身份证号", "年级", "性别"]
    second = ["李四", number_of(7), "四年级", "男"]
    path = save(tmp_path / "a.xlsx", [HEADS, pupil(1), ["合计"], ["四年级学生名单"], other, second])

    reading = verdict(path)

    assert [(row.number, row.status) for row in reading.rows] == [
        (2, "accepted"), (3, "skipped"), (4, "skipped"), (5, "skipped"), (6, "accepted")
    ]  # fmt: skip
    assert reading.rows[-1].values["grade"] == "P4"
    assert "second_table" in table_codes(reading)


def test_a_second_header_without_the_needed_columns_is_told(tmp_path):
    rows = [HEADS, pupil(1), ["年级", "班级", "性别", "人数"], ["三年级", "1班", "男", 1]]

    reading = verdict(save(tmp_path / "a.xlsx", rows))

    assert [row.status for row in reading.rows] == ["accepted", "skipped", "rejected"]


def test_a_binary_workbook_of_the_newer_kind_hides_nothing_either(tmp_path):
    from .catalogue.xlsb import Error, write_xlsb

    rows = [HEADS, pupil(1), [*pupil(2)[:7], Error("#N/A")]]
    reading = verdict(write_xlsb(tmp_path / "a.xlsb", rows, hidden_row=2))

    assert "hidden_rows" in table_codes(reading)
    assert codes(reading, "error") == [(3, "出生日期", "cell_error")]


def test_comments_pictures_and_links_of_the_old_binary_format_are_counted():
    import struct

    from bureau.sheets.intake.binary import BinaryBook, _globals, _look

    def record(kind, body=b""):
        return struct.pack("<HH", kind, len(body)) + body

    sheet = record(0x0809) + record(0x001C, b"\0" * 8) + record(0x005D, struct.pack("<HHH", 0x15, 18, 8)) + record(0x0A)
    own, other = struct.pack("<HH", 1, 0x0401), struct.pack("<HH", 1, 5)
    book = BinaryBook()
    _globals(record(0x0809) + record(0x01AE, own) + record(0x01AE, other) + record(0x0A), book)
    _look(sheet, 0, book)

    assert (book.comments, book.pictures, book.links) == (1, 1, 1)

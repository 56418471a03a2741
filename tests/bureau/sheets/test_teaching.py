"""Headers nobody knows, explained once; and our own templates, as they come back."""

import openpyxl
import pytest

from bureau.sheets import write_template
from bureau.sheets.imprint import Imprint
from bureau.sheets.peek import peek
from bureau.sheets.process import here

from .pupils import HEADS, Pupils, number_of, pupil, save, table_codes, verdict

STRANGE = ["序号", "学校名称", "年级", "班级", "娃娃的名字", "性别", "身份证号", "爱好"]


@pytest.fixture
def strange(tmp_path):
    """A file whose names stand under a header no synonym explains."""
    return save(tmp_path / "a.xlsx", [STRANGE, pupil(1), pupil(2)])


def test_unknown_header_is_missing_until_it_is_taught(strange):
    assert verdict(strange).file_error.code == "missing_column"

    reading = verdict(strange, taught={"娃娃的名字": "name"})

    assert [row.get("name") for row in reading.rows] == [pupil(1)[4], pupil(2)[4]]
    assert reading.tables[0].taught == ["娃娃的名字"]


def test_column_taught_to_be_left_alone_is_not_reported(strange):
    reading = verdict(strange, taught={"娃娃的名字": "name", "爱好": ""})

    assert "ignored_column" not in table_codes(reading)
    assert reading.rows[0].other == {"序号": "1", "爱好": "2012-05-03"}


def test_decoration_of_a_taught_header_does_not_matter(tmp_path):
    heads = [head if head != "娃娃的名字" else "娃娃 的名字★\n（必填）" for head in STRANGE]
    file = save(tmp_path / "a.xlsx", [heads, pupil(1)])

    assert verdict(file, taught={"娃娃的名字": "name"}).accepted == 1


def test_known_name_keeps_its_meaning_and_the_conflict_is_told(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1)]), taught={"姓名": "guardian_name"})

    assert reading.rows[0].get("name") == pupil(1)[4]
    assert "taught_otherwise" in table_codes(reading)


def test_column_under_its_own_name_wins_over_a_taught_one(tmp_path):
    heads = [*HEADS[:7], "小名"]
    row = [*pupil(1)[:7], "毛毛"]
    reading = verdict(save(tmp_path / "a.xlsx", [heads, row]), taught={"小名": "name"})

    assert reading.rows[0].get("name") == pupil(1)[4]
    assert "repeated_column" in table_codes(reading)


def test_what_another_layout_never_had_is_not_taken(strange):
    assert verdict(strange, taught={"娃娃的名字": "no_such_column"}).file_error.code == "missing_column"


def test_two_level_header_is_taught_as_it_is_shown(tmp_path):
    def merge(book, page):
        page.merge_cells("E1:F1")

    top = ["序号", "学校名称", "年级", "班级", "孩子", None, "身份证号"]
    file = save(tmp_path / "a.xlsx", [top, [None] * 4 + ["称呼", "男女"], pupil(1)], finish=merge)

    reading = verdict(file, taught={"孩子称呼": "name"})

    assert reading.file_error is None
    assert reading.rows[0].get("name") == pupil(1)[4]


# What a page may show of an unknown file: headers, counts and kinds, never a value


def test_peek_tells_counts_and_kinds_and_no_content(tmp_path, monkeypatch):
    monkeypatch.setattr("bureau.sheets.peek.listen", here)
    file = save(tmp_path / "a.xlsx", [["某县名单"], STRANGE, *[pupil(n) for n in range(5)]])

    [table] = peek(file, [Pupils])

    found = {heading.text: heading for heading in table.headings}
    assert (table.header_row, found["性别"].attr, found["娃娃的名字"].attr) == (2, "sex", "")
    assert (found["身份证号"].filled, found["身份证号"].content) == (5, "18 位证件号码")
    assert found["娃娃的名字"].content == "两到四个汉字"
    assert number_of(1) not in repr(table) and pupil(1)[4] not in repr(table)


def test_peek_finds_a_header_of_which_no_word_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr("bureau.sheets.peek.listen", here)
    file = save(tmp_path / "a.xlsx", [["甲方名单", None, None], ["称呼", "号", "在哪"], ["张三", number_of(1), "一班"]])

    [table] = peek(file, [Pupils])

    assert (table.header_row, [heading.form for heading in table.headings]) == (2, ["称呼", "号", "在哪"])


# Templates


def came_back(path, change=None):
    book = openpyxl.load_workbook(path)
    page = book["填报"]
    for column, value in zip("ABCDEFGH", ["云岭镇中心小学", "三年级", "1班", "赵子涵", "男", "", number_of(1), ""], strict=True):
        page[f"{column}4"] = value
    if change:
        change(page)
    book.save(path)
    return path


@pytest.fixture
def template(tmp_path):
    write_template(tmp_path / "t.xlsx", Pupils, school=("2199000001", "云岭镇中心小学"), term="2026-autumn")
    return tmp_path / "t.xlsx"


def test_template_says_whose_it_is_and_for_which_term(template):
    reading = verdict(came_back(template))

    assert reading.accepted == 1
    imprint = reading.tables[0].imprint
    assert (imprint.code, imprint.version, imprint.school, imprint.term) == ("pupils", 1, "2199000001", "2026-autumn")
    assert "old_template" not in table_codes(reading)


def renamed(page):
    page["D3"] = "学生姓名"


def reordered(page):
    page["E3"], page["I3"] = page["I3"].value, page["E3"].value
    page["E4"], page["I4"] = page["I4"].value, page["E4"].value


def older(page):
    page["A2"] = page["A2"].value.replace("第1版", "第0版")


@pytest.mark.parametrize("change", [renamed, reordered, older], ids=["renamed", "reordered", "older version"])
def test_changed_or_older_template_is_told_and_read(template, change):
    reading = verdict(came_back(template, change))

    assert "old_template" in table_codes(reading)
    assert reading.rows[0].get("name") == "赵子涵"
    assert (reading.accepted, reading.rows[0].get("sex")) == (1, "1")


def test_file_that_is_no_template_has_no_imprint():
    assert Imprint.found_in([(1, ["学生花名册", None, 3.0]), (2, ["填报单位：某校"])]) is None

"""Cell by cell: what is accepted, what is refused with which code, and never guessed."""

from datetime import date, datetime

import pytest

from .pupils import Register, codes, number_of, of_cells

GOOD = number_of(1)
HEADS = ["姓名", "年级", "身份证号"]


def judged(tmp_path, head, value, *, sheet=None, **more):
    """Problems and values of one row with this one extra cell."""
    heads, row = list(HEADS), ["张三", "三年级", GOOD]
    if head in heads:
        row[heads.index(head)] = value
    else:
        heads.append(head)
        row.append(value)
    for other, cell in more.items():
        heads.append(other)
        row.append(cell)
    reading = of_cells(tmp_path, heads, row, **({"sheet": sheet} if sheet else {}))
    return codes(reading, "error", "warning"), reading.rows[0].values


@pytest.mark.parametrize(
    "written",
    [GOOD, "'" + GOOD, f" {GOOD}\t", GOOD[:6] + "\u00a0" + GOOD[6:], GOOD + "\u200b", "\u202a" + GOOD, GOOD[:9] + "\n" + GOOD[9:],
     GOOD.translate({ord("0") + i: 0xFF10 + i for i in range(10)})],
)  # fmt: skip
def test_the_same_number_in_other_clothes_is_accepted(tmp_path, written):
    problems, values = judged(tmp_path, "身份证号", written)

    assert problems == []
    assert values["citizen_id"] == GOOD


@pytest.mark.parametrize("x", ["x", "X", "ｘ", "Ｘ"])
def test_every_way_to_write_x(tmp_path, x):
    assert judged(tmp_path, "身份证号", "99010120120503002" + x)[1]["citizen_id"] == "99010120120503002X"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (990101201205030011, "id_numeric_cell"),
        (9.90101201205030e17, "id_numeric_cell"),
        ("9.90101E+17", "id_numeric_cell"),
        ("000000000000000000", "id_placeholder"),
        ("123456789012345678", "id_placeholder"),
        ("同上", "id_placeholder"),
        ("99010120120503002х", "id_characters"),
        ("99010120120503002×", "id_characters"),
        ("990101********0011", "id_characters"),
        ("99010120120503001²", "id_characters"),
        ("9901012012050300٣1", "id_characters"),
        ("990101120503001", "id_length"),
        ("99010120120503001", "id_length"),
        ("9901012012050300111", "id_length"),
        ("990101201202300015", "id_birth_date"),
        ("990101202705030018", "id_birth_date"),
        ("990101201205030012", "id_checksum"),
        ("990101201205030000", "id_checksum"),
        (None, "required"),
    ],
)
def test_a_faulty_number_is_refused_by_the_first_code_that_holds(tmp_path, written, code):
    problems, values = judged(tmp_path, "身份证号", written)

    assert problems == [(2, "身份证号", code)]
    assert "citizen_id" not in values


def test_a_faulty_number_is_kept_as_evidence(tmp_path):
    assert judged(tmp_path, "身份证号", 990101201205030011)[1]["citizen_id_damaged"] == "990101201205030016"
    assert judged(tmp_path, "身份证号", "990101201205030012")[1]["citizen_id_damaged"] == "990101201205030012"


def test_a_register_keeps_the_row_with_a_warning(tmp_path):
    reading = of_cells(tmp_path, HEADS, ["张三", "三年级", "990101201205030012"], sheet=Register)

    assert (reading.accepted, reading.warned) == (1, 1)
    assert codes(reading, "warning") == [(2, "身份证号", "id_checksum")]


@pytest.mark.parametrize(
    ("row", "status"),
    [(["张三", "三年级", None], "accepted"), ([None, "三年级", GOOD], "accepted"), ([None, "三年级", "99010120120503"], "accepted"),
     ([None, "三年级", None], "rejected")],
)  # fmt: skip
def test_a_register_rejects_only_rows_of_nobody(tmp_path, row, status):
    assert of_cells(tmp_path, HEADS, row, sheet=Register).rows[0].status == status


def test_a_number_cut_by_a_spreadsheet_that_passes_by_luck_is_asked_about(tmp_path):
    assert judged(tmp_path, "身份证号", "810000201001010000")[0] == [(2, "身份证号", "id_tail_000")]


def test_birth_date_and_sex_are_compared_on_the_numbers_column(tmp_path):
    assert judged(tmp_path, "出生日期", "2012-05-04")[0] == [(2, "身份证号", "id_birth_mismatch")]
    assert judged(tmp_path, "性别", "女")[0] == [(2, "身份证号", "id_sex_mismatch")]


def test_a_faulty_number_is_not_compared(tmp_path):
    problems, _ = judged(tmp_path, "身份证号", "990101201205030012", 性别="女")

    assert problems == [(2, "身份证号", "id_checksum")]


def test_messages_do_not_show_the_number(tmp_path):
    reading = of_cells(tmp_path, [*HEADS, "性别"], ["张三", "三年级", GOOD, "女"])

    assert GOOD[6:14] not in reading.problems[0].message


def test_the_guardian_is_somebody_else(tmp_path):
    assert judged(tmp_path, "监护人身份证号", GOOD)[0] == [(2, "监护人身份证号", "id_same_as_guardian")]


def test_an_old_number_of_a_guardian_is_a_warning(tmp_path):
    problems, values = judged(tmp_path, "监护人身份证号", "990101750503001")

    assert problems == [(2, "监护人身份证号", "id_legacy")]
    assert len(values["guardian_citizen_id"]) == 18


@pytest.mark.parametrize(
    ("kind", "number", "code", "attr"),
    [("居民身份证", GOOD, None, "citizen_id"), ("1-居民身份证", GOOD, None, "citizen_id"), ("A", "E12345678", None, "document"),
     ("护照", "护照号", "document_format", None), ("其他", None, "id_missing", None), ("居民身份证", None, "required", None),
     ("港澳居民来往内地通行证", "H12345678", None, "document")],
)  # fmt: skip
def test_the_document_type_decides_how_the_number_is_judged(tmp_path, kind, number, code, attr):
    problems, values = judged(tmp_path, "身份证号", number, 身份证件类型=kind)

    assert problems == ([(2, "身份证号", code)] if code else [])
    assert attr is None or values[attr] == number


@pytest.mark.parametrize(
    ("written", "name"),
    [("张　三", "张三"), (" 张三 ", "张三"), ("阿依古丽•买买提", "阿依古丽·买买提"), ("阿依古丽．买买提", "阿依古丽·买买提"), ("𠮷田", "𠮷田"),
     ("㛃㛃", "㛃㛃"), ("阿" * 40, "阿" * 40)],
)  # fmt: skip
def test_names_are_cleaned(tmp_path, written, name):
    assert judged(tmp_path, "姓名", written) == ([], {"name": name, "grade": "P3", "citizen_id": GOOD})


@pytest.mark.parametrize(
    "written",
    ["张?", "张□", "张\ue000", "张三(父)", "张\u202e三😀", "=1+1", "@SUM(A1)", "张三1", 12, date(2026, 3, 2)],
)
def test_what_cannot_be_a_name_is_refused(tmp_path, written):
    assert judged(tmp_path, "姓名", written)[0] == [(2, "姓名", "name_characters")]


def test_a_latin_name_is_asked_about(tmp_path):
    assert judged(tmp_path, "姓名", "Zhang San")[0][0][2] in ("name_latin", "name_spaces")


@pytest.mark.parametrize(
    "written",
    ["2012-05-03", "2012/5/3", "2012.5.3", "2012年5月3日", "20120503", 20120503, date(2012, 5, 3), datetime(2012, 5, 3, 8, 30),
     41032, "2012-05-03 00:00:00", "２０１２－０５－０３"],
)  # fmt: skip
def test_dates_in_every_style(tmp_path, written):
    problems, values = judged(tmp_path, "出生日期", written)

    assert problems == []
    assert values["birth_on"] == date(2012, 5, 3)


@pytest.mark.parametrize(
    ("written", "code"),
    [("01/02/2012", "date_ambiguous"), ("12-5-3", "date_ambiguous"), ("二〇一二年五月三日", "date_ambiguous"), ("2012-5", "date_ambiguous"),
     ("41032", "date_ambiguous"), ("2012.9.31", "date_impossible"), ("0000-00-00", "date_impossible"), ("1899-12-31", "date_impossible"),
     ("2026-09-11", "date_impossible"), (2012.5, "date_ambiguous")],
)  # fmt: skip
def test_dates_are_never_guessed(tmp_path, written, code):
    assert judged(tmp_path, "出生日期", written)[0] == [(2, "出生日期", code)]


def test_serial_numbers_of_the_1904_system(tmp_path):
    from .pupils import rewrite, save, verdict

    path = save(tmp_path / "a.xlsx", [[*HEADS, "出生日期"], ["张三", "三年级", GOOD, 39570]])
    rewrite(path, "xl/workbook.xml", lambda xml: xml.replace("<workbookPr ", '<workbookPr date1904="1" '))

    assert verdict(path).rows[0].values["birth_on"] == date(2012, 5, 3)


@pytest.mark.parametrize(
    ("written", "grade"),
    [("小班", "K1"), ("大班", "K3"), ("一年级", "P1"), ("小学六年级", "P6"), ("3", "P3"), (3, "P3"), ("七年级", "J7"), ("初一", "J7"),
     ("初中三年级", "J9"), ("8", "J8"), ("高一", "S1"), ("高中二年级", "S2"), ("十二年级", "S3"), ("中职一年级", "V1"), ("P3", "P3"), ("j7", "J7"),
     ("2024级", "2024级"), ("初中2025级", "J8"), ("2026级高中", "S1"), ("三 年 级", "P3")],
)  # fmt: skip
def test_grades_in_the_words_of_schools(tmp_path, written, grade):
    assert judged(tmp_path, "年级", written)[1]["grade"] == grade


@pytest.mark.parametrize("written", ["十三年级", "初四", "0", "高中2019级", "不详"])
def test_unknown_grades_are_refused(tmp_path, written):
    assert judged(tmp_path, "年级", written)[0] == [(2, "年级", "unknown_value")]


@pytest.mark.parametrize(
    ("written", "number", "text"),
    [("1班", 1, "1班"), ("一班", 1, "1班"), ("(1)", 1, "1班"), ("（1）班", 1, "1班"), ("01", 1, "1班"), (1, 1, "1班"), ("三(2)班", 2, "2班"),
     ("三年级二班", 2, "2班"), ("3.2", 2, "2班"), ("十二班", 12, "12班"), ("实验班", None, "实验班")],
)  # fmt: skip
def test_classes_in_the_words_of_schools(tmp_path, written, number, text):
    _, values = judged(tmp_path, "班级", written)

    assert (values.get("class_number"), values["class_name"]) == (number, text)


def test_a_class_tells_the_grade_where_no_column_does(tmp_path):
    reading = of_cells(tmp_path, ["姓名", "班级", "身份证号"], ["张三", "七(3)班", GOOD])

    assert reading.rows[0].values["grade"] == "J7"


@pytest.mark.parametrize("written", [date(2026, 3, 2), "3月2日"])
def test_a_class_that_became_a_date_is_refused(tmp_path, written):
    assert judged(tmp_path, "班级", written)[0] == [(2, "班级", "class_is_date")]


@pytest.mark.parametrize(
    ("written", "fen"),
    [("625", 62500), ("625.00", 62500), ("¥625", 62500), ("625元", 62500), ("1,250.00", 125000), ("１２５０", 125000), ("1 250", 125000),
     (625, 62500), (625.1000000000001, 62510), ("0.5", 50)],
)  # fmt: skip
def test_amounts_become_fen(tmp_path, written, fen):
    assert judged(tmp_path, "金额（元）", written)[1]["amount_fen"] == fen


@pytest.mark.parametrize(
    "written",
    ["0.0625万元", "0.1万", "-625", "(625)", "0", "-0", 0, -5, "0.005", "625.001", "陆佰贰拾伍元整", "六百", "1e3", "NaN", "1_000", "0x10",
     "12,50", "Infinity"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(tmp_path, written):
    assert judged(tmp_path, "金额（元）", written)[0] == [(2, "金额（元）", "amount_format")]


@pytest.mark.parametrize(
    ("head", "written", "problem"),
    [
        ("账号", "6217 0000 0000 0000 004", None),
        ("账号", "6217000000000000005", "card_check"),
        ("账号", 6217000000000000004, "card_numeric_cell"),
        ("账号", "6.217E+18", "card_numeric_cell"),
        ("账号", "A12345678", "account_characters"),
        ("账号", "123456789", "account_length"),
        ("联系电话", "+86 138-1234-5678", None),
        ("联系电话", 13812345678, None),
        ("联系电话", "13812345678 13987654321", "phone_format"),
        ("联系电话", "1381234567", "phone_format"),
        ("学籍号", "G990101201205030011", None),
        ("学籍号", 990101201205030011, "id_numeric_cell"),
        ("学籍号", "990101201205030011", "number_characters"),
        ("学籍号", "G99010120120503001", "number_length"),
        ("性别", "1-男", None),
        ("性别", "不详呀", "unknown_value"),
        ("民族", "汉", None),
        ("民族", "火星族", "unknown_value"),
        ("是否寄宿", "√", None),
        ("是否寄宿", True, None),
        ("是否寄宿", "也许", "unknown_value"),
        ("住址", True, "cell_type"),
        ("住址", "x" * 201, "too_long"),
        ("住址", "云岭镇\n三组", None),
    ],
)
def test_other_columns(tmp_path, head, written, problem):
    problems, _ = judged(tmp_path, head, written)

    assert problems == ([(2, head, problem)] if problem else [])


def test_control_characters_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(f"姓名,年级,身份证号,住址\n张三,三年级,{GOOD},云\0岭\n".encode())
    from .pupils import verdict

    assert codes(verdict(tmp_path / "a.csv")) == [(2, "住址", "invalid_characters")]

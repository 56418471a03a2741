from datetime import date

import pytest

from bureau.identity import (
    DOCUMENT_KINDS,
    ETHNIC,
    KINSHIP,
    SEX,
    Fault,
    parse_account,
    parse_certificate,
    parse_document,
    parse_document_kind,
    parse_ethnicity,
    parse_kinship,
    parse_phone,
    parse_sex,
    parse_student_number,
    parse_yes_no,
)


def code_of(parse, *arguments) -> str:
    with pytest.raises(Fault) as caught:
        parse(*arguments)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "value", "kind", "embedded_id"),
    [
        ("G990101201205030011", "G990101201205030011", "G", "990101201205030011"),
        (" ｇ99010120120503002ｘ", "G99010120120503002X", "G", "99010120120503002X"),
        ("G990101201205030012", "G990101201205030012", "G", None),
        ("L990101201205030427", "L990101201205030427", "L", None),
        ("L990101201205030011", "L990101201205030011", "L", None),  # a right check by luck
        ("J990101201205030011", "J990101201205030011", "J", None),
    ],
)
def test_only_a_formal_number_with_a_right_check_embeds_an_id(text, value, kind, embedded_id):
    assert parse_student_number(text) == (value, kind, embedded_id)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("990101201205030011", "number_characters"),
        ("X990101201205030011", "number_characters"),
        ("G9901012012050300*1", "number_characters"),
        ("G99010120120503001", "number_length"),
        ("G9901012012050300111", "number_length"),
        ("", "number_characters"),
    ],
)
def test_other_texts_are_no_student_number(text, code):
    assert code_of(parse_student_number, text) == code


def test_a_certificate_tells_holder_category_and_level():
    assert parse_certificate("99010120120503001153")[1:] == ("990101201205030011", "5", "3", "")
    assert parse_certificate("99010120120503002x71b1") == (
        "99010120120503002X71B1",
        "99010120120503002X",
        "7",
        "1",
        "B1",
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9901012012050300115", "certificate_length"),
        ("990101201205030011", "certificate_length"),
        ("99010120120503001253", "certificate_holder"),
        ("99010120120503001183", "certificate_class"),
        ("99010120120503001155", "certificate_class"),
        ("残疾", "certificate_characters"),
    ],
)
def test_an_inconsistent_certificate_is_refused(text, code):
    assert code_of(parse_certificate, text) == code


@pytest.mark.parametrize(
    ("text", "value", "luhn"),
    [
        ("6217000000000000004", "6217000000000000004", True),
        ("6222 0200 0000 0000 018", "6222020000000000018", True),
        ("6217-0000-0000-0000-005", "6217000000000000005", False),
        ("０１２３４５６７８９０１", "012345678901", False),
    ],
)
def test_an_account_without_luhn_is_still_an_account(text, value, luhn):
    assert parse_account(text) == (value, luhn)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("6.217E+18", "account_characters"),
        ("AB1234567", "account_characters"),
        ("123456789", "account_length"),
        ("0" * 19, "account_characters"),
        ("6" + "2" * 30, "account_length"),
    ],
)
def test_other_texts_are_no_account(text, code):
    assert code_of(parse_account, text) == code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("13800000000", "13800000000"),
        ("+86 138-0000-0000", "13800000000"),
        ("008613800000000", "13800000000"),
        ("８６１３８００００００００", "13800000000"),
        ("(0913) 3200000", "09133200000"),
        ("010-62000000", "01062000000"),
    ],
)
def test_one_telephone_is_read(text, value):
    assert parse_phone(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "13800000000/13900000000",
        "13800000000 13900000000",
        "138000000001",
        "013800000000",
        "12800000000",
        "3200000",
        "无",
        "",
    ],
)
def test_anything_else_is_no_telephone(text):
    assert code_of(parse_phone, text) == "phone_format"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("1", "990101201205030011", "990101201205030011"),
        ("RP", "830000201203030003", "830000201203030003"),
        ("8", "0123 4567", "01234567"),
        ("A", "e12345678", "E12345678"),
        ("HM", "H12345678", "H12345678"),
        ("HM", "M1234567801", "M1234567801"),
        ("FP", "911156198001010011", "911156198001010011"),  # its check digit is not judged
        ("BC", "Ｑ610000000", "Q610000000"),
        ("Z", "", ""),
        ("Z", "村委会证明3号", "村委会证明3号"),
    ],
)
def test_papers_of_each_kind_are_read(kind, text, value):
    assert parse_document(kind, text).value == value


def test_a_residence_permit_carries_the_birth_date():
    assert parse_document("RP", "830000201203030003").born_on == date(2012, 3, 3)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("1", "990101201205030012", "id_checksum"),
        ("8", "1234567", "document_format"),
        ("A", "护照", "document_format"),
        ("BC", "610000000", "document_format"),
        ("Z", "a\x00b", "document_format"),
        ("Z", "x" * 41, "document_format"),
    ],
)
def test_papers_of_another_shape_are_refused(kind, text, code):
    assert code_of(parse_document, kind, text) == code


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_every_kind_of_paper_has_a_reader(kind):
    if kind != "Z":
        assert code_of(parse_document, kind, "？")


@pytest.mark.parametrize(
    ("names", "parse"),
    [
        (SEX, parse_sex),
        (ETHNIC, parse_ethnicity),
        (KINSHIP, parse_kinship),
        (DOCUMENT_KINDS, parse_document_kind),
    ],
)
def test_each_code_is_read_from_its_name_its_code_and_both_joined(names, parse):
    for code, name in names.items():
        if (code, name) != ("80", "其他"):
            assert parse(name) == parse(code) == parse(f"{code}-{name}") == code


@pytest.mark.parametrize(
    ("parse", "text", "code"),
    [
        (parse_sex, "１", "1"),
        (parse_sex, "f", "2"),
        (parse_sex, "♂", "1"),
        (parse_sex, "2-男", None),
        (parse_sex, "3", None),
        (parse_sex, "", None),
        (parse_ethnicity, "汉", "01"),
        (parse_ethnicity, "汉族人", "01"),
        (parse_ethnicity, "1", "01"),
        (parse_ethnicity, "土", "30"),
        (parse_ethnicity, "土家", "15"),
        (parse_ethnicity, "毛难族", "36"),
        (parse_ethnicity, "崩龙族", "46"),
        (parse_ethnicity, "僳僳族", "20"),
        (parse_ethnicity, "穿青人", "97"),
        (parse_ethnicity, "未识别民族", "97"),
        (parse_ethnicity, "哈族", None),  # two peoples are called so
        (parse_ethnicity, "", None),
        (parse_kinship, "之子", "20"),
        (parse_kinship, "之孙子", "41"),
        (parse_kinship, "之儿媳", "38"),
        (parse_kinship, "爸爸", "51"),
        (parse_kinship, "外婆", "64"),
        (parse_kinship, "其他", "97"),
        (parse_kinship, "邻居", None),
        (parse_document_kind, "身份证", "1"),
        (parse_document_kind, "户口本", "2"),
        (parse_document_kind, "工作证", None),
    ],
)
def test_words_of_the_lists_are_read_and_unknown_ones_are_not_guessed(parse, text, code):
    assert parse(text) == code


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("是", True),
        ("√", True),
        ("1", True),
        ("有", True),
        ("否", False),
        ("0", False),
        ("无", False),
        ("×", False),
        ("", None),
        ("　", None),
        ("不清楚", None),
    ],
)
def test_a_blank_is_not_no(text, answer):
    assert parse_yes_no(text) is answer

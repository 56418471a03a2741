"""CSV in every encoding and separator that arrives."""

import pytest

from .pupils import HEADS, codes, pupil, verdict


def text(*rows, sep=","):
    return "\r\n".join(sep.join(str(cell) for cell in cells) for cells in (HEADS, *rows)) + "\r\n"


def read_bytes(tmp_path, data, name="名册.csv"):
    path = tmp_path / name
    path.write_bytes(data)
    return verdict(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding(tmp_path, encoding):
    reading = read_bytes(tmp_path, text(pupil(1, name="㛃𠮷"), pupil(2)).encode(encoding))

    assert reading.accepted == 2
    assert reading.rows[0].values["name"] == "㛃𠮷"
    assert reading.rows[0].sheet is None


@pytest.mark.parametrize("sep", [",", "\t", ";", "，"])
def test_every_separator(tmp_path, sep):
    assert read_bytes(tmp_path, text(pupil(1), sep=sep).encode()).accepted == 1


def test_lines_that_end_with_a_bare_return(tmp_path):
    assert read_bytes(tmp_path, text(pupil(1), pupil(2)).replace("\r\n", "\r").encode()).accepted == 2


def test_the_row_is_the_physical_line_where_the_record_starts(tmp_path):
    broken = pupil(1)
    broken[1] = '"云岭镇\n中心小学"'

    reading = read_bytes(tmp_path, text(broken, pupil(2, sex="?")).encode())

    assert [row.number for row in reading.rows] == [2, 4]
    assert codes(reading, "error") == [(4, "性别", "unknown_value")]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (text(pupil(1)).encode() + "锟斤拷锟斤拷,1\n".encode(), 3),
        (text(pupil(1)).encode() + "\ufffd\ufffd,1\n".encode(), 3),
        (text(pupil(1)).encode() + "云岭镇中心小学,张三\n".encode("gb18030"), 3),
        (text(pupil(1)).encode("gb18030") + b"\xff\xff\xff,1\n", 3),
        (text(pupil(1)).encode() + '"没有结束,1\n'.encode(), 3),
    ],
    ids=["mojibake", "replacement", "two encodings", "no encoding", "quotes"],
)  # fmt: skip
def test_damaged_text_is_refused_with_its_line(tmp_path, data, line):
    error = read_bytes(tmp_path, data).file_error

    assert error.code == "encoding"
    assert f"第 {line} 行" in error.message


def test_a_number_in_scientific_notation_is_never_expanded(tmp_path):
    assert codes(read_bytes(tmp_path, text(pupil(1, id="9.90101E+17")).encode())) == [
        (2, "身份证号", "id_numeric_cell")
    ]

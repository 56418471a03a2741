"""What is refused before any parser sees it, and what is taken under a wrong name."""

import io
import zipfile

import msoffcrypto.format.ooxml
import pytest
import xlwt

from bureau.sheets import read

from .pupils import HEADS, TODAY, Pupils, pupil, rewrite, save, table_codes, verdict, with_entry


@pytest.fixture
def sound(tmp_path):
    return save(tmp_path / "名册.xlsx", [HEADS, pupil(1), pupil(2)])


def refusal(path, **more):
    reading = verdict(path, **more)
    assert reading.rows == []
    return reading.file_error and reading.file_error.code


def test_a_sound_workbook_is_read(sound):
    assert verdict(sound).counts == {"rows": 2, "accepted": 2, "rejected": 0, "warned": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("空.xlsx", b"", "empty"),
        ("文档.xlsx", b"%PDF-1.4\n%\xe2\xe3\n1 0 obj", "not_a_workbook"),
        ("图.xls", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_a_workbook"),
        ("程序.csv", b"MZ\x90\0\x03\0\0\0", "not_a_workbook"),
        ("名册.xlsx.exe", b"a,b\n1,2\n", "not_a_workbook"),
        ("表格.numbers", b"PK\x03\x04", "not_a_workbook"),
        ("文本.xlsx", "姓名,身份证号\n张三,1\n".encode(), "not_a_workbook"),
        ("旧.xls", b"\x09\x08\x08\0\0\x05\x10\0" + b"\0" * 64, "not_a_workbook"),
        ("乱.bin", bytes(range(256)) * 4, "not_a_workbook"),
        ("登录.xls", "<html><body><form>请登录</form></body></html>".encode(), "html_not_excel"),
        ("登录.xlsx", "<!DOCTYPE html><table><tr><td>用户名</td></tr></table>".encode(), "html_not_excel"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_refused(tmp_path, name, data, code):
    path = tmp_path / name
    path.write_bytes(data)

    assert refusal(path) == code


def test_a_file_cut_in_transfer_is_refused(sound):
    sound.write_bytes(sound.read_bytes()[:-300])

    assert refusal(sound) == "truncated"


def test_a_sheet_cut_inside_the_archive_is_refused(sound):
    rewrite(sound, "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2] + "<f")

    assert refusal(sound) == "truncated"


def test_a_file_larger_than_the_sheet_allows_is_refused(sound, monkeypatch):
    monkeypatch.setattr(Pupils, "max_bytes", 100)

    assert refusal(sound) == "too_large"


def test_more_rows_than_the_sheet_allows_are_refused(sound, monkeypatch):
    monkeypatch.setattr(Pupils, "max_rows", 2)

    assert refusal(sound) == "too_large"


def test_a_column_far_to_the_right_is_refused(tmp_path):
    def finish(book, page):
        page["HZ2"] = "x"

    assert refusal(save(tmp_path / "wide.xlsx", [HEADS, pupil(1)], finish=finish)) == "too_large"


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/VBAPROJECT.BIN"])
def test_macros_are_refused_under_any_name(sound, name):
    assert refusal(with_entry(sound, name)) == "macro"


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/passwd", "C:/x.xml", "xl/inner.zip", "a\\..\\..\\b"])
def test_odd_entries_are_refused(sound, name):
    assert refusal(with_entry(sound, name)) == "bomb"


def test_too_many_entries_are_refused(sound):
    with zipfile.ZipFile(sound, "a") as archive:
        for i in range(250):
            archive.writestr(f"xl/junk{i}.xml", b"")

    assert refusal(sound) == "bomb"


def test_a_bomb_is_refused_before_it_is_opened(sound):
    with (
        zipfile.ZipFile(sound, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/blank.xml", "w") as entry,
    ):
        for _ in range(30):
            entry.write(b" " * 1_000_000)

    assert refusal(sound) == "bomb"


def test_entity_definitions_are_refused(sound):
    entity = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'

    def plant(xml):
        at = xml.index("?>") + 2 if "?>" in xml[:200] else 0
        return xml[:at] + entity + xml[at:]

    assert refusal(rewrite(sound, "xl/worksheets/sheet1.xml", plant)) == "bomb"


def protected(path):
    locked = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(path.read_bytes())).encrypt("opensesame", locked)
    path.write_bytes(locked.getvalue())
    return path


def test_a_protected_workbook_asks_for_its_password(sound):
    assert refusal(protected(sound)) == "encrypted"


def test_a_wrong_password_is_told(sound):
    assert "不正确" in verdict(protected(sound), password="x").file_error.message


def test_the_password_opens_it(sound):
    assert verdict(protected(sound), password="opensesame").accepted == 2


def test_a_real_workbook_under_a_wrong_name_is_read_with_a_note(sound):
    path = sound.rename(sound.with_suffix(".xls"))

    reading = verdict(path)

    assert reading.accepted == 2
    assert "wrong_extension" in table_codes(reading)


def test_the_old_binary_format_is_read(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("名册")
    for r, cells in enumerate([HEADS, pupil(1), pupil(2)]):
        for c, value in enumerate(cells):
            page.write(r, c, value)
    book.save(str(tmp_path / "名册.et"))

    assert verdict(tmp_path / "名册.et").accepted == 2


def test_an_open_document_is_read(tmp_path):
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    table = Table(name="名册")
    for cells in [HEADS, pupil(1), pupil(2)]:
        row = TableRow()
        for value in cells:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=str(value)))
            row.addElement(cell)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    book.save(str(tmp_path / "名册.ods"))

    reading = verdict(tmp_path / "名册.ods")

    assert [(row.number, row.status) for row in reading.rows] == [(2, "accepted"), (3, "accepted")]


def test_a_web_page_with_a_table_is_read(tmp_path):
    rows = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in cells) + "</tr>" for cells in [HEADS, pupil(1)])
    path = tmp_path / "导出.xls"
    path.write_bytes(f"<html><script>alert(1)</script><table>{rows}</table></html>".encode("gb18030"))

    reading = verdict(path)

    assert reading.accepted == 1
    assert "html_table" in table_codes(reading)


def test_pictures_and_external_links_are_told(sound):
    with_entry(with_entry(sound, "xl/media/image1.png"), "xl/externalLinks/externalLink1.xml")

    assert {"pictures", "external_content"} <= table_codes(verdict(sound))


def test_the_child_process_gives_the_same_verdict(sound):
    assert read(sound, Pupils, today=TODAY).counts == verdict(sound).counts


def test_a_child_that_needs_too_much_memory_ends_in_a_refusal(sound, monkeypatch):
    monkeypatch.setattr(Pupils, "max_memory", 64 * 1024 * 1024)

    def finish(xml):
        return xml.replace('<c r="A3"', '<c r="GR1048576" t="inlineStr"><is><t>x</t></is></c><c r="A3"')

    rewrite(sound, "xl/worksheets/sheet1.xml", finish)

    assert read(sound, Pupils, today=TODAY).file_error.code == "too_large"


def test_a_missing_file_is_the_callers_mistake(tmp_path):
    with pytest.raises(FileNotFoundError):
        verdict(tmp_path / "nowhere.xlsx")

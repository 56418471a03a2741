"""One sheet with one fault of every kind, and the files that are no roll at all."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msoffcrypto.format.ooxml
import openpyxl

from . import dirt, rolls
from .books import Book
from .county import BAITA, LIUHE, County

COLUMNS = [
    ("code", "学校标识码"), ("grade", "年级"), ("class", "班级"), ("name", "姓名"), ("sex", "性别"),
    ("id", "身份证件号"), ("born", "出生日期"), ("nation", "民族"),
]  # fmt: skip


def zoo(county: County) -> Book:
    """Sound rows of one school with a fault each; the sheet's last rows are sound and must pass."""
    book = Book(county.folder / "错误大全.xlsx", COLUMNS)
    book.open_sheet("名册", "白塔乡小学学生名册")
    children = iter(
        c for c in rolls.roll_of(county, BAITA) if c.citizen_id[17] != "X" and c.key != county.rejected[BAITA]
    )
    faults = [
        ("id", "id_numeric_cell", lambda c: dirt.as_number(c.citizen_id)),
        ("id", "id_placeholder", lambda c: "111111111111111111"),
        ("id", "id_placeholder", lambda c: "同上"),
        ("id", "id_characters", lambda c: c.citizen_id[:17] + "×"),
        ("id", "id_characters", lambda c: c.citizen_id[:6] + "********" + c.citizen_id[14:]),
        ("id", "id_length", lambda c: c.citizen_id[:17]),
        ("id", "id_length", lambda c: c.citizen_id + "1"),
        ("id", "id_length", lambda c: c.citizen_id[:6] + c.citizen_id[8:17]),
        ("id", "id_birth_date", lambda c: c.citizen_id[:10] + "0230" + c.citizen_id[14:]),
        ("id", "id_checksum", lambda c: dirt.wrong_digit(c.citizen_id)),
        ("id", "id_checksum", lambda c: dirt.cut_tail(c.citizen_id)),
        ("id", "cell_error", lambda c: "#N/A"),
        ("id", "formula_without_value", lambda c: "=A1"),
        ("name", "required", lambda c: None),
        ("name", "name_characters", lambda c: c.name[0] + "?"),
        ("name", "name_characters", lambda c: c.name + "(父)"),
        ("sex", "unknown_value", lambda c: "不详呀"),
        ("born", "date_impossible", lambda c: "2016.9.31"),
        ("born", "date_ambiguous", lambda c: "01/02/2016"),
        ("code", "other_school", lambda c: LIUHE),
    ]
    for column, code, spoil in faults:
        child = next(children)
        facts = rolls.cells(county, child, 0)
        facts[column] = spoil(child)
        what = rolls.line(child, status="rejected", errors=[(book.header(column), code)])
        row = book.add("名册", facts, what)
        if code == "formula_without_value":
            book.formulas.add(("名册", row, [k for k, _ in COLUMNS].index(column) + 1))
    # two more on the identifier's column, where the neighbour is what does not fit
    for column, code in (("born", "id_birth_mismatch"), ("sex", "id_sex_mismatch")):
        child = next(children)
        facts = rolls.cells(county, child, 0)
        facts[column] = (
            f"{child.born + timedelta(days=1)}" if column == "born" else "女" if child.sex == "男" else "男"
        )
        what = rolls.line(child, status="rejected", errors=[(book.header("id"), code)])
        book.add("名册", facts, what)
    child = next(children)
    for klass in ("1班", "2班"):  # the same child twice, and the two rows contradict each other
        what = rolls.line(child, status="rejected", errors=[(book.header("id"), "duplicate_conflict")])
        book.add("名册", rolls.cells(county, child, 0) | {"class": klass}, what)
    for child in children:
        book.add("名册", rolls.cells(county, child, 0), rolls.line(child))
    return book.save()


def mostly_faulty(county: County) -> Book:
    """Three rows in four have a wrong digit: more than any bureau would let pass."""
    book = Book(county.folder / "多半有错.csv", COLUMNS)
    book.open_sheet(None)
    for i, child in enumerate(rolls.roll_of(county, BAITA)):
        facts, what = rolls.cells(county, child, i), rolls.line(child)
        if i % 4:
            facts["id"] = dirt.wrong_digit(child.citizen_id)
            what = rolls.line(child, status="rejected", errors=[(book.header("id"), "id_checksum")])
        book.add(None, facts, what)
    return book.save()


def sound(county: County, name: str = "合格名册.xlsx", columns=COLUMNS) -> Book:
    book = Book(county.folder / name, columns)
    book.open_sheet("名册" if name.endswith(".xlsx") else None)
    for i, child in enumerate(rolls.roll_of(county, BAITA)):
        book.add(next(iter(book.sheets)), rolls.cells(county, child, i), rolls.line(child))
    return book.save()


def _workbook(county: County) -> bytes:
    return sound(county).path.read_bytes()


def _with_entry(data: bytes, name: str, content: bytes) -> bytes:
    packed = io.BytesIO(data)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _encrypted(data: bytes) -> bytes:
    locked = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(data)).encrypt("opensesame", locked)
    return locked.getvalue()


def _bomb(data: bytes) -> bytes:
    """300 MB of blanks in place of the sheet."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in source.infolist():
            if "sheet1" not in item.filename:
                target.writestr(item.filename, source.read(item))
                continue
            with target.open(item.filename, "w") as sheet:
                sheet.write(source.read(item))
                for _ in range(300):
                    sheet.write(b" " * 1_000_000)
    return packed.getvalue()


def _headers(*heads: str, rows: int = 2) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(list(heads))
    for n in range(rows):
        book.active.append([f"甲{n}"] * len(heads))
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


HEADS = [head for _, head in COLUMNS]
# code of the file error -> the file's name and how to make its bytes
NO_ROLLS: dict[str, tuple[str, Callable[[County], bytes]]] = {
    "empty": ("空.xlsx", lambda county: b""),
    "empty ": ("只有表头.xlsx", lambda county: _headers(*HEADS, rows=0)),
    "truncated": ("断.xlsx", lambda county: _workbook(county)[:-400]),
    "encrypted": ("加密.xlsx", lambda county: _encrypted(_workbook(county))),
    "not_a_workbook": (
        "其实是PDF.xlsx",
        lambda county: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" * 20,
    ),
    "html_not_excel": ("登录页.xls", lambda county: "<html><body><form>请登录</form></body></html>".encode()),
    "macro": ("宏.xlsm", lambda county: _with_entry(_workbook(county), "xl/vbaProject.bin", b"\0" * 100)),
    "bomb": ("炸弹.xlsx", lambda county: _bomb(_workbook(county))),
    "missing_column": ("缺姓名.xlsx", lambda county: _headers(*[h for h in HEADS if h != "姓名"])),
    "duplicate_header": ("重复表头.xlsx", lambda county: _headers(*HEADS, "姓名")),
    "no_header": ("无表头.xlsx", lambda county: _headers("甲", "乙", "丙", "丁")),
    "encoding": (
        "乱码.csv",
        lambda county: (",".join(HEADS) + "\n锟斤拷\ufffd\ufffd,一年级,1班,,,,,\n").encode(),
    ),
}


def write_no_roll(county: County, code: str) -> Path:
    name, make = NO_ROLLS[code]
    path = county.folder / name
    path.write_bytes(make(county))
    return path

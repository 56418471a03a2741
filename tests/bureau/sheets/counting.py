"""An independent count of the rows of a file: raw XML, BIFF records, the csv module. Nothing of the product's readers."""

import csv
import io
import re
import struct
import xml.etree.ElementTree as ET
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import olefile

from bureau.sheets import Reading
from bureau.sheets.declare import OPTIONS_SHEET

Rows = dict[str | None, set[int]]  # worksheet -> numbers of the rows that hold anything
TEXT_ENCODINGS = ("utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be")


def rows_of(path: Path) -> tuple[Rows, Rows]:
    """Filled rows of the visible sheets and of the hidden ones."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            if "content.xml" in archive.namelist():
                return _open_document(archive), {}
            if "xl/workbook.bin" in archive.namelist():
                return {"名册": _sheet12(archive.read("xl/worksheets/sheet1.bin"))}, {}
            return _workbook(archive)
    if data.startswith(olefile.MAGIC):
        return _binary(path)
    text = _decoded(data)
    return (_page(text) if text.lstrip().startswith("<") else _text(text)), {}


def unexplained(reading: Reading, path: Path) -> list[str]:
    """Rows that neither a row of the reading nor a problem accounts for, and rows that nobody wrote."""
    visible, hidden = rows_of(path)
    wrong = []
    for name, present in visible.items():
        told = [row.number for row in reading.rows if row.sheet == name]
        tables = [table for table in reading.tables if table.sheet == name]
        if not tables:
            if present and not any(p.code == "sheet_skipped" and p.sheet == name for p in reading.problems):
                wrong.append(f"{name}: {len(present)} rows of a sheet nobody mentions")
            continue
        below = {number for number in present if number > tables[0].header_row}
        if len(told) != len(set(told)) or set(told) != below:
            wrong.append(f"{name}: missing {sorted(below - set(told))[:9]}, invented {sorted(set(told) - below)[:9]}")
    for name, present in hidden.items():
        if name != OPTIONS_SHEET and present and not any(p.code == "hidden_sheet" and p.sheet == name for p in reading.problems):
            wrong.append(f"{name}: {len(present)} rows of a hidden sheet nobody mentions")
    skipped = {(row.sheet, row.number) for row in reading.rows if row.status == "skipped"}
    noted = {(p.sheet, p.row) for p in reading.problems if p.level == "note"}
    rejected = {(row.sheet, row.number) for row in reading.rows if row.status == "rejected"}
    faults = {(p.sheet, p.row) for p in reading.problems if p.level == "error"}
    wrong += [f"skipped without a note: {place}" for place in skipped - noted]
    wrong += [f"rejected without an error: {place}" for place in rejected ^ faults]
    counts = reading.counts
    if counts["rows"] != counts["accepted"] + counts["rejected"] + counts["skipped"]:
        wrong.append(f"counts do not add up: {counts}")
    return wrong


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if data[1:200:2].count(0) > 40:
        return data.decode("utf-16-le")
    if data[0:200:2].count(0) > 40:
        return data.decode("utf-16-be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _text(text: str) -> Rows:
    head = text.splitlines()[:20]
    separator = max(",\t;，", key=lambda sign: sum(line.count(sign) for line in head))
    records = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    csv.field_size_limit(1 << 30)
    found, start = set(), 1
    for record in records:
        if any(cell.strip() for cell in record):
            found.add(start)
        start = records.line_num + 1
    return {None: found}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _workbook(archive: zipfile.ZipFile) -> tuple[Rows, Rows]:
    names = archive.namelist()
    by_lower = {name.lower(): name for name in names}
    book = ET.fromstring(archive.read(by_lower["xl/workbook.xml"]))
    links = ET.fromstring(archive.read(by_lower["xl/_rels/workbook.xml.rels"]))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    strings = _strings(archive.read(by_lower["xl/sharedstrings.xml"])) if "xl/sharedstrings.xml" in by_lower else []
    visible: Rows = {}
    hidden: Rows = {}
    for sheet in (one for one in book.iter() if _local(one.tag) == "sheet"):
        key = next(value for name, value in sheet.attrib.items() if _local(name) == "id")
        target = targets[key]
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found = _sheet(archive.read(by_lower[path.lower()]), strings)
        (visible if sheet.get("state", "visible") == "visible" else hidden)[sheet.get("name")] = found
    return visible, hidden


def _strings(data: bytes) -> list[str]:
    return [_said(item) for item in ET.fromstring(data) if _local(item.tag) == "si"]


def _said(item: ET.Element) -> str:
    """The text of a string without the reading aids (拼音) beside it."""
    text = ""
    for child in item:
        if _local(child.tag) == "t":
            text += child.text or ""
        elif _local(child.tag) == "r":
            text += _said(child)
    return text


def _sheet(data: bytes, strings: list[str]) -> set[int]:
    found, number = set(), 0
    for row in (one for one in ET.fromstring(data).iter() if _local(one.tag) == "row"):
        number = int(row.get("r") or number + 1)
        if any(_filled(cell, strings) for cell in row if _local(cell.tag) == "c"):
            found.add(number)
    return found


def _filled(cell: ET.Element, strings: list[str]) -> bool:
    parts = {_local(part.tag): part for part in cell}
    kind = cell.get("t", "n")
    if kind == "e":
        return True
    if kind == "inlineStr":
        return bool("is" in parts and _said(parts["is"]).strip())
    value = (parts["v"].text or "") if "v" in parts else ""
    if "f" in parts and kind != "str" and not value:
        return True  # a formula whose result was not saved
    if kind == "s":
        return bool(value and strings[int(value)].strip())
    return bool(value.strip())


def _open_document(archive: zipfile.ZipFile) -> Rows:
    found: Rows = {}
    for table in (one for one in ET.fromstring(archive.read("content.xml")).iter() if _local(one.tag) == "table"):
        numbers, number = set(), 1
        for row in (one for one in table.iter() if _local(one.tag) == "table-row"):
            times = int(next((v for k, v in row.attrib.items() if _local(k) == "number-rows-repeated"), 1))
            if any(_said_in(cell) for cell in row if _local(cell.tag) == "table-cell"):
                numbers.update(range(number, number + times))
            number += times
        found[next(v for k, v in table.attrib.items() if _local(k) == "name")] = numbers
    return found


def _said_in(cell: ET.Element) -> bool:
    return any("".join(part.itertext()).strip() for part in cell if _local(part.tag) == "p")


_LABELSST, _NUMBER, _RK, _MULRK, _LABEL, _BOOLERR, _FORMULA = 0xFD, 0x203, 0x27E, 0xBD, 0x204, 0x205, 0x06
_CELLS = {_LABELSST, _NUMBER, _RK, _MULRK, _LABEL, _BOOLERR, _FORMULA}


def _binary(path: Path) -> tuple[Rows, Rows]:
    """BIFF8; a text cell counts as filled, because programs write blanks as BLANK records."""
    with olefile.OleFileIO(str(path)) as container:
        data = container.openstream("Workbook").read()
    visible: Rows = {}
    hidden: Rows = {}
    for kind, body in _records(data, 0):
        if kind != 0x85:
            continue
        offset, state, _, length, wide = struct.unpack_from("<IBBBB", body)
        raw = body[8 : 8 + length * (2 if wide else 1)]
        name = raw.decode("utf-16-le" if wide else "latin-1")
        numbers = {struct.unpack_from("<H", cell)[0] + 1 for kind, cell in _records(data, offset) if kind in _CELLS}
        (hidden if state & 3 else visible)[name] = numbers
    return visible, hidden


def _records(data: bytes, at: int):
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        yield kind, data[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == 0x0A:
            return


def _sheet12(data: bytes) -> set[int]:
    """BIFF12: kinds 2 to 11 are cells that hold something; kind and size are written seven bits to a byte."""
    found, row, at = set(), 0, 0

    def varying() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        kind, size = varying(), varying()
        if kind == 0:
            row = struct.unpack_from("<I", data, at)[0] + 1
        elif 2 <= kind <= 11:
            found.add(row)
        at += size
    return found


class _Page(HTMLParser):
    """Rows of each table of a web page that has more than one."""

    def __init__(self):
        super().__init__()
        self.tables: list[list[str]] = []

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append("")

    def handle_data(self, data):
        if self.tables and self.tables[-1]:
            self.tables[-1][-1] += data.strip()


def _page(text: str) -> Rows:
    page = _Page()
    page.feed(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    tables = [table for table in page.tables if len(table) > 1]
    return {f"网页表格{n}": {i for i, row in enumerate(table, 1) if row} for n, table in enumerate(tables, 1)}

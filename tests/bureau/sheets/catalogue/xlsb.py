"""A small .xlsb by hand: the format is read, and no library writes it. Source: [MS-XLSB]."""

import struct
import zipfile
from pathlib import Path

_CONTENT = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.bin" ContentType="application/vnd.ms-excel.worksheet"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>'
    "</Relationships>"
)
ROW, CELL_REAL, CELL_TEXT, CELL_ERROR, COLUMN = 0, 5, 6, 3, 60


class Error(str):
    """A cell that holds an error value."""


def record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, sizes = len(body), b""
    while True:
        sizes += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + sizes + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def write_xlsb(path: Path, rows: list[list], *, name: str = "名册", hidden_row: int | None = None) -> Path:
    """`hidden_row` counts from 1."""
    body = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1))
    body += record(145)
    for number, cells in enumerate(rows):
        flags = bytes([0, 0x10 if number + 1 == hidden_row else 0, 0])
        body += record(ROW, struct.pack("<IIH", number, 0, 300) + flags + struct.pack("<I", 0))
        for column, value in enumerate(cells):
            place = struct.pack("<II", column, 0)
            if isinstance(value, Error):
                body += record(CELL_ERROR, place + bytes([0x2A]))
            elif isinstance(value, int | float):
                body += record(CELL_REAL, place + struct.pack("<d", value))
            elif value is not None:
                body += record(CELL_TEXT, place + wide(value))
    body += record(146) + record(130)
    book = record(131) + record(153, struct.pack("<III", 0, 0, 0)) + record(143)
    book += record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide(name)) + record(144) + record(132)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT)
        archive.writestr("_rels/.rels", _RELATIONS.format("officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", _RELATIONS.format("worksheet", "worksheets/sheet1.bin"))
        archive.writestr("xl/worksheets/sheet1.bin", body)
    return path

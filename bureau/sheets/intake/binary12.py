"""The records of an .xlsb (BIFF12) for what the reader of values hides: errors, formulas, hidden rows and columns.

Source of the layouts: [MS-XLSB], “Excel Binary File Format (.xlsb)”. A formula always has a saved value there.
"""

import re
import struct
import zipfile
from collections.abc import Iterator

from .binary import ERRORS
from .facts import Look
from .look import chunks

_ROW, _COLUMN, _BOOK_PROPERTIES, _SHEET = 0, 60, 153, 156
_ERROR_CELLS = (3, 11)  # a value and a formula's result
_FORMULA_CELLS = (8, 9, 10)
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x10, 0x01
_TARGET = re.compile(rb'<Relationship\s[^>]*?\bId="([^"]+)"[^>]*?\bTarget="([^"]+)"')
_TARGET_FIRST = re.compile(rb'<Relationship\s[^>]*?\bTarget="([^"]+)"[^>]*?\bId="([^"]+)"')


def look_at_xlsb(archive: zipfile.ZipFile) -> tuple[dict[int, Look], bool]:
    """Looks by position of the sheet in the workbook, and whether dates count from 1904."""
    names = {name.lower(): name for name in archive.namelist()}
    relations = b"".join(chunks(archive, names["xl/_rels/workbook.bin.rels"]))
    targets = {key.decode(): target.decode() for key, target in _TARGET.findall(relations)}
    targets |= {key.decode(): target.decode() for target, key in _TARGET_FIRST.findall(relations)}
    looks: dict[int, Look] = {}
    from_1904, place = False, 0
    for kind, data in _records(b"".join(chunks(archive, names["xl/workbook.bin"]))):
        if kind == _BOOK_PROPERTIES and data:
            from_1904 = bool(data[0] & 1)
        elif kind == _SHEET:
            length = struct.unpack_from("<I", data, 8)[0]
            target = targets.get(data[12 : 12 + 2 * length].decode("utf-16-le"), "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if path.lower() in names:
                looks[place] = _look(b"".join(chunks(archive, names[path.lower()])))
            place += 1
    return looks, from_1904


def _look(data: bytes) -> Look:
    look, row = Look(), 0
    for kind, body in _records(data):
        if kind == _ROW:
            row = struct.unpack_from("<I", body)[0]
            if body[11] & _HIDDEN_ROW:
                look.hidden_rows.add(row)
        elif kind in _ERROR_CELLS:
            look.patch(row, struct.unpack_from("<I", body)[0], "cell_error", ERRORS.get(body[8], "#N/A"))
        elif kind in _FORMULA_CELLS:
            look.formula(row, struct.unpack_from("<I", body)[0])
        elif kind == _COLUMN and body[16] & _HIDDEN_COLUMN:
            look.hidden_columns.append(struct.unpack_from("<II", body))
    return look


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, body) of each record: both its kind and its size are written seven bits to a byte."""
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift > 21:
                break
        yield kind, data[at : at + size]
        at += size

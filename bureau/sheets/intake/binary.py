"""The records of an old .xls (BIFF8) for what the reader of values hides: errors, formulas, hidden rows, comments.

Source of the layouts: [MS-XLS], “Excel Binary File Format”. A formula always has a saved value there.
"""

import struct
from typing import BinaryIO

from .facts import Look

_FORMULA, _BOOLERR, _ROW, _COLINFO = 0x0006, 0x0205, 0x0208, 0x007D
_BOF, _EOF, _BOUNDSHEET, _DATEMODE = 0x0809, 0x000A, 0x0085, 0x0022
_SUPBOOK, _NOTE, _OBJ = 0x01AE, 0x001C, 0x005D
_OWN_BOOK, _ADD_IN, _PICTURE = 0x0401, 0x3A01, 8
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_WANTED = {_FORMULA, _BOOLERR, _ROW, _COLINFO, _NOTE, _OBJ}


class BinaryBook:
    """`looks` by position of the sheet; the counts are those of the whole book."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.from_1904 = False
        self.links = self.pictures = self.comments = 0


def look_at_binary(file: BinaryIO) -> BinaryBook:
    import olefile  # see gate.py

    with olefile.OleFileIO(file) as container:
        name = "Workbook" if container.exists("Workbook") else "Book"
        data = container.openstream(name).read()
    book = BinaryBook()
    for offset in _globals(data, book):
        book.looks.append(_look(data, offset, book))
    return book


def _globals(data: bytes, book: BinaryBook) -> list[int]:
    """Where each sheet begins."""
    offsets, at = [], 0
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == _BOUNDSHEET and size >= 6:
            offsets.append(struct.unpack_from("<I", data, at + 4)[0])
        elif kind == _DATEMODE and size >= 2:
            book.from_1904 = data[at + 4] == 1
        elif kind == _SUPBOOK and size >= 4:
            book.links += struct.unpack_from("<H", data, at + 6)[0] not in (_OWN_BOOK, _ADD_IN)
        elif kind == _EOF:
            break
        at += 4 + size
    return offsets


def _look(data: bytes, at: int, book: BinaryBook) -> Look:
    look, end, depth = Look(), len(data), 0
    header = struct.Struct("<HH").unpack_from
    place = struct.Struct("<HH").unpack_from
    while at + 4 <= end:
        kind, size = header(data, at)
        body = at + 4
        at = body + size
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif kind in _WANTED and at <= end:
            row, column = place(data, body)
            if kind == _BOOLERR:
                if data[body + 7] == 1:
                    _patch(look, row, column, data[body + 6])
            elif kind == _FORMULA:
                saved = data[body + 6 : body + 14]
                if saved[6:] == b"\xff\xff" and saved[0] == 2:
                    _patch(look, row, column, saved[2])
                else:
                    look.formula(row, column)
            elif kind == _ROW:
                if data[body + 12] & 0x20:
                    look.hidden_rows.add(row)
            elif kind == _NOTE:
                book.comments += 1
            elif kind == _OBJ:
                book.pictures += size >= 6 and struct.unpack_from("<H", data, body + 4)[0] == _PICTURE
            elif data[body + 8] & 1:  # COLINFO: first and last column stand where others have row and column
                look.hidden_columns.append((row, column))
    return look


def _patch(look: Look, row: int, column: int, error: int) -> None:
    look.patch(row, column, "cell_error", ERRORS.get(error, "#N/A"))

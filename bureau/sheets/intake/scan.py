"""Find errors, formulas and hidden rows in the XML of a sheet by searching for them, not by walking every element.

Ten times as quick as walking, because such cells are few. Works on what spreadsheet programs write (no prefixes,
double quotes, every cell with its reference); for anything else it gives up and the walker is asked.
"""

import re
from collections.abc import Iterable

from .facts import Look, column_index

_REFERENCE = re.compile(rb'\sr="([A-Z]{1,3})([0-9]{1,7})"')
_KIND = re.compile(rb'\st="(\w+)"')
_VALUE = re.compile(rb"<v>([^<]*)</v>")
_EXTERNAL = re.compile(rb"<f[^>]*>[^<]*\[\d+\]")  # [1]Sheet1!A1: the first linked file
_BOUNDS = re.compile(rb'\s(min|max)="([0-9]+)"')
LONGEST_REST = 8 << 20


MARKERS = (b't="e"', b"<f", b"hidden")
_ODD = re.compile(rb"<\w+:(worksheet|sheetData)|<(c|row)\s[^>]*='").search  # prefixes, single quotes
_ENCODED = re.compile(rb'<\?xml[^>]*encoding=["\'](?!utf-?8)', re.IGNORECASE).match


class _GiveUp(Exception):
    pass


def is_plain(start: bytes) -> bool:
    """Whether a part, by its beginning, is written as spreadsheet programs write it."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<!" in start[:4096]:
        return False
    return not _ENCODED(start) and not _ODD(start[:65536])


def scan(chunks: Iterable[bytes], look: Look) -> Look | None:
    """The look, or None where the XML is written in another way."""
    rest, started = b"", False
    try:
        for chunk in chunks:
            if not started and not is_plain(chunk):
                return None
            started = True
            piece = rest + chunk
            if b"<!" in piece:
                return None
            cut = max(piece.rfind(b"</c>") + 4, piece.rfind(b"</row>") + 6, piece.rfind(b"</cols>") + 7)
            if cut < 8:
                if len(piece) > LONGEST_REST:
                    return None
                rest = piece
                continue
            _search(piece[:cut], look)
            rest = piece[cut:]
    except _GiveUp:
        return None
    _search(rest, look)
    return look


def _search(piece: bytes, look: Look) -> None:
    for at in _hits(piece, b't="e"'):
        start = piece.rfind(b"<", 0, at)
        if piece[start : start + 3] == b"<c " and piece.find(b">", start, at) < 0:
            row, column, cell = _cell(piece, start)
            value = _VALUE.search(cell)
            shown = value.group(1).decode() if value else ""
            look.patch(row, column, "cell_error", shown or "#N/A")
    for at in _hits(piece, b"<f"):
        if piece[at + 2 : at + 3] in (b">", b" ", b"/"):
            _formula(piece, at, look)
    for at in _hits(piece, b'hidden="'):
        start = piece.rfind(b"<", 0, at)
        if piece[at + 8 : at + 10] in (b'1"', b"tr") and piece.find(b">", start, at) < 0:
            _hidden(piece[start : piece.find(b">", at)], look)


def _hits(piece: bytes, marker: bytes) -> Iterable[int]:
    at = piece.find(marker)
    while at >= 0:
        yield at
        at = piece.find(marker, at + len(marker))


def _cell(piece: bytes, start: int) -> tuple[int, int, bytes]:
    """Row and column from 0, and the whole cell."""
    head_end = piece.find(b">", start)
    reference = _REFERENCE.search(piece, start, head_end + 1)
    if reference is None or head_end < 0:
        raise _GiveUp
    end = head_end if piece[head_end - 1 : head_end] == b"/" else piece.find(b"</c>", head_end)
    return int(reference.group(2)) - 1, column_index(reference.group(1).decode()), piece[start:end]


def _formula(piece: bytes, at: int, look: Look) -> None:
    start = piece.rfind(b"<c ", 0, at)
    if start < 0:
        raise _GiveUp
    row, column, cell = _cell(piece, start)
    kind = _KIND.search(cell, 0, cell.find(b">") + 1)
    if kind is not None and kind.group(1) == b"e":
        return
    value = _VALUE.search(cell)
    if (value is None or not value.group(1)) and (kind is None or kind.group(1) != b"str"):
        look.patch(row, column, "formula_without_value", "")
    else:
        look.formula(row, column, external=_EXTERNAL.search(cell) is not None)


def _hidden(tag: bytes, look: Look) -> None:
    if tag.startswith(b"<row "):
        row = re.search(rb'\sr="([0-9]+)"', tag)
        if row is None:
            raise _GiveUp
        look.hidden_rows.add(int(row.group(1)) - 1)
    elif tag.startswith(b"<col "):
        bounds = dict(_BOUNDS.findall(tag))
        look.hidden_columns.append((int(bounds[b"min"]) - 1, int(bounds[b"max"]) - 1))

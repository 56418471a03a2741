"""Rows of an .xlsx, .xls, .xlsb or .ods: values from calamine, the rest from a look at the raw file."""

import struct
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import BinaryIO

import python_calamine as calamine

from .binary import look_at_binary
from .binary12 import look_at_xlsb
from .comments import comments_in, told_of_comments
from .facts import Look, column_letter
from .faults import FileFault
from .gate import Limits, embedded_notes
from .look import DAMAGE, look_at, verify, workbook_parts
from .opendoc import look_at_document

CHUNK_ROWS = 2000
DAMAGED = "文件不完整或已损坏，请重新导出并重新上传。"


def stream(file: BinaryIO, kind: str, limits: Limits) -> Iterator[tuple]:
    """Messages for one workbook, sheet by sheet."""
    with ThreadPoolExecutor(max_workers=1) as aside:  # calamine lets other threads run while it parses
        looking = aside.submit(_looks, _twin(file), kind)
        try:
            yield from _sheets(file, kind, limits, looking)
        except calamine.PasswordError as error:
            raise FileFault(
                "encrypted", "文件设有打开密码。请输入打开密码，或取消密码后重新上传。"
            ) from error
        except calamine.CalamineError as error:
            looking.result()  # says more precisely what is wrong, when it finds it too
            raise FileFault("truncated", DAMAGED) from error


def _twin(file: BinaryIO) -> BinaryIO:
    return BytesIO(file.getvalue()) if isinstance(file, BytesIO) else open(file.name, "rb")


def _sheets(file: BinaryIO, kind: str, limits: Limits, looking: Future) -> Iterator[tuple]:
    file.seek(0)
    book = calamine.CalamineWorkbook.from_filelike(file)
    left, begun = limits.max_rows, False
    for index, meta in enumerate(book.sheets_metadata):
        if meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_index(index)
        looks, from_1904, notes = looking.result()
        if not begun:
            begun = True
            yield ("book", kind, from_1904)
            for code, message in notes:
                yield ("note", code, message)
        if sheet.end is not None and sheet.end[1] >= limits.max_columns:
            last = column_letter(sheet.end[1])
            raise FileFault(
                "too_large", f"工作表“{meta.name}”用到了第 {last} 列，超过 {limits.max_columns} 列的上限。"
            )
        look = looks.get(index, Look())
        if meta.visible != calamine.SheetVisibleEnum.Visible:
            if count := sum(len(rows) for rows in _rows(sheet, Look())):
                yield ("hidden_sheet", meta.name, count)
            continue
        yield ("sheet", meta.name, _described(sheet, look))
        for rows in _rows(sheet, look):
            left -= len(rows)
            if left < 0:
                raise FileFault(
                    "too_large", f"数据超过 {limits.max_rows} 行的上限，请分开上传。", sheet=meta.name
                )
            yield ("rows", rows)
        del sheet


def _looks(file: BinaryIO, kind: str) -> tuple[dict[int, Look], bool, list[tuple[str, str]]]:
    """Looks by position of the sheet, whether dates count from 1904, and what the book holds beside cells."""
    with file:
        try:
            if kind == "xls":
                book = look_at_binary(file)
                notes = embedded_notes(book.pictures, [("外部链接", book.links)]) + told_of_comments(book.comments)
                return dict(enumerate(book.looks)), book.from_1904, notes
            archive = zipfile.ZipFile(file)
            if kind == "xlsb":
                return *look_at_xlsb(archive), []
            if kind == "ods":
                looks, comments = look_at_document(archive)
                return looks, False, told_of_comments(comments)
            parts, from_1904 = workbook_parts(archive)
        except (*DAMAGE, struct.error, IndexError) as error:
            raise FileFault("truncated", DAMAGED) from error
        for name in archive.namelist():
            if name.lower().endswith(("sharedstrings.xml", "styles.xml")):
                verify(archive, name)
        looks = {i: look_at(archive, part.path) for i, part in enumerate(parts) if part.path}
        return looks, from_1904, told_of_comments(*comments_in(archive))


def _described(sheet: calamine.CalamineSheet, look: Look) -> dict:
    used = None
    if sheet.start is not None and sheet.end is not None:
        (top, left), (bottom, right) = sheet.start, sheet.end
        used = f"{column_letter(left)}{top + 1}:{column_letter(right)}{bottom + 1}"
    return {
        "merged": sheet.merged_cell_ranges or [],
        "hidden_rows": {row + 1 for row in look.hidden_rows},
        "hidden_columns": look.hidden_columns,
        "formulas": {column: (count, row + 1, far) for column, (count, row, far) in look.formulas.items()},
        "dimension": look.dimension,
        "used": used,
    }


def _rows(sheet: calamine.CalamineSheet, look: Look) -> Iterator[list[tuple[int, list]]]:
    """Chunks of (row number from 1, cells from column A); blank rows are left out."""
    left = (sheet.start or (0, 0))[1]
    patches = dict(look.patches)
    shared: dict[str, str] = {}  # texts of one chunk: one that comes again is sent once
    pad = [""] * left
    chunk: list[tuple[int, list]] = []
    number, repeating = 0, None
    for cells in sheet.iter_rows() if sheet.start is not None else ():
        number += 1
        patch = patches.pop(number - 1, None) if patches else None
        if patch is None and not any(cells) and cells.count("") == len(cells):
            continue
        if left:
            cells = pad + cells
        if patch:
            _apply(cells, patch)
        elif not _filled(cells):
            continue
        for index in range(len(cells)) if repeating is None else repeating:
            cell = cells[index]
            if type(cell) is str:  # True and 1.0 would be one and the same there
                cells[index] = shared.setdefault(cell, cell)
        chunk.append((number, cells))
        if len(chunk) >= CHUNK_ROWS:
            if repeating is None:
                repeating = _repeating(chunk)
            yield chunk
            chunk, shared = [], {}
    for row in sorted(patches):  # errors below or beside everything calamine kept
        cells = []
        _apply(cells, patches[row])
        chunk.append((row + 1, cells))
    if chunk:
        yield sorted(chunk, key=lambda pair: pair[0]) if patches else chunk


def _repeating(chunk: list[tuple[int, list]]) -> list[int]:
    """Columns in which texts come again; for numbers of persons remembering them would cost more than it saves."""
    columns = zip(*(cells for _, cells in chunk), strict=False)
    return [index for index, column in enumerate(columns) if len(set(column)) * 2 < len(column)]


def _apply(cells: list, patch: dict[int, tuple[str, str]]) -> None:
    for column, bad in patch.items():
        if column >= len(cells):
            cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = bad


def _filled(cells: list) -> bool:
    for cell in cells:  # the first one tells, nearly always
        if type(cell) is not str or (cell and not cell.isspace()):
            return True
    return False

"""Rows of a CSV or of a table in a web page saved as .xls."""

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

from .faults import FileFault
from .gate import Limits, looks_utf16

CHUNK_ROWS = 2000
SEPARATORS = (",", "\t", ";", "，")
MOJIBAKE = re.compile("锟斤拷|烫烫烫|屯屯屯|�")
ENCODING_HELP = "请在 Excel 或 WPS 中打开原文件，另存为“CSV UTF-8”或 .xlsx 后上传。"


def decode(data: bytes) -> str:
    """Strict text: byte-order mark, then UTF-8, then GB18030; never a replacement character."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _checked(_strict(data, name))
    if looks_utf16(data[:4096]):
        little = data[1:4096:2].count(0) > data[0:4096:2].count(0)
        return _checked(_strict(data, "utf-16-le" if little else "utf-16-be"))
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        not_utf8 = error
    _refuse_mixture(data, not_utf8)
    return _checked(_strict(data, "gb18030"))


def _strict(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileFault(
            "encoding", f"第 {line} 行的文字编码已损坏或混用。{ENCODING_HELP}", row=line
        ) from error


def _refuse_mixture(data: bytes, not_utf8: UnicodeDecodeError) -> None:
    """Lines of UTF-8 Chinese between lines of GB18030 would decode without an error, as nonsense."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if sum(byte > 127 for byte in line) < 6:
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        other = data.count(b"\n", 0, not_utf8.start) + 1
        raise FileFault(
            "encoding",
            f"第 {number} 行与第 {other} 行的文字编码不同，文件由两种编码拼成。{ENCODING_HELP}",
            row=number,
        )


def _checked(text: str) -> str:
    if match := MOJIBAKE.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise FileFault(
            "encoding", f"编码已损坏：第 {line} 行出现“{match.group()}”一类乱码。{ENCODING_HELP}", row=line
        )
    return text.lstrip("﻿")


def separator(text: str) -> str:
    """The separator most lines agree on; a comma when nothing separates."""
    lines = [line for line in text[:65536].splitlines()[:60] if line.strip()]
    best, best_score = ",", 0
    for candidate in SEPARATORS:
        counts = Counter(re.sub(r'"[^"]*"', "", line).count(candidate) for line in lines)
        counts.pop(0, None)
        score = max((count * times for count, times in counts.items()), default=0)
        if score > best_score:
            best, best_score = candidate, score
    return best


def stream_csv(data: bytes, limits: Limits) -> Iterator[tuple]:
    """Messages for a CSV. A row's number is the physical line where its record starts."""
    text = decode(data)
    yield ("book", "csv", False)
    yield ("sheet", None, {"lines": text.count("\n") + 1})
    csv.field_size_limit(sys.maxsize)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    chunk, left, start = [], limits.max_rows, 1
    while True:
        try:
            record = next(records)
        except StopIteration:
            break
        except csv.Error as error:
            raise FileFault(
                "encoding",
                f"第 {start} 行起双引号不成对，无法分列。请用 Excel 或 WPS 打开检查后另存为 .xlsx。",
                row=start,
            ) from error
        number, start = start, records.line_num + 1
        if not any(cell and not cell.isspace() for cell in record):
            continue
        if len(record) > limits.max_columns:
            raise FileFault(
                "too_large", f"第 {number} 行有 {len(record)} 列，超过 {limits.max_columns} 列的上限。"
            )
        left -= 1
        if left < 0:
            raise FileFault("too_large", f"数据超过 {limits.max_rows} 行的上限，请分开上传。")
        chunk.append((number, record))
        if len(chunk) >= CHUNK_ROWS:
            yield ("rows", chunk)
            chunk = []
    if chunk:
        yield ("rows", chunk)


def stream_html(data: bytes, limits: Limits) -> Iterator[tuple]:
    """Messages for a web page: each table of at least two rows becomes a sheet."""
    reader = _Tables()
    reader.feed(decode(data))
    reader.close()
    tables = [table for table in reader.tables if len(table.rows) > 1]
    if not tables:
        raise FileFault(
            "html_not_excel", "文件是网页而不是电子表格，里面没有数据表（可能是登录页）。请重新导出。"
        )
    yield ("book", "html", False)
    for position, table in enumerate(tables, 1):
        if len(table.rows) > limits.max_rows:
            raise FileFault("too_large", f"数据超过 {limits.max_rows} 行的上限，请分开上传。")
        yield ("sheet", f"网页表格{position}", {"merged": table.merged})
        rows = [
            (number, cells)
            for number, cells in enumerate(table.rows, 1)
            if any(cell.strip() for cell in cells)
        ]
        for start in range(0, len(rows), CHUNK_ROWS):
            yield ("rows", rows[start : start + CHUNK_ROWS])


class _Table:
    def __init__(self):
        self.rows: list[list[str]] = []
        self.merged: list[tuple] = []
        self.taken: set[tuple[int, int]] = set()


class _Tables(HTMLParser):
    """Text of table cells; scripts and styles are never looked at, nothing is fetched."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self.stack: list[_Table] = []
        self.cell: list[str] | None = None
        self.span = (1, 1)
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style"):
            self.silent += 1
        elif tag == "table":
            table = _Table()
            self.tables.append(table)
            self.stack.append(table)
            self.cell = None
        elif self.stack and tag == "tr":
            self._close_cell()
            self.stack[-1].rows.append([])
        elif self.stack and tag in ("td", "th"):
            self._close_cell()
            given = dict(attrs)
            self.cell, self.span = [], (_span(given.get("rowspan")), _span(given.get("colspan")))
        elif tag == "br" and self.cell is not None:
            self.cell.append("\n")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.silent = max(0, self.silent - 1)
        elif tag in ("td", "th", "tr"):
            self._close_cell()
        elif tag == "table" and self.stack:
            self._close_cell()
            self.stack.pop()

    def handle_data(self, data):
        if self.cell is not None and not self.silent:
            self.cell.append(data)

    def _close_cell(self) -> None:
        if self.cell is None or not self.stack:
            self.cell = None
            return
        table = self.stack[-1]
        text, self.cell = "".join(self.cell).strip(), None
        if not table.rows:
            table.rows.append([])
        row = len(table.rows) - 1
        cells = table.rows[row]
        while (row, len(cells)) in table.taken:
            cells.append("")
        column, (down, across) = len(cells), self.span
        cells.append(text)
        cells.extend([""] * (across - 1))
        if down > 1 or across > 1:
            table.merged.append(((row, column), (row + down - 1, column + across - 1)))
            table.taken.update(
                (r, c) for r in range(row + 1, row + down) for c in range(column, column + across)
            )


def _span(text: str | None) -> int:
    return min(max(int(text), 1), 200) if text and text.isdigit() and len(text) < 5 else 1

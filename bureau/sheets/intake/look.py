"""The raw XML of an .xlsx, for what a fast reader hides: errors, formulas, hidden rows and columns.

calamine returns an empty cell for `#N/A` and for a formula without a saved value, so an error would
look like a blank. Most sheets hold nothing of the kind; a search for a few byte patterns while
unzipping proves that, and only the others are walked element by element.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from xml.parsers import expat

from .facts import Look, column_index
from .faults import FileFault
from .scan import MARKERS, is_plain, scan

CHUNK = 1 << 20
# what zipfile raises for archives that are not what they say
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
OVERLAP = 16
_EXTERNAL = re.compile(r"\[\d+\]")  # [1]Sheet1!A1: the first linked file


class Part(NamedTuple):
    """One sheet of the workbook: its name and the XML file that holds it."""

    name: str
    path: str | None


def workbook_parts(archive: zipfile.ZipFile) -> tuple[list[Part], bool]:
    """Sheets in workbook order with their XML paths, and whether dates count from 1904."""
    by_lower = {name.lower(): name for name in archive.namelist()}
    book = next((name for low, name in by_lower.items() if re.fullmatch(r"xl/workbook\d*\.xml", low)), None)
    if book is None:
        return [], False
    rels_path = by_lower.get("xl/_rels/" + book.rsplit("/", 1)[-1].lower() + ".rels")
    targets = {}
    for tag, attrs in _elements(archive, rels_path) if rels_path else ():
        if tag == "Relationship":
            target = attrs.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else "xl/" + target
            targets[attrs.get("Id")] = by_lower.get(path.lower())
    parts, from_1904 = [], False
    for tag, attrs in _elements(archive, book):
        if tag == "sheet":
            relation = next((value for key, value in attrs.items() if key.rsplit(":", 1)[-1] == "id"), None)
            parts.append(Part(attrs.get("name", ""), targets.get(relation)))
        elif tag == "workbookPr":
            from_1904 = attrs.get("date1904") in ("1", "true", "on")
    return parts, from_1904


def _elements(archive: zipfile.ZipFile, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    parser = parser_without_entities()
    parser.StartElementHandler = lambda tag, attrs: found.append((tag.rsplit(":", 1)[-1], attrs))
    feed(parser, b"".join(chunks(archive, path)), True)
    return iter(found)


def parser_without_entities():
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_):
        raise FileFault("bomb", "文件内部含有实体定义，疑似攻击文件，已拒收。")

    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    return parser


def feed(parser, chunk: bytes, last: bool) -> None:
    try:
        parser.Parse(chunk, last)
    except (expat.ExpatError, ValueError, KeyError) as error:  # a reference or bound that is no number
        raise FileFault("truncated", "工作表内容不完整或已损坏，请重新导出并重新上传。") from error


def chunks(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """The unzipped part piece by piece; a size or checksum that lies ends in FileFault."""
    try:
        with archive.open(path) as part:
            while chunk := part.read(CHUNK):
                yield chunk
    except DAMAGE as error:
        raise FileFault("truncated", "文件不完整或已损坏，请重新导出并重新上传。") from error


def verify(archive: zipfile.ZipFile, path: str) -> None:
    """Unzip a part once against its declared size and checksum, and refuse entity definitions."""
    tail = b""
    for chunk in chunks(archive, path):
        if b"<!ENTITY" in tail + chunk or b"<!\0E\0N\0T" in chunk:
            raise FileFault("bomb", "文件内部含有实体定义，疑似攻击文件，已拒收。")
        tail = chunk[-OVERLAP:]


def look_at(archive: zipfile.ZipFile, path: str) -> Look:
    """What the sheet hides. Reads the part once when there is nothing to find, twice otherwise."""
    look = Look()
    if not _suspicious(archive, path, look):
        return look
    found = scan(chunks(archive, path), Look(dimension=look.dimension))
    if found is not None:
        return found
    walk(archive, path, look)
    return look


def _suspicious(archive: zipfile.ZipFile, path: str, look: Look) -> bool:
    tail, first = b"", True
    for chunk in chunks(archive, path):
        if first:
            first = False
            if match := re.search(rb'<(?:\w+:)?dimension\s+ref=["\']([A-Z0-9:]+)', chunk[:65536]):
                look.dimension = match.group(1).decode()
            if not is_plain(chunk):
                return True
        piece = tail + chunk
        if any(marker in piece for marker in MARKERS):
            return True
        tail = chunk[-OVERLAP:]
    return False


def walk(archive: zipfile.ZipFile, path: str, look: Look) -> None:
    """Fill the look element by element: right for every way to write XML, and slow."""
    walker = _Walker(look)
    parser = parser_without_entities()
    parser.StartElementHandler = walker.start
    parser.EndElementHandler = walker.end
    parser.CharacterDataHandler = walker.text
    for chunk in chunks(archive, path):
        feed(parser, chunk, False)
    feed(parser, b"", True)


class _Walker:
    """Expat handlers; positions follow the `r` attributes and count on where they are missing."""

    __slots__ = ("column", "formula", "in_formula", "in_value", "kind", "look", "row", "said", "value")

    def __init__(self, look: Look):
        self.look, self.row, self.column = look, -1, -1
        self.kind: str | None = None
        self.formula, self.in_formula, self.in_value, self.said, self.value = False, False, False, "", ""

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rsplit(":", 1)[-1]
        if tag == "c":
            reference = attrs.get("r")
            self.column = column_index(reference) if reference else self.column + 1
            self.kind, self.formula, self.said, self.value = attrs.get("t"), False, "", ""
        elif tag == "v":
            self.in_value = True
        elif tag == "row":
            reference = attrs.get("r")
            self.row = int(reference) - 1 if reference else self.row + 1
            self.column = -1
            if attrs.get("hidden") in ("1", "true"):
                self.look.hidden_rows.add(self.row)
        elif tag == "f":
            self.formula = self.in_formula = True
        elif tag == "col" and attrs.get("hidden") in ("1", "true"):
            self.look.hidden_columns.append((int(attrs["min"]) - 1, int(attrs["max"]) - 1))

    def text(self, data: str) -> None:
        if self.in_value:
            self.value += data
        elif self.in_formula:
            self.said += data

    def end(self, tag: str) -> None:
        if ":" in tag:
            tag = tag.rsplit(":", 1)[-1]
        if tag == "v":
            self.in_value = False
        elif tag == "f":
            self.in_formula = False
        elif tag == "c":
            if self.kind == "e":
                self.look.patch(self.row, self.column, "cell_error", self.value or "#N/A")
            elif self.formula:
                if not self.value and self.kind != "str":
                    self.look.patch(self.row, self.column, "formula_without_value", "")
                else:
                    external = _EXTERNAL.search(self.said) is not None
                    self.look.formula(self.row, self.column, external=external)

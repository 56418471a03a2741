"""Files as they arrive: a grid of cells that remembers what every row means, saved as xlsx, xls, ods, CSV or tabbed text."""

import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import xlwt

Column = tuple[str, str]  # what we call it, what the file calls it ("above/below" makes two header rows)


@dataclass
class Line:
    """What the author of the file knows about one row below the header."""

    who: str | None = None  # the person it is truly about; None for a line that is no person
    also: list[str] = field(default_factory=list)  # other children named in the same row
    status: str = "accepted"  # accepted | rejected | skipped
    errors: list[tuple[str | None, str]] = field(default_factory=list)  # (column, code), level error
    warnings: list[tuple[str | None, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    auto: bool | None = True  # may it be linked without a human? None: the contract leaves it open
    proposed: bool = False  # a human should be offered the right person
    dated: bool | None = True  # can the row tell the person's age? None: the contract leaves it open
    category: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    place: str = ""  # township code
    facts: tuple = ()  # what must differ for the row to count as changed


class Book:
    """One file in the making."""

    def __init__(self, path: Path, columns: list[Column], *, encoding: str = "gb18030"):
        self.path = path
        self.encoding = encoding  # of CSV and text
        self.columns = columns
        self.sheets: dict[str | None, list[list]] = {}
        self.lines: dict[tuple[str | None, int], Line] = {}
        self.hidden_rows: set[tuple[str | None, int]] = set()
        self.hidden_sheets: set[str] = set()
        self.merges: list[tuple[str | None, int, int, int, int]] = []
        self.formulas: set[tuple[str | None, int, int]] = set()
        self.sha256 = ""

    def header(self, key: str) -> str:
        return " ".join(dict(self.columns)[key].split())

    def open_sheet(self, name: str | None, *above: str) -> None:
        """Begin a sheet: titles and unit lines, then one or two header rows."""
        rows = self.sheets[name] = []
        for text in above:
            rows.append([text])
            self.merges.append((name, len(rows), 1, len(rows), len(self.columns)))
        heads = [head for _, head in self.columns]
        if not any("/" in head for head in heads):
            rows.append(heads)
            return
        top, low = len(rows) + 1, len(rows) + 2
        rows.append([head.split("/")[0] for head in heads])
        rows.append([head.split("/")[1] if "/" in head else None for head in heads])
        start = 0
        for i in range(1, len(heads) + 1):
            same = i < len(heads) and "/" in heads[i] and heads[i].split("/")[0] == heads[start].split("/")[0]
            if same:
                rows[top - 1][i] = None
                continue
            if "/" in heads[start]:
                self.merges.append((name, top, start + 1, top, i))
            else:
                self.merges.append((name, top, start + 1, low, start + 1))
            start = i

    def add(self, sheet: str | None, facts: dict, line: Line | None = None) -> int:
        """One row, by column key. Returns the row number the clerk sees."""
        self.sheets[sheet].append([facts.get(key) for key, _ in self.columns])
        row = self._number(sheet)
        self.lines[sheet, row] = line or Line()
        return row

    def say(self, sheet: str | None, *cells) -> int:
        """A row below the header that is no person: a subtotal, a footer, a header repeated."""
        self.sheets[sheet].append(list(cells))
        row = self._number(sheet)
        self.lines[sheet, row] = Line(status="skipped")
        return row

    def blank(self, sheet: str | None) -> None:
        self.sheets[sheet].append([])

    def repeat_header(self, sheet: str | None) -> int:
        return self.say(sheet, *[head for _, head in self.columns])

    def _number(self, sheet: str | None) -> int:
        if self.path.suffix in (".csv", ".txt"):
            before = self.sheets[sheet][:-1]
            return len(before) + 1 + sum(str(c).count("\n") for row in before for c in row if c is not None)
        return len(self.sheets[sheet])

    def of(self, status: str) -> list[tuple[tuple[str | None, int], Line]]:
        return [(at, line) for at, line in self.lines.items() if line.status == status]

    def save(self) -> "Book":
        ways = {".xlsx": self._xlsx, ".xls": self._xls, ".ods": self._ods, ".csv": self._csv, ".txt": self._txt}
        ways[self.path.suffix]()
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        return self

    def _xlsx(self) -> None:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in self.sheets.items():
            sheet = book.create_sheet(name)
            for r, cells in enumerate(rows, 1):
                for c, value in enumerate(cells, 1):
                    if value is None:
                        continue
                    cell = sheet.cell(r, c, value)
                    if isinstance(value, str):
                        formula = (name, r, c) in self.formulas
                        cell.data_type = "f" if formula else "e" if value.startswith("#N/A") else "s"
                        cell.number_format = "@"
            for _, r1, c1, r2, c2 in (m for m in self.merges if m[0] == name):
                if (r1, c1) != (r2, c2):
                    sheet.merge_cells(start_row=r1, start_column=c1, end_row=r2, end_column=c2)
            for r in (r for s, r in self.hidden_rows if s == name):
                sheet.row_dimensions[r].hidden = True
            if name in self.hidden_sheets:
                sheet.sheet_state = "hidden"
        book.save(self.path)

    def _xls(self) -> None:
        book = xlwt.Workbook(encoding="utf-8")
        for name, rows in self.sheets.items():
            sheet = book.add_sheet(name)
            merged = {(r1, c1): (r2, c2) for s, r1, c1, r2, c2 in self.merges if s == name}
            for r, cells in enumerate(rows, 1):
                for c, value in enumerate(cells, 1):
                    if value is None:
                        continue
                    if (r, c) in merged and merged[r, c] != (r, c):
                        r2, c2 = merged[r, c]
                        sheet.write_merge(r - 1, r2 - 1, c - 1, c2 - 1, value)
                    else:
                        sheet.write(r - 1, c - 1, value)
        book.save(str(self.path))

    def _ods(self) -> None:
        """As an office suite writes it: merged cells leave covered ones, numbers are numbers, blank rows stay."""
        sheets = []
        for name, rows in self.sheets.items():
            spans = {(r1, c1): (r2 - r1 + 1, c2 - c1 + 1) for s, r1, c1, r2, c2 in self.merges if s == name}
            lines = []
            for r, cells in enumerate(rows, 1):
                inside = "".join(_ods_cell(value, spans.get((r, c))) for c, value in enumerate(cells, 1))
                lines.append(f"<table:table-row>{inside or '<table:table-cell/>'}</table:table-row>")
            sheets.append(f'<table:table table:name="{escape(name)}">{"".join(lines)}</table:table>')
        names = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"' for short, long in ODS.items())
        content = f"""<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.2"><office:body>
            <office:spreadsheet>{"".join(sheets)}</office:spreadsheet></office:body></office:document-content>"""
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", ODS_KIND, zipfile.ZIP_STORED)
            archive.writestr("content.xml", content)
            archive.writestr("META-INF/manifest.xml", ODS_MANIFEST)

    def _csv(self) -> None:
        self.path.write_bytes(self._text(",").encode(self.encoding))

    def _txt(self) -> None:
        self.path.write_bytes(self._text("\t").encode(self.encoding))

    def _text(self, separator: str) -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
        for rows in self.sheets.values():
            for cells in rows:
                writer.writerow(["" if c is None else c for c in cells])
        return text.getvalue()


ODS = {"office": "office", "table": "table", "text": "text"}
ODS_KIND = "application/vnd.oasis.opendocument.spreadsheet"
ODS_MANIFEST = f"""<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
    <manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS_KIND}"/>
    <manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"""


def _ods_cell(value, span: tuple[int, int] | None) -> str:
    if value is None:
        return "<table:table-cell/>"
    wide = f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"' if span else ""
    if isinstance(value, int | float):
        return f'<table:table-cell{wide} office:value-type="float" office:value="{value:.0f}"/>'
    return f'<table:table-cell{wide} office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'

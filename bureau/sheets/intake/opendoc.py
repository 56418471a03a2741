"""The content.xml of an .ods for what the reader of values hides: errors, formulas, hidden rows and columns."""

import zipfile

from .facts import Look
from .look import chunks, feed, parser_without_entities

MOST_REPEATED = 2000  # a longer run of equal rows or columns is blank filling


def look_at_document(archive: zipfile.ZipFile) -> tuple[dict[int, Look], int]:
    """Looks by position of the sheet in the document, and how many comments there are."""
    walker = _Walker()
    parser = parser_without_entities()
    parser.StartElementHandler, parser.EndElementHandler = walker.start, walker.end
    parser.CharacterDataHandler = walker.text
    for chunk in chunks(archive, "content.xml"):
        feed(parser, chunk, False)
    feed(parser, b"", True)
    return dict(enumerate(walker.looks)), walker.comments


class _Walker:
    """Expat handlers; rows and columns advance by their repeat counts."""

    def __init__(self):
        self.looks: list[Look] = []
        self.row = self.column = 0
        self.row_span = self.cell_span = 1
        self.columns_seen = 0
        self.error, self.shown, self.in_cell = False, "", False
        self.comments = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "table":
            self.looks.append(Look())
            self.row = self.columns_seen = 0
        elif not self.looks:
            return
        elif tag == "table-column":
            span = _repeated(attrs, "table:number-columns-repeated")
            if attrs.get("table:visibility") in ("collapse", "filter"):
                last = min(self.columns_seen + span, 1024) - 1
                self.looks[-1].hidden_columns.append((self.columns_seen, last))
            self.columns_seen += span
        elif tag == "table-row":
            self.row_span, self.column = _repeated(attrs, "table:number-rows-repeated"), 0
            if attrs.get("table:visibility") in ("collapse", "filter") and self.row_span <= MOST_REPEATED:
                self.looks[-1].hidden_rows.update(range(self.row, self.row + self.row_span))
        elif tag == "annotation":
            self.comments += 1
        elif tag in ("table-cell", "covered-table-cell"):
            self.cell_span = _repeated(attrs, "table:number-columns-repeated")
            self.in_cell, self.shown = True, ""
            self.error = attrs.get("calcext:value-type") == "error"
            if "table:formula" in attrs and not self.error:
                self.looks[-1].formula(self.row, self.column)

    def text(self, data: str) -> None:
        if self.in_cell and self.error:
            self.shown += data

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in ("table-cell", "covered-table-cell"):
            if self.error and self.row_span <= MOST_REPEATED:
                for row in range(self.row, self.row + self.row_span):
                    self.looks[-1].patch(row, self.column, "cell_error", self.shown or "#N/A")
            self.column += self.cell_span
            self.in_cell = False
        elif tag == "table-row":
            self.row += self.row_span


def _repeated(attrs: dict[str, str], name: str) -> int:
    text = attrs.get(name, "1")
    return int(text) if text.isdigit() and len(text) < 8 else 1

"""Writing the demo's files: plain workbooks and CSV, and dirt that falls on the same cells on every machine."""

import csv
import hashlib
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook

Rows = Iterable[Sequence[object]]
_MOMENT = (2026, 9, 1, 8, 0, 0)
_WRITTEN_AT = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def draw(*key: str) -> float:
    """A number from 0 up to 1 that depends on the key alone, so that one more row does not move all the dirt."""
    digest = hashlib.blake2b(":".join(key).encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32


def write_workbook(path: Path, sheets: Iterable[tuple[str, Rows]]) -> Path:
    """The same rows give the same bytes: a file written again is recognised as the one already loaded."""
    book = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    draft = path.with_suffix(".draft")
    book.save(draft)
    with zipfile.ZipFile(draft) as written, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in written.namelist():
            content = written.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN_AT.sub(rb"\g<1>2026-09-01T00:00:00Z", content)
            kept.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    draft.unlink()
    return path


def write_csv(path: Path, rows: Rows) -> Path:
    """As the 学籍 system gives it: GB18030 without a mark, Windows line ends."""
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)
    return path

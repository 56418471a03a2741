"""Comments that people left on cells of an .xlsx; those of the error workbook are its own."""

import re
import zipfile

from .look import chunks

COMMENT_AUTHOR = "导入核对"
MOST_NAMED = 3
_AUTHOR = re.compile(rb"<(?:\w+:)?author(?:\s*/>|>([^<]*)</)")
_COMMENT = re.compile(rb"<(?:\w+:)?comment\s[^>]*>")
_ATTRIBUTE = re.compile(rb'\s(ref|authorId)=["\']([A-Za-z0-9]+)')


def comments_in(archive: zipfile.ZipFile) -> tuple[int, list[str]]:
    """How many, and the cells of the first few."""
    count, cells = 0, []
    for name in archive.namelist():
        if not name.lower().startswith("xl/comments"):
            continue
        data = b"".join(chunks(archive, name))
        authors = [author.decode(errors="replace") for author in _AUTHOR.findall(data)]
        for comment in _COMMENT.findall(data):
            facts = dict(_ATTRIBUTE.findall(comment))
            author = int(facts.get(b"authorId", b"0")) if facts.get(b"authorId", b"0").isdigit() else 0
            if author < len(authors) and authors[author] == COMMENT_AUTHOR:
                continue
            count += 1
            cells.append(facts.get(b"ref", b"").decode())
    return count, cells[:MOST_NAMED]


def told_of_comments(count: int, cells: list[str] | None = None) -> list[tuple[str, str]]:
    """(code, message), or nothing where there are no comments."""
    if not count:
        return []
    where = f"（{'、'.join(cells)}{'等' if count > len(cells) else ''}）" if cells else ""
    return [
        ("comments", f"有 {count} 处单元格批注{where}，批注不导入；其中如有需要上报的内容，请填到相应的列中。")
    ]

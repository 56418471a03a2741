"""One file as a stream of messages; the same in the child process and, for tests, in this one.

Messages: ("note", code, message) · ("book", format, dates count from 1904) · ("sheet", name, facts) ·
("rows", [(number, cells), …]) of the sheet before · ("hidden_sheet", name, filled rows).
A cell is a text, a number, a truth value, a date or time, or a pair (code, text as shown) for what
the raw file says is no value.
"""

from collections.abc import Iterator
from typing import BinaryIO

from .gate import Limits, judge
from .textfile import stream_csv, stream_html
from .workbook import stream


def messages(file: BinaryIO, *, name: str, limits: Limits, password: str | None) -> Iterator[tuple]:
    """Everything the file holds. Raises FileFault."""
    passed, plain = judge(file, name=name, limits=limits, password=password)
    for code, message in passed.notes:
        yield ("note", code, message)
    if passed.format == "csv":
        yield from stream_csv(plain.read(), limits)
    elif passed.format == "html":
        yield from stream_html(plain.read(), limits)
    else:
        yield from stream(plain, passed.format, limits)

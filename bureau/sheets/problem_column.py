"""The 问题 column of a file that comes back: whose file it was (a serial in the header), which row each line speaks of.

A clerk mends the marked file, or copies its bad rows elsewhere, and sends that: header and lines say where they belong.
"""

import re
from uuid import UUID

from .cells import compact
from .declare import PROBLEM_HEADER

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: they are read as 1, 1, 0, V
SERIAL_LENGTH = 8
_ALIKE = str.maketrans("ILOU", "110V")
_HEADER = re.compile(rf"{PROBLEM_HEADER}(?:[〔\[(【]?单号[:]?(\w{{1,20}})[〕\])】]?)?$")
_ROW = re.compile(r"(?:“(?P<sheet>.+?)”)?第\s*(?P<row>\d{1,7})\s*行[：:]", re.DOTALL)


def serial_of(key: UUID) -> str:
    """Eight letters from the random end of a key."""
    return "".join(LETTERS[key.int >> (5 * place) & 31] for place in reversed(range(SERIAL_LENGTH)))


def problem_header(serial: str = "") -> str:
    return f"{PROBLEM_HEADER}〔单号 {serial}〕" if serial else PROBLEM_HEADER


def is_problem_header(text: str) -> bool:
    return _match(text) is not None


def serial_in(text: str) -> str | None:
    """The serial a header names, as `serial_of` writes it; None where it names none."""
    found = _match(text)
    return found[1].upper().translate(_ALIKE) if found and found[1] else None


def line(sheet: str | None, row: int, told: list[str]) -> str:
    """What stands in the column beside a row. `sheet` only where the file has several."""
    where = f"“{sheet}”" if sheet else ""
    return f"{where}第 {row} 行：{'；'.join(told)}"


def row_in(text: str) -> tuple[str | None, int] | None:
    """(sheet or None, row) of the row a line speaks of."""
    found = _ROW.match(text.strip())
    return (found["sheet"], int(found["row"])) if found else None


def _match(text: str) -> re.Match | None:
    return _HEADER.match(compact(text.rsplit("/", 1)[-1]))

"""Cells as text: what the clerk sees, and the forms in which texts are compared."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_UNWANTED = re.compile(f"{INVISIBLE.pattern[:-1]}{INVALID.pattern[1:]}")
_SPACE = re.compile(r"\s+")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|〔[^〕]*〕|【[^】]*】|<[^<>]*>")
_DECORATION = re.compile(r"[\s()\[\]〔〕【】<>《》*★☆※#:;,、.。'\"“”‘’/\\_\-—+]|必填|选填")
_LEADING_NUMBER = re.compile(r"^\d{1,2}[.、)]?(?=\D)")


def shown(cell) -> str:
    """The cell as the clerk sees it, without surrounding blanks; an integral number without a fraction."""
    kind = type(cell)
    if kind is str:
        return cell.strip()
    if kind is tuple:
        return cell[1]
    if kind is bool:
        return "TRUE" if cell else "FALSE"
    if kind is float:
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if kind is datetime:
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if kind in (date, time):
        return cell.isoformat()
    if kind is timedelta:
        return str(cell)
    return "" if cell is None else str(cell)


def tidy(text: str) -> str:
    """One line, single blanks, nothing invisible or invalid; the characters themselves are kept."""
    return _SPACE.sub(" ", _UNWANTED.sub("", text)).strip()


def compact(text: str) -> str:
    """Half-width, without any blank: the form in which choices and markers are compared."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", _UNWANTED.sub("", text)))


def header_forms(text: str) -> tuple[str, str]:
    """A header for comparison: decoration removed, once with and once without the words in brackets."""
    plain = compact(text).lower()
    plain = _LEADING_NUMBER.sub("", plain)
    return _DECORATION.sub("", plain), _DECORATION.sub("", _BRACKETED.sub("", plain))


def header_text(text: str) -> str:
    """The file's header as problems quote it: white space collapsed."""
    return tidy(text)

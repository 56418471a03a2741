"""The dirt that spreadsheets leave in numbers: what is removed silently and what is narrowed.

Only full-width forms are narrowed. NFKC would also turn ² and ① into digits, and those are errors.
"""

SPACES = "\t\n\v\f\r\x85 \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
MARKS = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"  # nothing is seen
DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
QUOTES = "'’‘`´"

_NARROW = {0xFF01 + i: 0x21 + i for i in range(94)}
_REMOVED = dict.fromkeys(map(ord, SPACES + MARKS + DIRECTIONS))
_NUMBER = _NARROW | _REMOVED


def plain_number(text: str) -> str:
    """The number as typed in a clean cell: half-width, upper case, no blanks, no leading apostrophe."""
    return text.translate(_NUMBER).lstrip(QUOTES).upper()

"""Money is a whole number of fen. Yuan and 万元 exist only in text, going in and coming out."""

from bureau.money.reading import parse_yuan
from bureau.money.showing import format_wan, format_yuan

__all__ = ["format_wan", "format_yuan", "parse_yuan"]

"""Terms as numbers: rates reach back to years of which the county has no term rows, and must compare as earlier, later."""

from bureau.organisation.models import Term

SEASONS = ("spring", "autumn")


def ordinal(code: str) -> int:
    """`2026-spring` is 4052, `2026-autumn` 4053: one more is the next term. Raises ValueError for anything else."""
    year, _, season = code.partition("-")
    return int(year) * 2 + SEASONS.index(season)


def code_of(number: int) -> str:
    return f"{number // 2}-{SEASONS[number % 2]}"


def told(number: int | None) -> str:
    """2026年秋季学期."""
    return "" if number is None else f"{number // 2}年{Term.SEASONS[SEASONS[number % 2]]}"


def school_year_of(number: int) -> int:
    """The calendar year in whose autumn the term's school year began."""
    return number // 2 - (number % 2 == 0)

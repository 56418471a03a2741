"""What hands and programs do to names and numbers on their way into a sheet."""

from .county import TRADITIONAL

WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def worn_number(number: str, i: int) -> str:
    """A number that is still the same number: every reader must see through this."""
    return {
        1: "'" + number,
        2: number[:6] + "\u00a0" + number[6:],
        3: number.translate(WIDE),
        4: number.lower(),
        5: " " + number + "\t",
        6: number + "\u200b",
        7: number[:14] + " " + number[14:],
    }.get(i % 11, number)


def worn_name(name: str, i: int) -> str:
    if "·" in name:
        return name.replace("·", ("·", "•", ".", "．", "‧", "")[i % 6])
    if i % 3 == 0 and any(c in TRADITIONAL for c in name):
        return "".join(TRADITIONAL.get(c, c) for c in name)
    if i % 10 == 4:
        return name[0] + "\u3000" + name[1:]
    if i % 10 == 7:
        return " " + name + " "
    return name


def wrong_digit(number: str) -> str:
    """One digit of the serial number off by one; the check digit no longer fits."""
    digit = str((int(number[15]) + 1) % 10)
    return number[:15] + digit + number[16:]


def cut_tail(number: str) -> str:
    """What is left when a spreadsheet kept fifteen digits, as text."""
    return number[:15] + "000"


def as_number(number: str) -> float:
    return float(number[:15] + "000")


def day(value, i: int) -> str:
    """Eight unambiguous ways to write a date."""
    return (
        f"{value:%Y-%m-%d}", f"{value:%Y%m%d}", f"{value:%Y/%m/%d}", f"{value:%Y.%m.%d}",
        f"{value.year}年{value.month}月{value.day}日", f"{value.year}-{value.month}-{value.day}",
        f"{value.year}/{value.month}/{value.day}", f"{value.year}.{value.month}.{value.day}",
    )[i % 8]  # fmt: skip

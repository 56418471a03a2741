"""Fen as people read them."""


def format_yuan(fen: int) -> str:
    """`125000` as `1,250.00`: exact, without a unit."""
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{rest // 100:,}.{rest % 100:02d}"


def format_wan(fen: int, *, exact: bool = False) -> str:
    """`134700000` as `134.7 万元`: one decimal, half rounded up, or with `exact` every decimal there is.

    Rounded figures are for reading; they are never added up or typed in again.
    """
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    if exact:
        decimals = f"{rest % 1_000_000:06d}".rstrip("0")
        return f"{sign}{rest // 1_000_000:,}{'.' if decimals else ''}{decimals} 万元"
    tenths = (rest + 50_000) // 100_000
    return f"{sign if tenths else ''}{tenths // 10:,}.{tenths % 10} 万元"

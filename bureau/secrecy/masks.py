"""What a list shows of a sealed value."""


def mask_id(text: str) -> str:
    """Six characters and twelve stars, whatever the length: for IDs, and for 学籍号 and certificates that contain one.

    The last four are never shown: with the county and the birth date they are the whole number.
    """
    shown = 6 if len(text) >= 14 else len(text) // 3
    return text[:shown] + "*" * 12


def mask_phone(text: str) -> str:
    """138****1234; a shorter number shows its last two."""
    if len(text) >= 11:
        return f"{text[:3]}****{text[-4:]}"
    return f"****{text[-2:] if len(text) >= 7 else ''}"


def mask_account(text: str) -> str:
    """The last four."""
    return f"****{text[-4:] if len(text) >= 8 else ''}"

"""Authentication codes of audit rows: a suite byte and an HMAC under a key that is not in the database."""

import hmac

from django.conf import settings

from bureau.secrecy import suites


def mac(text: str) -> bytes:
    """The code of `text` in the suite that is now used for writing."""
    return _mac(suites.named(settings.BUREAU_SUITE), text)


def is_genuine(code: bytes | memoryview | None, text: str) -> bool:
    """Whether `code` is that of `text`, in whichever suite it was made."""
    code = bytes(code or b"")
    suite = suites.BY_NUMBER.get(code[0]) if code else None
    return suite is not None and hmac.compare_digest(code, _mac(suite, text))


def _mac(suite: suites.Suite, text: str) -> bytes:
    started = suites.field_hmac(settings.BUREAU_KEYS, suite, "audit").copy()
    started.update(text.encode())
    return bytes([suite.number]) + started.finalize()

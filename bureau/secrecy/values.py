"""Sealing one value, and the blind index by which sealed values are found and joined.

A sealed value is version (1) | suite (1) | key generation (2) | nonce (12) | ciphertext | tag (16). It is bound to its
field class and the UUID of the value, so a ciphertext copied to another row or column does not open. Both are fixed
when a value is staged and carried along, so promoting it re-encrypts nothing.

The blind index is deterministic: it belongs on values that cannot be guessed from a short list, after bureau.identity
has normalised them, and on nothing else.
"""

import os
from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.conf import settings

from bureau.secrecy import keys, suites
from bureau.secrecy.keys import SecrecyError

VERSION = 1
HEADER_BYTES, NONCE_BYTES = 4, 12
FIELDS = frozenset(
    {
        "citizen_id",  # wherever it is embedded
        "student_number",
        "certificate",
        "account",
        "phone",
        "address",
        "document",
        "payload",  # the other cells of a row, JSON
        "file",
        "second_factor",  # what an authenticator app shares with us; its recovery codes are kept as indexes only
        "token",  # what another office's system shows us; kept as its index only
    }
)
BLIND_FIELDS = FIELDS - {"address", "file"}


def seal(text: str, *, field: str, value_id: UUID) -> bytes:
    return sealer(field)(text, value_id)


def open_sealed(blob: bytes | memoryview, *, field: str, value_id: UUID) -> str:
    """Raises SecrecyError when the blob belongs to another value or field, is damaged, or its key is missing."""
    return opener(field)(blob, value_id)


def blind(text: str, *, field: str) -> bytes:
    """The 32-byte index of a normalised value. It depends on the suite: changing BUREAU_SUITE means re-indexing."""
    return blinder(field)(text)


def sealer(field: str) -> Callable[[str, UUID], bytes]:
    """`seal` for many values of one field. Ask again for each job: it keeps the suite and key of this moment."""
    _check(field, FIELDS)
    home, suite = settings.BUREAU_KEYS, suites.named(settings.BUREAU_SUITE)
    generation = keys.newest(home, keys.SEAL)
    encrypt = suites.field_cipher(home, suite, field, generation).encrypt
    header = header_of(VERSION, suite, generation)
    place = place_of(field)

    def seal_one(text: str, value_id: UUID) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + encrypt(nonce, text.encode("utf-8", "surrogatepass"), place + value_id.bytes)

    return seal_one


def opener(field: str) -> Callable[[bytes | memoryview, UUID], str]:
    """`open_sealed` for many values of one field."""
    _check(field, FIELDS)
    home, place = settings.BUREAU_KEYS, place_of(field)

    def open_one(blob: bytes | memoryview, value_id: UUID) -> str:
        blob = bytes(blob)
        suite, generation = read_header(blob, VERSION)
        cipher = suites.field_cipher(home, suite, field, generation)
        body = HEADER_BYTES + NONCE_BYTES
        try:
            data = cipher.decrypt(blob[HEADER_BYTES:body], blob[body:], place + value_id.bytes)
        except (InvalidTag, ValueError) as error:
            raise SecrecyError(f"a sealed {field} does not belong here or is damaged") from error
        return data.decode("utf-8", "surrogatepass")

    return open_one


def blinder(field: str) -> Callable[[str], bytes]:
    """`blind` for many values of one field."""
    _check(field, BLIND_FIELDS)
    copy = suites.field_hmac(settings.BUREAU_KEYS, suites.named(settings.BUREAU_SUITE), field).copy

    def blind_one(text: str) -> bytes:
        started = copy()
        started.update(text.encode("utf-8", "surrogatepass"))
        return started.finalize()

    return blind_one


def place_of(field: str) -> bytes:
    return f"{field}\0".encode()


def header_of(version: int, suite: suites.Suite, generation: int) -> bytes:
    return bytes((version, suite.number)) + generation.to_bytes(2, "big")


def read_header(blob: bytes, version: int) -> tuple[suites.Suite, int]:
    if len(blob) < HEADER_BYTES or blob[0] != version:
        raise SecrecyError("this was not sealed by this version of the program")
    return suites.numbered(blob[1]), int.from_bytes(blob[2:4], "big")


def _check(field: str, known: frozenset[str]) -> None:
    if field not in known:
        raise ValueError(f"{field!r} is none of {', '.join(sorted(known))}")

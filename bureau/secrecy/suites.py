"""Two suites behind one setting: intl is AES-256-GCM with SHA-256, gm is SM4-GCM with SM3.

Each stored value names its suite, so both stay readable whichever is used for writing.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bureau.secrecy import keys
from bureau.secrecy.keys import SecrecyError

TAG_BYTES = 16


class Aead(Protocol):
    """What a cipher does; `decrypt` raises InvalidTag. A nonce is never used twice with a key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class SM4GCM:
    """SM4 with the interface of AESGCM: the tag follows the ciphertext."""

    def __init__(self, key: bytes):
        self._algorithm = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(self._algorithm, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        if len(data) < TAG_BYTES:
            raise InvalidTag
        decryptor = Cipher(self._algorithm, GCM(nonce, data[-TAG_BYTES:])).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()


@dataclass(frozen=True, eq=False)
class Suite:
    """`number` is the byte in stored values and is never given to another suite."""

    name: str
    number: int
    digest: hashes.HashAlgorithm
    aead: type[AESGCM] | type[SM4GCM]
    key_bytes: int


SUITES = {
    s.name: s
    for s in (Suite("intl", 1, hashes.SHA256(), AESGCM, 32), Suite("gm", 2, hashes.SM3(), SM4GCM, 16))
}
BY_NUMBER = {suite.number: suite for suite in SUITES.values()}


def named(name: str) -> Suite:
    """Raises ValueError for a name that is no suite."""
    if name not in SUITES:
        raise ValueError(f"BUREAU_SUITE is {name!r}; it is one of {', '.join(SUITES)}")
    return SUITES[name]


def numbered(number: int) -> Suite:
    if number not in BY_NUMBER:
        raise SecrecyError(f"unknown suite {number}")
    return BY_NUMBER[number]


def _derive(suite: Suite, root: bytes, label: str, length: int, salt: bytes | None = None) -> bytes:
    return HKDF(suite.digest, length, salt, f"{suite.name}|{label}".encode()).derive(root)


@lru_cache(maxsize=256)
def field_cipher(home: Path, suite: Suite, field: str, generation: int) -> Aead:
    """The cipher of one field class. No key is shared by two suites, fields or purposes."""
    root = keys.load(home, keys.SEAL, generation)
    return suite.aead(_derive(suite, root, f"seal|{field}", suite.key_bytes))


def file_cipher(home: Path, suite: Suite, generation: int, salt: bytes) -> Aead:
    """The cipher of one file, whose own random salt lets it count its nonces."""
    root = keys.load(home, keys.SEAL, generation)
    return suite.aead(_derive(suite, root, "seal|file", suite.key_bytes, salt))


@lru_cache(maxsize=64)
def field_hmac(home: Path, suite: Suite, field: str) -> hmac.HMAC:
    """The keyed hash of one field class with the class already taken in; copy it, never finish it."""
    root = keys.load(home, keys.BLIND, keys.newest(home, keys.BLIND))
    started = hmac.HMAC(_derive(suite, root, f"blind|{field}", 32), suite.digest)
    started.update(f"{field}\0".encode())
    return started

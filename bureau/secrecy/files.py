"""Sealing uploads: header as for values with version 2, a salt (16), then chunks, each with its own tag.

Chunks are numbered and the last one is marked in the nonce, so one that is missing, moved or cut off is noticed.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.conf import settings

from bureau.secrecy import keys, suites
from bureau.secrecy.keys import SecrecyError
from bureau.secrecy.values import HEADER_BYTES, header_of, place_of, read_header

VERSION = 2
SALT_BYTES = 16
CHUNK_BYTES = 1 << 20


def seal_file(src_path: Path | str, dst_path: Path | str, *, value_id: UUID) -> None:
    """Write a sealed copy, complete and on disk or not at all. The source stays where it is."""
    home, suite = settings.BUREAU_KEYS, suites.named(settings.BUREAU_SUITE)
    generation = keys.newest(home, keys.SEAL)
    salt = os.urandom(SALT_BYTES)
    cipher = suites.file_cipher(home, suite, generation, salt)
    place = place_of("file") + value_id.bytes
    dst_path = Path(dst_path)
    handle, draft = tempfile.mkstemp(prefix=".sealing-", dir=dst_path.parent)  # 0600
    try:
        with open(handle, "wb") as out, open(src_path, "rb") as source:
            out.write(header_of(VERSION, suite, generation) + salt)
            for nonce, chunk in _numbered(source, CHUNK_BYTES):
                out.write(cipher.encrypt(nonce, chunk, place))
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, dst_path)
        keys.sync(dst_path.parent)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def open_file(path: Path | str, *, value_id: UUID) -> bytes:
    """The whole content. Raises SecrecyError when the file belongs to another value, is damaged or incomplete."""
    with open(path, "rb") as source:
        head = source.read(HEADER_BYTES + SALT_BYTES)
        suite, generation = read_header(head, VERSION)
        cipher = suites.file_cipher(settings.BUREAU_KEYS, suite, generation, head[HEADER_BYTES:])
        place = place_of("file") + value_id.bytes
        content = bytearray()
        try:
            for nonce, chunk in _numbered(source, CHUNK_BYTES + suites.TAG_BYTES):
                content += cipher.decrypt(nonce, chunk, place)
        except InvalidTag as error:
            raise SecrecyError("a sealed file does not belong here, is damaged or incomplete") from error
    return bytes(content)


def _numbered(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks with their nonces. A file has at least one chunk, the last, which may be empty."""
    number, chunk = 0, source.read(size)
    while following := source.read(size):
        yield number.to_bytes(11, "big") + b"\0", chunk
        number, chunk = number + 1, following
    yield number.to_bytes(11, "big") + b"\1", chunk

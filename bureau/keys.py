"""Primary keys of what the application builds itself: UUIDv7, so whole graphs can be keyed before they are stored."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A new time-ordered UUID (RFC 9562, version 7): sorts by creation in an index, cannot be guessed in a URL."""
    value = int.from_bytes(os.urandom(10), "big")
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds << 16) | 0x7000 | (value >> 62 & 0x0FFF)
    return UUID(int=(high << 64) | (0b10 << 62) | (value & (1 << 62) - 1))

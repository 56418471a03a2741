"""Keys live in files outside the database: 32 random bytes each, made on first use, readable by their owner only.

Data keys come in numbered generations, `0001/seal.key` and `0001/blind.key`. The newest generation that holds a
`seal.key` is used for writing, every generation for reading; a rotation adds `0002/seal.key`. The key of a field is
derived from these two (suites.py), so the whole set can go into the sealed envelopes on the first day.

A generation appears by renaming a finished directory, so processes that start together agree on one, and a crash
leaves nothing half made. Where a generation exists but a key is missing, the key was lost: no new one is made.
"""

import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

KEY_BYTES = 32
SEAL, BLIND = "seal", "blind"


class SecrecyError(Exception):
    """A sealed value cannot be opened: wrong place, damaged, or its key is missing."""


def key_file(name: str, home: Path) -> bytes:
    """The key `name`.key in `home`, made on first use; for a secret that stands alone and needs no generations."""
    path = home / f"{name}.key"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=home))
        _write(draft / path.name)
        try:
            os.link(
                draft / path.name, path
            )  # unlike a rename, never replaces the key another process has made
        except FileExistsError:
            pass
        shutil.rmtree(draft)
        sync(home)
    return _read(path)


@lru_cache(maxsize=16)
def newest(home: Path, purpose: str) -> int:
    """The generation to write with; the first one is made when `home` holds none.

    Remembered by the process: after a rotation the others write with the older key until they restart, which is
    harmless, as every generation stays readable.
    """
    if not _generations(home):
        _add_generation(home, 1, SEAL, BLIND)
    holding = [number for number in _generations(home) if (_place(home, number, purpose)).exists()]
    if not holding:
        raise SecrecyError(f"{home} has lost its {purpose} key: restore it from the sealed envelope")
    return max(holding)


def load(home: Path, purpose: str, number: int) -> bytes:
    """Raises SecrecyError when the key is not there: reading never makes a key."""
    return _read(_place(home, number, purpose))


def rotate(home: Path) -> int:
    """Add a sealing key, used for writing from now on; blind indexes keep theirs. Returns its number."""
    number = max(newest(home, SEAL), *_generations(home)) + 1
    _add_generation(home, number, SEAL)
    newest.cache_clear()
    return number


def _place(home: Path, number: int, purpose: str) -> Path:
    return home / f"{number:04d}" / f"{purpose}.key"


def _generations(home: Path) -> list[int]:
    return [int(path.name) for path in home.glob("[0-9]*") if path.name.isdecimal()]


def _add_generation(home: Path, number: int, *purposes: str) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=home))  # 0700
    for purpose in purposes:
        _write(draft / f"{purpose}.key")
    sync(draft)
    try:
        os.rename(draft, home / f"{number:04d}")
    except OSError:
        shutil.rmtree(draft)
        if number not in _generations(home):
            raise
    sync(home)


def _write(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, os.urandom(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)


def sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SecrecyError(f"the key {path} cannot be read: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise SecrecyError(f"the key {path} has {len(key)} bytes instead of {KEY_BYTES}")
    return key

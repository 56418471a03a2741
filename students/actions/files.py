"""Raw uploads: kept sealed under a random name, opened only for the time of one reading."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from bureau import secrecy
from bureau.sheets import Reading


def keep_file(source: Path, *, value_id: UUID) -> None:
    """Seal a copy of an uploaded file under the key of the object it belongs to."""
    place = _place(value_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    secrecy.seal_file(source, place, value_id=value_id)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of our own for plain files, gone afterwards."""
    home = settings.BUREAU_HOME / "tmp"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        yield Path(folder)


@contextmanager
def opened_file(*, value_id: UUID, file_name: str) -> Iterator[Path]:
    """The plain file, with the ending it came with, in a private folder that is gone afterwards."""
    with private_folder() as folder:
        plain = folder / f"upload{Path(file_name).suffix.lower()[:8]}"
        handle = os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrecy.open_file(_place(value_id), value_id=value_id))
        yield plain


def remove_file(*, value_id: UUID) -> None:
    """Take a sealed file away; nothing happens when it is gone already."""
    _place(value_id).unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def display_name(name: str) -> str:
    """A file's name as it may be shown: no folders, no control or direction characters, at most 200 characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in base if c.isprintable() and c not in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")[-200:]


def tables_of(reading: Reading) -> list[dict[str, Any]]:
    """What was understood of a file: per sheet its header row, the recognised columns and those left alone."""
    return [
        {
            "sheet": table.sheet,
            "layout": table.layout,
            "header_row": table.header_row,
            "headers": list(table.headers.values()),
            "others": [header for _, header in table.others],
            "columns": table.columns,
            "id_column": table.header("citizen_id"),
            "ignored": table.ignored,
            "taught": table.taught,
        }
        for table in reading.tables
    ]


def _place(value_id: UUID) -> Path:
    return settings.MEDIA_ROOT / "raw" / value_id.hex[-2:] / f"{value_id.hex}.sealed"

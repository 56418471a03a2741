"""A zip of workbooks taken apart by a child process with limits: what came of each file in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .intake.archive import ArchiveLimits
from .intake.faults import FileFault
from .intake.gate import MEGABYTE
from .process import talk

__all__ = ["ArchiveLimits", "FileFault", "Unpacked", "unpack"]

MAX_MEMORY = 512 * MEGABYTE
MAX_SECONDS = 60


@dataclass(frozen=True)
class Unpacked:
    """One file of the archive: its plain copy, or why it was left alone."""

    name: str
    path: Path | None = None
    why: str = ""


def unpack(
    path: Path, folder: Path, *, limits: ArchiveLimits | None = None, meanwhile: Callable[[], None] | None = None
) -> Iterator[Unpacked]:
    """Lay the files out in `folder` (empty, ours). Raises FileFault for the archive as a whole."""
    request = {
        "path": str(path.resolve()),
        "folder": str(folder.resolve()),
        "limits": vars(limits or ArchiveLimits()),
        "memory": MAX_MEMORY,
        "seconds": MAX_SECONDS,
    }
    for message in talk("intake.archive", request, meanwhile):
        if message[0] == "file":
            _, name, _, plain = message
            yield Unpacked(name, folder / plain)
        else:
            _, name, why = message
            yield Unpacked(name, why=why)

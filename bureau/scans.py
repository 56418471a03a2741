"""Scans and photographs that people hang on a record: what is taken, and what is taken off them before it is kept.

A file is what its first bytes say, whatever its name. A photograph is decoded and written anew, upright and without its
metadata (a telephone writes where the child lives into every picture); a PDF that would run something is refused.
Source: docs/rules/scans.md.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 10_000_000
MOST_PIXELS = 40_000_000
HEADS = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
FORMATS = {"jpg": "JPEG", "png": "PNG"}
TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
RUNS = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)(?![A-Za-z])")


class NotTaken(Exception):
    """The file cannot be kept; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Scan:
    """A file fit to be kept: where it lies until the block ends, its ending (pdf, jpg, png), its size in bytes."""

    path: Path
    kind: str
    size: int


@contextmanager
def cleaned(path: Path) -> Iterator[Scan]:
    """The file as it may be kept. Raises NotTaken: empty, too_large, unknown_type, damaged, too_many_pixels, active."""
    size = path.stat().st_size
    if not size:
        raise NotTaken("empty", "这个文件是空的，请重新选择。")
    if size > MOST_BYTES:
        raise NotTaken("too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，请压缩或拆分后再传。")
    kind = _kind_of(path)
    if kind is None:
        raise NotTaken("unknown_type", "只能上传 PDF、JPG、PNG 文件；其他文件请转成 PDF，或拍照上传。")
    if kind == "pdf":
        _refuse_active(path)
        yield Scan(path, kind, size)
        return
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / f"clean.{kind}"
        _write_anew(path, clean, FORMATS[kind])
        yield Scan(clean, kind, clean.stat().st_size)


def _kind_of(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(8)
    return next((kind for start, kind in HEADS.items() if head.startswith(start)), None)


def _refuse_active(path: Path) -> None:
    content = path.read_bytes()
    if RUNS.search(content):
        raise NotTaken("active", "这个 PDF 带有脚本或附件，不能上传。请打印成新的 PDF，或拍照上传。")
    if b"%%EOF" not in content[-2048:]:
        raise NotTaken("damaged", "这个 PDF 不完整，请重新导出或扫描。")


def _write_anew(path: Path, clean: Path, form: str) -> None:
    try:
        with Image.open(path, formats=[form]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NotTaken("too_many_pixels", "照片超过 4000 万像素，请缩小后再传。")
            upright = ImageOps.exif_transpose(image)
            if form == "JPEG":
                upright.convert("RGB").save(clean, form, quality=90)
            else:
                upright.info.clear()  # texts a PNG carries along
                upright.save(clean, form)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotTaken("damaged", "这张照片打不开，可能没有传完，请重新拍照或扫描。") from error

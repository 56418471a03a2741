"""A zip of workbooks: judged as a whole before anything is unzipped, then laid out as one plain file each.

Runs as a child process of its own, with the limits of the request and none of our memory. Messages:
("file", name, size, the plain file's name) · ("skipped", name, why) · then ("end",) or ("fault", …) as in `child`.
Source: the promises on bombs and on file types.
"""

import json
import pickle
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .faults import FileFault
from .gate import MAX_RATIO, MEGABYTE, RATIO_FLOOR, refuse_overlaps, zip_kind
from .look import CHUNK, DAMAGE

SHEETS = {".xlsx", ".xlsm", ".xltx", ".xlsb", ".xls", ".et", ".ods", ".csv", ".tsv"}
ARCHIVES = {".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".z", ".cab", ".iso", ".jar"}
SYSTEM = re.compile(r"(^|/)(__MACOSX/|\.|~\$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
ENCRYPTED, UTF8 = 0x1, 0x800
LINK, KIND = 0o120000, 0o170000


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may be; all inclusive, sizes in bytes."""

    max_bytes: int = 200 * MEGABYTE
    max_files: int = 1000
    max_file: int = 20 * MEGABYTE
    max_unzipped: int = 1024 * MEGABYTE


def name_of(entry: zipfile.ZipInfo) -> str:
    """The name as it was given: UTF-8 where marked or valid, else GBK, as Windows here writes it."""
    if entry.flag_bits & UTF8:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.orig_filename


def judge(file: BinaryIO, limits: ArchiveLimits) -> tuple[zipfile.ZipFile, list[tuple[zipfile.ZipInfo, str]]]:
    """The archive and its files with their names. Raises FileFault; nothing is unzipped here."""
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise FileFault("empty", "文件为空（0 字节），请重新压缩后上传。")
    if size > limits.max_bytes:
        raise FileFault("too_large", f"压缩包超过 {limits.max_bytes // MEGABYTE} MB，请分几次上传。")
    try:
        archive = zipfile.ZipFile(file)
        entries = [(entry, name_of(entry)) for entry in archive.infolist()]
    except DAMAGE as error:
        raise FileFault("truncated", "压缩包不完整或不是 .zip 格式，请用 .zip 格式重新压缩后上传。") from error
    if zip_kind({name.lower() for _, name in entries}):
        raise FileFault("not_a_workbook", "这是一份电子表格，不是压缩包，请把扩展名改回 .xlsx 后上传。")
    _refuse_bombs(entries, limits)
    refuse_overlaps([entry for entry, _ in entries], archive.start_dir)
    return archive, [(entry, name) for entry, name in entries if not _is_folder(entry, name)]


def _refuse_bombs(entries: list[tuple[zipfile.ZipInfo, str]], limits: ArchiveLimits) -> None:
    files = [(entry, name) for entry, name in entries if not _is_folder(entry, name)]
    if not files:
        raise FileFault("empty", "压缩包里没有文件。")
    if len(files) > limits.max_files or len(entries) > 2 * limits.max_files:
        raise FileFault(
            "bomb", f"压缩包里有 {len(entries)} 个文件，超过 {limits.max_files} 个的上限，请分几次上传。"
        )
    if sum(entry.file_size for entry, _ in entries) > limits.max_unzipped:
        raise FileFault("bomb", f"压缩包展开后超过 {limits.max_unzipped // MEGABYTE} MB，已拒收，请分几次上传。")
    seen = set()
    for entry, name in entries:
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or re.match(r"[A-Za-z]:", name):
            raise FileFault("bomb", "压缩包里含有异常路径，已拒收。")
        if (entry.external_attr >> 16) & KIND == LINK:
            raise FileFault("bomb", "压缩包里含有链接，已拒收。")
        if entry.file_size > RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise FileFault("bomb", f"“{name[-80:]}”的压缩比异常，疑似压缩炸弹，已拒收。")
        if entry.flag_bits & ENCRYPTED:
            raise FileFault("encrypted", "压缩包设有密码。请取消密码，重新压缩后上传。")
        if not SYSTEM.search(name) and PurePosixPath(name).suffix.lower() in ARCHIVES:
            raise FileFault("bomb", f"压缩包里还套有压缩包（“{name[-80:]}”），请先解开，只压缩一层后上传。")
        if name in seen:
            raise FileFault("bomb", f"压缩包里有两个同名的文件（“{name[-80:]}”），结构异常，已拒收。")
        seen.add(name)


def _is_folder(entry: zipfile.ZipInfo, name: str) -> bool:
    return entry.is_dir() or name.endswith("\\")


def messages(file: BinaryIO, folder: Path, limits: ArchiveLimits) -> Iterator[tuple]:
    """Every file of the archive: laid out in `folder`, or left alone and why. Raises FileFault."""
    archive, entries = judge(file, limits)
    for number, (entry, name) in enumerate(entries):
        suffix = PurePosixPath(name).suffix.lower()
        if SYSTEM.search(name):
            yield ("skipped", name, "系统或临时文件，没有读取。")
        elif suffix not in SHEETS:
            yield ("skipped", name, "不是电子表格，没有读取。")
        elif entry.file_size > limits.max_file:
            yield ("skipped", name, f"文件超过 {limits.max_file // MEGABYTE} MB，没有读取，请拆分后单独上传。")
        else:
            plain = f"{number:04}{suffix}"
            _lay_out(archive, entry, name, folder / plain)
            yield ("file", name, entry.file_size, plain)


def _lay_out(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, target: Path) -> None:
    try:
        with archive.open(entry) as source, target.open("xb") as out:
            while chunk := source.read(CHUNK):
                out.write(chunk)
    except DAMAGE as error:
        raise FileFault("truncated", f"压缩包里的“{name[-80:]}”不完整或已损坏，请重新压缩后上传。") from error


def main() -> None:
    request = json.load(sys.stdin)
    limits = ArchiveLimits(**request["limits"])
    for limit, value in (
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_FSIZE, limits.max_file),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    out = sys.stdout.buffer
    try:
        with open(request["path"], "rb") as file:
            for message in messages(file, Path(request["folder"]), limits):
                pickle.dump(message, out, protocol=5)
        pickle.dump(("end",), out)
    except FileFault as fault:
        pickle.dump(("fault", fault.code, fault.message, fault.sheet, fault.row), out)
    except MemoryError:
        pickle.dump(("fault", "too_large", "压缩包展开后占用内存过多，请分几次上传。", None, None), out)


if __name__ == "__main__":
    main()

"""Judge a file by its content before any parser touches it.

Source: the promises on bombs and on file types (RLIMIT stands behind this as the second wall).
"""

import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import PurePath
from typing import BinaryIO, NamedTuple

from .faults import FileFault

MEGABYTE = 1024 * 1024
MAX_ENTRIES = 200
MAX_RATIO = 100  # unzipped : zipped, judged only for entries above RATIO_FLOOR
RATIO_FLOOR = 10 * MEGABYTE
LOCAL_HEADER = 30  # bytes before the name of an entry

ACCEPTED = "请上传 .xlsx、.xls、.et、.ods、.xlsb 或 .csv 文件。"
FOREIGN = (
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"MZ", "可执行程序"),
    (b"\x7fELF", "可执行程序"),
    (b"SQLite format 3", "数据库文件"),
)
EXECUTABLE = {".exe", ".com", ".bat", ".cmd", ".scr", ".js", ".vbs", ".msi", ".ps1", ".lnk", ".svg"}
UNREADABLE = {
    ".ksheet": "金山轻文档表格",
    ".numbers": "Numbers 表格",
    ".dbf": "DBF 数据库",
    ".mdb": "Access 数据库",
}
SPREADSHEET_ONLY = {".xlsx", ".xlsm", ".xltx", ".xlsb", ".ods"}

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\v")


class Limits:
    """What a sheet allows. Bytes and rows are inclusive."""

    def __init__(self, *, max_bytes: int, max_unzipped: int, max_rows: int, max_columns: int = 200):
        self.max_bytes, self.max_unzipped = max_bytes, max_unzipped
        self.max_rows, self.max_columns = max_rows, max_columns


class Pass(NamedTuple):
    """What the file is; `notes` are (code, message) pairs worth telling the clerk."""

    format: str  # xlsx, xlsb, ods, xls, csv or html
    notes: tuple[tuple[str, str], ...] = ()


def judge(file: BinaryIO, *, name: str, limits: Limits, password: str | None = None) -> tuple[Pass, BinaryIO]:
    """The file's format and the file to read (a decrypted copy in memory for a protected one).

    Raises FileFault. Nothing is decompressed here except the protected package itself.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    suffix = PurePath(name.rstrip()).suffix.lower()
    if size == 0:
        raise FileFault("empty", "文件为空（0 字节），请重新导出后上传。")
    if size > limits.max_bytes:
        raise FileFault(
            "too_large", f"文件有 {size / MEGABYTE:.1f} MB，超过 {limits.max_bytes // MEGABYTE} MB 的上限。"
        )
    if suffix in EXECUTABLE:
        raise FileFault("not_a_workbook", f"扩展名 {suffix} 不是电子表格，{ACCEPTED}")
    if suffix in UNREADABLE:
        raise FileFault("not_a_workbook", f"{UNREADABLE[suffix]}不能读取，请另存为 .xlsx 后上传。")
    head = file.read(4096)
    file.seek(0)
    if head.startswith(b"PK"):
        return _judge_zip(file, suffix, limits), file
    if head.startswith(OLE_MAGIC):
        return _judge_ole(file, limits, password)
    return _judge_text(head, suffix), file


def _judge_zip(file: BinaryIO, suffix: str, limits: Limits) -> Pass:
    try:
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, UnicodeDecodeError) as error:
        raise FileFault("truncated", "文件不完整或已损坏，请重新导出并重新上传。") from error
    file.seek(0)
    names = [entry.filename for entry in entries]
    _refuse_bombs(entries, limits)
    refuse_overlaps(entries, archive.start_dir)
    lowered = {name.lower() for name in names}
    if any(name.rsplit("/", 1)[-1] == "vbaproject.bin" for name in lowered):
        raise FileFault("macro", "工作簿含有宏，出于安全不能接收。请另存为“Excel 工作簿（.xlsx）”后上传。")
    kind = zip_kind(lowered)
    if kind is None:
        what = "Word 文档" if "word/document.xml" in lowered else "压缩包或其他文件"
        raise FileFault("not_a_workbook", f"这是{what}，不是电子表格。{ACCEPTED}")
    notes = []
    if suffix and suffix.lstrip(".") not in {kind, "xlsm", "xltx"}:
        notes.append(("wrong_extension", f"文件扩展名是 {suffix}，实际内容是 {kind}，已按实际内容读取。"))
    notes += _embedded(lowered)
    return Pass(kind, tuple(notes))


def zip_kind(lowered: set[str]) -> str | None:
    if any(re.fullmatch(r"xl/workbook\d*\.xml", name) for name in lowered):
        return "xlsx"
    if "xl/workbook.bin" in lowered:
        return "xlsb"
    if "content.xml" in lowered and ("mimetype" in lowered or "meta-inf/manifest.xml" in lowered):
        return "ods"
    return None


def _refuse_bombs(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > MAX_ENTRIES:
        raise FileFault("bomb", f"文件内部有 {len(entries)} 个部件，超过 {MAX_ENTRIES} 个的上限，已拒收。")
    if sum(entry.file_size for entry in entries) > limits.max_unzipped:
        raise FileFault(
            "bomb", f"文件展开后超过 {limits.max_unzipped // MEGABYTE} MB，已拒收。请只保留需要上报的工作表。"
        )
    seen = set()
    for entry in entries:
        path = entry.filename
        if entry.file_size > RATIO_FLOOR and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise FileFault(
                "bomb", "文件压缩比异常，疑似压缩炸弹，已拒收。请新建工作簿，把数据复制过去再上传。"
            )
        if path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path) or re.match(r"[A-Za-z]:", path):
            raise FileFault("bomb", "文件内部含有异常路径，已拒收。")
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise FileFault("bomb", "文件内部含有链接，已拒收。")
        if path.lower().endswith((".zip", ".7z", ".rar", ".gz")):
            raise FileFault("bomb", "文件内部还套有压缩包，已拒收。")
        if path in seen:
            raise FileFault("bomb", "文件内部有重名部件，结构异常，已拒收。")
        seen.add(path)


def refuse_overlaps(entries: list[zipfile.ZipInfo], end: int) -> None:
    """Entries that share bytes unzip to far more than the archive's directory admits."""
    for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
        if entry.header_offset + LOCAL_HEADER + len(entry.orig_filename) + entry.compress_size > end:
            raise FileFault("bomb", "文件内部的部件互相重叠，结构异常，已拒收。")
        end = entry.header_offset


FOREIGN_PARTS = (  # what a workbook may carry beside its cells
    (r"xl/externallinks/[^/]+\.(xml|bin)", "外部链接"),
    (r"(xl/embeddings|objectreplacements)/.+", "嵌入对象"),
    (r"xl/pivotcache/pivotcachedefinition[^/]*", "数据透视缓存"),
    (r"xl/connections\.(xml|bin)|xl/querytables/.+", "数据连接"),
)
_PICTURE = re.compile(r"(xl/media|pictures)/.+\.(png|jpe?g|gif|bmp|tiff?|webp|heic|emf|wmf|svg)").fullmatch


def _embedded(lowered: set[str]) -> list[tuple[str, str]]:
    pictures = sum(_PICTURE(name) is not None for name in lowered)
    counts = [
        (what, sum(re.fullmatch(pattern, name) is not None for name in lowered))
        for pattern, what in FOREIGN_PARTS
    ]
    return embedded_notes(pictures, counts)


def embedded_notes(pictures: int, others: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    """(code, message) for what is in a workbook and is not read; `others` are (what, how many)."""
    notes = []
    if pictures:
        notes.append(("pictures", f"文件中有 {pictures} 张图片，不导入也不保存。"))
    if told := "、".join(f"{what} {count} 个" for what, count in others if count):
        notes.append(("external_content", f"文件中有{told}，已忽略，不会访问。"))
    return notes


def _judge_ole(file: BinaryIO, limits: Limits, password: str | None) -> tuple[Pass, BinaryIO]:
    import olefile  # most files are none of these, and every reading would wait for the import

    try:
        with olefile.OleFileIO(file) as container:
            streams = {"/".join(path).lower() for path in container.listdir(streams=True, storages=True)}
    except Exception as error:  # olefile raises many kinds on damaged containers; all mean the same here
        raise FileFault("truncated", "文件不完整或已损坏，请重新导出并重新上传。") from error
    file.seek(0)
    protected = "encryptedpackage" in streams
    if not protected and not {"workbook", "book"} & streams:
        what = "Word 97-2003 文档" if "worddocument" in streams else "其他程序的文件"
        raise FileFault("not_a_workbook", f"这是{what}，不是电子表格。{ACCEPTED}")
    if any(stream.startswith(("_vba_project", "macros/")) for stream in streams):
        raise FileFault("macro", "工作簿含有宏，出于安全不能接收。请另存为不含宏的 .xlsx 后上传。")
    if protected or _legacy_protected(file):
        plain = _decrypt(file, password)
        if protected:
            return _judge_zip(plain, "", limits), plain
        return Pass("xls"), plain
    return Pass("xls"), file


def _legacy_protected(file: BinaryIO) -> bool:
    import msoffcrypto

    try:
        return bool(msoffcrypto.OfficeFile(file).is_encrypted())
    except Exception:  # an unusual BIFF layout is not a protected one; the reader will judge it
        return False
    finally:
        file.seek(0)


def _decrypt(file: BinaryIO, password: str | None) -> BinaryIO:
    if not password:
        raise FileFault("encrypted", "文件设有打开密码。请输入打开密码，或取消密码后重新上传。")
    import msoffcrypto

    plain = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(file)
        office.load_key(password=password)
        office.decrypt(plain)
    except Exception as error:  # a wrong password and an unsupported cipher are told the same way
        raise FileFault("encrypted", "打开密码不正确，文件未能打开。") from error
    plain.seek(0)
    return plain


def _judge_text(head: bytes, suffix: str) -> Pass:
    for magic, what in FOREIGN:
        if head.startswith(magic):
            raise FileFault("not_a_workbook", f"这是{what}，不是电子表格。{ACCEPTED}")
    if head[:2] in (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08"):
        raise FileFault("not_a_workbook", "这是很旧的 Excel 格式，请用 Excel 或 WPS 另存为 .xlsx 后上传。")
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or looks_utf16(head)
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if not wide and controls * 50 > len(head):  # a stray one is a faulty cell, many are another format
        raise FileFault("not_a_workbook", f"无法识别的文件内容，不是电子表格。{ACCEPTED}")
    start = (head.replace(b"\0", b"") if wide else head).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith(b"<"):
        if b"schemas-microsoft-com:office:spreadsheet" in start and b"<html" not in start:
            raise FileFault(
                "not_a_workbook", "这是“XML 电子表格 2003”，请用 Excel 或 WPS 另存为 .xlsx 后上传。"
            )
        return Pass(
            "html", (("html_table", "文件实际是网页表格，已读取其中的表格文字；身份证号请核对是否完整。"),)
        )
    if suffix in SPREADSHEET_ONLY:
        raise FileFault(
            "not_a_workbook", f"扩展名是 {suffix}，内容却是纯文本。如果是 CSV，请把扩展名改为 .csv 后上传。"
        )
    notes = (
        ()
        if suffix in {"", ".csv", ".txt", ".tsv"}
        else (("wrong_extension", f"文件扩展名是 {suffix}，实际内容是文本（CSV），已按文本读取。"),)
    )
    return Pass("csv", notes)


def looks_utf16(head: bytes) -> bool:
    """UTF-16 without a byte-order mark: every second byte of ASCII separators and digits is zero."""
    pairs = len(head) // 2
    return pairs > 4 and max(head[0::2].count(0), head[1::2].count(0)) > pairs * 0.2

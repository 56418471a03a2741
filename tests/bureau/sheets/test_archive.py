"""A zip of workbooks: what is refused before anything is unzipped, and what becomes of each file."""

import stat
import zipfile
from pathlib import Path

import pytest

from bureau.sheets.archive import ArchiveLimits, FileFault, unpack
from bureau.sheets.intake.archive import messages

MEGABYTE = 1 << 20


def zipped(path: Path, files: dict[str, bytes], *, compress: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compress) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def taken(path: Path, folder: Path, **limits) -> list[tuple]:
    """What the child would say, said in this process."""
    folder.mkdir(exist_ok=True)
    with path.open("rb") as file:
        return list(messages(file, folder, ArchiveLimits(**limits)))


def fault(path: Path, folder: Path, **limits) -> str:
    with pytest.raises(FileFault) as refused:
        taken(path, folder, **limits)
    assert not list(folder.iterdir()), "something was unzipped"
    return refused.value.code


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "out"


def test_child_lays_the_workbooks_out_and_tells_what_it_left_alone(tmp_path, folder):
    files = {"甲小学.csv": b"a,b\n", "乙小学/花名册.xlsx": b"PK", "说明.docx": b"x", "__MACOSX/._甲小学.csv": b"x", "~$甲.xlsx": b"x"}
    folder.mkdir()

    found = {one.name: one for one in unpack(zipped(tmp_path / "a.zip", files), folder)}

    assert found["甲小学.csv"].path.read_bytes() == b"a,b\n"
    assert found["乙小学/花名册.xlsx"].path.parent == folder
    assert "不是电子表格" in found["说明.docx"].why
    assert "系统或临时文件" in found["__MACOSX/._甲小学.csv"].why and "系统或临时文件" in found["~$甲.xlsx"].why


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_without_a_mark_are_read_as_windows_or_a_mac_writes_them(tmp_path, folder, encoding):
    path = tmp_path / "a.zip"
    name = "城关镇第一小学.csv".encode(encoding)
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("x" * len(name))
        archive.writestr(info, b"a,b\n")
    path.write_bytes(path.read_bytes().replace(b"x" * len(name), name))

    assert [message[1] for message in taken(path, folder)] == ["城关镇第一小学.csv"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd.csv", "../../甲.csv", "a/../../甲.csv", "C:\\甲.csv", "\\\\server\\甲.csv", "..\\甲.csv"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, folder, name):
    assert fault(zipped(tmp_path / "a.zip", {name: b"x"}), folder) == "bomb"


def test_links_are_refused(tmp_path, folder):
    info = zipfile.ZipInfo("甲.csv")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    assert fault(tmp_path / "a.zip", folder) == "bomb"


@pytest.mark.parametrize("name", ["内层.zip", "内层.RAR", "内层.7z", "内层.tar.gz"])
def test_archives_inside_are_refused(tmp_path, folder, name):
    assert fault(zipped(tmp_path / "a.zip", {"甲.csv": b"x", name: b"x"}), folder) == "bomb"


def test_encrypted_entries_are_refused(tmp_path, folder):
    path = zipped(tmp_path / "a.zip", {"甲.csv": b"x"})
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)

    assert fault(path, folder) == "encrypted"


@pytest.mark.parametrize(("files", "refused"), [(3, False), (4, True)])
def test_number_of_files_is_limited(tmp_path, folder, files, refused):
    path = zipped(tmp_path / "a.zip", {f"{n}.csv": b"%d" % n for n in range(files)})

    assert (fault(path, folder, max_files=3) == "bomb") if refused else len(taken(path, folder, max_files=3)) == 3


@pytest.mark.parametrize(
    ("limits", "code"), [({"max_bytes": 10}, "too_large"), ({"max_unzipped": 10}, "bomb")]
)
def test_size_is_limited_zipped_and_unzipped(tmp_path, folder, limits, code):
    assert fault(zipped(tmp_path / "a.zip", {"甲.csv": b"x" * 100}), folder, **limits) == code


def test_a_bomb_is_refused_by_its_ratio(tmp_path, folder):
    assert fault(zipped(tmp_path / "a.zip", {"甲.csv": bytes(12 * MEGABYTE)}), folder) == "bomb"


def test_one_file_that_is_too_large_is_left_alone_and_the_others_are_read(tmp_path, folder):
    path = zipped(tmp_path / "a.zip", {"大.csv": b"x" * 100, "小.csv": b"x"})

    assert [message[0] for message in taken(path, folder, max_file=50)] == ["skipped", "file"]


def test_entries_that_share_bytes_are_refused(tmp_path, folder):
    path = zipped(tmp_path / "a.zip", {"a.csv": b"x" * 100, "b.csv": b"x" * 100}, compress=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # the second entry claims the first one's place
    path.write_bytes(content)

    assert fault(path, folder) == "bomb"


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty"), (b"Rar!\x1a\x07", "truncated"), (b"PK\x03\x04 cut off", "truncated")]
)
def test_what_is_no_zip_is_told(tmp_path, folder, content, code):
    path = tmp_path / "a.zip"
    path.write_bytes(content)

    assert fault(path, folder) == code


def test_an_empty_zip_is_told(tmp_path, folder):
    assert fault(zipped(tmp_path / "a.zip", {}), folder) == "empty"


def test_a_workbook_renamed_to_zip_is_told(tmp_path, folder):
    files = {"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}

    assert fault(zipped(tmp_path / "a.zip", files), folder) == "not_a_workbook"


def test_damaged_content_refuses_the_zip(tmp_path, folder):
    path = zipped(tmp_path / "a.zip", {"甲.csv": b"x" * 100}, compress=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"x" * 100, b"y" * 100))

    with pytest.raises(FileFault) as refused:
        taken(path, folder)
    assert refused.value.code == "truncated"

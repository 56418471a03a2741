"""Scans: what is kept, what is refused, and that a photograph forgets where it was taken."""

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from bureau import scans
from bureau.scans import NotTaken, cleaned

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def photograph(path: Path, size=(40, 20)) -> Path:
    """Held sideways, by a telephone that says where."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, "某手机"
    exif.get_ifd(GPS)[1] = "N"
    Image.new("RGB", size, "red").save(path, "JPEG", exif=exif)
    return path


def test_photograph_is_upright_and_says_neither_where_nor_with_what(tmp_path):
    taken = photograph(tmp_path / "a.jpg")
    assert b"Exif" in taken.read_bytes()

    with cleaned(taken) as scan:
        kept = scan.path.read_bytes()
        with Image.open(scan.path) as image:
            assert image.size == (20, 40) and not image.getexif()
    assert scan.kind == "jpg" and scan.size == len(kept) and b"Exif" not in kept


def test_texts_inside_a_png_are_left_behind(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "SECRET-PLACE")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png", pnginfo=info)

    with cleaned(tmp_path / "a.png") as scan:
        assert b"SECRET-PLACE" not in scan.path.read_bytes() and scan.kind == "png"


def test_pdf_is_kept_as_it_is_whatever_its_name(tmp_path):
    (tmp_path / "scan.txt").write_bytes(PDF)

    with cleaned(tmp_path / "scan.txt") as scan:
        assert (scan.kind, scan.path.read_bytes()) == ("pdf", PDF)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "unknown_type"),
        (b"<html><script>1</script></html>", "unknown_type"),
        (b"MZ\x90\x00" + b"\0" * 60, "unknown_type"),
        (PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(1)>>"), "active"),
        (PDF.replace(b"/Catalog", b"/Catalog/EmbeddedFile 3 0 R"), "active"),
        (PDF[:20], "damaged"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
    ],
)
def test_what_is_refused(tmp_path, content, code):
    (tmp_path / "a.pdf").write_bytes(content)

    with pytest.raises(NotTaken) as refused, cleaned(tmp_path / "a.pdf"):
        pass
    assert refused.value.code == code and refused.value.message.endswith("。")


def test_half_a_photograph_is_refused(tmp_path):
    whole = photograph(tmp_path / "a.jpg", size=(400, 400)).read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) * 2 // 3])

    with pytest.raises(NotTaken) as refused, cleaned(tmp_path / "b.jpg"):
        pass
    assert refused.value.code == "damaged"


def test_a_picture_of_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "MOST_PIXELS", 800)
    with cleaned(photograph(tmp_path / "a.jpg", size=(40, 20))):
        pass
    monkeypatch.setattr(scans, "MOST_PIXELS", 799)

    with pytest.raises(NotTaken) as refused, cleaned(tmp_path / "a.jpg"):
        pass
    assert refused.value.code == "too_many_pixels"


def test_the_limit_of_bytes(tmp_path, monkeypatch):
    (tmp_path / "a.pdf").write_bytes(PDF)
    monkeypatch.setattr(scans, "MOST_BYTES", len(PDF))
    with cleaned(tmp_path / "a.pdf"):
        pass
    monkeypatch.setattr(scans, "MOST_BYTES", len(PDF) - 1)

    with pytest.raises(NotTaken) as refused, cleaned(tmp_path / "a.pdf"):
        pass
    assert refused.value.code == "too_large"

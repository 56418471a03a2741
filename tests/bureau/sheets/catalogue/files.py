"""Files as such: B001–B034."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import msoffcrypto.format.ooxml
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from tests.bureau.sheets.pupils import number_of, rewrite, save, shifted, with_entry

from .cases import HEADS, Build, Case, content, csv_of, lines, pupil, sheet, sound
from .xlsb import write_xlsb

SHEET1 = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
GOOD = {"name": "王浩然", "citizen_id": number_of(21), "grade": "P3"}


def changed(part: str, change: Callable[[str], str], build: Build | None = None) -> Build:
    return lambda folder: rewrite((build or sheet(*sound()))(folder), part, change)


def data(build: Build | None = None) -> Callable[[Path], bytes]:
    return lambda folder: (build or sheet(*sound()))(folder).read_bytes()


def renamed(name: str, build: Build | None = None) -> Build:
    return lambda folder: (build or sheet(*sound()))(folder).rename(folder / name)


def with_parts(*parts: tuple[str, bytes]) -> Build:
    def build(folder: Path) -> Path:
        path = sheet(*sound())(folder)
        for name, body in parts:
            with_entry(path, name, body)
        return path

    return build


def cut(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    path.write_bytes(path.read_bytes()[:-300])
    return path


def protected(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    locked = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(path.read_bytes())).encrypt("opensesame", locked)
    path.write_bytes(locked.getvalue())
    return path


def xls(folder: Path, rows: list[list] | None = None, name: str = "名册.xls") -> Path:
    book = xlwt.Workbook()
    page = book.add_sheet("名册")
    for r, cells in enumerate(rows or sound()):
        for c, value in enumerate(cells):
            if value is not None:
                page.write(r, c, value)
    book.save(str(folder / name))
    return folder / name


def ods(folder: Path, rows: list[list] | None = None, name: str = "名册.ods") -> Path:
    book = OpenDocumentSpreadsheet()
    table = Table(name="名册")
    for cells in rows or sound():
        row = TableRow()
        for value in cells:
            cell = TableCell(valuetype="string")
            if value is not None:
                cell.addElement(P(text=str(value)))
            row.addElement(cell)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    book.save(str(folder / name))
    return folder / name


def xlsb(folder: Path) -> Path:
    return write_xlsb(folder / "名册.xlsb", sound())


def html(rows: list[list], before: str = "") -> bytes:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows)
    return f"<html><head>{before}</head><body><table>{body}</table></body></html>".encode("gb18030")


def stated_size(folder: Path) -> Path:
    """The directory says the sheet has ten bytes."""
    path = sheet(*sound())(folder)
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(SHEET1.encode()))
    struct.pack_into("<I", raw, at + 24, 10)
    path.write_bytes(raw)
    return path


def wrong_checksum(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(SHEET1.encode()))
    raw[at + 16] ^= 0xFF
    path.write_bytes(raw)
    return path


def same_name_twice(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    with zipfile.ZipFile(path, "a") as archive:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr(SHEET1, b"<worksheet/>")
    return path


def overlapping(folder: Path) -> Path:
    """Two entries of the directory lead to the same bytes."""
    path = with_parts(("xl/a.xml", b"x" * 400), ("xl/b.xml", b"x" * 400))(folder)
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        first = archive.getinfo("xl/a.xml").header_offset
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(b"xl/b.xml"))
    struct.pack_into("<I", raw, at + 42, first)
    path.write_bytes(raw)
    return path


def bomb(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/blank.xml", "w") as entry,
    ):
        for _ in range(30):
            entry.write(b" " * 1_000_000)
    return path


def symlink(folder: Path) -> Path:
    path = sheet(*sound())(folder)
    link = zipfile.ZipInfo("xl/link.xml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    return path


def too_many_parts(folder: Path) -> Path:
    return with_parts(*((f"xl/junk{i}.xml", b"") for i in range(250)))(folder)


def entity(doctype: str) -> Callable[[str], str]:
    return lambda xml: f'<?xml version="1.0"?>{doctype}{xml[xml.index("?>") + 2 :] if "?>" in xml[:99] else xml}'


LAUGHS = '<!DOCTYPE x [<!ENTITY a "哈哈哈哈"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def many_blank_rows(folder: Path) -> Path:
    """Formatted but empty down to the last row a sheet can have."""
    blank = "".join(f'<row r="{r}" spans="1:1"><c r="A{r}" s="0"/></row>' for r in range(5, 1_048_577))
    return changed(SHEET1, lambda xml: xml.replace("</sheetData>", blank + "</sheetData>"))(folder)


def strict(folder: Path) -> Path:
    """严格 Open XML: other namespaces, the same elements."""
    path = sheet(*sound())(folder)
    with zipfile.ZipFile(path) as source:
        parts = {info.filename: source.read(info) for info in source.infolist()}
    swaps = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, body in parts.items():
            for old, new in swaps.items():
                body = body.replace(old, new)
            target.writestr(name, body)
    return path


def prefixed(xml: str) -> str:
    import re

    xml = re.sub(r"<(/?)([A-Za-z])", r"<\1x:\2", xml).replace("xmlns=", "xmlns:x=")
    return xml.replace("<?x:xml", "<?xml")


def without_references(xml: str) -> str:
    import re

    return re.sub(r'(<(?:row|c)) r="[A-Z0-9]+"', r"\1", xml)


def said_as(markup: str) -> Build:
    """The name of the first child written as this markup instead of a shared string."""
    def build(folder: Path) -> Path:
        def change(xml: str) -> str:
            start = xml.index('<c r="D2"')
            return xml[:start] + f'<c r="D2" t="inlineStr"><is>{markup}</is></c>' + xml[xml.index("</c>", start) + 4 :]

        return rewrite(sheet(*sound())(folder), SHEET1, change)

    return build


def long_cell(head: str) -> Build:
    return content("名册.csv", csv_of(lines(pupil(1, **{head: "长" * 3_500_000}), pupil(2), pupil(3))).encode())


def of_1904(folder: Path) -> Path:
    path = sheet(*lines(pupil(1, 出生日期=39570), pupil(2)))(folder)
    return rewrite(path, "xl/workbook.xml", lambda xml: xml.replace("<workbookPr ", '<workbookPr date1904="1" '))


def far_right(book, page) -> None:
    page["HZ2"] = "x"


CSV = csv_of(sound())
MIXED = csv_of(sound()).encode() + "三年级,1班,张三\r\n".encode("gb18030")
CASES = [
    Case("B001", "0 字节的文件", "F", content("名册.xlsx", b""), "empty", tells="文件为空（0 字节）", variant="bytes"),
    Case("B001", "只有表头，没有数据行", "F", sheet(HEADS), "empty", tells="表头下没有数据行", variant="header"),
    Case("B002", "上传中断、内容被截断的 .xlsx", "F", cut, "truncated", tells="文件不完整或已损坏，请重新导出并重新上传"),
    Case("B003", "设有打开密码，没有给密码", "F", protected, "encrypted", tells="请输入打开密码", variant="asked"),
    Case("B003", "设有打开密码，密码不对", "F", protected, "encrypted", tells="打开密码不正确", password="x", variant="wrong"),
    Case("B003", "设有打开密码，密码正确", "A", protected, accepted=3, values=GOOD, password="opensesame", variant="opened"),
    Case("B004", "Excel 97–2003 的 .xls", "A", xls, accepted=3, values=GOOD),
    Case("B005", "WPS 的 .et", "A", lambda folder: xls(folder, name="名册.et"), accepted=3, values=GOOD),
    Case("B006", "OpenDocument 的 .ods", "A", ods, accepted=3, values=GOOD, variant="ods"),
    Case("B006", "二进制工作簿 .xlsb", "A", xlsb, accepted=3, values=GOOD, variant="xlsb"),
    Case("B006", "金山轻文档 .ksheet", "F", content("名册.ksheet", b"PK\3\4x"), "not_a_workbook", tells="金山轻文档表格不能读取，请另存为 .xlsx", variant="ksheet"),
    Case("B006", "苹果 .numbers", "F", content("名册.numbers", b"PK\3\4x"), "not_a_workbook", tells="Numbers 表格不能读取，请另存为 .xlsx", variant="numbers"),
    Case("B007", "含宏的 .xlsm", "F", lambda folder: renamed("名册.xlsm", with_parts(("xl/vbaProject.bin", b"x")))(folder), "macro", tells="工作簿含有宏", variant="xlsm"),
    Case("B007", "含宏的工作簿改名为 .xlsx", "F", with_parts(("xl/vbaProject.bin", b"x")), "macro", tells="工作簿含有宏", variant="renamed"),
    Case("B008", "旧系统导出的“.xls”，实际是网页表格", "A", content("导出.xls", html(sound(), "<script>alert(1)</script>")), "html_table", row=None, tells="实际是网页表格", accepted=3, values=GOOD, variant="table"),
    Case("B008", "“.xls”实际是登录页", "F", content("导出.xls", "<html><body><form>请登录</form></body></html>".encode()), "html_not_excel", tells="可能是登录页", variant="login"),
    Case("B009", "真正的 .xlsx，扩展名是 .csv", "A", renamed("名册.csv"), "wrong_extension", row=None, tells="实际内容是 xlsx，已按实际内容读取", accepted=3, variant="xlsx as csv"),
    Case("B009", "真正的 .xlsx，扩展名是 .xls", "A", renamed("名册.xls"), "wrong_extension", row=None, tells="实际内容是 xlsx", accepted=3, variant="xlsx as xls"),
    Case("B009", "CSV 文字，扩展名是 .xlsx", "F", content("名册.xlsx", CSV.encode()), "not_a_workbook", tells="如果是 CSV，请把扩展名改为 .csv", variant="csv as xlsx"),
    Case("B010", "CSV，GBK 编码", "A", content("名册.csv", CSV.encode("gbk")), accepted=3, values=GOOD, variant="gbk"),
    Case("B010", "CSV，GB18030 编码，有 GBK 之外的字（𠮷）", "A", content("名册.csv", csv_of(lines(pupil(1, 姓名="𠮷田"))).encode("gb18030")), accepted=1, values={"name": "𠮷田"}, variant="gb18030"),
    *(
        Case("B011", f"CSV，{encoding} 编码", "A", content("名册.csv", CSV.encode(encoding)), accepted=3, values=GOOD, variant=encoding)
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
    ),
    *(
        Case("B012", f"CSV 已是乱码（{broken[:3]}）", "F", content("名册.csv", (CSV + f"三年级,1班,{broken}\r\n").encode()), "encoding", row=5, tells="编码已损坏：第 5 行出现", variant=broken)
        for broken in ("锟斤拷", "烫烫烫", "\ufffd\ufffd")
    ),
    Case("B013", "CSV 由两种编码拼成", "F", content("名册.csv", MIXED), "encoding", row=2, tells="文件由两种编码拼成", variant="mixed"),
    Case("B013", "CSV 中夹有不成字的字节", "F", content("名册.csv", CSV.encode("gbk") + b"\xff\xff\xff,1\r\n"), "encoding", row=5, tells="第 5 行的文字编码已损坏或混用", variant="bytes"),
    *(
        Case("B014", f"以{told}分隔的文本", "A", content("名册.csv", csv_of(sound(), sep).encode()), accepted=3, values=GOOD, variant=told)
        for sep, told in ((";", "分号"), ("\t", "制表符"), ("，", "全角逗号"))
    ),
    Case("B014", "只用回车换行的 CSV", "A", content("名册.csv", csv_of(sound(), end="\r").encode()), accepted=3, values=GOOD, variant="return"),
    Case("B014", "双引号不成对", "F", content("名册.csv", (CSV + '"没有结束,1\r\n').encode()), "encoding", row=5, tells="第 5 行起双引号不成对", variant="quotes"),
    Case("B015", "CSV 经 Excel 另存，身份证号成了 1.10101E+17", "R", content("名册.csv", csv_of(lines(pupil(1, 身份证号="9.90101E+17"), pupil(2))).encode()), "id_numeric_cell", "身份证号", tells="身份证号被存为数字，后几位已丢失"),
    Case("B016", "压缩炸弹", "F", bomb, "bomb", tells="压缩比异常"),
    Case("B017", "压缩目录谎报大小", "F", stated_size, "truncated", tells="文件不完整或已损坏", variant="size"),
    Case("B017", "压缩校验不符", "F", wrong_checksum, "truncated", tells="文件不完整或已损坏", variant="checksum"),
    Case("B017", "压缩包内部件重名", "F", same_name_twice, "bomb", tells="重名部件", variant="names"),
    Case("B017", "压缩包内部件互相重叠", "F", overlapping, "bomb", tells="互相重叠", variant="overlap"),
    Case("B018", "压缩包里套压缩包", "F", with_parts(("xl/inner.zip", b"PK")), "bomb", tells="内部还套有压缩包", variant="zip"),
    Case("B018", "部件路径含 ../", "F", with_parts(("../evil.xml", b"x")), "bomb", tells="异常路径", variant="path"),
    Case("B018", "部件是链接", "F", symlink, "bomb", tells="含有链接", variant="link"),
    Case("B018", "部件超过 200 个", "F", too_many_parts, "bomb", tells="超过 200 个的上限", variant="parts"),
    Case("B019", "共享字符串中有层层展开的实体", "F", with_parts((STRINGS, entity(LAUGHS)("<sst/>").encode())), "bomb", tells="实体定义", variant="strings"),
    Case("B019", "工作表中引用外部实体", "F", changed(SHEET1, entity(OUTSIDE)), "bomb", tells="实体定义", variant="outside"),
    Case("B020", "设过格式的空行一直到第 1,048,576 行", "A", many_blank_rows, accepted=3, values=GOOD, slow=True),
    Case("B021", "隔 300 个空行之后还有数据", "W", changed(SHEET1, lambda xml: shifted(xml, 300, after=3)), "gap", row=None, tells="第 3 行后隔 300 个空行还有 1 行，已一并读取", accepted=3),
    Case("B022", "文件声明的数据范围只有 A1", "A", changed(SHEET1, lambda xml: xml.replace('ref="A1:G4"', 'ref="A1"')), "dimension", row=None, tells="与实际 A1:G4 不符，已按实际内容读取", accepted=3, variant="small"),
    Case("B022", "文件声明的数据范围到 XFD1048576", "A", changed(SHEET1, lambda xml: xml.replace('ref="A1:G4"', 'ref="A1:XFD1048576"')), "dimension", row=None, tells="与实际 A1:G4 不符", accepted=3, variant="large"),
    Case("B023", "超过 20,000 行", "F", content("名册.csv", csv_of([HEADS, *([i] for i in range(20_001))]).encode()), "too_large", row=None, tells="数据超过 20000 行的上限", variant="rows"),
    Case("B023", "超过 200 列", "F", lambda folder: save(folder / "名册.xlsx", sound(), finish=far_right), "too_large", tells="第 HZ 列，超过 200 列的上限", variant="columns"),
    Case("B024", "一格 10 MB 的文字，在已知的列", "R", long_cell("现住址"), "too_long", "现住址", tells="内容有 3500000 个字，最多 200 个字", variant="known"),
    Case("B024", "一格 10 MB 的文字，在不认识的列", "R", long_cell("特长爱好"), "too_long", "特长爱好", tells="内容有 3500000 个字，最多 4000 个字", also=("ignored_column",), variant="unknown"),
    Case("B025", "“严格 Open XML”工作簿", "A", strict, accepted=3, values=GOOD),
    Case("B026", "XML 带前缀（x:row）", "A", changed(SHEET1, prefixed), accepted=3, values=GOOD, variant="prefix"),
    Case("B026", "单元格没有位置属性", "A", changed(SHEET1, without_references), accepted=3, values=GOOD, variant="references"),
    Case("B026", "内联字符串", "A", said_as("<t>欧阳锋</t>"), accepted=3, values={"name": "欧阳锋"}, variant="inline"),
    Case("B026", "富文本分成几段", "A", said_as("<r><t>欧</t></r><r><rPr><b/></rPr><t>阳锋</t></r>"), accepted=3, values={"name": "欧阳锋"}, variant="runs"),
    Case("B026", "带拼音注音", "A", said_as('<t>欧阳锋</t><rPh sb="0" eb="1"><t>ou</t></rPh><phoneticPr fontId="1"/>'), accepted=3, values={"name": "欧阳锋"}, variant="phonetic"),
    Case(
        "B027", "外部链接、嵌入对象、透视缓存、数据连接", "W",
        with_parts(
            ("xl/externalLinks/externalLink1.xml", b"<x/>"), ("xl/externalLinks/externalLink2.xml", b"<x/>"),
            ("xl/externalLinks/_rels/externalLink1.xml.rels", b"<x/>"), ("xl/embeddings/oleObject1.bin", b"x"),
            ("xl/pivotCache/pivotCacheDefinition1.xml", b"<x/>"), ("xl/connections.xml", b"<x/>"),
        ),
        "external_content", row=None, tells="外部链接 2 个、嵌入对象 1 个、数据透视缓存 1 个、数据连接 1 个，已忽略，不会访问", accepted=3,
    ),
    Case("B028", "表中贴有照片", "W", with_parts(("xl/media/image1.png", b"x"), ("xl/media/image2.jpeg", b"x")), "pictures", row=None, tells="文件中有 2 张图片，不导入也不保存", accepted=3),
    Case("B030", "名册.xlsx.exe", "F", content("名册.xlsx.exe", b"MZ\x90"), "not_a_workbook", tells="扩展名 .exe 不是电子表格", variant="exe"),
    Case("B030", "花名册(最终)(2)😀.xlsx", "A", renamed("花名册(最终)(2)😀.xlsx"), accepted=3, variant="emoji"),
    Case("B033", "1904 日期系统的工作簿", "A", of_1904, accepted=2, values={"birth_on": "2012-05-03"}),
    Case("B034", "聊天软件、杀毒软件换成网页的“.xlsx”", "F", content("名册.xlsx", b"<!DOCTYPE html><html><body>Sign in</body></html>"), "html_not_excel", tells="文件是网页而不是电子表格"),
]  # fmt: skip

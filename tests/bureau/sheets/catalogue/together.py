"""Rows that only together are wrong, and texts that mean harm: B301–B317."""

from pathlib import Path

from tests.bureau.sheets.pupils import number_of

from .cases import Build, Case, content, csv_of, lines, one, pupil, sheet
from .people import GOOD, ID


def faulty(folder: Path) -> Path:
    """3,000 rows of which 2,900 have a wrong check digit."""
    rows = []
    for i in range(3000):
        number = number_of(i % 400, born=_day(i // 400))
        wrong = number[:17] + ("1" if number[17] != "1" else "2") if i % 30 else number
        rows.append(pupil(1, **{"序号": i, "姓名": f"王{_name(i)}", ID: wrong, "出生日期": None}))
    return content("名册.csv", csv_of(lines(*rows)).encode())(folder)


def _day(i: int):
    from datetime import date

    return date(2012, 1 + i % 12, 3)


def _name(i: int) -> str:
    return chr(0x4E00 + i)


def raw(**cells: str) -> Build:
    """A CSV whose first child has these cells: what no workbook can hold."""
    return content("名册.csv", csv_of(lines(pupil(1, **cells), pupil(2), pupil(3))).encode())


TWIN = {"姓名": "王浩然", "年级": "三年级"}
NEAR = GOOD[:13] + "4" + GOOD[14:17]
CASES = [
    Case("B301", "同一人两行，内容完全相同", "A", sheet(*lines(pupil(1), pupil(2), pupil(1, 序号=9))), "duplicate_in_file", row=4, tells="与第 2 行完全相同，只保留前一行", accepted=2),
    Case("B302", "同一号码两行，内容不同", "R", sheet(*lines(pupil(1), pupil(2), pupil(1, 班级="2班"))), "duplicate_conflict", ID, tells="与第 4 行是同一号码但内容不同，请只保留正确的一行", accepted=1),
    Case("B304", "姓名、出生日期相同，号码不同", "W", sheet(*lines(pupil(1), pupil(2, 姓名="王浩然", 班级="2班"), pupil(3))), "same_name_birth", ID, tells="与第 3 行姓名、出生日期相同而身份证号不同，请核对是否同一人", accepted=3),
    Case("B309", "3,000 行中 2,900 行有错", "R", faulty, "id_checksum", ID, row=3, tells="身份证号校验位不符", accepted=100),
    *(Case("B310", f"姓名以 {told} 开头", "R", one(姓名=text), "name_characters", "姓名", tells="姓名", accepted=2, variant=told) for text, told in (("=cmd|'/c calc'!A1", "="), ("@SUM(A1)", "@"), ("+8613812345678", "+"), ("-1", "-"), ("\t=1", "制表符"))),
    Case("B310", "住址以 = 开头", "A", one(现住址="=cmd|'/c calc'!A1"), accepted=3, values={"home": "=cmd|'/c calc'!A1"}, variant="text", why="地址、备注等文字照原样保存；任何导出文件里都不会成为公式。"),
    Case("B313", "住址中有空字符 NUL", "R", raw(现住址="云\0岭"), "invalid_characters", "现住址", tells="含有控制字符或无效字符，请删除后重新录入", accepted=2, variant="known"),
    Case("B313", "姓名中有空字符 NUL", "R", raw(姓名="张\0三"), "invalid_characters", "姓名", tells="含有控制字符或无效字符", accepted=2, variant="name"),
    Case("B313", "列名中有空字符 NUL", "W", content("名册.csv", csv_of(lines(pupil(1, **{"爱\0好": "球"}))).encode()), "ignored_column", row=None, tells="不认识的列：爱好", accepted=1, variant="header"),
    Case("B314", "姓名叠了 1,000 个组合符号", "R", one(姓名="张" + "\u0301" * 1000), "too_long", "姓名", tells="内容有 1001 个字，最多 100 个字", accepted=2, variant="marks"),
    Case("B314", "姓名叠了 20 个组合符号", "R", one(姓名="张" + "\u0301" * 20), "name_characters", "姓名", tells="姓名含无效字符", accepted=2, variant="few marks"),
    Case("B314", "UTF-8 的超长编码", "F", content("名册.csv", csv_of(lines(pupil(1))).encode() + b"\xc0\xaf,1\r\n\xed\xa0\x80\r\n"), "encoding", tells="编码", variant="overlong"),
    Case("B314", "UTF-16 的半个代理对", "F", content("名册.csv", b"\xff\xfe" + csv_of(lines(pupil(1))).encode("utf-16-le") + b"\x00\xd8\n\x00"), "encoding", tells="文字编码已损坏", variant="surrogate"),
    Case("B317", "从 Word 粘贴：弯引号、软连字符、不换行空格、全角空格", "A", one(姓名="\u3000王\u00ad浩然\u00a0", 现住址="“云岭”镇\u00a0三组\u00ad", 身份证号="\u00a0" + GOOD + "\u3000"), accepted=3, values={"name": "王浩然", "home": "“云岭”镇 三组", "citizen_id": GOOD}),
]  # fmt: skip

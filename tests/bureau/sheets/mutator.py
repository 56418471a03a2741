"""Seeded ways to spoil a workbook. Each kind returns what it planted, and the file must answer for it.

A plant is (worksheet, row, column header, code); a kind that only disturbs the file plants nothing.
"""

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import xlwt
from openpyxl.comments import Comment

from .catalogue.cases import NAMES, csv_of
from .pupils import number_of

HEADS = ["序号", "年级", "班级", "姓名", "性别", "身份证号", "出生日期", "民族", "联系电话", "现住址"]
SHEET1 = "xl/worksheets/sheet1.xml"


class Plant(NamedTuple):
    sheet: str | None
    row: int | None
    column: str | None
    code: str


class Roll:
    """A sound roll in the making: rows of cells below a header, where it stands, and how it will be saved."""

    def __init__(self, chance: random.Random, folder: Path, children: int = 8):
        self.chance, self.folder = chance, folder
        self.heads = list(HEADS)
        self.rows = [self.child(i) for i in range(children)]
        self.above: list[list] = [["云岭镇中心小学学生名册"], ["填报单位：云岭镇中心小学"]] if chance.random() < 0.5 else []
        self.below: list[list] = []
        self.sheet: str | None = "名册"
        self.plants: list[Plant] = []
        self.may_refuse = False  # the file as a whole may end in one problem
        self.finish: list[Callable] = []

    def child(self, i: int) -> list:
        return [
            i + 1, "三年级", f"{i % 2 + 1}班", NAMES[i % 6] if i < 6 else f"郑小{'甲乙丙丁戊己庚辛'[i % 8]}", "男",
            number_of(i + 30), "2012-05-03", "汉族", f"138{i:08}", "云岭镇东街村三组",
        ]  # fmt: skip

    @property
    def header_row(self) -> int:
        return len(self.above) + 1

    def number(self, place: int) -> int:
        return self.header_row + 1 + place

    def any_row(self) -> int:
        return self.chance.randrange(len(self.rows))

    def set(self, head: str, value: Any, code: str | None = None, *, at: str | None = None, place: int | None = None) -> int:
        """Put a value in a column of some row; with a code, that is what must be told, `at` this header."""
        place = self.any_row() if place is None else place
        self.rows[place][self.heads.index(head)] = value
        if code:
            self.plants.append(Plant(self.sheet, self.number(place), at or head, code))
        return place

    def add_column(self, head: str, *values: Any) -> None:
        self.heads.append(head)
        for place, cells in enumerate(self.rows):
            cells.append(values[place % len(values)] if values else None)

    def told(self, code: str) -> None:
        self.plants.append(Plant(None, None, None, code))

    @property
    def lines(self) -> list[list]:
        return [*self.above, self.heads, *self.rows, *self.below]

    def save(self, name: str = "名册.xlsx") -> Path:
        book = openpyxl.Workbook()
        page = book.active
        page.title = self.sheet or "名册"
        for r, cells in enumerate(self.lines, 1):
            for c, value in enumerate(cells, 1):
                if value is not None:
                    cell = page.cell(r, c, value)
                    if isinstance(value, str):
                        cell.data_type = "s"
        for finish in self.finish:
            finish(book, page)
        book.save(self.folder / name)
        return self.folder / name

    def save_text(self, encoding: str, sep: str = ",") -> Path:
        self.sheet = None
        self.plants = [plant._replace(sheet=None) for plant in self.plants]
        path = self.folder / "名册.csv"
        path.write_bytes(csv_of(self.lines, sep).encode(encoding))
        return path


Kind = Callable[[Roll], Path]
KINDS: list[Kind] = []


def kind(make: Kind) -> Kind:
    KINDS.append(make)
    return make


# A cell that is wrong.


def _cell(name: str, head: str, code: str, values: Callable[[Roll], Any], *, at: str | None = None) -> None:
    def make(roll: Roll) -> Path:
        roll.set(head, values(roll), code, at=at)
        return roll.save()

    make.__name__ = name
    kind(make)


def _own(roll: Roll) -> str:
    """A sound number that ends in a digit."""
    return next(n for _ in iter(int, 1) if (n := number_of(roll.chance.randrange(100, 400)))[17] != "X")


def _wrong_digit(roll: Roll) -> str:
    number, at = _own(roll), roll.chance.choice([0, 1, 2, 3, 4, 5, 14, 15, 16, 17])
    digit = roll.chance.choice([d for d in "0123456789" if d != number[at]])
    return number[:at] + digit + number[at + 1 :]


_cell("number_in_a_numeric_cell", "身份证号", "id_numeric_cell", lambda roll: int(_own(roll)[:17] + "0"))
_cell("number_in_scientific_notation", "身份证号", "id_numeric_cell", lambda roll: f"9.90101E+{roll.chance.choice([17, 16])}")
_cell("one_digit_wrong", "身份证号", "id_checksum", _wrong_digit)
_cell("number_too_short_or_long", "身份证号", "id_length", lambda roll: roll.chance.choice([_own(roll)[:17], _own(roll)[:16], _own(roll) + "1"]))
_cell("placeholder", "身份证号", "id_placeholder", lambda roll: roll.chance.choice(["000000000000000000", "111111111111111111", "同上", "无", "待补"]))
_cell("foreign_characters_in_a_number", "身份证号", "id_characters", lambda roll: _own(roll)[:16] + roll.chance.choice("²①٣×*х") + "1")
_cell("no_such_birth_date", "身份证号", "id_birth_date", lambda roll: f"990101{roll.chance.choice(['20120230', '20121301', '20110431', '18881201'])}0031")
_cell("number_missing", "身份证号", "required", lambda roll: roll.chance.choice([None, "", " ", "\u3000", "\u200b"]))
_cell("birth_date_of_another_day", "出生日期", "id_birth_mismatch", lambda roll: f"2012-05-{roll.chance.choice([1, 2, 4, 30]):02}", at="身份证号")
_cell("sex_of_the_other", "性别", "id_sex_mismatch", lambda roll: roll.chance.choice(["女", "2", "F"]), at="身份证号")
_cell("sex_in_prose", "性别", "unknown_value", lambda roll: roll.chance.choice(["不详呀", "帅哥", "3"]))
_cell("name_missing", "姓名", "required", lambda roll: roll.chance.choice([None, "", "  "]))
_cell("lost_character_in_a_name", "姓名", "name_characters", lambda roll: "郑" + roll.chance.choice("?□\ue000\u202e"))
_cell("relation_in_the_name", "姓名", "name_characters", lambda roll: roll.chance.choice(["张三(父)", "张三、李四", "张三1", "=1+1", "-5"]))
_cell("name_in_latin", "姓名", "name_latin", lambda roll: roll.chance.choice(["Zhangsan", "ZHANG SAN", "张san"]))
_cell("date_ambiguous", "出生日期", "date_ambiguous", lambda roll: roll.chance.choice(["01/02/2012", "12-5-3", "二〇一二年", "2012-5"]))
_cell("date_impossible", "出生日期", "date_impossible", lambda roll: roll.chance.choice(["2012.9.31", "0000-00-00", "1899-12-31", "2027-12-31"]))
_cell("nation_unknown", "民族", "unknown_value", lambda roll: roll.chance.choice(["火星族", "99x", "什么"]))
_cell("two_phones", "联系电话", "phone_format", lambda roll: roll.chance.choice(["13812345678/13912345678", "1381234567", "138123456789"]))
_cell("grade_unknown", "年级", "unknown_value", lambda roll: roll.chance.choice(["十三年级", "初四", "不详"]))
_cell("class_became_a_date", "班级", "class_is_date", lambda roll: roll.chance.choice(["3月2日", "2026-03-02"]))
_cell("text_too_long", "现住址", "too_long", lambda roll: "长" * roll.chance.randint(201, 6000))
_cell("truth_value_in_a_text", "现住址", "cell_type", lambda roll: roll.chance.choice([True, False, 0.05, 0.333]))


@kind
def error_cell(roll: Roll) -> Path:
    error, place = roll.chance.choice(["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"]), roll.any_row()
    column = roll.chance.choice([3, 4, 5, 6, 9])
    roll.plants.append(Plant(roll.sheet, roll.number(place), roll.heads[column], "cell_error"))

    def finish(book, page) -> None:
        cell = page.cell(roll.number(place), column + 1)
        cell.value, cell.data_type = error, "e"

    roll.finish.append(finish)
    return roll.save()


@kind
def formula_without_value(roll: Roll) -> Path:
    place, column = roll.any_row(), roll.chance.choice([3, 4, 5, 6])
    roll.plants.append(Plant(roll.sheet, roll.number(place), roll.heads[column], "formula_without_value"))
    roll.finish.append(lambda book, page: setattr(page.cell(roll.number(place), column + 1), "value", "=A1&B1"))
    return roll.save()


# Rows that do not belong together.


@kind
def same_row_twice(roll: Roll) -> Path:
    roll.rows.append([99, *roll.rows[roll.any_row()][1:]])
    roll.plants.append(Plant(roll.sheet, roll.number(len(roll.rows) - 1), None, "duplicate_in_file"))
    return roll.save()


@kind
def same_number_on_two_rows(roll: Roll) -> Path:
    first = roll.any_row()
    roll.rows.append([*roll.rows[first][:9], "别处"])
    for place in (first, len(roll.rows) - 1):
        roll.plants.append(Plant(roll.sheet, roll.number(place), "身份证号", "duplicate_conflict"))
    return roll.save()


@kind
def two_numbers_of_one_child(roll: Roll) -> Path:
    first = roll.any_row()
    again = list(roll.rows[first])
    again[5] = number_of(roll.chance.randrange(400, 499))
    roll.rows.append(again)
    for place in (first, len(roll.rows) - 1):
        roll.plants.append(Plant(roll.sheet, roll.number(place), "身份证号", "same_name_birth"))
    return roll.save()


@kind
def total_that_is_wrong(roll: Roll) -> Path:
    wrong = len(roll.rows) + roll.chance.choice([-2, -1, 1, 5])
    roll.below.append(["合计", None, None, roll.chance.choice([f"{wrong}人", wrong, f"共{wrong}人"])])
    roll.plants.append(Plant(roll.sheet, roll.number(len(roll.rows)), None, "total_mismatch"))
    return roll.save()


@kind
def total_that_is_right(roll: Roll) -> Path:
    roll.below += [["合计", None, None, f"{len(roll.rows)}人"], ["制表人：王五", None, "审核人："]]
    roll.plants.append(Plant(roll.sheet, roll.number(len(roll.rows)), None, "subtotal"))
    return roll.save()


@kind
def lines_that_are_no_data(roll: Roll) -> Path:
    for line in roll.chance.sample([["小计"], ["三年级2班学生名单"], list(roll.heads), ["备注：一式两份"], [None, None, "总人数：1"]], 3):
        roll.rows.insert(roll.chance.randrange(1, len(roll.rows)), line)
    return roll.save()


@kind
def blank_rows(roll: Roll) -> Path:
    for _ in range(roll.chance.randint(1, 5)):
        roll.rows.insert(roll.chance.randrange(len(roll.rows)), [])
    return roll.save()


@kind
def shuffled_lines(roll: Roll) -> Path:
    everything = [["名册"], roll.heads, list(roll.heads), ["合计"], [], *roll.rows, ["制表人："]]
    roll.chance.shuffle(everything)
    roll.above, roll.heads, roll.rows, roll.may_refuse = [], everything[0], everything[1:], True
    return roll.save()


@kind
def second_table(roll: Roll) -> Path:
    other = ["姓名", "身份证号", "年级", "性别"]
    roll.below += [["四年级学生名单"], other, ["冯甲", number_of(77), "四年级", "男"], ["陈乙", number_of(78)[:17], "四年级", "男"]]
    roll.plants.append(Plant(roll.sheet, roll.number(len(roll.rows) + 3), "身份证号", "id_length"))
    return roll.save()


# Headers.


@kind
def header_missing(roll: Roll) -> Path:
    index = roll.chance.choice([3, 5])
    roll.heads.pop(index)
    for cells in roll.rows:
        cells.pop(index)
    roll.may_refuse = True
    roll.told("missing_column")
    return roll.save()


@kind
def header_twice(roll: Roll) -> Path:
    roll.add_column(roll.chance.choice(["姓名", "身份证号"]), "x")
    roll.may_refuse = True
    roll.told("duplicate_header")
    return roll.save()


@kind
def header_gone(roll: Roll) -> Path:
    roll.above, roll.heads, roll.may_refuse = [], roll.rows.pop(), True
    roll.told("no_header")
    return roll.save()


@kind
def header_decorated(roll: Roll) -> Path:
    dress = roll.chance.choice(["★{}", "{}（必填）", " {} ", "*{}*", "{}\u200b", "{}："])
    roll.heads = [dress.format(head) for head in roll.heads]
    return roll.save()


@kind
def header_without_name(roll: Roll) -> Path:
    roll.add_column("", None)
    roll.rows[roll.any_row()][-1] = "九月转来"
    roll.told("blank_header")
    return roll.save()


@kind
def header_unknown(roll: Roll) -> Path:
    roll.add_column(roll.chance.choice(["特长爱好", "鞋码", "小名"]), "x", None)
    roll.told("ignored_column")
    return roll.save()


@kind
def columns_shuffled(roll: Roll) -> Path:
    order = list(range(len(roll.heads)))
    roll.chance.shuffle(order)
    roll.heads = [roll.heads[i] for i in order]
    roll.rows = [[cells[i] for i in order] for cells in roll.rows]
    return roll.save()


@kind
def lines_above_the_header(roll: Roll) -> Path:
    roll.above = [["学校：云岭镇中心小学", None, "班级：三年级1班"], ["填报时间：2026-09-01"], ["单位：人"]][: roll.chance.randint(1, 3)]
    return roll.save()


# The workbook around the cells.


@kind
def hidden_things(roll: Roll) -> Path:
    row = roll.number(roll.any_row())

    def finish(book, page) -> None:
        page.row_dimensions[row].hidden = True
        page.column_dimensions["G"].hidden = True
        other = book.create_sheet("旧表")
        other.append(roll.heads)
        other.sheet_state = roll.chance.choice(["hidden", "veryHidden"])

    roll.finish.append(finish)
    for code in ("hidden_rows", "hidden_columns", "hidden_sheet"):
        roll.told(code)
    return roll.save()


@kind
def more_sheets(roll: Roll) -> Path:
    other = Roll(roll.chance, roll.folder, 2)
    other.rows = [[cells[0], *cells[1:5], number_of(450 + i), *cells[6:]] for i, cells in enumerate(other.rows)]
    other.rows[0][3], other.rows[1][3] = "冯一鸣", "冯二鸣"

    def finish(book, page) -> None:
        page = book.create_sheet("三年级2班")
        for cells in [other.heads, *other.rows]:
            page.append(cells)
        book.create_sheet("统计").append(["人数", 2])

    roll.finish.append(finish)
    roll.told("several_sheets")
    roll.told("sheet_skipped")
    return roll.save()


@kind
def comments(roll: Roll) -> Path:
    roll.finish.append(lambda book, page: setattr(page["D5"], "comment", Comment("九月转来", "班主任")))
    roll.told("comments")
    return roll.save()


@kind
def merged_down(roll: Roll) -> Path:
    place = roll.chance.randrange(len(roll.rows) - 1)
    roll.set("现住址", None, "merged_cell", place=place + 1)
    first = roll.number(place)
    roll.finish.append(lambda book, page: page.merge_cells(f"J{first}:J{first + 1}"))
    roll.finish.append(lambda book, page: page.merge_cells(f"B{first}:B{first + 1}"))
    return roll.save()


def _parts(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    with zipfile.ZipFile(path) as source:
        entries = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in entries:
            if (changed := change(name, data)) is not None:
                target.writestr(name, changed)


def _sheet_xml(roll: Roll, change: Callable[[str], str]) -> Path:
    path = roll.save()
    _parts(path, lambda name, data: change(data.decode()).encode() if name == SHEET1 else data)
    return path


@kind
def lying_dimension(roll: Roll) -> Path:
    lie = roll.chance.choice(["A1", "A1:XFD1048576", "B2:C3"])
    roll.set("身份证号", "12", "id_length")
    return _sheet_xml(roll, lambda xml: re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="{lie}"', xml))


@kind
def gap_of_blank_rows(roll: Roll) -> Path:
    by, after = roll.chance.randint(201, 5000), roll.number(3)

    def moved(match: re.Match) -> str:
        number = int(match.group(2))
        return f'{match.group(1)}{number + by if number > after else number}"'

    def change(xml: str) -> str:
        xml = re.sub(r'(<row r=")(\d+)"', moved, xml)
        return re.sub(r'(<c r="[A-Z]+)(\d+)"', moved, xml)

    roll.told("gap")
    return _sheet_xml(roll, change)


@kind
def no_references(roll: Roll) -> Path:
    roll.set("身份证号", "12", "id_length")
    return _sheet_xml(roll, lambda xml: re.sub(r'(<(?:row|c)) r="[A-Z0-9]+"', r"\1", xml))


@kind
def odd_references(roll: Roll) -> Path:
    roll.may_refuse = True
    odd = roll.chance.choice(["B0", "", "1", "b2", "$B$2", "B2:C3", "XFE2"])
    return _sheet_xml(roll, lambda xml: xml.replace('r="B2"', f'r="{odd}"'))


@kind
def odd_types(roll: Roll) -> Path:
    roll.may_refuse = True
    odd = roll.chance.choice(['t="n"', 't="b"', 't="e"', 't="str"', 't="d"', 't="zzz"', 't="s"', ""])
    return _sheet_xml(roll, lambda xml: xml.replace('t="inlineStr"', odd, 3))


@kind
def broken_xml(roll: Roll) -> Path:
    roll.may_refuse = True

    def change(name: str, data: bytes) -> bytes:
        at = roll.chance.randrange(len(data))
        junk = roll.chance.choice([b"<", b">", b"&", b"\0", b"]]>", b"<c r='ZZZ99'>", b'"'])
        return data[:at] + junk + data[at + 1 :] if name.startswith("xl/") else data

    path = roll.save()
    _parts(path, change)
    return path


@kind
def part_missing(roll: Roll) -> Path:
    roll.may_refuse = True
    path = roll.save()
    with zipfile.ZipFile(path) as archive:
        victim = roll.chance.choice(archive.namelist())
    _parts(path, lambda name, data: None if name == victim else data)
    return path


@kind
def bytes_flipped(roll: Roll) -> Path:
    roll.may_refuse = True
    path = roll.save()
    data = bytearray(path.read_bytes())
    for _ in range(roll.chance.randint(1, 20)):
        data[roll.chance.randrange(len(data))] = roll.chance.randrange(256)
    path.write_bytes(data)
    return path


@kind
def cut_off(roll: Roll) -> Path:
    roll.may_refuse = True
    path = roll.save()
    path.write_bytes(path.read_bytes()[: roll.chance.randrange(1, path.stat().st_size)])
    return path


@kind
def bytes_inserted(roll: Roll) -> Path:
    roll.may_refuse = True
    path = roll.save()
    data, at = path.read_bytes(), roll.chance.randrange(path.stat().st_size)
    path.write_bytes(data[:at] + roll.chance.randbytes(roll.chance.randint(1, 500)) + data[at:])
    return path


@kind
def cells_of_every_type(roll: Roll) -> Path:
    values = [None, True, 1e300, -1, "", " ", "\u200b", "x" * 5000, "=1+1", "\u202e", "𠮷" * 50, "9" * 21, 0.1, "#N/A"]
    for _ in range(6):
        roll.rows[roll.any_row()][roll.chance.randrange(len(roll.heads))] = roll.chance.choice(values)
    return roll.save()


# Other formats.


@kind
def text_in_some_encoding(roll: Roll) -> Path:
    roll.set("身份证号", _wrong_digit(roll), "id_checksum")
    return roll.save_text(roll.chance.choice(["utf-8", "gb18030", "utf-16", "utf-8-sig", "utf-16-le"]), roll.chance.choice(",\t;，"))


@kind
def text_with_a_stray_byte(roll: Roll) -> Path:
    roll.may_refuse = True
    path = roll.save_text(roll.chance.choice(["utf-8", "gb18030", "utf-16"]))
    data, at = path.read_bytes(), roll.chance.randrange(path.stat().st_size)
    path.write_bytes(data[:at] + roll.chance.choice([b'"', b"\xff", b"\0", b"\n", b"\xe4"]) + data[at:])
    return path


@kind
def old_binary_format(roll: Roll) -> Path:
    roll.set("身份证号", _wrong_digit(roll), "id_checksum")
    book = xlwt.Workbook()
    page = book.add_sheet(roll.sheet)
    for r, cells in enumerate(roll.lines):
        for c, value in enumerate(cells):
            if value is not None:
                page.write(r, c, value)
    book.save(str(roll.folder / "名册.xls"))
    return roll.folder / "名册.xls"


@kind
def old_binary_format_damaged(roll: Roll) -> Path:
    roll.may_refuse = True
    path = old_binary_format(roll)
    roll.plants.clear()
    data = bytearray(path.read_bytes())
    for _ in range(roll.chance.randint(1, 30)):
        data[roll.chance.randrange(512, len(data))] = roll.chance.randrange(256)
    path.write_bytes(data)
    return path


@kind
def web_page_as_workbook(roll: Roll) -> Path:
    roll.set("身份证号", _wrong_digit(roll), "id_checksum")
    roll.plants = [plant._replace(sheet="网页表格1") for plant in roll.plants]
    body = "".join("<tr>" + "".join(f"<td>{'' if v is None else v}</td>" for v in cells) + "</tr>" for cells in roll.lines)
    path = roll.folder / "名册.xls"
    path.write_bytes(f"<html><script>x<y</script><table>{body}</table></html>".encode(roll.chance.choice(["utf-8", "gb18030"])))
    return path


def mutated(make: Kind, seed: int, folder: Path) -> tuple[Path, Roll]:
    roll = Roll(random.Random(f"{make.__name__}-{seed}"), folder)
    return make(roll), roll

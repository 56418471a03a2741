"""The make-up of a sheet: B040–B060."""

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment

from bureau.sheets import write_template
from students.sheets import ROSTERS
from tests.bureau.sheets.pupils import number_of, save

from .cases import HEADS, Build, Case, grant, lines, one, pupil, sheet, sound

ROLL = ROSTERS["roll"][0]
GOOD = {"name": "王浩然", "citizen_id": number_of(21), "grade": "P3"}
UNIT_LINE = ["学校：云岭镇中心小学", None, "年级：三年级", None, "班级：1班", None, "人数：3人"]
UPPER = ["年级", "班级", "姓名", "身份证号", "监护人", None]
LOWER = [None, None, None, None, "姓名", "身份证号"]
GUARDED = ["三年级", "1班", "王浩然", number_of(21), "王大山", number_of(90)]


def finished(rows: list[list], finish: Callable, **more) -> Build:
    return lambda folder: save(folder / "名册.xlsx", rows, finish=finish, **more)


def merging(*ranges: str) -> Callable:
    def finish(book, page) -> None:
        for place in ranges:
            page.merge_cells(place)

    return finish


def with_sheets(*others: tuple[str, list[list]], state: str = "visible", name: str = "三年级1班") -> Build:
    def finish(book, page) -> None:
        for title, rows in others:
            other = book.create_sheet(title)
            for cells in rows:
                other.append(cells)
            other.sheet_state = state

    return finished(sound(), finish, name=name)


def hidden(book, page) -> None:
    page.row_dimensions[3].hidden = True
    page.column_dimensions["G"].hidden = True


def filtered(book, page) -> None:
    page.auto_filter.ref = "A1:G4"
    page.row_dimensions[2].hidden = page.row_dimensions[4].hidden = True


def commented(book, page) -> None:
    page["D3"].comment = Comment("九月转来", "班主任")
    page["E4"].comment = Comment("户口待补", "班主任")


def template(*, example: bool = False, version: str = "", swapped: bool = False) -> Build:
    """Our own template with three children typed into it."""

    def build(folder: Path) -> Path:
        path = folder / "模板.xlsx"
        attrs = ["grade", "class_name", "name", "sex", "citizen_id", "ethnicity"]
        write_template(path, ROLL, attrs=attrs, school=("2199010101", "云岭镇中心小学"), term="2026-autumn")
        book = openpyxl.load_workbook(path)
        page = book["填报"]
        start = 4
        if example:
            for column, attr in enumerate(attrs, 1):
                page.cell(4, column, ROLL.by_attr[attr].example)
            start = 5
        for row in range(3):
            child = pupil(row + 1)
            for column, head in enumerate(("年级", "班级", "姓名", "性别", "身份证号"), 1):
                page.cell(start + row, column, child[head])
        if version:
            page["A2"] = re.sub(r"第\d+版", version, page["A2"].value)
        if swapped:
            page["A3"], page["B3"] = page["B3"].value, page["A3"].value
            for row in range(4, 7):
                page.cell(row, 1).value, page.cell(row, 2).value = page.cell(row, 2).value, page.cell(row, 1).value
        book.save(path)
        return path

    return build


def choices_edited(folder: Path) -> Path:
    """The hidden sheet behind the drop-downs was changed; its values were never trusted."""
    path = template()(folder)
    book = openpyxl.load_workbook(path)
    book["_选项"]["F2"] = "改过"
    book.save(path)
    return path


def headed(**names: str) -> Build:
    """The sound roll under other headers."""
    rows = sound()
    rows[0] = [names.get(head, head) for head in rows[0]]
    return sheet(*rows)


def totals(*extra: list) -> list[list]:
    return [*sound(), *extra]


def paid_totals(*extra: list) -> list[list]:
    return [*lines(grant(1), grant(2), grant(3)), *extra]


def without(*heads: str) -> list[list]:
    rows = sound()
    keep = [index for index, head in enumerate(rows[0]) if head not in heads]
    return [[cells[index] for index in keep] for cells in rows]


def spread(values: list[list]) -> list[list]:
    return [[*cells[:4], None, *cells[4:]] for cells in values]


MERGED_BODY = spread(sound())
SPLIT_NAMES = [[*cells[:4], None if i == 0 else "涵", *cells[4:]] for i, cells in enumerate(sound())]
CASES = [
    Case("B040", "表头上方有标题、填报单位", "A", sheet(["云岭镇中心小学学生名册"], ["填报单位：云岭镇中心小学", None, "填报时间：2026-09-01"], [], *sound()), accepted=3, values=GOOD, row=5, variant="title"),
    Case("B040", "表头上方一行写学校、年级、班级、人数，不当作表头", "A", sheet(["学生名册"], UNIT_LINE, *sound()), accepted=3, values=GOOD, row=4, variant="unit line"),
    Case("B040", "表头上方一行不带冒号：学校 云岭小学 年级 三年级 班级 1班", "A", sheet(["学校", "云岭镇中心小学", "年级", "三年级", "班级", "1班"], *sound()), accepted=3, values=GOOD, row=3, variant="label line"),
    Case("B040", "金额表上方写“单位：元”", "A", sheet(["资助花名册"], ["单位：元"], *lines(grant(1), grant(2))), accepted=2, values={"amount_fen": 62500}, kind="aid", row=4, variant="yuan"),
    Case("B040", "金额表上方写“单位：万元”", "F", sheet(["资助花名册"], ["填报单位：云岭镇中心小学", None, "单位：万元"], *lines(grant(1, **{"金额（元）": 0.0625}))), "larger_unit", kind="aid", tells="本表的金额以元填写", variant="wan"),
    Case("B041", "两行表头，合并单元格（监护人 / 姓名）", "A", finished([UPPER, LOWER, GUARDED], merging("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:F1")), accepted=1, row=3, values={"guardian_name": "王大山", "guardian_citizen_id": number_of(90)}, variant="two rows"),
    Case("B041", "两行表头，上下两级连起来有两列同名", "F", finished([[*UPPER, "监护人"], [*LOWER, "姓名"], [*GUARDED, "李四"]], merging("E1:F1")), "duplicate_header", tells="E列与G列表头重复（监护人/姓名）", variant="ambiguous"),
    Case("B042", "一个表头横向合并两列，两列下面都有内容", "F", finished(SPLIT_NAMES, merging("D1:E1")), "merged_header", tells="表头“姓名”横向合并到E列，而E列下面有 3 格内容", variant="both"),
    Case("B042", "一个表头横向合并两列，内容也都合并", "A", finished(MERGED_BODY, merging("D1:E1", "D2:E2", "D3:E3", "D4:E4")), accepted=3, values=GOOD, variant="body"),
    Case("B042", "没有表头的列下有内容", "W", sheet(*([*cells, None if i != 2 else "九月转来"] for i, cells in enumerate(sound()))), "blank_header", row=None, tells="H列没有表头，下面有 1 格内容，没有导入", accepted=3, variant="blank", why="只提醒：表右侧随手写的字常见，不因此拒收整个文件；合并表头下分不清的才拒收。"),
    *(
        Case("B043", f"列名写作“{word}”", "A", headed(身份证号=word), accepted=3, values=GOOD, variant=word)
        for word in ("公民身份号码", "身份证件号", "sfzh", "ID No.", "证件号码")
    ),
    *(
        Case("B044", f"列名写作“{word.encode('unicode_escape').decode() if not word.isprintable() else word}”", "A", headed(姓名=word), accepted=3, values=GOOD, variant=str(i))
        for i, word in enumerate((" 姓　名 ", "姓\n名", "*姓名（必填）", "★学生姓名", "2.姓名", "姓名\u200b", "［姓名］"))
    ),
    Case("B045", "列的顺序不同", "A", sheet(*(cells[::-1] for cells in sound())), accepted=3, values=GOOD),
    Case("B046", "多出不认识的列", "W", one(特长爱好="足球"), "ignored_column", row=None, tells="不认识的列：特长爱好", accepted=3, variant="unknown"),
    Case("B046", "多出照片、宗教、病历等不许收集的列", "A", one(宗教信仰="无", 既往病历="无", 照片="x"), accepted=3, variant="forbidden"),
    Case("B047", "缺少必需的列，一次列全", "F", sheet(*without("姓名", "身份证号", "年级", "班级")), "missing_column", tells="缺少必需的列：姓名、身份证号、年级或班级"),
    Case("B048", "“姓名”有两列", "F", sheet(*([*cells, cells[3]] for cells in sound())), "duplicate_header", tells="D列与H列表头重复（姓名）"),
    Case("B049", "一班一个工作表", "A", with_sheets(("三年级2班", lines(pupil(4, 班级="2班")))), "several_sheets", row=None, tells="“三年级1班”3 行、“三年级2班”1 行，请确认都要上报", accepted=4, variant="classes"),
    Case("B049", "几个工作表，名称不是班级", "W", with_sheets(("去年", lines(pupil(4)))), "several_sheets", row=None, tells="读取了 2 个工作表：“三年级1班”3 行、“去年”1 行", accepted=4, variant="others"),
    Case("B049", "另有统计表，没有名册的表头", "W", with_sheets(("统计", [["人数", 3], ["男", 3]])), "sheet_skipped", row=None, tells="工作表“统计”没有找到表头，未导入（2 行）", accepted=3, variant="statistics"),
    Case("B050", "隐藏的工作表有数据", "W", with_sheets(("去年", lines(pupil(4))), state="hidden"), "hidden_sheet", row=None, tells="隐藏的工作表“去年”有 2 行内容，没有导入", accepted=3, variant="hidden"),
    Case("B050", "深度隐藏的工作表有数据", "W", with_sheets(("去年", lines(pupil(4))), state="veryHidden"), "hidden_sheet", row=None, tells="隐藏的工作表“去年”有 2 行内容", accepted=3, variant="very hidden"),
    Case("B051", "有隐藏的行和列", "W", finished(sound(), hidden), "hidden_rows", row=None, tells="含 1 个隐藏行，已一并导入", accepted=3, also=("hidden_columns",), variant="hidden"),
    Case("B051", "开着筛选", "W", finished(sound(), filtered), "hidden_rows", row=None, tells="含 2 个隐藏行", accepted=3, variant="filter"),
    Case("B052", "小计、合计、总人数行", "A", sheet(*totals(["小计", None, None, "3人"], ["合计", None, None, 3], [None, None, "总人数", 3])), "subtotal", row=5, tells="“小计”是小计或合计行，已跳过", accepted=3, variant="true"),
    Case("B052", "合计人数与实有人数不符", "W", sheet(*totals(["合计", None, None, "4人"])), "total_mismatch", row=5, tells="合计行写的是 4 人，实际是 3 人", accepted=3, variant="people"),
    Case("B052", "合计金额与各行相加不符", "W", sheet(*paid_totals(["合计", *[None] * 7, 1800])), "total_mismatch", "金额（元）", row=5, tells="写的是 1800，各行相加是 1,875.00 元", accepted=3, kind="aid", variant="amount"),
    Case("B053", "落款：填表人、审核人、盖章、注", "A", sheet(*totals(["注：一式两份"], ["填表人：王五", None, None, "审核人："], ["校长签字（公章）："])), "footer", row=6, tells="是落款或备注行，已跳过", accepted=3),
    Case("B054", "模板中的举例行没有删除", "R", template(example=True), "id_placeholder", "身份证号★", row=4, tells="这是举例用的身份证号，请删除举例行", accepted=3),
    Case("B055", "纵向合并的单元格：学校、年级、班级照上一行取", "A", finished([HEADS, list(pupil(1).values()), list(pupil(2, 年级=None, 班级=None).values())], merging("B2:B3", "C2:C3")), accepted=2, row=3, variant="class"),
    Case("B055", "纵向合并的单元格：其他列", "R", finished([[*HEADS, "监护人姓名"], [*pupil(1).values(), "王大山"], [*pupil(2).values(), None]], merging("H2:H3")), "merged_cell", "监护人姓名", row=3, tells="“监护人姓名”与第 2 行纵向合并，只有第一行有内容", accepted=1, variant="guardian"),
    Case("B056", "数据中间有空行", "A", sheet(*sound()[:3], [], [], sound()[3]), accepted=3, values=GOOD),
    Case("B057", "单元格批注里写了内容", "W", finished(sound(), commented), "comments", row=None, tells="有 2 处单元格批注（D3、E4），批注不导入", accepted=3),
    Case("B058", "旧版模板", "A", template(version="第0版"), "old_template", row=None, tells="这是第 0 版模板", accepted=3, why="只作说明：各列按表头读取，没有遗漏；缺列的按缺列拒收。"),
    Case("B059", "模板的列换了位置", "A", template(swapped=True), "old_template", row=None, tells="模板的列名或顺序已改动，已按实际的表头读取", accepted=3, variant="columns"),
    Case("B059", "模板隐藏的选项表被改过", "A", choices_edited, accepted=3, variant="choices"),
    Case("B060", "横着排的表，每列一人", "F", sheet(*(list(column) for column in zip(*sound(), strict=True))), "no_header", tells="表是横着排的（每列一人）"),
]  # fmt: skip

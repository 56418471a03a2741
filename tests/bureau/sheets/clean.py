"""Clean rolls as schools really make them: nothing in them is wrong, whatever the layout and the habits."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import openpyxl
import xlwt

from bureau.identity import check_digit

from .catalogue.cases import csv_of

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "子涵浩然欣怡宇轩雨桐思远梓萱一诺俊杰诗琪明哲佳怡天佑语嫣嘉懿沐宸可馨文博晓彤建国秀英"
NATIONS = ["汉族", "汉", "壮族", "苗族", "彝族", "维吾尔族", "01"]
GRADES = {"一年级": 2020, "二年级": 2019, "三年级": 2018, "五年级": 2016, "七年级": 2014, "九年级": 2012}
DAYS = ["{:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%Y.%m.%d}", "{:%Y%m%d}", "{:%Y年%m月%d日}"]
HEADERS = {
    "name": ["姓名", "学生姓名", "姓 名", "*姓名", "姓名（必填）"], "sex": ["性别", "性别（男/女）"],
    "id": ["身份证号", "身份证号码", "身份证件号", "公民身份号码", "证件号码", "身份证\n号码"], "born": ["出生日期", "出生年月日"],
    "nation": ["民族"], "grade": ["年级", "所在年级"], "class": ["班级", "所在班级"], "home": ["家庭住址", "现住址"],
    "phone": ["联系电话", "电话", "家长联系电话"], "guardian": ["监护人姓名", "家长姓名"], "mode": ["就读方式", "是否住校"],
    "number": ["全国学籍号", "学籍号"], "no": ["序号", "编号"], "remark": ["备注"],
}  # fmt: skip
OPTIONAL = ["sex", "born", "nation", "home", "phone", "guardian", "mode", "number", "remark"]


class Made(NamedTuple):
    path: Path
    children: int


def clean_roll(seed: int, folder: Path) -> Made:
    chance = random.Random(f"clean-{seed}")
    style = chance.choice(["xlsx", "xlsx", "xlsx", "xls", "csv"])
    columns = ["grade", "class", "name", "id", *chance.sample(OPTIONAL, chance.randint(2, len(OPTIONAL)))]
    if chance.random() < 0.8:
        columns.insert(0, "no")
    elif chance.random() < 0.5:
        chance.shuffle(columns)
    groups = [(grade, klass) for grade in chance.sample(list(GRADES), 2) for klass in (1, 2)]
    by_class = style != "csv" and chance.random() < 0.3
    day, numbers, pages, count = chance.choice(DAYS), iter(range(1, 400)), {}, 0
    two_levels = "guardian" in columns and "phone" in columns and chance.random() < 0.5
    if two_levels:
        columns = [column for column in columns if column not in ("guardian", "phone")] + ["guardian", "phone"]
    for grade, klass in groups:
        page = f"{grade}{klass}班" if by_class else "学生名册"
        lines = pages.setdefault(page, _top(chance, columns, two_levels, page))
        if not by_class and lines["rows"] and chance.random() < 0.4:
            lines["rows"].append([f"{grade}{klass}班学生名单"])
        size = chance.randint(3, 9)
        for _ in range(size):
            lines["rows"].append(_child(chance, columns, grade, klass, next(numbers), day))
        count += size
        if chance.random() < 0.4:
            at_name = [None] * (columns.index("name") - 1)
            lines["rows"].append(["小计", *at_name, f"{size}人"] if columns[0] == "no" else [f"小计：{size}人"])
        if chance.random() < 0.3:
            lines["rows"].append([])
    for lines in pages.values():
        lines["rows"] += chance.choice([[], [["制表人：王五", None, "审核人："]], [["备注：本表一式两份。"], ["校长签字（公章）："]]])
    if not by_class and chance.random() < 0.5:
        next(iter(pages.values()))["rows"].append([f"合计：{count}人"])
    return Made(_saved(style, pages, folder, chance), count)


def _top(chance: random.Random, columns: list[str], two_levels: bool, page: str) -> dict:
    """Lines above the rows, and the cells that are merged."""
    lines: list[list] = []
    merged: list[str] = []
    width = len(columns)
    if chance.random() < 0.7:
        lines.append([f"云岭镇中心小学2026年秋季学期{page}"])
        merged.append(f"A1:{_letter(width)}1")
        if chance.random() < 0.6:
            lines.append(["填报单位：云岭镇中心小学", None, "填报时间：2026-09-01", None, "单位：人"][:width])
    heads = [chance.choice(HEADERS[column]) for column in columns]
    at = len(lines) + 1
    if two_levels:
        lines.append([*heads[:-2], "监护人", None])
        lines.append([None] * (width - 2) + ["姓名", "联系电话"])
        merged += [f"{_letter(i)}{at}:{_letter(i)}{at + 1}" for i in range(1, width - 1)]
        merged.append(f"{_letter(width - 1)}{at}:{_letter(width)}{at}")
    else:
        lines.append(heads)
    return {"rows": lines, "merged": merged}


def _letter(column: int) -> str:
    return openpyxl.utils.get_column_letter(column)


def _child(chance: random.Random, columns: list[str], grade: str, klass: int, no: int, day: str) -> list:
    boy = chance.random() < 0.5
    born = date(GRADES[grade], 1, 1) + timedelta(days=chance.randrange(360))
    first = f"990101{born:%Y%m%d}{2 * no + boy:03}"
    number = first + check_digit(first)
    name = chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice([1, 2, 2])))
    if chance.random() < 0.05:
        name = chance.choice(["阿依古丽·买买提", "古丽娜尔•艾合买提", "次仁卓玛", "𠮷小文"])
    worn = chance.random()
    facts = {
        "no": no, "grade": grade, "class": chance.choice([f"{klass}班", f"（{klass}）班", f"{klass}"]), "sex": "男" if boy else "女",
        "name": f"{name[0]}　{name[1]}" if len(name) == 2 and worn < 0.3 else name,
        "id": f"'{number}" if worn < 0.05 else f" {number}" if worn < 0.1 else number.lower() if worn < 0.2 else number,
        "born": day.format(born), "nation": chance.choice(NATIONS), "home": f"云岭镇东街村{chance.randint(1, 9)}组",
        "phone": f"13{chance.randrange(10**9):09}", "guardian": chance.choice(SURNAMES) + chance.choice(GIVEN),
        "mode": chance.choice(["走读", "住校"]), "number": f"G{number}", "remark": chance.choice([None, None, "九月转入", "建档立卡"]),
    }  # fmt: skip
    if chance.random() < 0.2:
        facts["phone"] = facts["guardian"] = None
    return [facts[column] for column in columns]


def _saved(style: str, pages: dict[str, dict], folder: Path, chance: random.Random) -> Path:
    path = folder / f"花名册(最终).{style}"
    if style == "csv":
        [page] = pages.values()
        path.write_bytes(csv_of(page["rows"]).encode(chance.choice(["utf-8-sig", "gb18030", "utf-8", "utf-16"])))
    elif style == "xls":
        old = xlwt.Workbook()
        for name, page in pages.items():
            sheet = old.add_sheet(name)
            for r, cells in enumerate(page["rows"]):
                for c, value in enumerate(cells):
                    if value is not None:
                        sheet.write(r, c, value)
        old.save(str(path))
    else:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, page in pages.items():
            sheet = book.create_sheet(name)
            for cells in page["rows"]:
                sheet.append(cells)
            for cells in page["merged"]:
                sheet.merge_cells(cells)
        book.save(path)
    return path

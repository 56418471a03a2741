"""Made-up children with valid numbers of county 990101, the same on every run."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from openpyxl import Workbook

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
GIVEN = "子梓浩宇轩涵欣怡诗雨佳思嘉俊杰晨阳天博文雅静婷雪芳丽娜敏慧玲燕红梅兰英华明强军伟勇磊涛斌鹏飞龙凤春秋冬夏星月云山川江河海洋安康宁平乐福禄寿喜庆祥瑞吉如意心志远达成功名立德仁义礼智信诚实善良美好新光辉亮晶莹洁清澈纯真可爱小大中正方圆长青松柏竹菊荷莲桂花香芬芸茜蕾薇琳琪瑶瑾璇玥"
FIRST_BIRTH = date(2014, 9, 1)
DAYS = 2100  # six cohorts of primary school, nearly
WEIGHTS, CHECKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
HEADERS = (
    "学校名称", "学校标识码", "年级", "班级", "姓名", "性别", "全国学籍号", "身份证件类型", "身份证件号", "出生日期",
    "民族", "户口所在地", "户口性质", "现住址", "就读方式", "学籍状态", "监护人姓名", "监护人关系", "监护人身份证号", "联系电话",
)  # fmt: skip


def citizen_id(born_on: date, sequence: int) -> str:
    body = f"990101{born_on:%Y%m%d}{sequence:03}"
    return body + CHECKS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


@dataclass
class Child:
    """`number` is his place in the county; everything follows from it."""

    number: int
    name: str
    id: str
    born_on: date
    sex: str
    guardian: str
    guardian_id: str
    household: str


def children(start: int, stop: int) -> Iterator[Child]:
    """Children `start` to `stop` of the county; at most two million, as an ID holds so many of six cohorts."""
    for number in range(start, stop):
        chance = random.Random(number)
        born_on = FIRST_BIRTH + timedelta(days=number % DAYS)
        sequence = number // DAYS
        surname = chance.choice(SURNAMES)
        name = surname + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2, 2))))
        parents_birth = date(1975, 1, 1) + timedelta(days=chance.randrange(5000))
        yield Child(
            number,
            name,
            citizen_id(born_on, sequence),
            born_on,
            "男" if sequence % 2 else "女",
            surname + chance.choice(GIVEN),
            citizen_id(parents_birth, number % 1000),
            f"H{number // 2:08}",
        )


def roll_row(child: Child, school: tuple[str, str], *, moved_class: bool = False) -> tuple[str, ...]:
    """The twenty cells of a child in a 学籍 export; `school` is its name and code."""
    grade = "一二三四五六"[max(0, min(5, 2020 - child.born_on.year + (child.born_on.month < 9)))]
    town = f"第{child.number % 10}镇"
    return (
        *school, f"{grade}年级", f"{child.number % 4 + 1 + 4 * moved_class}班", child.name, child.sex, f"G{child.id}",
        "居民身份证", child.id, child.born_on.isoformat(), "汉族", f"云岭县{town}{town[1]}{child.number % 12}村",
        "农业户口", f"云岭县{town}{town[1]}{child.number % 12}村{child.number % 97}号", "走读", "在籍", child.guardian, "父亲",
        child.guardian_id, f"13{child.number % 10}{child.number % 100000000:08}",
    )  # fmt: skip


def write_roll(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("学生信息")
    sheet.append(HEADERS)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path

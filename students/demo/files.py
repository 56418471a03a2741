"""The demo's folder: organisation.json, 花名册, 名单 of two dates, and 练习 with files nobody has loaded."""

import json
from pathlib import Path

from students.demo.lists import write_list
from students.demo.rolls import BAD, newcomer_record, records_of, spoil, write_records
from students.demo.schools import CLERKS_SCHOOL, CODE, NAME
from students.demo.world import DATES, World

FOLDERS = ROLLS, CORRECTED, FIRST, SECOND, PRACTICE = (
    "花名册",
    "花名册/更正",
    "名单/第一期",
    "名单/第二期",
    "练习",
)
TERMS = (
    {"code": "2025-autumn", "starts_on": "2025-09-01", "ends_on": "2026-01-23"},
    {"code": "2026-spring", "starts_on": "2026-02-24", "ends_on": "2026-07-10"},
    {"code": "2026-autumn", "starts_on": "2026-09-01", "ends_on": "2027-01-22"},
)
OFF = ("2026-09-25", "2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07", "2027-01-01")
MADE_UP = ("2026-09-20", "2026-10-10")


def make_folders(home: Path) -> None:
    for name in FOLDERS:
        (home / name).mkdir(parents=True, exist_ok=True)


def write_organisation(home: Path, world: World) -> Path:
    """Places, schools, terms and the holidays of autumn 2026."""
    places = world.places
    content = {
        "county": {"code": CODE, "name": NAME},
        "townships": [
            {
                "code": township.code,
                "name": township.name,
                "villages": [
                    {"code": v.code, "name": v.name} for v in places.villages if v.township == township
                ],
            }
            for township in places.townships
        ],
        "schools": [
            {
                "code": school.code,
                "name": school.name,
                "township": school.township.code,
                "stages": school.stages,
                "ownership": school.ownership,
                "teaching_point": school.teaching_point,
                **({"managed_by": school.managed_by} if school.managed_by else {}),
            }
            for school in places.schools
        ],
        "terms": TERMS,
        "holidays": [
            *({"date": day, "kind": "off"} for day in OFF),
            *({"date": day, "kind": "work"} for day in MADE_UP),
        ],
    }
    path = home / "organisation.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_practice(home: Path, world: World) -> None:
    """For a new user to upload by hand: a sound roll with a few changes, a faulty one, and the next list."""
    folder, school = home / PRACTICE, world.places.school(CLERKS_SCHOOL)
    records = records_of(world, school)
    del records[:1]  # this child has left
    for record in records[7::90]:
        record["就读方式"] = "住校"
    records += [newcomer_record(child, school, grade="二年级", class_no=1) for child in world.newcomers]
    write_records(folder, school, records, name="1 花名册（可直接入库）")
    records = records_of(world, school)
    for number, record in enumerate(records[9 :: BAD // 4]):
        spoil(record, kind=number)
    write_records(folder, school, records, name="2 花名册（有错误）")
    next_list = write_list(folder, world, "dibao", 2)
    next_list.rename(folder / "3 低保对象花名册（下一期）.xlsx")
    (folder / "说明.txt").write_text(
        f"""这里的文件没有导入系统，供练习使用。所有姓名和号码都是虚构的（{CODE} {NAME}并不存在）。

1 花名册（可直接入库）：{school.name}10月的花名册，转入两人、一人离校、几人改为住校。
  用学校经办人账号登录，在“花名册”里上传，看一看新增、变化和不在册的学生，再确认入库。
2 花名册（有错误）：同一所学校，有意放了一些错误。
  上传后看系统怎样逐行指出；可以下载标色的原表，改正后重新上传。
3 低保对象花名册（下一期）：民政局{DATES[2]:%Y年%m月%d日}的名单，与已导入的10月期相比有增有减。
  用资助中心账号登录，在“部门名单”里导入，名单日期填 {DATES[2]}，再做一次数据比对。
""",
        encoding="utf-8",
    )

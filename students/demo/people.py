"""One account for every role that logs in, with a readable password of this installation's own."""

import secrets
from typing import Any

from bureau.access.actions import assign, change_password, create_account
from bureau.access.roles import Role
from bureau.organisation.models import County, School, Township
from students.demo.schools import CLERKS_SCHOOL, Places

PEOPLE = (
    ("admin", "林志远", Role.ADMINISTRATOR, "办公室"),
    ("auditor", "谢文清", Role.AUDITOR, "纪检监察室"),
    ("director", "周建平", Role.SUPERVISOR, "局领导"),
    ("aid", "罗秀英", Role.AID_OFFICER, "学生资助中心"),
    ("finance", "唐国华", Role.FINANCE_OFFICER, "计财股"),
    ("basic", "陈永红", Role.BASIC_EDUCATION_OFFICER, "基教股"),
    ("inspector", "杨胜利", Role.INSPECTOR, "责任督学"),
    ("township", "吴志刚", Role.TOWNSHIP_OFFICER, "教育专干"),
    ("district", "田小兰", Role.DISTRICT_SCHOOL, "中心校业务员"),
    ("head", "何伟", Role.SCHOOL_HEAD, "校长"),
    ("clerk", "张梅", Role.SCHOOL_CLERK, "资助专干"),
)
WORDS = ("Qingshan", "Baiyun", "Songlin", "Yunling", "Qinghe", "Taoyuan", "Shiqiao", "Liulin")


def open_accounts(county: County, places: Places) -> list[dict[str, str | None]]:
    """What each may be told: name, password, role and place (its code, None for the county). The command line's `operator` cannot log in."""
    planned = places.school(CLERKS_SCHOOL)
    town = Township.objects.get(county=county, code=planned.township.code)
    inspected = list(School.objects.filter(county=county, township=town))
    own = next(school for school in inspected if school.code == planned.code)
    told = []
    for username, name, role, post in PEOPLE:
        place: dict[str, Any] = {}
        if role == Role.TOWNSHIP_OFFICER:
            place = {"township": town}
        elif role == Role.INSPECTOR:
            place = {"school": inspected[0]}
        elif role in (Role.DISTRICT_SCHOOL, Role.SCHOOL_HEAD, Role.SCHOOL_CLERK):
            place = {"school": own}
        slip = create_account(
            county=county, username=username, display_name=name, role=role, post=post, by=None, **place
        )
        if role == Role.INSPECTOR:
            for school in inspected[1:]:
                assign(account=slip.account, role=role, school=school, by=None)
        password = f"{secrets.choice(WORDS)}-{secrets.token_hex(3)}-{secrets.randbelow(90) + 10}"
        change_password(account=slip.account, password=password)
        where = place.get("school") or place.get("township")
        told.append(
            {"username": username, "password": password, "role": str(role), "place": where.code if where else None}
        )
    return told

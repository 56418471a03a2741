"""The workbook by which accounts are opened for many schools at once."""

from bureau.access.roles import Role
from bureau.sheets import Column, Sheet
from bureau.sheets.choices import Choice
from bureau.sheets.kinds import Code, Text

_OFFERED = {role.value: (role.label, role.value) for role in Role if role != Role.OPERATOR}
_OFFERED[Role.SCHOOL_CLERK] = ("学校经办人", "经办人", "资助专干", "学籍管理员", Role.SCHOOL_CLERK.value)
_OFFERED[Role.DISTRICT_SCHOOL] = ("中心校（学区）", "中心校", "学区", Role.DISTRICT_SCHOOL.value)


class AccountSheet(Sheet):
    code = layout = "accounts"
    title = "账号开设表"
    key = ("username",)
    identifiers = ("username",)
    max_rows = 3000

    username = Column(
        "账号", "用户名", "登录名", kind=Code(), required=True, example="3599010101-jb", width=22
    )
    display_name = Column(
        "姓名", "使用人", "使用人姓名", kind=Text(60), required=True, example="张三", width=14
    )
    role = Column("角色", "岗位角色", kind=Choice(_OFFERED), required=True, example="学校经办人", width=18)
    place = Column(
        "学校标识码或乡镇代码", "学校标识码", "乡镇代码", "单位代码", kind=Code(), present=True,
        example="3599010101", help="全县岗位不填。", width=24,
    )  # fmt: skip
    post = Column("岗位", "职务", kind=Text(60), example="资助专干", width=14)

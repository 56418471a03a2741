"""残联: 持证残疾人. The certificate embeds the holder's number."""

from bureau.sheets import Column, Draft
from bureau.sheets.dates import Date
from bureau.sheets.grades import Grade
from bureau.sheets.kinds import PersonName, Text

from .categories import DISABLED
from .columns import (
    GUARDIAN_NAME_WORDS,
    GUARDIAN_PHONE_WORDS,
    RegisterSheet,
    certificate_column,
    end_by_status,
    id_column,
    student_number_column,
)


class Disability(RegisterSheet):
    """持证残疾人名单; the 适龄残疾儿童入学监测 sheet adds the schooling columns."""

    code = "disability"
    layout = "3.6"
    title = "持证残疾人名单"
    either = (("citizen_id", "certificate"),)

    citizen_id = id_column(certificates=True)
    certificate = certificate_column()
    disability_kind = Column("残疾类别", "残疾类型", "类别", kind=Text(30))
    disability_level = Column("残疾等级", "等级", "残疾级别", kind=Text(30))
    listed_from = Column(
        "首次发证日期",
        "发证日期",
        "首次发证时间",
        "发证时间",
        "初次领证日期",
        "办证日期",
        kind=Date(months=True),
    )
    renewed_on = Column("换证日期", "换证时间", "换证/有效期", kind=Text(40))
    valid_until = Column("有效期", "有效期至", "有效期限", "有效截止日期", kind=Text(40))
    status = Column("证件状态", "状态", "残疾证状态", "残疾人证状态", kind=Text(60))
    hukou_kind = Column("户口性质", "户籍性质", "户口类别", kind=Text(30))
    address = Column("户籍地址", "户籍所在地", "户口所在地", "家庭住址", "地址", kind=Text(200))
    home = Column("现住址", "居住地址", "现居住地", kind=Text(200))
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_relation = Column("监护人关系", "与监护人关系", "与残疾人关系", kind=Text(30))
    guardian_phone = Column(*GUARDIAN_PHONE_WORDS, kind=RegisterSheet.phone.kind)
    schooling = Column("教育状况", "就学情况", "受教育状况", "是否入学", kind=Text(60))
    placement = Column("安置方式", "入学方式", "教育安置方式", kind=Text(60))
    school_name = Column("学校", "就读学校", "学校名称", "所在学校", kind=Text(100))
    grade = Column("年级", kind=Grade())
    student_number = student_number_column()
    not_enrolled_reason = Column("未入学原因", "不在校原因", kind=Text(100))

    @classmethod
    def settle(cls, draft: Draft) -> None:
        values = draft.values
        values["category"] = DISABLED
        if (
            "citizen_id" not in values
            and "citizen_id_damaged" not in values
            and (number := values.get("certificate"))
        ):
            values["holder_id"] = number[:18]  # often a parent's: whose it is, linkage decides
        end_by_status(draft)

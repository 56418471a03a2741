"""卫健: births and severe illness; upper platforms; and lists an officer adds."""

from bureau.sheets import ABSENT, Column, Draft
from bureau.sheets.choices import Amount
from bureau.sheets.dates import Date
from bureau.sheets.grades import Grade
from bureau.sheets.kinds import CitizenNumber, PersonName, Text

from .categories import ANY_KIND, NOT_LISTED, SEVERE_ILLNESS
from .columns import (
    BIRTH_WORDS,
    GUARDIAN_ID_WORDS,
    GUARDIAN_NAME_WORDS,
    RegisterSheet,
    certificate_column,
    code_column,
    end_by_status,
    id_column,
    student_number_column,
)


class Births(RegisterSheet):
    """出生人口名单 of the health office: children who will be of age, most without a number yet."""

    code = "births"
    layout = "births"
    title = "出生人口名单"

    name = Column("新生儿姓名", "婴儿姓名", "儿童姓名", "姓名", kind=PersonName(), present=True, width=12)
    citizen_id = id_column(minor=True)
    birth_on = Column(*BIRTH_WORDS, "出生时间", kind=Date(past=True), present=True)
    certificate_no = code_column("出生医学证明编号", "出生证编号", "出生证号", "出生医学证明号")
    mother_name = Column("母亲姓名", "母亲", kind=PersonName())
    guardian_citizen_id = Column("母亲身份证号", "母亲证件号码", "母亲身份证号码", "母亲身份证", kind=CitizenNumber(), width=22)
    father_name = Column("父亲姓名", "父亲", kind=PersonName())
    address = Column("户籍地址", "家庭住址", "母亲户籍地址", "现住址", "住址", "地址", kind=Text(200))
    listed_from = ABSENT
    listed_to = ABSENT
    relation = ABSENT
    status = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        pass


class SevereIllness(RegisterSheet):
    """重大疾病患者名单 (卫健 or 医保). What the illness is, is not kept."""

    code = "illness"
    layout = "illness"
    title = "重大疾病患者名单"
    known = (*RegisterSheet.known, "住院次数", "自付费用", "救助金额")
    forbidden = (*RegisterSheet.forbidden, "病种", "疾病", "医院", "医疗机构")

    diagnosed_on = Column("确诊日期", "确诊时间", "诊断日期", kind=Date(months=True))
    address = Column("户籍地址", "家庭住址", "现住址", "住址", "地址", kind=Text(200))

    @classmethod
    def settle(cls, draft: Draft) -> None:
        values = draft.values
        values["category"] = SEVERE_ILLNESS
        if "diagnosed_on" in values:
            values.setdefault("listed_from", values["diagnosed_on"])
        end_by_status(draft)


class ProvincialPoor(RegisterSheet):
    """全省家庭经济困难学生名单, as the provincial platform exports it."""

    code = "province_poor"
    layout = "province_poor"
    title = "省级平台困难学生名单"

    student_number = student_number_column()
    certificate = certificate_column()
    school_name = Column("学校名称", "就读学校", "学校", "学校全称", kind=Text(100))
    grade = Column("年级", "就读年级", kind=Grade())
    category = Column(
        "困难类型", "困难类别", "困难学生类别", "资助对象类别", "人员类别", "户类型", "贫困类型", kind=ANY_KIND, present=True
    )
    household_no = code_column("户编号", "家庭编号")
    head_name = Column("户主姓名", "户主", kind=PersonName())
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=CitizenNumber(), width=22)

    @classmethod
    def settle(cls, draft: Draft) -> None:
        if draft.values.get("category") == NOT_LISTED:
            draft.values["category"] = ""
        end_by_status(draft)


class AidPlatform(RegisterSheet):
    """全国学生资助管理信息系统导出: what the upper platform says was granted. It certifies no hardship."""

    code = "aid_platform"
    layout = "aid_platform"
    title = "全国资助系统受助学生名单"

    student_number = student_number_column()
    school_name = Column("学校名称", "就读学校", "学校", "院校名称", kind=Text(100))
    grade = Column("年级", "就读年级", kind=Grade())
    programme = Column("资助项目", "项目名称", "项目", "资助类型", kind=Text(60), present=True)
    term_text = Column("学期", "资助学期", "学年学期", "学年", kind=Text(40))
    amount_fen = Column("资助金额", "金额", "金额（元）", "发放金额", "资助金额（元）", kind=Amount())
    listed_from = ABSENT
    listed_to = ABSENT
    relation = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        pass


class OwnList(RegisterSheet):
    """A list an officer added in the browser: its category is the register's, unless the row has one of its own."""

    code = "own"
    layout = "own"
    title = "自建名单"

    student_number = student_number_column()
    certificate = certificate_column()
    school_name = Column("学校名称", "就读学校", "学校", "学校全称", kind=Text(100))
    grade = Column("年级", "就读年级", kind=Grade())
    household_no = code_column("户编号", "户号", "家庭编号")
    head_name = Column("户主姓名", "户主", kind=PersonName())
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=CitizenNumber(), width=22)
    address = Column("户籍地址", "家庭住址", "现住址", "住址", "地址", kind=Text(200))

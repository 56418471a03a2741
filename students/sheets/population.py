"""公安: 6–15 周岁户籍人口 and deaths."""

from functools import lru_cache

from bureau.sheets import ABSENT, Column, Draft
from bureau.sheets.dates import Date
from bureau.sheets.kinds import CitizenNumber, PersonName, Text

from .columns import GUARDIAN_ID_WORDS, GUARDIAN_NAME_WORDS, RegisterSheet, code_column, id_column

_LEFT = ("迁出", "注销", "死亡", "冻结", "户口已迁", "出国定居")


@lru_cache(maxsize=256)
def has_left(status: str) -> bool:
    return any(word in status for word in _LEFT)


class Population(RegisterSheet):
    """6–15 周岁户籍人口名单 of the police, one sheet per 派出所."""

    code = "population"
    layout = "3.7"
    title = "6–15 周岁户籍人口名单"
    known = (*RegisterSheet.known, "省市县区")

    citizen_id = id_column(minor=True, present=True)
    household_no = code_column("户号", "户编号", "户口号", "户口簿号", "户籍号")
    head_name = Column("户主姓名", "户主", kind=PersonName())
    head_citizen_id = Column(
        "户主身份证号",
        "户主身份证号码",
        "户主公民身份号码",
        "户主证件号码",
        "户主身份证",
        kind=CitizenNumber(),
        width=22,
    )
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=CitizenNumber(), width=22)
    father_name = Column("父亲姓名", "父亲", "父姓名", kind=PersonName())
    father_citizen_id = Column(
        "父亲身份证号",
        "父亲身份证号码",
        "父亲公民身份号码",
        "父亲证件号码",
        "父亲身份证",
        "父身份证号",
        "父身份证号码",
        "父公民身份号码",
        kind=CitizenNumber(),
        width=22,
    )
    mother_name = Column("母亲姓名", "母亲", "母姓名", kind=PersonName())
    mother_citizen_id = Column(
        "母亲身份证号",
        "母亲身份证号码",
        "母亲公民身份号码",
        "母亲证件号码",
        "母亲身份证",
        "母身份证号",
        "母身份证号码",
        "母公民身份号码",
        kind=CitizenNumber(),
        width=22,
    )
    police_station = Column("派出所", "所属派出所", "管辖派出所", "户籍派出所", kind=Text(60), fill_down=True)
    address = Column(
        "街路巷（乡镇村组）",
        "街路巷",
        "住址",
        "户籍地址",
        "户口所在地",
        "家庭住址",
        "现住址",
        "详细地址",
        "地址",
        "乡镇村组",
        "户籍所在地",
        kind=Text(200),
    )
    door = Column("门牌", "门牌号", "门楼牌号", "门（楼）牌号", kind=Text(60))
    moved_in_on = Column("迁入日期", "迁入时间", kind=Date(months=True))
    moved_out_on = Column("迁出日期", "迁出时间", kind=Date(months=True))
    status = Column("户籍状态", "人员状态", "状态", "户口状态", kind=Text(60))
    relation = Column("与户主关系", "户主关系", "家庭关系", "与户主的关系", kind=Text(30))
    listed_from = ABSENT
    listed_to = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        """A row that says the person moved out is a stay that ended on that day, or `off` without one."""
        values = draft.values
        if has_left(values.get("status", "")):
            if moved := values.get("moved_out_on"):
                values["listed_to"] = moved
            else:
                values["off"] = True


class Deaths(RegisterSheet):
    """Cancelled household registrations: 姓名, 公民身份号码, 注销日期, 注销原因."""

    code = "deaths"
    layout = "deaths"
    title = "死亡注销人员名单"

    cancelled_on = Column(
        "注销日期", "注销时间", "死亡日期", "死亡时间", "销户日期", kind=Date(months=True), present=True
    )
    reason = Column("注销原因", "原因", "死亡原因", "销户原因", "注销类别", kind=Text(60))
    address = Column("户籍地址", "住址", "家庭住址", "户口所在地", "地址", kind=Text(200))
    listed_from = ABSENT
    listed_to = ABSENT
    status = ABSENT
    relation = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        """The stay on a list of deaths begins on the day of the death or cancellation."""
        if on := draft.values.get("cancelled_on"):
            draft.values["listed_from"] = on

"""Columns and habits that several lists share."""

from functools import lru_cache

from bureau.sheets import Column, Draft, Sheet
from bureau.sheets.choices import Ethnicity, Sex, YesNo
from bureau.sheets.dates import Date
from bureau.sheets.intake.gate import MEGABYTE
from bureau.sheets.kinds import (
    Account,
    CitizenNumber,
    Code,
    DisabilityCertificate,
    PersonName,
    Phone,
    StudentNumber,
    Text,
)

ID_WORDS = (
    "身份证号",
    "身份证号码",
    "公民身份号码",
    "公民身份证号码",
    "公民身份证号",
    "居民身份证号",
    "居民身份证号码",
    "身份证",
    "身份证件号",
    "身份证件号码",
    "证件号码",
    "证件号",
    "有效证件号码",
    "身份号码",
    "sfzh",
    "sfzhm",
    "idno",
    "idnumber",
    "idcardno",
)
NAME_WORDS = ("姓名", "人员姓名", "学生姓名", "儿童姓名", "幼儿姓名", "本人姓名", "对象姓名", "xm", "name", "studentname")
SEX_WORDS = ("性别", "xb", "sex", "gender")
BIRTH_WORDS = ("出生日期", "出生年月日", "出生年月", "生日", "csrq", "dateofbirth", "birthdate")
NATION_WORDS = ("民族", "名族", "mz")
NUMBER_WORDS = (
    "全国学籍号",
    "学籍号",
    "国网学籍号",
    "全国统一学籍号",
    "学籍号码",
    "国家学籍号",
    "学生学籍号",
    "xjh",
)
PHONE_WORDS = (
    "联系电话",
    "电话",
    "手机",
    "手机号",
    "手机号码",
    "电话号码",
    "联系方式",
    "联系手机",
    "移动电话",
)
GUARDIAN_NAME_WORDS = (
    "监护人姓名",
    "监护人",
    "监护人1姓名",
    "监护人1",
    "家长姓名",
    "家长",
    "第一监护人",
    "法定监护人",
    "法定监护人姓名",
)
GUARDIAN_ID_WORDS = (
    "监护人身份证号",
    "监护人身份证号码",
    "监护人证件号码",
    "监护人身份证",
    "监护人身份证件号",
    "监护人公民身份号码",
    "监护人1身份证号",
    "监护人1身份证件号",
    "家长身份证号",
    "家长身份证号码",
    "法定监护人身份证号",
)
GUARDIAN_PHONE_WORDS = (
    "监护人电话",
    "监护人联系电话",
    "监护人手机",
    "监护人手机号",
    "监护人联系方式",
    "监护人1电话",
    "家长电话",
    "家长联系电话",
)
CERTIFICATE_WORDS = (
    "残疾人证号",
    "残疾证号",
    "残疾证号码",
    "残疾人证号码",
    "残疾人证",
    "残疾生证号",
    "残疾证",
    "残疾人证编号",
)
LISTED_WORDS = (
    "纳入时间",
    "纳入日期",
    "批准年月",
    "批准时间",
    "审批时间",
    "享受时间",
    "救助开始时间",
    "起始时间",
    "开始时间",
    "纳入年月",
)
ENDED_WORDS = (
    "停发时间",
    "停发日期",
    "注销时间",
    "注销日期",
    "退出时间",
    "退出日期",
    "停保时间",
    "停保日期",
    "终止时间",
    "截止时间",
)
ENDED_STATES = (
    "停发",
    "停保",
    "注销",
    "退出",
    "迁出",
    "死亡",
    "取消",
    "终止",
    "清退",
    "冻结",
    "暂停",
    "销户",
)
CURRENT_STATES = ("正常", "新增", "在保", "有效", "续保", "在享")


def name_column(**more) -> Column:
    return Column(*NAME_WORDS, kind=PersonName(), example="张小明", width=12, **more)


def id_column(*, minor: bool = False, certificates: bool = False, **more) -> Column:
    return Column(*ID_WORDS, kind=CitizenNumber(minor=minor, certificates=certificates), width=22, **more)


class RegisterSheet(Sheet):
    """A list of another office: nobody is dropped for a fault of his number."""

    strict = False
    max_rows = 1_048_575
    max_bytes = 200 * MEGABYTE
    max_unzipped = 2048 * MEGABYTE
    max_memory = 6144 * MEGABYTE
    max_seconds = 600

    county_name = Column(
        "县（市、区、旗）",
        "县",
        "区县",
        "县区",
        "县市区",
        "县（市、区）",
        "县（区）",
        kind=Text(60),
        fill_down=True,
    )
    township_name = Column(
        "乡镇",
        "乡（镇）",
        "乡",
        "镇",
        "乡镇街道",
        "乡镇（街道）",
        "乡（镇、街道）",
        "所属乡镇",
        "街道",
        "镇（街）",
        "镇街",
        kind=Text(60),
        fill_down=True,
    )
    village_name = Column(
        "行政村",
        "村",
        "村（社区）",
        "村（居）",
        "村组（社区）",
        "村社区",
        "社区",
        "村委会",
        "村（居）委会",
        "村名",
        "村居",
        "所属村",
        kind=Text(60),
        fill_down=True,
    )
    name = name_column(present=True)
    citizen_id = id_column(present=True)
    sex = Column(*SEX_WORDS, kind=Sex(), width=6)
    birth_on = Column(*BIRTH_WORDS, kind=Date(past=True))
    ethnicity = Column(*NATION_WORDS, kind=Ethnicity(), width=8)
    relation = Column("与户主关系", "户主关系", "家庭关系", "与户主的关系", "成员关系", "关系", kind=Text(30))
    phone = Column(*PHONE_WORDS, "本人电话", "人联系电话", "户联系电话", kind=Phone())
    status = Column("状态", "人员状态", "当前状态", "保障状态", "发放状态", kind=Text(60))
    listed_from = Column(*LISTED_WORDS, kind=Date(months=True))
    listed_to = Column(*ENDED_WORDS, kind=Date(months=True))

    @classmethod
    def settle(cls, draft: Draft) -> None:
        end_by_status(draft)


@lru_cache(maxsize=1024)
def _has_ended(status: str) -> bool:
    return any(word in status for word in ENDED_STATES)


def end_by_status(draft: Draft) -> None:
    """A status that ends the stay without a date gives `off`; with a date, `listed_to` says it all.

    A current status beats a date left over from an earlier stay.
    """
    values = draft.values
    status = values.get("status") or ""
    if _has_ended(status) and "listed_to" not in values:
        values["off"] = True
    elif status in CURRENT_STATES:
        values.pop("listed_to", None)


def account_column(*more: str) -> Column:
    return Column(
        "账号",
        "银行账号",
        "银行卡号",
        "卡号",
        "一卡通账号",
        "一折通账号",
        "社保卡账号",
        "帐号",
        "银行帐号",
        "发放账号",
        "存折账号",
        "一卡通号",
        "收款账号",
        *more,
        kind=Account(),
        width=24,
    )


def certificate_column(**more) -> Column:
    return Column(*CERTIFICATE_WORDS, kind=DisabilityCertificate(), width=24, **more)


def student_number_column(**more) -> Column:
    return Column(*NUMBER_WORDS, kind=StudentNumber(), width=22, **more)


def code_column(*headers: str, **more) -> Column:
    return Column(*headers, kind=Code(), width=20, **more)


def yes_no_column(*headers: str) -> Column:
    return Column(*headers, kind=YesNo(), width=8)

"""民政: 低保 in three shapes, 特困, 孤儿 and 事实无人抚养, 低保边缘 and 刚性支出困难."""

import re

from bureau.sheets import ABSENT, Column, Draft
from bureau.sheets.cells import compact, tidy
from bureau.sheets.dates import Date
from bureau.sheets.grades import Grade
from bureau.sheets.kinds import CitizenNumber, PersonName, Text

from .categories import CHILD_KIND, DIBAO, DIBAO_MARGIN, NOT_LISTED, ORPHAN, SOCIAL_KIND, TEKUN
from .columns import (
    ENDED_STATES,
    GUARDIAN_ID_WORDS,
    GUARDIAN_NAME_WORDS,
    GUARDIAN_PHONE_WORDS,
    ID_WORDS,
    NAME_WORDS,
    RegisterSheet,
    account_column,
    certificate_column,
    code_column,
    end_by_status,
    id_column,
)

_HEAD_NAME = (
    "户主姓名",
    "户主",
    "申请人姓名",
    "申请人",
    "救助对象姓名",
    "保障对象姓名",
    "持证人姓名",
    "持证人",
)
_HEAD_ID = (
    "户主身份证号",
    "户主身份证号码",
    "户主身份证",
    "户主公民身份号码",
    "户主证件号码",
    "申请人身份证号",
    "申请人身份证号码",
    "持证人身份证号",
)
_MEMBER_NAME = (
    "成员姓名",
    "家庭成员姓名",
    "共同生活成员姓名",
    "共同生活家庭成员姓名",
    "家庭成员",
    "保障人员姓名",
)
_MEMBER_ID = (
    "成员身份证号",
    "成员身份证号码",
    "家庭成员身份证号",
    "家庭成员身份证号码",
    "成员身份证",
    "成员公民身份号码",
    "成员证件号码",
    "共同生活成员身份证号",
    "保障人员身份证号",
)


_SIDEWAYS = tuple(  # headers that `sideways` reads
    f"{whose}成员{n}{what}"
    for whose in ("", "家庭")
    for n in (*range(1, 11), *"一二三四五六七八九十")
    for what in ("", "姓名", "关系", "与户主关系", "性别", "身份证", "身份证号", "身份证号码", "证件号", "证件号码", "公民身份号码")
)


class CivilAffairsSheet(RegisterSheet):
    """What lists of civil affairs share. The remark column is where they write 停发 and 新增."""

    group = Column("组", "村民小组", "村组", "小组", kind=Text(60), fill_down=True)
    remark = Column("备注", "说明", "变动情况", "增减情况", "动态", kind=Text(200))
    account = account_column()
    bank_name = Column("开户行", "开户银行", "开户银行名称", "银行名称", kind=Text(80))
    account_name = Column("开户名", "户名", "账户名", "账户姓名", kind=PersonName())
    known = (
        *(word for word in RegisterSheet.known if word not in ("备注", "说明")),
        *("保障人数", "致困原因", "月人均补差", "月保障金额", "月供养金", "照料护理费", "月标准"),
    )

    default_category = DIBAO

    @classmethod
    def settle(cls, draft: Draft) -> None:
        values = draft.values
        values.setdefault("category", cls.default_category)
        remark = values.get("remark", "")
        if "status" not in values and any(word in remark[:12] for word in ENDED_STATES):
            values["status"] = remark[:60]
        end_by_status(draft)


class Dibao(CivilAffairsSheet):
    """低保, one row per member; the head's columns stand beside the member's."""

    code = "dibao"
    layout = "3.3"
    title = "低保对象名单（每人一行）"

    name = Column(*_MEMBER_NAME, *NAME_WORDS, kind=PersonName(), present=True, width=12)
    citizen_id = Column(*_MEMBER_ID, *ID_WORDS, kind=CitizenNumber(certificates=True), present=True, width=22)
    head_name = Column(*_HEAD_NAME, kind=PersonName(), fill_down=True)
    head_citizen_id = Column(*_HEAD_ID, kind=CitizenNumber(), fill_down=True, width=22)
    household_no = code_column(
        "低保证号",
        "低保证编号",
        "保障编号",
        "低保编号",
        "户编号",
        "保障证号",
        "低保号",
        "救助证号",
        "户号",
        fill_down=True,
    )
    relation = Column(
        "与户主关系",
        "户主关系",
        "家庭关系",
        "与户主的关系",
        "与申请人关系",
        "成员关系",
        "成员与户主关系",
        "关系",
        kind=Text(30),
    )
    dibao_class = Column(
        "保障类别",
        "低保类别",
        "类别",
        "保障等级",
        "救助类别",
        "档次",
        "低保档次",
        kind=Text(30),
        fill_down=True,
    )
    area = Column("城乡类别", "城乡", "城乡类型", "低保类型", "保障类型", kind=Text(30), fill_down=True)

    @classmethod
    def settle(cls, draft: Draft) -> None:
        category_word(draft, "dibao_class", "area")
        super().settle(draft)


class DibaoHouseholds(Dibao):
    """低保, one row per household: only the head is named, or the members stand sideways.

    成员1姓名, 成员1身份证号, 成员1与户主关系 … become values["members"], a list of dictionaries with name, citizen_id (or
    citizen_id_damaged) and relation. The head is the row's own person.
    """

    code = "dibao"
    layout = "3.3-household"
    title = "低保家庭名单（每户一行）"
    known = (*Dibao.known, *_SIDEWAYS)

    name = Column(*_HEAD_NAME, kind=PersonName(), present=True, width=12)
    citizen_id = Column(*_HEAD_ID, *ID_WORDS, kind=CitizenNumber(), present=True, width=22)
    head_name = ABSENT
    head_citizen_id = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        super().settle(draft)
        values = draft.values
        values.setdefault("relation", "户主")
        if "name" in values:
            values["head_name"] = values["name"]
        if "citizen_id" in values:
            values["head_citizen_id"] = values["citizen_id"]
        if members := sideways(draft):
            values["members"] = members


_MEMBER = re.compile(r"(?:家庭|共同生活)?成员(\d{1,2}|[一二三四五六七八九十])[/\-:：]?(.*)")
_CLAIMS = {
    "姓名": "name",
    "": "name",
    "名字": "name",
    "关系": "relation",
    "与户主关系": "relation",
    "性别": "sex_text",
}
_name, _number = PersonName(), CitizenNumber(certificates=True)


def sideways(draft: Draft) -> list[dict]:
    """Members written side by side in one row; a fault in one of them is kept as text, like anywhere else."""
    found: dict[str, dict] = {}
    for header, text in draft.others():
        match = _MEMBER.fullmatch(compact(header))
        if match is None:
            continue
        member, what = found.setdefault(match.group(1), {}), match.group(2)
        if any(word in what for word in ("身份证", "证件号", "身份号码")):
            _keep(member, "citizen_id", _number, text, draft)
        elif attr := _CLAIMS.get(what):
            if attr == "name":
                _keep(member, "name", _name, text, draft)
            else:
                member[attr] = tidy(text)
    return [member for member in found.values() if "name" in member or "citizen_id" in member]


def _keep(member: dict, attr: str, kind, text: str, draft: Draft) -> None:
    value, fault = draft.read(kind, text)
    if value is not None:
        member[attr] = value
    elif attr == "name":
        member["name"] = tidy(text)
    elif fault is not None:
        member["citizen_id_damaged"] = compact(text)
        draft.report("name", "value_unread", f"成员“{member.get('name', '')[:1]}*”的身份证号有误：{fault}")


def category_word(draft: Draft, *attrs: str) -> None:
    """Take the category from the first of these texts that names one."""
    values = draft.values
    for attr in attrs:
        if (text := values.get(attr)) and (category := SOCIAL_KIND.find(text)):
            values["category"] = category
            return


class Tekun(CivilAffairsSheet):
    """特困供养: elderly people and children in one sheet."""

    code = "tekun"
    layout = "3.4"
    title = "特困供养人员名单"
    default_category = TEKUN

    citizen_id = id_column(certificates=True, present=True)
    support = Column("供养方式", "供养类型", "供养形式", "类别", "人员类别", "救助供养方式", kind=Text(30))
    institution = Column("供养机构", "供养单位", "敬老院", "机构名称", kind=Text(100))
    self_care = Column("自理能力", "生活自理能力", "能力评估", "失能等级", kind=Text(30))
    carer = Column("照料人", "照料护理人", "照料责任人", kind=Text(60))
    household_no = code_column("特困证号", "供养证号", "救助证号", "户编号", "证号")


class Orphan(CivilAffairsSheet):
    """孤儿 and 事实无人抚养儿童: the row's 类别 says which."""

    code = "orphan"
    layout = "3.5"
    title = "孤儿、事实无人抚养儿童名单"
    default_category = ORPHAN

    citizen_id = id_column(minor=True, present=True)
    child_kind = Column(
        "类别", "儿童类别", "儿童类型", "人员类别", "对象类别", "孤儿类型", "类型", kind=CHILD_KIND
    )
    care = Column("养育方式", "安置方式", "养育类型", "供养方式", kind=Text(30))
    health = Column("健康状况", "身体状况", kind=Text(60))
    certificate = certificate_column()
    father_name = Column("父亲姓名", "父亲", "父姓名", kind=PersonName())
    father_citizen_id = Column(
        "父亲身份证号", "父亲身份证", "父亲身份证号码", "父身份证号", kind=CitizenNumber(), width=22
    )
    father_state = Column("父亲状况", "父亲情况", "父亲状态", kind=Text(60))
    mother_name = Column("母亲姓名", "母亲", "母姓名", kind=PersonName())
    mother_citizen_id = Column(
        "母亲身份证号", "母亲身份证", "母亲身份证号码", "母身份证号", kind=CitizenNumber(), width=22
    )
    mother_state = Column("母亲状况", "母亲情况", "母亲状态", kind=Text(60))
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_relation = Column("监护人关系", "与监护人关系", "与儿童关系", "监护人与儿童关系", kind=Text(30))
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=CitizenNumber(), width=22)
    phone = Column(
        *GUARDIAN_PHONE_WORDS, "联系电话", "电话", "手机号码", "联系方式", kind=RegisterSheet.phone.kind
    )
    school_name = Column("就读学校", "学校", "学校名称", "所在学校", kind=Text(100))
    grade = Column("年级", "就读年级", kind=Grade())

    @classmethod
    def settle(cls, draft: Draft) -> None:
        values = draft.values
        kind = values.pop("child_kind", None)
        if kind == NOT_LISTED:
            values["off"] = True
            end_by_status(draft)
            return
        if kind is not None:
            values["category"] = kind
        super().settle(draft)


class LowIncome(Dibao):
    """低保边缘家庭 and 刚性支出困难家庭, one row per member."""

    code = "low_income"
    layout = "low_income"
    title = "低保边缘、刚性支出困难家庭名单"
    default_category = DIBAO_MARGIN

    household_no = code_column(
        "证号", "救助证号", "户编号", "编号", "保障编号", "认定编号", "家庭编号", "户号", fill_down=True
    )
    dibao_class = Column(
        "类别",
        "对象类别",
        "家庭类型",
        "困难类型",
        "认定类别",
        "救助类别",
        "人员类别",
        "家庭类别",
        "困难类别",
        kind=Text(30),
        fill_down=True,
    )
    listed_from = Column(
        "认定时间",
        "认定日期",
        "纳入时间",
        "批准时间",
        "批准年月",
        "审批时间",
        "起始时间",
        kind=Date(months=True),
    )


class LowIncomeHouseholds(DibaoHouseholds):
    """The same, one row per household."""

    code = "low_income"
    layout = "low_income-household"
    title = "低保边缘、刚性支出困难家庭名单（每户一行）"
    default_category = DIBAO_MARGIN
    dibao_class = LowIncome.dibao_class
    household_no = LowIncome.household_no
    listed_from = LowIncome.listed_from

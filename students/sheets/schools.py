"""What schools send, and the county's 学籍 export in the same columns."""

from functools import lru_cache
from typing import ClassVar

from bureau.identity import parse_yes_no
from bureau.identity.codes import parse_kinship
from bureau.identity.names import names_agree
from bureau.sheets import ABSENT, SKIPPED, Column, Draft, Problem, Reading, Sheet, across
from bureau.sheets.choices import Amount, Ethnicity, Integer, Sex, YesNo
from bureau.sheets.codes import WARNING
from bureau.sheets.dates import Date, YearMonth
from bureau.sheets.grades import ClassName, Grade
from bureau.sheets.kinds import CitizenNumber, DocumentKind, PersonName, Phone, Text
from bureau.sheets.totals import out_of_scale

from .categories import ANY_KIND
from .columns import (
    BIRTH_WORDS,
    GUARDIAN_ID_WORDS,
    GUARDIAN_NAME_WORDS,
    GUARDIAN_PHONE_WORDS,
    NATION_WORDS,
    PHONE_WORDS,
    SEX_WORDS,
    RegisterSheet,
    account_column,
    certificate_column,
    id_column,
    name_column,
    student_number_column,
)
from .relations import Relation
from .vocational import Agricultural, ProgrammeYears, place_internship

SCHOOL_NAME = (
    "学校名称",
    "学校",
    "学校全称",
    "就读学校",
    "校名",
    "所在学校",
    "学校（园）名称",
    "园所名称",
    "幼儿园名称",
    "幼儿园",
    "园名",
    "技工院校",
    "技工院校名称",
    "院校名称",
    "就读院校",
    "所在院校",
)
SCHOOL_CODE = (
    "学校标识码",
    "学校代码",
    "学校（机构）标识码",
    "学校机构代码",
    "机构标识码",
    "学校编码",
    "标识码",
    "校代码",
)


class _PupilColumns(Sheet):
    """Columns of a pupil as schools and the 学籍 system write them."""

    school_name = Column(*SCHOOL_NAME, kind=Text(100), fill_down=True, width=20)
    school_code = Column(*SCHOOL_CODE, kind=Text(20, digits=True), fill_down=True, width=14)
    grade = Column(
        "年级",
        "年级名称",
        "所在年级",
        "就读年级",
        "年龄班",
        "班型",
        "grade",
        kind=Grade(),
        fill_down=True,
        example="三年级",
        width=10,
    )
    class_name = Column(
        "班级",
        "班级名称",
        "所在班级",
        "班",
        "班别",
        "class",
        kind=ClassName(),
        fill_down=True,
        example="1班",
        width=10,
    )
    name = name_column(required=True)
    sex = Column(*SEX_WORDS, kind=Sex(), example="男", width=6)
    student_number = student_number_column()
    local_number = Column("学籍辅号", "校内学号", "学号", "班内学号", kind=Text(40, digits=True))
    document_kind = Column(
        "身份证件类型", "证件类型", "证件类别", "身份证类型", kind=DocumentKind(), width=14
    )
    citizen_id = id_column(minor=True, required=True, example="990101201205030011")
    birth_on = Column(*BIRTH_WORDS, kind=Date(past=True), example="2012-05-03")
    ethnicity = Column(*NATION_WORDS, kind=Ethnicity(), example="汉族", width=8)
    hukou = Column(
        "户口所在地", "户籍所在地", "户籍地址", "户籍地", "户口地址", "户籍", kind=Text(200), width=24
    )
    hukou_kind = Column("户口性质", "户籍性质", "户口类别", kind=Text(30))
    home = Column("现住址", "家庭住址", "家庭地址", "现居住地", "居住地址", "住址", kind=Text(200), width=24)
    boarding = Column(
        "就读方式", "是否住校", "是否寄宿", "住宿情况", "寄宿情况", kind=Text(20), example="走读"
    )
    status = Column("学籍状态", "学生状态", "学生当前状态", "状态", "在校状态", kind=Text(30), example="在籍")
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_relation = Column(
        "监护人关系", "监护人与学生关系", "与监护人关系", "与学生关系", "监护人1关系", kind=Relation()
    )
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=CitizenNumber(), width=22)
    phone = Column(*PHONE_WORDS, kind=Phone())
    guardian_phone = Column(*GUARDIAN_PHONE_WORDS, kind=Phone())
    entered = Column("入学年月", "入学时间", "入学日期", "入园时间", "入园年月", "入园日期", kind=YearMonth())
    major = Column("专业", "专业名称", "所学专业", "就读专业", "专业（工种）", kind=Text(60), example="电子商务")
    agricultural = Column("是否涉农", "是否涉农专业", "涉农专业", "涉农", kind=Agricultural(), width=10)
    programme_years = Column("学制", "学制（年）", "学习年限", "修业年限", kind=ProgrammeYears(), example="3", width=8)
    internship_state = Column("实习状态", "是否实习", "实习情况", "是否顶岗实习", "岗位实习", "实习", kind=Text(30))
    internship_place = Column("实习单位", "实习企业", "实习单位名称", "顶岗实习单位", "岗位实习单位", kind=Text(60))
    former_name = Column("曾用名", kind=PersonName())
    left_behind = Column("是否留守儿童", "留守儿童", "是否留守", kind=Text(30))
    migrant = Column("是否进城务工人员随迁子女", "随迁子女", "是否随迁子女", kind=Text(30))
    disability = Column("残疾类型", "残疾类别", "残疾情况", kind=Text(30))
    certificate = certificate_column()
    health = Column("健康状况", kind=Text(30))

    key: ClassVar[tuple[str, ...]] = ("citizen_id", "school_code", "school_name")

    @classmethod
    def review(cls, reading: Reading) -> None:
        if cls.strict:
            across.namesakes(reading)


class ClassRoll(_PupilColumns):
    """班级花名册 of a school of any stage: the columns of the daily 学籍 export, or fewer.

    Whether age and grade agree is asked once the school is known: its stages say what 一年级 means.
    """

    code = "roll"
    layout = "3.9b"
    title = "学生花名册"
    either: ClassVar[tuple[tuple[str, ...], ...]] = (("grade", "class_name"),)
    named_by_sheet = "class_name"

    @classmethod
    def settle(cls, draft: Draft) -> None:
        board(draft.values)
        place_internship(draft)


def board(values: dict) -> None:
    """就读方式 or 是否寄宿 as `boarder`, beside the text."""
    text = values.get("boarding")
    if text is not None and (answer := _boards(text)) is not None:
        values["boarder"] = answer


@lru_cache(maxsize=1024)
def _boards(text: str) -> bool | None:
    if any(word in text for word in ("走读", "不住", "不寄", "非寄", "通学")):
        return False
    if any(word in text for word in ("住校", "寄宿", "住宿", "内宿")):
        return True
    return parse_yes_no(text)


_OF_MEMBERS = ("姓名 关系 关系说明 民族 工作单位 现住址 户口所在地 联系电话 是否监护人 证件类型 证件号 职务").split()
_OF_NATIONAL_FORM = (
    *("政治面貌", "姓名拼音", "身份证件有效期", "特长", "学生来源", "通信地址", "邮政编码", "电子信箱", "主页地址"),
    *("是否独生子女", "是否受过学前教育", "是否由政府购买学位", "上下学距离", "上下学交通方式", "是否需要乘坐校车"),
    *(f"成员{i}{what}" for i in (1, 2) for what in _OF_MEMBERS),
)


class NationalRoll(ClassRoll):
    """学籍系统学生基本信息, the national form of 48 columns and more."""

    known = (*ClassRoll.known, *_OF_NATIONAL_FORM)
    layout = "3.9"
    title = "学籍系统学生基本信息"

    birthplace = Column("出生地", "出生地行政区划代码", kind=Text(40, digits=True))
    native_place = Column("籍贯", kind=Text(60))
    overseas = Column("港澳台侨外", kind=Text(30), present=True)
    nationality = Column("国籍/地区", "国籍地区", "国籍", kind=Text(30))
    entry_kind = Column("入学方式", kind=Text(30))
    orphan = Column("是否孤儿", "孤儿", kind=Text(20))
    martyr_child = Column("是否烈士或优抚子女", kind=Text(20))
    inclusive = Column("随班就读", "是否随班就读", kind=Text(20))
    needs_aid = Column("是否需要申请资助", kind=Text(20))
    gets_supplement = Column("是否享受一补", kind=Text(20))
    guardian_name = Column("成员1姓名", "成员1", "家庭成员1姓名", *GUARDIAN_NAME_WORDS, kind=PersonName())
    guardian_relation = Column("成员1关系", "家庭成员1关系", "监护人关系", kind=Relation())
    guardian_legal = Column("成员1是否监护人", "家庭成员1是否监护人", kind=YesNo())
    guardian_citizen_id = Column(
        "成员1证件号",
        "成员1证件号码",
        "成员1身份证件号",
        "家庭成员1身份证件号",
        *GUARDIAN_ID_WORDS,
        kind=CitizenNumber(),
        width=22,
    )
    guardian_phone = Column("成员1联系电话", "家庭成员1联系电话", *GUARDIAN_PHONE_WORDS, kind=Phone())


class TechnicalRoll(ClassRoll):
    """技工院校 rolls as 人社 keeps them: a 学籍注册号 of its own, and no 全国学籍号."""

    layout = "3.9t"
    title = "技工院校学生名册"

    student_number = ABSENT
    local_number = Column(
        "学籍注册号", "注册学号", "学籍编号", "技校学籍号", "学籍号", "学号", kind=Text(40, digits=True)
    )
    level = Column("培养层次", "培养等级", "技能等级", "办学层次", kind=Text(30), example="中级技工")
    study_form = Column("学习形式", "办学形式", "学习方式", kind=Text(30))


class AidRoster(_PupilColumns):
    """学校资助申请（发放）花名册. Amounts in yuan, kept in fen."""

    code = "aid"
    layout = "3.10"
    title = "资助花名册"
    known = (*_PupilColumns.known, "监护人签字", "学生签字", "领款人签字", "签字")
    shared_account_most = 4  # children of one household and their cousins; beyond that the account is somebody's own
    usual_amounts = range(500, 2_000_000)  # fen: 5 to 20,000 yuan for one pupil and term
    key: ClassVar[tuple[str, ...]] = ("citizen_id", "school_code", "school_name", "programme", "term")

    hardship = Column(
        "困难类别",
        "困难类型",
        "家庭困难类型",
        "贫困类型",
        "类别",
        "资助对象类别",
        "困难学生类别",
        kind=ANY_KIND,
        example="脱贫户",
    )
    tier = Column("认定等级", "困难等级", "困难认定等级", "等级", "认定档次", kind=Text(30))
    programme = Column(
        "资助项目", "项目", "资助类型", "项目名称", "资助项目名称", kind=Text(60), present=True
    )
    term = Column("学期", "资助学期", "年度学期", "所属学期", kind=Text(30))
    rate_fen = Column("标准（元）", "标准", "资助标准", "资助标准（元）", "发放标准", kind=Amount())
    months = Column("月数/学期数", "月数", "学期数", "发放月数", kind=Integer(least=1, most=12), width=8)
    amount_fen = Column(
        "金额（元）",
        "金额",
        "资助金额",
        "资助金额（元）",
        "发放金额",
        "发放金额（元）",
        "实发金额",
        "金额元",
        kind=Amount(),
        required=True,
    )
    account_name = Column("户名", "开户名", "账户名", "账户姓名", "收款人", "户主姓名", kind=PersonName())
    account_relation = Column("与学生关系", "户名与学生关系", "账户与学生关系", kind=Relation())
    account_citizen_id = Column(
        "户名身份证号", "账户身份证号", "开户人身份证号", "收款人身份证号", kind=CitizenNumber(), width=22
    )
    bank_name = Column("开户行", "开户银行", "银行名称", "开户银行名称", kind=Text(80))
    account = account_column()
    guardian_relation = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        board(draft.values)
        _check_holder(draft)

    @classmethod
    def review(cls, reading: Reading) -> None:
        super().review(reading)
        rows = [row for row in reading.rows if row.status != SKIPPED]
        across.shared(reading, rows, "account", most=cls.shared_account_most)
        for table in reading.tables:
            own = [row for row in rows if row.table is table and row.get("amount_fen")]
            expected = [
                rate * months if (rate := row.get("rate_fen")) and (months := row.get("months")) else rate for row in own
            ]
            amounts = [row.get("amount_fen") for row in own]
            if off := out_of_scale(amounts, expected, cls.usual_amounts):
                header = table.header("amount_fen")
                message = f"“{header}”{off}，请核对是否以元填写。"
                reading.problems.append(Problem(table.sheet, None, header, WARNING, "amount_scale", message))


ONESELF, NO_KIN = "01", "99"  # GB/T 4761


def _check_holder(draft: Draft) -> None:
    """The account is the child's own, or of kin as declared: grandparents are the usual payees, strangers are not."""
    values = draft.values
    holder, name, relation = (values.get(attr) for attr in ("account_name", "name", "account_relation"))
    if not holder or not name or names_agree(holder, name) in ("same", "damaged", "homophone"):
        return
    kinship = parse_kinship(relation) if relation else None
    if kinship == ONESELF:
        message = f"关系填的是“{relation}”，但户名与学生姓名不同，请核对户名或关系。"
    elif not relation:
        message = "户名不是学生本人，请在“与学生关系”列填写关系。"
    elif kinship in (None, NO_KIN):
        message = f"户名不是学生本人，关系“{relation}”不是亲属，请核对。"
    else:
        return
    draft.report("account_name", "holder_relation", message)


class Xueji(RegisterSheet, _PupilColumns):
    """The county's own 学籍 export of many schools; who stands in it is 在籍."""

    code = "xueji"
    layout = "3.9b"
    title = "学籍系统导出（全县）"
    strict = False
    key: ClassVar[tuple[str, ...]] = ("citizen_id", "school_code", "school_name")

    name = name_column(present=True)
    citizen_id = id_column(minor=True, present=True)
    status = _PupilColumns.status
    phone = _PupilColumns.phone
    township_name = ABSENT
    village_name = ABSENT
    county_name = ABSENT
    relation = ABSENT
    listed_from = ABSENT
    listed_to = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        board(draft.values)


class NationalXueji(Xueji, NationalRoll):
    """The same in the national form."""

    code = "xueji"
    layout = "3.9"
    title = "学籍系统学生基本信息（全县）"
    strict = False
    known = NationalRoll.known
    either: ClassVar[tuple[tuple[str, ...], ...]] = ()

    name = name_column(present=True)
    citizen_id = id_column(minor=True, present=True)

    @classmethod
    def settle(cls, draft: Draft) -> None:
        board(draft.values)

"""乡村振兴: lifted and monitored households in four layouts, and the county's own student pool."""

from bureau.sheets import ABSENT, Column, Draft
from bureau.sheets.choices import Choice
from bureau.sheets.dates import Date
from bureau.sheets.grades import ClassName, Grade
from bureau.sheets.kinds import DocumentKind, PersonName, Text

from .categories import LIFTED_POOR, MONITORED, NOT_LISTED, POVERTY_KIND, REGISTERED_POOR, UNDER_WATCH
from .columns import (
    RegisterSheet,
    certificate_column,
    code_column,
    end_by_status,
    id_column,
    student_number_column,
    yes_no_column,
)

_KIND_HEADERS = ("户类型", "农户类型", "家庭类型", "贫困类型", "对象类型", "人员类型", "人员类别", "户类别")
_WATCH_HEADERS = (
    "易返贫致贫户（监测对象）类型",
    "监测对象类别",
    "监测对象类型",
    "易返贫致贫户类型",
    "监测类型",
    "监测户类型",
    "监测类别",
    "监测对象",
)


class PovertySheet(RegisterSheet):
    """What all lists of the poverty system share."""

    known = (
        *RegisterSheet.known, "人数", "政治面貌", "文化程度", "健康状况", "劳动技能", "是否务工", "务工时间（月）", "是否现役军人",
        "是否参加大病保险", "参加大病医疗", "脱贫年度", "致贫原因1", "主要致贫原因", "危房户", "是否解决安全饮用水", "人均纯收入",
        "开户银行名称", "银行卡号", "数据日期",
    )  # fmt: skip
    citizen_id = id_column(certificates=True, present=True)
    natural_village = Column("自然村", "村民小组", "组", "村组", "小组", kind=Text(60), fill_down=True)
    household_no = code_column("户编号", "户号", "家庭编号", "户编码", "贫困户编号")
    person_no = code_column("人编号", "人员编号", "成员编号", "人编码")
    head_name = Column("户主姓名", "户主", kind=PersonName())
    kind_word = Column(*_KIND_HEADERS, kind=POVERTY_KIND)
    watch_word = Column(*_WATCH_HEADERS, kind=POVERTY_KIND)
    poor_word = Column("贫困户属性", "贫困属性", kind=POVERTY_KIND)
    lifted_word = Column(
        "脱贫属性",
        "脱贫状态",
        "是否脱贫",
        kind=Choice(
            {
                "lifted": (
                    "已脱贫",
                    "脱贫",
                    "是",
                    "稳定脱贫",
                    "享受政策",
                    "已脱贫享受政策",
                    "已脱贫不享受政策",
                ),
                "poor": ("未脱贫", "否", "返贫", "未脱"),
            },
            within=True,
        ),
    )
    first_on = Column(
        "首次识别时间", "首次识别日期", "户识别时间", "识别年度", "首次纳入时间", kind=Date(months=True)
    )
    person_on = Column("人员识别时间", "人员识别日期", "成员识别时间", kind=Date(months=True))
    risk_on = Column(
        "风险识别时间", "识别时间", "识别日期", "监测识别时间", "认定时间", kind=Date(months=True)
    )
    risk_cleared = yes_no_column("风险是否消除", "风险是否已消除", "是否消除风险", "是否风险消除", "风险消除")
    risk_cleared_on = Column(
        "风险消除时间", "风险消除日期", "消除时间", "消除日期", "风险解除时间", kind=Date(months=True)
    )
    school_name = Column("就读学校", "学校", "学校名称", "所在学校", "在读学校", "学校全称", kind=Text(100))
    study_text = Column("在校生状况", "在校情况", "在校状况", "就学情况", "学生状况", kind=Text(60))
    student_number = student_number_column()
    certificate = certificate_column()

    default_category = LIFTED_POOR
    watch_first = False  # which of the row's words speaks first

    @classmethod
    def settle(cls, draft: Draft) -> None:
        values = draft.values
        _certificate_from_id(draft)
        category = cls._category(values)
        if category == NOT_LISTED:
            values["off"] = True
        elif category == MONITORED:
            attr = "watch_word" if draft.text("watch_word") else "name"
            draft.report(attr, "unknown_value", "看不出是哪一类监测对象，请填写监测对象类别。")
        else:
            values["category"] = category
        cls._dates(values, category)
        end_by_status(draft)

    @classmethod
    def _category(cls, values: dict) -> str:
        kind, watch, poor = (values.pop(word, None) for word in ("kind_word", "watch_word", "poor_word"))
        lifted = values.pop("lifted_word", None)
        said = [watch, kind, poor] if cls.watch_first else [kind, watch, poor]
        precise = [word for word in said if word not in (None, NOT_LISTED, MONITORED)]
        if precise:
            if precise[0] == REGISTERED_POOR and lifted == "lifted":
                return LIFTED_POOR  # 贫困户属性 keeps the old word after the household was lifted
            return precise[0]
        if lifted is not None:
            return LIFTED_POOR if lifted == "lifted" else REGISTERED_POOR
        if NOT_LISTED in said and MONITORED not in said:
            return NOT_LISTED
        return cls.default_category

    @classmethod
    def _dates(cls, values: dict, category: str) -> None:
        first, person, risk = (values.pop(name, None) for name in ("first_on", "person_on", "risk_on"))
        own = values.get("listed_from")
        order = (risk, own, person, first) if cls.watch_first else (own, person, first, risk)
        start = next((day for day in order if day is not None), None)
        if start is not None:
            values["listed_from"] = start
        if category not in UNDER_WATCH and not cls.watch_first:
            return  # a household stays lifted whether or not a risk was cleared
        if values.get("risk_cleared"):
            if cleared := values.get("risk_cleared_on"):
                values["listed_to"] = cleared
            elif "listed_to" not in values:
                values["off"] = True


def _certificate_from_id(draft: Draft) -> None:
    trouble = draft.troubles.get("citizen_id")
    if trouble is not None and trouble[0] == "certificate_as_id":
        draft.values.setdefault("certificate", "".join(draft.text("citizen_id").split()).upper())


class Poverty(PovertySheet):
    """已脱贫人口、边缘易致贫人口 of the national system."""

    code = "poverty"
    layout = "3.1"
    title = "已脱贫人口、边缘易致贫人口名单"


class PovertyBefore2021(PovertySheet):
    """建档立卡户人口信息表, up to 2020: 脱贫属性 and 贫困户属性 instead of 户类型."""

    code = "poverty"
    layout = "3.1b"
    title = "建档立卡户人口信息表"
    document_kind = Column("证件类型", "身份证件类型", "证件类别", kind=DocumentKind())
    lifted_word = Column("脱贫属性", "脱贫状态", "是否脱贫", kind=PovertySheet.lifted_word.kind, present=True)
    default_category = REGISTERED_POOR


class PovertyFromProvince(PovertySheet):
    """Poor students as the province hands them to education: no category, often no school."""

    code = "poverty"
    layout = "3.1c"
    title = "省下发困难学生名单"
    age = Column("年龄", "周岁", kind=Text(10), present=True)


class Monitored(PovertySheet):
    """防返贫监测对象: 监测对象类别 and the risk's own dates speak first."""

    code = "monitored"
    layout = "3.8"
    title = "防返贫监测对象名单"
    known = (*PovertySheet.known, "风险类型", "帮扶措施", "帮扶责任人", "单位", "消除方式")
    default_category = MONITORED
    watch_first = True


class StudentPool(PovertySheet):
    """县域脱贫家庭学生库 of the county's aid centre, typed by townships."""

    code = "student_pool"
    layout = "3.2"
    title = "县域脱贫家庭学生库"
    known = (
        *PovertySheet.known, "学期", "省市", "是否6-15周岁", "是否残疾生", "镇内/镇外", "县内/县外", "省内/省外",
        "本学期是否享受资助", "本学期是否享受本县资助", "资助项目", "资助金额", "营养餐金额",
    )  # fmt: skip

    citizen_id = id_column(minor=True, present=True)
    county_name = Column("区县", "县", "县（市、区）", "省市区县", kind=Text(60), fill_down=True)
    village_name = Column("村组（社区）", "村组", "村", "村（社区）", "行政村", kind=Text(60), fill_down=True)
    natural_village = ABSENT
    of_poor_family = yes_no_column("是否脱贫家庭学生", "是否脱贫户学生", "是否建档立卡学生")
    stage_text = Column("学段", "教育阶段", kind=Text(30))
    grade = Column("年级", kind=Grade())
    class_name = Column("班级", kind=ClassName())
    boarding = Column("就读方式", "是否寄宿", "是否住校", kind=Text(20))
    absence_reason = Column("不在校原因", "未在校原因", kind=Text(100))
    lifted_word = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        super().settle(draft)
        if (
            draft.values.pop("of_poor_family", True) is False
            and draft.values.get("category") == cls.default_category
        ):
            draft.values.pop("category")
            draft.values["off"] = True

"""Lists that say where a child is who is in no school here: 县外就读去向表, 省级平台反馈, 控辍平台导出."""

from bureau.sheets import ABSENT, Column, Draft
from bureau.sheets.cells import compact
from bureau.sheets.choices import Choice
from bureau.sheets.dates import Date
from bureau.sheets.grades import Grade
from bureau.sheets.kinds import PersonName, Text

from .columns import GUARDIAN_NAME_WORDS, RegisterSheet, id_column, student_number_column

# The kinds of students.models.Whereabouts, in the words such lists use; the more special word first.
KINDS = {
    "home_teaching": ("送教上门", "送教", "送教到家"),
    "corrective": ("专门学校", "工读学校"),
    "vocational_early": ("职校（技校）就读", "中职就读", "技校就读", "职校就读", "就读中职", "就读技校"),
    "graduated_early": ("提前毕业", "初中已毕业", "已毕业"),
    "deferred": ("缓学", "延缓入学"),
    "suspended": ("休学",),
    "abroad": ("出国（境）", "出国", "出境", "国外就读", "境外就读"),
    "deceased": ("死亡", "已死亡", "已故"),
    "hukou_error": ("户籍信息错误", "信息错误", "身份信息有误"),
    "duplicate": ("重复户口", "双重户口", "重户"),
    "moved_out": ("户口已迁出", "户籍迁出", "已迁出"),
    "out_of_province": ("省外就读", "外省就读", "省外在读", "外省在读", "省外", "外省"),
    "other_county_in_province": (
        "省内县外就读", "县外就读", "县外在读", "外县就读", "省内就读", "省内他县就读", "市内县外就读",
        "县外",
    ),
}
NOT_KNOWN = ("查无", "未查到", "查无此人", "不详", "下落不明", "失联", "疑似辍学", "未找到", "无结果", "未就学", "失学", "辍学")


class _Answer(Choice):
    """The answer to “where is he”; an answer that nobody knows is read, and proves nothing."""

    def read(self, text, moment):
        if any(word in compact(text) for word in NOT_KNOWN):
            return ""
        return super().read(text, moment)


class Elsewhere(RegisterSheet):
    """县外就读去向表, and lists that come back from the province: one row per child, with proof and an end."""

    code = "elsewhere"
    layout = "elsewhere"
    title = "县外就读去向表"
    known = (*RegisterSheet.known, "联系人", "核实人", "联系电话", "调查人", "填报人")

    citizen_id = id_column(minor=True, present=True)
    student_number = student_number_column()
    whereabouts = Column(
        "去向", "就学去向", "去向类别", "就读去向", "目前去向", "现状", "就读情况", "反馈结果", "核查结果", "比对结果",
        "就学状态", "在读状态", "去向类型",
        kind=_Answer(KINDS, within=True),
    )  # fmt: skip
    province = Column("就读省", "就读省份", "所在省", "就读省（区、市）", kind=Text(40))
    place = Column("就读地", "就读地点", "就读县区", "就读市县", "就读县", "就读地区", "现在地点", "所在地", kind=Text(120))
    school = Column(
        "就读学校", "就读学校全称", "学校名称", "学校", "现就读学校", "外地就读学校", "县外就读学校", kind=Text(120), present=True
    )
    grade = Column("年级", "就读年级", kind=Grade())
    guardian_name = Column(*GUARDIAN_NAME_WORDS, kind=PersonName())
    evidence = Column(
        "佐证", "佐证材料", "证明材料", "佐证材料名称", "核实方式", "证明", "依据", kind=Text(200), example="就读证明（盖章）"
    )
    checked_on = Column("核实日期", "核实时间", "反馈日期", "登记日期", "查询日期", kind=Date(months=True))
    until = Column("有效期至", "有效期", "佐证有效期", "复核日期", kind=Date(months=True))
    listed_from = ABSENT
    listed_to = ABSENT
    relation = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        """Without a word of his own the school or the place says that he learns elsewhere, and in which province."""
        values = draft.values
        where = " ".join(filter(None, (values.get("province"), values.get("place"), values.get("school"))))
        if "whereabouts" not in values and "whereabouts" not in draft.troubles and where:
            outside = any(word in where for word in ("省外", "外省")) or values.get("province") not in (None, "本省", "省内")
            if not any(word in where for word in NOT_KNOWN):
                values["whereabouts"] = "out_of_province" if outside else "other_county_in_province"


class DropoutPlatform(Elsewhere):
    """控辍保学平台导出: suspected children and what was found out about each."""

    code = "dropout_platform"
    layout = "dropout_platform"
    title = "控辍保学平台疑似辍学名单（反馈）"

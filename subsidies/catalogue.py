"""The programmes every county starts with, and what they paid since 2011. Source: docs/rules/aid.md.

National and well-known amounts; none of them counts as 已核定 until the bureau enters the document. Amounts are fen for
one term. Where the amount is the county's own there is a programme and no rate.
"""

from dataclasses import dataclass, field

from subsidies.models.programmes import Benefit, Channel, CountedBy, Reference
from subsidies.terms import ordinal

POOR = ["registered_poor", "lifted_poor", "unstable_lifted", "marginal_risk", "sudden_hardship"]
LISTED = [
    *POOR,
    "dibao",
    "tekun",
    "orphan",
    "defacto_unsupported",
    "disabled",
    "severe_illness",
    "dibao_margin",
    "rigid_expense",
]
BEFORE_2021 = [
    "registered_poor",
    "dibao",
    "tekun",
    "orphan",
    "defacto_unsupported",
    "disabled",
    "severe_illness",
]

# In which order a child's several categories are told: the first he has. Source: docs/rules/aid.md, “一人多类”.
PRECEDENCE = (
    "registered_poor", "lifted_poor", "unstable_lifted", "marginal_risk", "sudden_hardship", "tekun", "orphan",
    "defacto_unsupported", "dibao", "disabled", "dibao_margin", "rigid_expense", "severe_illness",
)  # fmt: skip

SPECIAL_TIER = "tier_special"  # whose listed children count as 特别困难 until somebody determines otherwise

GROUPS = (
    ("hardship", "家庭经济困难学生", "2011-autumn", BEFORE_2021, True),
    ("hardship", "家庭经济困难学生", "2021-spring", LISTED, True),
    ("four", "四类学生", "2016-autumn", ["registered_poor", "dibao", "tekun", "disabled"], False),
    ("four", "四类学生", "2021-spring", [*POOR, "dibao", "tekun", "disabled"], False),
    ("lifted", "脱贫家庭和监测对象", "2014-autumn", ["registered_poor"], False),
    ("lifted", "脱贫家庭和监测对象", "2021-spring", POOR, False),
    (SPECIAL_TIER, "名单类别默认为特别困难的", "2011-autumn", ["registered_poor", "tekun", "orphan", "defacto_unsupported", "disabled"], False),
    (SPECIAL_TIER, "名单类别默认为特别困难的", "2021-spring", [*POOR, "tekun", "orphan", "defacto_unsupported", "disabled"], False),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One rate; `stages` repeats it."""

    since: str
    stages: str
    amount_fen: int | None
    group: str = "hardship"
    boarding: str = ""
    tier: str = ""
    years: tuple[int, int] = (0, 0)
    agricultural: bool = False
    shares: tuple[int, int, int] | None = None
    note: str = ""

    def rows(self) -> list[dict]:
        central, province, county = self.shares or (None, None, None)
        return [
            {
                "from_term": ordinal(self.since), "stage": stage, "boarding": self.boarding, "group": self.group,
                "tier": self.tier, "year_from": self.years[0], "year_to": self.years[1], "agricultural": self.agricultural,
                "amount_fen": self.amount_fen, "central_percent": central, "province_percent": province,
                "county_percent": county, "note": self.note,
            }
            for stage in self.stages.split()
        ]  # fmt: skip


@dataclass(frozen=True)
class Plan:
    code: str
    name: str
    benefit: str
    channel: str
    lines: tuple[Line, ...] = ()
    facts: dict = field(default_factory=dict)

    def rows(self) -> list[dict]:
        return [row for line in self.lines for row in line.rows()]


HALF = (50, 0, 50)
APPLICATION = {"documents": "家庭经济困难学生认定申请表\n个人承诺书"}
HOUSEHOLD = {"counted_by": CountedBy.HUKOU}
ELSEWHERE = {"notice_days": 0}
OWN = "标准由县里核定后录入"


def _tiers(since: str, special: int, hard: int, general: int, note: str = "") -> tuple[Line, ...]:
    amounts = {"special": special, "hard": hard, "general": general}
    return tuple(Line(since, "senior_general", fen, tier=tier, note=note) for tier, fen in amounts.items())


PLANS = (
    Plan("preschool_grant", "学前教育资助（保教费、生活补助）", Benefit.GRANT, Channel.CARD,
         (Line("2011-autumn", "preschool", 50_000),), APPLICATION),
    Plan("preschool_final_year", "学前一年免保教费", Benefit.WAIVE, Channel.WAIVER, (),
         {"note": "2025年秋季起，大班免保教费；" + OWN, **ELSEWHERE}),
    Plan("preschool_meal", "学前儿童营养改善", Benefit.SUPPLEMENT, Channel.KIND, (), {"note": OWN, **ELSEWHERE}),
    Plan("two_waivers", "义务教育免学杂费、教科书费、作业本费", Benefit.WAIVE, Channel.WAIVER, (), {"note": "全体学生；" + OWN, **ELSEWHERE}),
    Plan("living_boarder", "义务教育寄宿生生活补助", Benefit.SUPPLEMENT, Channel.CARD, (
        Line("2011-autumn", "primary", 50_000, boarding="boarder", shares=HALF),
        Line("2011-autumn", "junior special", 62_500, boarding="boarder", shares=HALF),
        Line("2024-spring", "primary", 62_500, boarding="boarder", shares=HALF),
        Line("2024-spring", "junior special", 75_000, boarding="boarder", shares=HALF),
    ), {"basis": "城乡义务教育经费保障机制", **APPLICATION}),
    Plan("living_day", "义务教育非寄宿生生活补助", Benefit.SUPPLEMENT, Channel.CARD, (
        Line("2019-autumn", "primary", 25_000, "four", "day", shares=HALF),
        Line("2019-autumn", "junior special", 31_250, "four", "day", shares=HALF),
        Line("2024-spring", "primary", 31_250, "four", "day", shares=HALF),
        Line("2024-spring", "junior special", 37_500, "four", "day", shares=HALF),
    ), {"note": "按寄宿生标准的一半", **APPLICATION}),
    Plan("meal_plan", "义务教育学生营养改善计划", Benefit.SUPPLEMENT, Channel.KIND, (
        Line("2011-autumn", "primary junior", 30_000, "", note="每天3元，每学期100天", shares=(100, 0, 0)),
        Line("2014-autumn", "primary junior", 40_000, "", note="每天4元，每学期100天", shares=(100, 0, 0)),
        Line("2021-autumn", "primary junior", 50_000, "", note="每天5元，每学期100天", shares=(100, 0, 0)),
    ), {"note": "等值供餐，不得发现金；只在实施县的农村学校", **ELSEWHERE}),
    Plan("senior_grant", "普通高中国家助学金", Benefit.GRANT, Channel.CARD, (
        *_tiers("2010-autumn", 112_500, 75_000, 37_500, "年平均1500元"),
        *_tiers("2015-spring", 150_000, 100_000, 50_000, "年平均2000元"),
        *_tiers("2025-spring", 172_500, 115_000, 57_500, "年平均2300元，各档按比例折算"),
    ), APPLICATION),
    Plan("senior_waiver", "普通高中免学杂费", Benefit.WAIVE, Channel.WAIVER, (), {"note": "四类学生，2016年秋季起；不含住宿费；" + OWN}),
    Plan("senior_three_waivers", "普通高中三免（学费、住宿费、教科书费）", Benefit.WAIVE, Channel.WAIVER, (), {"note": OWN}),
    Plan("voc_waiver", "中等职业教育免学费", Benefit.WAIVE, Channel.WAIVER,
         (Line("2012-autumn", "vocational", 80_000, "", years=(1, 3)),), ELSEWHERE),
    Plan("voc_grant", "中等职业教育国家助学金", Benefit.GRANT, Channel.CARD, (
        *(Line(since, "vocational", fen, years=(1, 2)) for since, fen in (("2011-autumn", 75_000), ("2015-spring", 100_000), ("2025-spring", 115_000))),
    ), {"note": "涉农专业和连片特困地区农村学生全部享受的，由县里另录标准", **APPLICATION}),
    Plan("voc_scholarship", "中等职业教育国家奖学金", Benefit.AWARD, Channel.CARD, (), {"note": "评选产生，每人6000元，一次发放"}),
    Plan("yulu", "雨露计划", Benefit.SUPPLEMENT, Channel.CARD, (Line("2014-autumn", "vocational", 150_000, "lifted"),),
         {"note": "户籍地办理，发到户；校址不限，含顶岗实习", **HOUSEHOLD}),
    Plan("college_grants", "高校国家奖助学金（登记）", Benefit.GRANT, Channel.AGENCY, (), {"note": "高校发放，本县登记", **HOUSEHOLD, **ELSEWHERE}),
    Plan("college_entrant", "大学新生入学资助", Benefit.GRANT, Channel.CARD, (), {"note": "省内500元、省外1000元，一次性；" + OWN, **HOUSEHOLD}),
    Plan("origin_loan", "生源地信用助学贷款", Benefit.LOAN, Channel.AGENCY, (), {"note": "每年7—10月办理", **HOUSEHOLD, **ELSEWHERE}),
    Plan("relief_fund", "教育救助基金", Benefit.GRANT, Channel.CARD, (), {"note": OWN}),
    Plan("donor_grant", "社会助学", Benefit.GRANT, Channel.SCHOOL, (), {"note": "金额由捐助人定", **ELSEWHERE}),
)  # fmt: skip

EXCLUSIONS = (("living_boarder", "living_day", "term", "同一学期寄宿、走读只享受一项"),)
DEFAULT_REFERENCE = Reference.IN_TERM

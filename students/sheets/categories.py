"""What a row of a list says about hardship: canonical codes and the words lists use for them.

The row's own 户类型, 类别, 贫困户属性 or 监测对象类别 decides, not the file it stands in.
"""

from bureau.sheets.choices import Choice

LIFTED_POOR = "lifted_poor"
UNSTABLE_LIFTED = "unstable_lifted"
MARGINAL_RISK = "marginal_risk"
SUDDEN_HARDSHIP = "sudden_hardship"
REGISTERED_POOR = "registered_poor"
DIBAO = "dibao"
DIBAO_MARGIN = "dibao_margin"
RIGID_EXPENSE = "rigid_expense"
TEKUN = "tekun"
ORPHAN = "orphan"
DEFACTO_UNSUPPORTED = "defacto_unsupported"
DISABLED = "disabled"
SEVERE_ILLNESS = "severe_illness"

NOT_LISTED = "not_listed"  # 一般户, 非贫困户: in the file, but on no list
MONITORED = "monitored"  # 监测对象 without saying of which kind

LABELS = {
    LIFTED_POOR: "脱贫户",
    UNSTABLE_LIFTED: "脱贫不稳定户",
    MARGINAL_RISK: "边缘易致贫户",
    SUDDEN_HARDSHIP: "突发严重困难户",
    REGISTERED_POOR: "建档立卡贫困户",
    DIBAO: "低保对象",
    DIBAO_MARGIN: "低保边缘家庭",
    RIGID_EXPENSE: "刚性支出困难家庭",
    TEKUN: "特困供养人员",
    ORPHAN: "孤儿",
    DEFACTO_UNSUPPORTED: "事实无人抚养儿童",
    DISABLED: "残疾人",
    SEVERE_ILLNESS: "重大疾病患者",
}
UNDER_WATCH = frozenset({UNSTABLE_LIFTED, MARGINAL_RISK, SUDDEN_HARDSHIP})  # end when the risk is cleared

_POVERTY_WORDS = {
    UNSTABLE_LIFTED: ("脱贫不稳定户", "脱贫不稳定", "不稳定户", "脱贫不稳定人口"),
    MARGINAL_RISK: ("边缘易致贫户", "边缘易致贫", "边缘户", "边缘易致贫人口", "贫困边缘户"),
    SUDDEN_HARDSHIP: ("突发严重困难户", "突发严重困难", "突发困难户", "突发严重困难人口"),
    LIFTED_POOR: ("脱贫户", "已脱贫", "已脱贫户", "稳定脱贫户", "脱贫人口", "脱贫家庭", "脱贫"),
    REGISTERED_POOR: (
        "建档立卡贫困户",
        "建档立卡",
        "建档立卡户",
        "一般贫困户",
        "贫困户",
        "低保贫困户",
        "特困供养贫困户",
        "五保贫困户",
        "特困供养(五保)贫困户",
        "未脱贫",
        "未脱贫户",
        "返贫",
        "返贫户",
        "低保户贫困户",
    ),
    NOT_LISTED: (
        "一般户",
        "一般农户",
        "非贫困户",
        "普通户",
        "普通农户",
        "其他农户",
        "非脱贫户",
        "非监测对象",
        "无",
        "否",
        "不是",
    ),
}
_SOCIAL_WORDS = {
    DIBAO_MARGIN: ("低保边缘家庭", "低保边缘", "低保边缘户", "低边户", "最低生活保障边缘家庭", "低收入家庭"),
    RIGID_EXPENSE: (
        "刚性支出困难家庭",
        "刚性支出困难",
        "支出型困难家庭",
        "刚性支出",
        "支出型贫困家庭",
        "刚性支出困难户",
    ),
    DIBAO: ("低保对象", "低保", "低保户", "农村低保", "城市低保", "最低生活保障对象", "最低生活保障"),
    TEKUN: ("特困供养人员", "特困", "特困人员", "特困供养", "五保", "五保户", "集中供养", "分散供养"),
}
_CHILD_WORDS = {
    DEFACTO_UNSUPPORTED: ("事实无人抚养儿童", "事实无人抚养", "事实孤儿"),
    ORPHAN: ("孤儿", "社会散居孤儿", "机构养育孤儿", "艾滋病病毒感染儿童", "散居孤儿", "集中养育孤儿"),
}

POVERTY_KIND = Choice(_POVERTY_WORDS | {MONITORED: ("监测对象", "监测户", "防返贫监测对象")}, within=True)
SOCIAL_KIND = Choice(_SOCIAL_WORDS, within=True)
CHILD_KIND = Choice(_CHILD_WORDS | {NOT_LISTED: ("困境儿童", "留守儿童", "其他")}, within=True)
ANY_KIND = Choice(
    _CHILD_WORDS
    | _POVERTY_WORDS
    | _SOCIAL_WORDS
    | {
        DISABLED: ("残疾人", "残疾", "残疾学生", "持证残疾"),
        "other": ("其他", "其它", "家庭经济困难", "烈士子女", "困难家庭"),
    },
    within=True,
)

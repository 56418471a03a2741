"""The lists every county gets, and which office keeps each. Source: docs/rules/registers.md."""

from bureau.organisation.models import County
from students.models import Register

REGISTERS = {
    "population": ("6—15周岁户籍人口名单", "公安局", True),
    "poverty": ("脱贫人口名单", "农业农村局（乡村振兴）", False),
    "monitored": ("防返贫监测对象名单", "农业农村局（乡村振兴）", False),
    "student_pool": ("脱贫家庭学生库", "县学生资助中心", False),
    "dibao": ("低保对象名单", "民政局", False),
    "low_income": ("低收入人口名单（低保边缘、刚性支出困难）", "民政局", False),
    "tekun": ("特困供养人员名单", "民政局", False),
    "orphan": ("孤儿和事实无人抚养儿童名单", "民政局", False),
    "disability": ("持证残疾人名单", "残联", False),
    "xueji": ("学籍系统学生信息", "学籍系统", True),
    "deaths": ("死亡注销户口名单", "公安局", False),
    "births": ("出生人口名单", "卫生健康局", False),
    "illness": ("重大疾病患者名单", "卫生健康局（医保局）", False),
    "elsewhere": ("县外就读去向表", "学校、乡镇", False),
    "province_poor": ("省级平台困难学生名单", "省学生资助中心", False),
    "aid_platform": ("全国资助系统受助学生名单", "全国学生资助管理信息系统", False),
    "dropout_platform": ("控辍保学平台反馈名单", "省控辍保学平台", False),
}


def register_names(county: County) -> dict[str, str]:
    """Code and title of every register of the county: the usual ones, and those its officers added."""
    own = Register.objects.filter(county=county).exclude(name__in=REGISTERS).order_by("name")
    return {name: title for name, (title, _, _) in REGISTERS.items()} | dict(own.values_list("name", "title"))


def register_named(county: County, name: str) -> Register:
    """The county's register of this code, made on first use. Raises KeyError for a code nobody declared."""
    found = Register.objects.filter(county=county, name=name).first()
    if found is None:
        title, office, creates = REGISTERS[name]
        found, _ = Register.objects.get_or_create(
            county=county, name=name, defaults={"title": title, "office": office, "creates_students": creates}
        )
    return found

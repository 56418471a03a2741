"""The columns of the official layouts are all known: no clerk is asked about a column that has always been there."""

import openpyxl
import pytest

from bureau.sheets import read
from students.sheets import ROSTERS, SHEETS

from .catalogue.cases import TODAY
from .pupils import number_of

LAYOUTS = {
    ("poverty", "3.1"): (
        "序号 县(市、区、旗) 乡(镇) 行政村 自然村 户编号 人编号 姓名 证件号码 人数 与户主关系 民族 文化程度 "
        "在校生状况 健康状况 劳动技能 务工时间（月） 是否参加大病保险 致贫原因1 危房户 是否解决安全饮用水 人均纯收入 "
        "户联系电话 人联系电话 首次识别时间 人员识别时间 户类型 易返贫致贫户(监测对象)类型 风险是否消除 风险识别时间 "
        "风险消除时间"
    ),
    ("poverty", "3.1b"): (
        "县 乡(镇) 行政村 自然村 户编号 人编号 姓名 性别 证件类型 证件号码 人数 与户主关系 民族 政治面貌 文化程度 "
        "在校生状况 健康状况 劳动技能 是否务工 务工时间（月） 是否现役军人 参加大病医疗 脱贫属性 脱贫年度 贫困户属性 "
        "主要致贫原因 人均纯收入 联系电话 开户银行名称 银行卡号"
    ),
    ("poverty", "3.1c"): (
        "县 乡 村 户编号 人编号 姓名 证件号码 与户主关系 年龄 在校生状况 就读学校 学籍号"
    ),
    ("student_pool", "3.2"): (
        "学期 省市 区县 乡镇 村组（社区） 姓名 身份证号码 是否脱贫家庭学生 是否6-15周岁 户编号 户主姓名 户类型 "
        "联系电话 学校全称 学段 年级 班级 学籍号 就读方式 是否残疾生 残疾生证号 不在校原因 贫困类型 镇内/镇外 "
        "县内/县外 省内/省外 本学期是否享受(本县)资助 资助项目 资助金额 营养餐金额"
    ),
    ("dibao", "3.3"): (
        "序号 乡镇 村(社区) 组 户主姓名 户主身份证号 低保证号 保障类别 城乡类别 保障人数 成员姓名 与户主关系 "
        "成员身份证号 性别 致困原因 月人均补差 月保障金额 纳入时间(批准年月) 开户行 账号 联系电话 备注"
    ),
    ("tekun", "3.4"): (
        "序号 乡镇 村 姓名 性别 身份证号 供养方式 供养机构 自理能力 照料人 月供养金 照料护理费 纳入时间 账号 备注"
    ),
    ("orphan", "3.5"): (
        "序号 乡镇 村 姓名 性别 民族 身份证号 出生日期 类别 养育方式 健康状况 残疾证号 父亲姓名 父亲身份证 父亲状况 "
        "母亲姓名 母亲身份证 母亲状况 监护人姓名 监护人关系 监护人身份证 监护人电话 就读学校 年级 月标准 开户名 账号 "
        "纳入时间"
    ),
    ("disability", "3.6"): (
        "序号 姓名 性别 民族 身份证号 残疾人证号 残疾类别 残疾等级 首次发证日期 换证/有效期 证件状态 户口性质 "
        "户籍地址 现住址 监护人姓名 监护人关系 监护人电话 联系电话 教育状况 安置方式 学校 学籍号 未入学原因"
    ),
    ("population", "3.7"): (
        "序号 姓名 性别 民族 公民身份号码 出生日期 户号 与户主关系 户主姓名 户主身份证号 父亲姓名 父亲身份证号 "
        "母亲姓名 母亲身份证号 监护人姓名 监护人身份证号 省市县区 派出所 街路巷(乡镇村组) 门牌 迁入日期 迁出日期 "
        "户籍状态"
    ),
    ("monitored", "3.8"): (
        "序号 县(市、区、旗) 乡(镇) 行政村 自然村 户编号 人编号 姓名 证件号码 人数 与户主关系 民族 监测对象类别 "
        "识别时间 风险类型 帮扶措施 帮扶责任人 单位 风险是否消除 消除方式 消除时间"
    ),
    ("roll", "3.9"): (
        "姓名 性别 出生日期 出生地 籍贯 民族 国籍/地区 身份证件类型 身份证件号 港澳台侨外 政治面貌 健康状况 照片 "
        "姓名拼音 曾用名 身份证件有效期 户口所在地 户口性质 特长 学籍辅号 班内学号 年级 班级 入学年月 入学方式 "
        "就读方式 学生来源 现住址 通信地址 家庭地址 联系电话 邮政编码 电子信箱 主页地址 是否独生子女 是否受过学前教育 "
        "是否留守儿童 是否进城务工人员随迁子女 是否孤儿 是否烈士或优抚子女 随班就读 残疾类型 是否由政府购买学位 "
        "是否需要申请资助 是否享受一补 上下学距离 上下学交通方式 是否需要乘坐校车 成员1姓名 成员1关系 成员1关系说明 "
        "成员1民族 成员1工作单位 成员1现住址 成员1户口所在地 成员1联系电话 成员1是否监护人 成员1证件类型 "
        "成员1证件号 成员1职务 成员2姓名 成员2关系 成员2关系说明 成员2民族 成员2工作单位 成员2现住址 "
        "成员2户口所在地 成员2联系电话 成员2是否监护人 成员2证件类型 成员2证件号 成员2职务"
    ),
    ("roll", "3.9b"): (
        "学校名称 学校标识码 年级 班级 姓名 性别 全国学籍号 学籍辅号 身份证件类型 身份证件号 出生日期 民族 户口所在地 "
        "现住址 就读方式 学籍状态 监护人1 电话"
    ),
    ("aid", "3.10"): (
        "序号 学校 年级 班级 姓名 性别 身份证号 学籍号 是否寄宿 困难类别 认定等级 资助项目 学期 标准(元) "
        "月数/学期数 金额(元) 户名 与学生关系 户名身份证号 开户行 账号 联系电话 监护人签字 备注"
    ),
    ("deaths", "deaths"): (
        "姓名 公民身份号码 注销日期 注销原因"
    ),
}
LAYOUTS |= {("xueji", layout): heads for (kind, layout), heads in LAYOUTS.items() if kind == "roll"}
NAMES, NUMBERS = {"姓名", "成员姓名"}, {"身份证号", "身份证号码", "证件号码", "公民身份号码", "身份证件号", "成员身份证号"}


@pytest.mark.parametrize("place", LAYOUTS, ids=" ".join)
def test_no_column_of_an_official_layout_is_unknown(place, tmp_path):
    kind, layout = place
    heads = LAYOUTS[place].split()
    book = openpyxl.Workbook()
    book.active.append(heads)
    book.active.append(["张三" if head in NAMES else number_of(1) if head in NUMBERS else None for head in heads])
    book.save(tmp_path / "a.xlsx")

    reading = read(tmp_path / "a.xlsx", (SHEETS | ROSTERS)[kind], today=TODAY, in_process=True)

    assert reading.file_error is None
    assert [(table.layout, table.ignored) for table in reading.tables] == [(layout, [])]

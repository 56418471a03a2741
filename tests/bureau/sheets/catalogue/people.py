"""Numbers, names, dates and words about a child: B101–B142."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from bureau.identity import check_digit
from tests.bureau.sheets.pupils import number_of, rewrite, save

from .cases import Build, Case, content, csv_of, lines, one, pupil, sheet, sound
from .files import SHEET1

ID, BORN, NAME = "身份证号", "出生日期", "姓名"
GOOD = number_of(21)
KIND = "身份证件类型"
SAME = {"citizen_id": GOOD}


def cut_by_luck() -> str:
    """A valid number that ends in 000, as a spreadsheet may leave one."""
    return next(
        first + "0"
        for village in range(100)
        if check_digit(first := f"9901{village:02}20120503000"[:17]) == "0" and first[14:] == "000"
    )


def checked(first17: str) -> str:
    return first17 + check_digit(first17)


def formatted_as_text(folder: Path) -> Path:
    def finish(book, page) -> None:
        page["F2"].number_format = "@"

    return save(folder / "名册.xlsx", lines(pupil(1, **{ID: int(GOOD)}), pupil(2)), finish=finish)


def cells_at(**cells: Any) -> Build:
    """The sound roll with these cells of the sheet replaced: (value, data type)."""

    def finish(book, page) -> None:
        for place, (value, kind) in cells.items():
            page[place].value = value
            page[place].data_type = kind

    return lambda folder: save(folder / "名册.xlsx", sound(), finish=finish)


def saved(formula: str, result: str, place: str = "E2") -> Build:
    """A formula with the result a spreadsheet program saved beside it."""

    def build(folder: Path) -> Path:
        def change(xml: str) -> str:
            start = xml.index(f'<c r="{place}"')
            end = xml.index("</c>", start) + 4
            return f'{xml[:start]}<c r="{place}" t="str"><f>{formula}</f><v>{result}</v></c>{xml[end:]}'

        return rewrite(sheet(*sound())(folder), SHEET1, change)

    return build


def formatted(value: float, number_format: str, head: str) -> Build:
    def finish(book, page) -> None:
        page.cell(2, page.max_column).number_format = number_format

    return lambda folder: save(folder / "名册.xlsx", lines(pupil(1, **{head: value}), pupil(2)), finish=finish)


def watched(answer: Any) -> Build:
    """A row of a list of watched households, whose risk is or is not cleared."""
    facts = {"姓名": "王浩然", "证件号码": GOOD, "监测对象类别": "边缘易致贫户", "识别时间": "2025-03-15"}
    return sheet(*lines(facts | {"风险是否消除": answer}))


WORN = {
    "前面有单引号": "'" + GOOD,
    "前后有空格、制表符": f" {GOOD}\t",
    "中间有不换行空格": GOOD[:6] + "\u00a0" + GOOD[6:],
    "末尾有零宽空格": GOOD + "\u200b",
    "前面有方向符 U+202A": "\u202a" + GOOD,
    "前面有 BOM": "\ufeff" + GOOD,
    "中间有换行": GOOD[:9] + "\n" + GOOD[9:],
}
FULL_WIDTH = GOOD.translate({ord("0") + i: 0xFF10 + i for i in range(10)})
PARENT = number_of(5, born=date(1980, 5, 3))


def id_fault(id: str, what: str, written: Any, code: str, tells: str, variant: str = "") -> Case:
    return Case(id, what, "R", one(**{ID: written}), code, ID, tells=tells, variant=variant)


def of_cell(id: str, what: str, outcome: str, head: str, written: Any, code: str | None = None, tells: str = "", *, variant: str = "", **more: Any) -> Case:
    return Case(id, what, outcome, one(**{head: written}), code, head if code else None, tells=tells, variant=variant, accepted=2 if outcome == "R" else 3, **more)


NUMBERS = [
    id_fault("B101", "18 位身份证号存在数字单元格里", int(GOOD), "id_numeric_cell", "身份证号被存为数字，后三位已丢失，请改为文本格式重新录入"),
    Case("B102", "先录成数字、后改为文本格式", "R", formatted_as_text, "id_numeric_cell", ID, tells="身份证号被存为数字，后三位已丢失"),
    id_fault("B103", "文本以 000 结尾，校验不符", GOOD[:15] + "000", "id_checksum", "末三位为000，疑似被表格软件截断", "fails"),
    Case("B103", "文本以 000 结尾，校验恰好相符", "W", one(**{ID: cut_by_luck(), "性别": "女"}), "id_tail_000", ID, tells="末三位为 000，疑似被表格软件截断", accepted=3, variant="passes"),
    id_fault("B104", "科学计数法的文本", "1.10101E+17", "id_numeric_cell", "身份证号被存为数字，后几位已丢失"),
    *(
        Case("B105", f"第 18 位写作 {x}", "A", one(**{ID: "99010120120503002" + x, "性别": "女"}), accepted=3, values={"citizen_id": "99010120120503002X"}, variant=told)
        for x, told in (("x", "x"), ("X", "X"), ("ｘ", "wide x"), ("Ｘ", "wide X"))
    ),
    *(
        id_fault("B105", f"第 18 位写作{told}", "99010120120503002" + x, "id_characters", "身份证号含非数字字符", told)
        for x, told in (("х", "西里尔字母 х"), ("×", "乘号"), ("＊", "星号"))
    ),
    of_cell("B106", "全角数字", "A", ID, FULL_WIDTH, values=SAME),
    *(of_cell("B107", f"身份证号{told}", "A", ID, worn, values=SAME, variant=str(i)) for i, (told, worn) in enumerate(WORN.items())),
    Case("B107", "一份文件里清理了几个号码，只说明一次", "A", sheet(*lines(pupil(1, **{ID: GOOD + "\u00a0"}), pupil(2, **{ID: number_of(22) + "\u3000"}))), "cleaned", row=None, tells="已清理 2 个号码中的空格、全角或不可见字符", accepted=2, variant="told once"),
    *(id_fault("B108", f"号码中有{digit}", GOOD[:16] + digit + GOOD[17], "id_characters", "身份证号含非数字字符", digit) for digit in "²①٣"),
    id_fault("B109", "校验位不符", GOOD[:17] + ("1" if GOOD[17] != "1" else "2"), "id_checksum", "身份证号校验位不符，请核对第18位及各位数字"),
    id_fault("B110", "学生填 15 位旧号码", "990101120503001", "id_length", "应为18位，现为15位；学生没有15位身份证号", "child"),
    of_cell("B110", "监护人填 15 位旧号码", "W", "监护人身份证号", "990101750503001", "id_legacy", "15 位旧身份证号，已按 18 位识别", variant="guardian"),
    id_fault("B111", "17 位", GOOD[:17], "id_length", "身份证号应为18位，现为17位", "17"),
    id_fault("B111", "19 位", GOOD + "1", "id_length", "身份证号应为18位，现为19位", "19"),
    *(id_fault("B112", f"号码中的出生日期{told}", f"990101{day}0031", "id_birth_date", "身份证号中的出生日期不存在", day) for day, told in (("20120230", "是 2 月 30 日"), ("20121301", "是 13 月"), ("20270503", "在将来"), ("18990503", "早于 1900 年"))),
    Case("B113", "出生日期列与号码不一致", "R", one(**{BORN: "2012-05-04"}), "id_birth_mismatch", ID, tells="出生日期 2012-05-04 与身份证号（990101************）中的 2012-05-03 不一致", variant="birth"),
    Case("B113", "性别列与号码不一致", "R", one(性别="女"), "id_sex_mismatch", ID, tells="性别“女”与身份证号（990101************）表示的“男”不一致", variant="sex"),
    of_cell("B115", "前六位是查不到的地区代码", "A", ID, checked("99029920120503001"), why="旧代码合法且从不失效，查不到也不能说明有误；不提醒，免得提醒太多没人看。"),
    *(
        Case("B116", f"证件类型“{kind}”", "A", one(**{KIND: kind, ID: number, BORN: "2012-05-03"}), accepted=3, values={attr: number}, variant=kind)
        for kind, number, attr in (
            ("居民身份证", GOOD, "citizen_id"),
            ("港澳台居民居住证", checked("81000020120503001"), "citizen_id"),
            ("港澳居民来往内地通行证", "H12345678", "document"),
            ("台湾居民来往大陆通行证", "12345678", "document"),
            ("护照", "E12345678", "document"),
        )
    ),
    Case("B116", "没有身份证，证件类型“其他”，号码空着", "W", one(**{KIND: "其他", ID: None}), "id_missing", ID, tells="没有证件号码，请保存学校证明并尽快补齐", accepted=3, variant="none"),
    Case("B116", "临时学籍号（L 开头）", "A", one(学籍号="L" + GOOD), accepted=3, values={"student_number": "L" + GOOD}, variant="L"),
    *(id_fault("B117", f"占位号码 {text}", text, "id_placeholder", "不能使用占位号码", text) for text in ("000000000000000000", "111111111111111111", "123456789012345678", "同上", "无")),
    Case("B118", "监护人与学生号码相同", "R", one(监护人身份证号=GOOD), "id_same_as_guardian", "监护人身份证号", tells="监护人与学生身份证号相同"),
]  # fmt: skip
NAMES = [
    *(of_cell("B119", f"姓名中有空格（{told}）", "A", NAME, written, values={"name": name}, variant=told) for written, name, told in (("张 三", "张三", "半角"), ("张　三", "张三", "全角"), ("  王小明 ", "王小明", "两端"))),
    of_cell("B119", "空格不是排版：译名中的空格", "W", NAME, "阿里 木·买买提", "name_spaces", "姓名中有空格，请确认", variant="long"),
    *(of_cell("B120", f"姓名间隔号写作 {dot}（U+{ord(dot):04X}）", "A", NAME, f"阿依古丽{dot}买买提", values={"name": "阿依古丽·买买提"}, variant=f"{ord(dot):04X}") for dot in "•・‧．∙˙●."),
    of_cell("B121", "30 字以上的姓名", "A", NAME, "阿卜杜热西提" * 6, values={"name": "阿卜杜热西提" * 6}),
    *(of_cell("B122", f"生僻字 {name}", "A", NAME, name, values={"name": name}, variant=name) for name in ("𠮷田", "㛃㛃", "䶮明")),
    *(of_cell("B123", f"姓名中的字丢失（{told}）", "R", NAME, name, "name_characters", "姓名含无法识别的字，请按证件录入", variant=told) for name, told in (("张\ue000", "造字区"), ("张□", "方框"), ("张?", "问号"))),
    of_cell("B124", "姓名中有部首、兼容字（⽅）", "W", NAME, "⽅明", "name_compatibility", "姓名中的兼容字已换成标准字", values={"name": "方明"}),
    of_cell("B125", "姓名中有表情符号", "R", NAME, "张三😀", "name_characters", "姓名含不允许的字符", variant="emoji"),
    of_cell("B125", "姓名中有从右向左控制符", "R", NAME, "张\u202e三", "name_characters", "姓名含不允许的字符", variant="direction"),
    Case("B125", "姓名中有控制字符", "R", content("名册.csv", csv_of(lines(pupil(1, 姓名="张\x07三"), pupil(2))).encode()), "invalid_characters", NAME, tells="含有控制字符或无效字符", variant="control"),
    of_cell("B126", "姓名是拼音", "W", NAME, "Zhangsan", "name_latin", "姓名为拼音或含字母，请确认证件姓名"),
    of_cell("B127", "姓名列混入关系", "R", NAME, "张三(父)", "name_characters", "姓名列只填姓名，不填关系"),
]  # fmt: skip
DATES = [
    *(of_cell("B128", f"日期写作 {told}", "A", BORN, written, values={"birth_on": "2012-05-03"}, variant=told) for written, told in (("2012-05-03", "2012-05-03"), ("2012/5/3", "2012/5/3"), ("2012.5.3", "2012.5.3"), ("2012年5月3日", "2012年5月3日"), ("20120503", "20120503"), (41032, "日期序号 41032"), (datetime(2012, 5, 3, 8, 30), "日期时间单元格"), (date(2012, 5, 3), "日期单元格"))),
    of_cell("B128", "入学年月只有年月", "A", "入学年月", "2024-9", values={"entered": "202409"}, variant="month"),
    of_cell("B128", "出生日期只有年月", "R", BORN, "2012-5", "date_ambiguous", "只有年月没有日", variant="no day"),
    *(of_cell("B129", f"日期写作 {written}", "R", BORN, written, code, tells, variant=written.replace("/", "-")) for written, code, tells in (("01/02/2012", "date_ambiguous", "看不出是哪一天"), ("08-1-1", "date_ambiguous", "看不出是哪一天"), ("二〇一二年", "date_ambiguous", "看不出是哪一天"), ("壬辰年四月十三", "date_ambiguous", "看不出是哪一天"), ("2012.9.31", "date_impossible", "没有 2012-9-31 这一天"), ("0000-00-00", "date_impossible", "没有 0000-00-00 这一天"))),
    of_cell("B130", "两位数的年份", "R", BORN, "12.5.3", "date_ambiguous", "请写成 2012-05-03 的样式", variant="two digits"),
    of_cell("B130", "早于 1900 年", "R", BORN, "1899-12-31", "date_impossible", "日期 1899-12-31 超出范围", variant="old"),
    of_cell("B130", "在将来", "R", BORN, "2027-09-11", "date_impossible", "日期 2027-09-11 超出范围", variant="future"),
]  # fmt: skip
WORDS = [
    *(of_cell("B131", f"电话写作 {written}", "A", "联系电话", written, values={"phone": "13812345678"}, variant=str(i)) for i, written in enumerate(("13812345678", "+86 138-1234-5678", "138 1234 5678", 13812345678))),
    of_cell("B131", "带区号的固定电话", "A", "联系电话", "0997-2123456", values={"phone": "09972123456"}, variant="landline"),
    of_cell("B131", "12 位的手机号", "R", "联系电话", "138123456789", "phone_format", "应为11位手机号，或带区号的固定电话", variant="12"),
    of_cell("B131", "一格两个电话", "R", "联系电话", "13812345678/13987654321", "phone_format", "一格只填一个电话号码", variant="two"),
    *(of_cell("B132", f"性别写作 {written}", "A", "性别", written, values={"sex": "1"}, variant=repr(written)) for written in ("男", "1", "M", "♂", "1-男", 1)),
    of_cell("B132", "性别写作“不详呀”", "R", "性别", "不详呀", "unknown_value", "性别“不详呀”不在可选范围，请填“男”或“女”", variant="unknown"),
    *(of_cell("B133", f"民族写作 {written}", "A", "民族", written, values={"ethnicity": "01"}, variant=str(i)) for i, written in enumerate(("汉", "汉族", "汉族人", "01", 1))),
    of_cell("B133", "民族写作“火星族”", "R", "民族", "火星族", "unknown_value", "民族“火星族”不在可选范围", variant="unknown"),
    *(Case("B134", f"班级写作 {written}", "A", one(班级=written), accepted=3, values={"class_name": "2班", "grade": "P3"}, variant=str(i)) for i, written in enumerate(("三(2)班", "3.2", 3.2, "三年级二班", "2班", "（2）", "02"))),
    of_cell("B134", "班级 3-2 被表格软件变成日期", "R", "班级", date(2026, 3, 2), "class_is_date", "班级“3-2”被表格软件变成了日期（3月2日），请改为文本后重填", variant="date"),
    of_cell("B134", "班级写作“3月2日”", "R", "班级", "3月2日", "class_is_date", "班级被表格软件变成了日期", variant="text"),
    *(Case("B135", f"是否写作 {written}", "A", watched(written), kind="monitored", accepted=1, values={"risk_cleared": answer}, variant=str(i)) for i, (written, answer) in enumerate((("是", True), ("√", True), ("✓", True), (1, True), ("有", True), (True, True), ("否", False), (0, False), ("无", False), (None, None)))),
    Case("B135", "是否写作“也许”", "W", watched("也许"), "unknown_value", "风险是否消除", kind="monitored", tells="请填“是”或“否”", accepted=1, variant="unknown", why="花名册中是错误；部门名单不因此丢掉一行。"),
    Case("B136", "困难类别用旧称“建档立卡户”", "A", sheet(*lines({"年级": "三年级", "班级": "1班", "姓名": "王浩然", ID: GOOD, "资助项目": "生活补助", "金额（元）": 625, "困难类别": "建档立卡户"})), kind="aid", accepted=1, values={"hardship": "registered_poor"}, variant="old word"),
    Case("B136", "困难类别看不懂", "R", sheet(*lines({"年级": "三年级", "班级": "1班", "姓名": "王浩然", ID: GOOD, "资助项目": "生活补助", "金额（元）": 625, "困难类别": "甲等"})), "unknown_value", "困难类别", kind="aid", tells="“甲等”不在可选范围", variant="unknown"),
    of_cell("B137", "残疾人证号前 18 位不是本人号码", "R", "残疾人证号", PARENT + "42", "certificate_of_other", "残疾人证号前 18 位不是本人身份证号", variant="other"),
    of_cell("B137", "残疾人证号的类别不存在", "R", "残疾人证号", GOOD + "92", "certificate_class", "第19位应为类别1至7", variant="class"),
    of_cell("B137", "本人的残疾人证号", "A", "残疾人证号", GOOD + "42", values={"certificate": GOOD + "42"}, variant="own"),
    *(Case("B138", f"错误值 {error}", "R", cells_at(G2=(error, "e")), "cell_error", BORN, tells=f"单元格是错误值 {error}", accepted=2, variant=error) for error in ("#N/A", "#REF!", "#VALUE!")),
    Case("B139", "公式，带有保存的结果", "W", saved('IF(1,"男","女")', "男"), "formula_value", "性别", row=None, tells="“性别”列有 1 个公式（首个在第 2 行），已按结果导入", accepted=3, values={"sex": "1"}),
    Case("B140", "公式，没有保存结果（程序生成的文件）", "R", cells_at(E2=('=IF(1,"男","女")', "f")), "formula_without_value", "性别", tells="公式没有保存结果，请用 Excel 或 WPS 打开并保存后再上传", accepted=2),
    Case("B141", "公式引用其他文件", "W", saved("VLOOKUP(D2,[1]Sheet1!A:B,2,0)", "男"), "formula_value", "性别", row=None, tells="其中 1 个引用其他文件", accepted=3, variant="external"),
    Case("B141", "随日期变化的公式", "W", saved("IF(TODAY()&gt;0,\"男\",\"女\")", "男"), "formula_value", "性别", row=None, tells="“性别”列有 1 个公式", accepted=3, variant="volatile"),
    of_cell("B142", "文本列中是逻辑值", "R", "现住址", True, "cell_type", "单元格是逻辑值（TRUE/FALSE），请改为文本", variant="boolean"),
    Case("B142", "文本列中是百分比", "R", formatted(0.05, "0%", "现住址"), "cell_type", "现住址", tells="单元格是小数 0.05（可能是分数或百分比）", variant="percentage"),
    Case("B142", "文本列中是分数", "R", formatted(0.5, "# ?/?", "班级"), "cell_type", "班级", tells="单元格是小数 0.5", variant="fraction"),
]  # fmt: skip
CASES = [*NUMBERS, *NAMES, *DATES, *WORDS]

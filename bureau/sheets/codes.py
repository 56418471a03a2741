"""Every problem a file, a sheet, a row or a cell can have: code, level, what the clerk is told in general.

The codes are a contract with outside programs: a retired one is not reused. `level` is the level on a
strict sheet (a roster); a register keeps the row and turns faults of its cells into warnings.
"""

from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITY = {ERROR: 0, WARNING: 1, NOTE: 2}


@dataclass(frozen=True, slots=True)
class Code:
    """`scope`: file (nothing is imported), table (a whole sheet or column), row or cell."""

    code: str
    scope: str
    level: str
    title: str
    remedy: str


def _registry(scope: str, level: str, *entries: tuple[str, str, str]) -> dict[str, Code]:
    return {code: Code(code, scope, level, title, remedy) for code, title, remedy in entries}


FILE_CODES = _registry(
    "file",
    ERROR,
    ("empty", "文件为空或没有数据行", "请确认导出的是有数据的文件。"),
    ("truncated", "文件不完整或已损坏", "请重新导出并重新上传。"),
    ("encrypted", "文件设有打开密码", "请输入打开密码，或取消密码后上传。"),
    ("not_a_workbook", "不是电子表格", "请上传 .xlsx、.xls、.et、.ods、.xlsb 或 .csv 文件。"),
    ("html_not_excel", "网页而不是电子表格", "请在原系统重新登录后导出。"),
    ("macro", "工作簿含有宏", "请另存为不含宏的 .xlsx。"),
    ("bomb", "文件结构异常", "请新建工作簿，把数据复制过去再上传。"),
    ("too_large", "文件过大", "请拆分后上传。"),
    ("missing_column", "缺少必需的列", "请补上所列各列，或使用模板。"),
    ("duplicate_header", "表头重复", "请删除或改名其中一列。"),
    ("merged_header", "一个表头合并到两列，两列都有内容", "请取消合并，每列写一个表头。"),
    ("larger_unit", "金额单位是万元", "请换算成元，表头写“金额（元）”后上传。"),
    ("no_header", "找不到表头", "请保留模板的表头行。"),
    ("encoding", "文字编码已损坏", "请另存为“CSV UTF-8”或 .xlsx。"),
    ("school_unknown", "认不出是哪所学校的文件", "请在压缩包页面上选定学校。"),
    ("many_schools", "一个文件里有多所学校", "请每所学校一个文件，或由县局上传。"),
)

TABLE_CODES = _registry(
    "table",
    WARNING,
    ("gap", "数据中间隔有大段空行", "已一并读取，请确认后面的数据也要上报。"),
    ("second_table", "同一工作表有多张表", "已一并读取，请确认。"),
    ("hidden_rows", "有隐藏行", "隐藏行已一并导入，请确认。"),
    ("hidden_columns", "有隐藏列", "隐藏列已一并读取，请确认。"),
    ("hidden_sheet", "隐藏的工作表有数据", "隐藏工作表不导入；需要的话请取消隐藏。"),
    ("formula_value", "公式已按结果导入", "请确认公式结果正确。"),
    ("external_content", "有外部链接或嵌入对象", "已忽略。"),
    ("pictures", "有图片", "不导入也不保存。"),
    ("comments", "有单元格批注", "批注不导入。"),
    ("blank_header", "没有表头的列下有内容", "这些内容没有导入；需要的话请补上表头。"),
    ("several_sheets", "读取了多个工作表", "请确认各工作表都要上报；不要的请删除后重新上传。"),
    ("total_mismatch", "合计行与各行不符", "请核对是否漏行、多行或合计写错。"),
    ("amount_scale", "整列金额疑似单位有误", "请核对金额是否以元填写。"),
    ("ignored_column", "有不认识的列", "请确认这些列不需要，或把表头改为模板中的名称。"),
    ("other_term", "模板是另一学期的", "请确认上报的学期和文件没有弄错。"),
    ("sheet_skipped", "工作表未导入", "请确认该表不需要导入。"),
    ("completed_meanwhile", "这份花名册已有人补正", "本次在其结果上继续，请核对沿用的行。"),
    ("outdated_serial", "单号对应的花名册已不能补正", "已按完整的花名册读取；只想补正几行时，请用最近一份标注文件。"),
) | _registry(
    "table",
    NOTE,
    ("no_data", "表头下没有数据行", "无需处理。"),
    ("dimension", "文件声明的数据范围不符", "已按实际内容读取。"),
    ("wrong_extension", "扩展名与内容不符", "已按实际内容读取。"),
    ("html_table", "网页表格", "请核对身份证号、账号是否完整。"),
    ("taught_otherwise", "对应表与表头不一致", "表头本身有明确含义，没有按对应表改用；需要的话请修改表头。"),
    ("old_template", "不是现在的模板", "已按实际表头读取；下次请下载新模板。"),
    ("repeated_column", "两列含义相同", "只采用其中一列，另一列作为附加内容保存。"),
    ("cleaned", "已清理不可见字符", "无需处理。"),
    ("completes", "补正上次的花名册", "没有再报的行沿用上次。"),
    ("unknown_serial", "没有这个单号的花名册", "已按完整的花名册读取。"),
)

SKIP_CODES = _registry(
    "row",
    NOTE,
    ("title", "标题行", "不是数据，已跳过。"),
    ("unit_line", "单位、日期行", "不是数据，已跳过。"),
    ("subtotal", "小计、合计行", "不是数据，已跳过。"),
    ("footer", "落款、备注行", "不是数据，已跳过。"),
    ("repeated_header", "重复的表头行", "不是数据，已跳过。"),
    ("only_number", "只有序号没有数据的行", "已跳过。"),
    ("duplicate_in_file", "与前面某行完全相同", "只保留第一行。"),
)

# In the order in which the first one found on a cell is reported.
CELL_CODES = (
    _registry(
        "cell",
        ERROR,
        ("cell_error", "单元格是错误值", "请修正公式或直接填写内容。"),
        ("formula_without_value", "公式没有保存结果", "请用 Excel 或 WPS 打开、保存后再上传，或改为数值。"),
        ("id_numeric_cell", "身份证号、学籍号被存为数字", "后几位已丢失，请把列设为文本格式后重新录入。"),
        ("card_numeric_cell", "账号被存为数字", "后几位已丢失，请把列设为文本格式后重新录入。"),
        ("id_placeholder", "占位号码", "没有身份证的请选择证件类型并说明原因。"),
        ("id_characters", "身份证号含非法字符", "只能是数字，末位可为大写字母 X。"),
        ("id_length", "身份证号位数不对", "应为 18 位。"),
        ("id_birth_date", "身份证号中的出生日期不存在", "请对照证件重新录入。"),
        ("id_checksum", "身份证号校验位不符", "请核对第 18 位及各位数字。"),
        ("id_birth_mismatch", "出生日期与身份证号不一致", "请核对两处并改正。"),
        ("id_sex_mismatch", "性别与身份证号不一致", "请核对两处并改正。"),
        ("id_same_as_guardian", "监护人与学生身份证号相同", "请改正其中一个。"),
        ("number_characters", "学籍号含非法字符", "应以 G、J 或 L 开头，其后为数字。"),
        ("number_length", "学籍号位数不对", "应为 19 位。"),
        ("certificate_characters", "残疾人证号含非法字符", "应为身份证号加两位数字。"),
        ("certificate_length", "残疾人证号位数不对", "应为 20 位，补换证的后加 B 和次数。"),
        ("certificate_holder", "残疾人证号前 18 位不是有效身份证号", "请对照证件重新录入。"),
        ("certificate_class", "残疾人证号的类别或等级不存在", "请对照证件重新录入。"),
        ("certificate_of_other", "残疾人证不是本人的", "前 18 位应为本人身份证号，请核对。"),
        ("document_format", "证件号码格式不对", "请按证件类型核对。"),
        ("account_characters", "账号含非法字符", "只能是数字。"),
        ("account_length", "账号位数不对", "请填写银行账号。"),
        ("phone_format", "电话号码格式不对", "一格填一个 11 位手机号或带区号的固定电话。"),
        ("name_characters", "姓名含不允许的字符", "请按证件填写姓名。"),
        ("required", "必填项为空", "请补填。"),
        ("unknown_value", "内容不在可选范围", "请从下拉选项中选择。"),
        ("date_ambiguous", "日期写法有歧义", "请写成 2012-05-03 的样式。"),
        ("date_impossible", "日期不存在或超出范围", "请核对后改正。"),
        ("class_is_date", "班级被表格软件变成了日期", "请把列设为文本格式后重填，如“3班”。"),
        ("integer_format", "不是整数", "请只填阿拉伯数字。"),
        ("amount_format", "金额格式不对", "请填阿拉伯数字，单位元，最多两位小数。"),
        ("amount_not_standard", "金额不在标准内", "请按本项目的资助标准填写。"),
        ("too_long", "内容过长", "请缩短。"),
        ("invalid_characters", "含有无效字符", "请删除控制字符后重新录入。"),
        ("cell_type", "单元格类型不对", "请把单元格设为文本格式后重新填写。"),
        ("merged_cell", "纵向合并的单元格", "请取消合并，每行都填写。"),
        ("duplicate_conflict", "同一人出现多次且内容不同", "请只保留正确的一行。"),
        ("account_crowded", "一个账号对应的学生过多", "请改为各自家庭的账号；确有其事请联系县局。"),
        ("other_school", "不是本校的学生", "请核对学校代码，其他学校的学生由其学校上报。"),
        ("locked", "上报已锁定", "县局已锁定本学段的上报，确需更改请申请解锁。"),
        ("name_conflict", "证件号码已是另一所学校另一名学生的", "请核对姓名和号码；确有其事请联系县局。"),
        ("unknown_student", "本校没有这名学生", "请核对姓名和号码；新来的学生请先上传班级花名册。"),
    )
    | _registry(
        "cell",
        WARNING,
        ("id_tail_000", "身份证号末三位为 000", "疑似被表格软件截断，请核对。"),
        ("id_legacy", "15 位旧身份证号", "请核对并改为 18 位。"),
        ("id_missing", "没有身份证号", "请尽快补齐证件。"),
        ("card_check", "卡号校验位不符", "存折不受此限，银行卡请核对。"),
        ("name_latin", "姓名为拼音或含字母", "请确认与证件一致。"),
        ("name_spaces", "姓名中有空格", "请确认与证件一致。"),
        ("name_compatibility", "姓名中的兼容字已换成标准字", "请确认与证件一致。"),
        ("age_out_of_range", "年龄与学段不符", "请确认出生日期和年级。"),
        ("value_unread", "本列内容未能识别", "原文已保存，请确认。"),
        ("same_name_birth", "姓名、出生日期相同而号码不同", "请核对是否同一人录了两次。"),
        ("account_shared", "几名学生同一账号", "同一家庭的可以共用，请确认。"),
        ("holder_relation", "户名不是学生本人，关系不明", "请填写户名与学生的关系。"),
        ("enrolled_elsewhere", "在另一所学校也在读", "请与对方学校核对。"),
    )
    | _registry(
        "cell",
        NOTE,
        ("certificate_as_id", "身份证号列填的是残疾人证号", "已取前 18 位作为身份证号。"),
        ("filled_down", "取自上方合并单元格", "无需处理。"),
    )
)

CODES: dict[str, Code] = {**FILE_CODES, **TABLE_CODES, **SKIP_CODES, **CELL_CODES}
RANK = {code: place for place, code in enumerate(CELL_CODES)}

_SCOPES = {"file": "整个文件被拒收", "table": "整表", "row": "跳过的行", "cell": "单元格"}
_LEVELS = {ERROR: "错误", WARNING: "提醒", NOTE: "说明"}


def as_markdown() -> str:
    """The registry as a table for the documentation."""
    lines = ["| 代码 | 范围 | 级别 | 含义 | 怎么办 |", "|---|---|---|---|---|"]
    for entry in CODES.values():
        lines.append(
            f"| `{entry.code}` | {_SCOPES[entry.scope]} | {_LEVELS[entry.level]} | {entry.title} | {entry.remedy} |"
        )
    return "\n".join(lines) + "\n"

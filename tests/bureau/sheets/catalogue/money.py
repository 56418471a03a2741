"""Amounts and accounts: B201–B218, as far as a roster of aid can tell."""

from typing import Any

from .cases import Build, Case, grant, lines, paid, sheet

AMOUNT, ACCOUNT, HOLDER, RELATION = "金额（元）", "账号", "户名", "与学生关系"
CARD = "6217000000000000004"  # its check digit is right


def amount(id: str, written: Any, variant: str, fen: int) -> Case:
    build = paid(**{AMOUNT: written, "标准（元）": None})
    return Case(id, f"金额写作 {variant}", "A", build, kind="aid", accepted=3, values={"amount_fen": fen}, variant=variant)


def no_amount(id: str, what: str, written: Any, tells: str, variant: str = "") -> Case:
    return Case(id, what, "R", paid(**{AMOUNT: written}), "amount_format", AMOUNT, tells=tells, kind="aid", accepted=2, variant=variant)


def account(id: str, what: str, outcome: str, written: Any, code: str | None = None, tells: str = "", variant: str = "", **more: Any) -> Case:
    return Case(id, what, outcome, paid(**{ACCOUNT: written}), code, ACCOUNT if code else None, tells=tells, kind="aid", accepted=2 if outcome == "R" else 3, variant=variant, **more)


def sharing(count: int, **cells: Any) -> Build:
    return sheet(*lines(*(grant(i, **{ACCOUNT: CARD, HOLDER: "王大山", RELATION: "祖父"} | cells) for i in range(1, count + 1))))


def column(*amounts: Any, **cells: Any) -> Build:
    return sheet(*lines(*(grant(i, **{AMOUNT: value} | cells) for i, value in enumerate(amounts, 1))))


def total(*cells: Any, rows: int = 2) -> Build:
    return sheet(*lines(*(grant(i) for i in range(1, rows + 1))), list(cells))


WRITTEN = {"625": 62500, "625.00": 62500, "¥625": 62500, "625元": 62500, "1,250.00": 125000, "１２５０": 125000, "1 250": 125000}
CASES = [
    *(amount("B201", written, written, fen) for written, fen in WRITTEN.items()),
    amount("B201", 625, "数字单元格 625", 62500),
    no_amount("B202", "元的列里写 0.0625万元", "0.0625万元", "本列单位是元，不能写“万”", "0.0625万元"),
    no_amount("B202", "元的列里写 0.1万", "0.1万", "本列单位是元，不能写“万”", "0.1万"),
    Case("B202", "列名写“金额（万元）”", "F", sheet(*lines({("金额（万元）" if head == AMOUNT else head): cell for head, cell in grant(1).items()})), "larger_unit", kind="aid", tells="“金额（万元）”的单位不是元", variant="header"),
    Case("B203", "整列金额是“标准×月数”的 100 倍", "W", column(62500, 62500, 62500), "amount_scale", AMOUNT, row=None, tells="全列比“标准×月数”大 100 倍，请核对是否以元填写", kind="aid", accepted=3, variant="100"),
    Case("B203", "整列金额是“标准×月数”的万分之一", "W", column(0.06, 0.06, 0.06, **{"标准（元）": 600}), "amount_scale", AMOUNT, row=None, tells="全列比“标准×月数”小 10000 倍", kind="aid", accepted=3, variant="0.0001"),
    Case("B203", "没有标准列，整列金额远大于资助标准", "W", column(62500, 62500, 75000, **{"标准（元）": None}), "amount_scale", AMOUNT, row=None, tells="全列的中间值是 62,500.00 元，远大于资助标准", kind="aid", accepted=3, variant="alone"),
    no_amount("B204", "负数", -625, "金额为负数；更正请走冲正流程", "number"),
    no_amount("B204", "写作 (625)", "(625)", "不填负数", "brackets"),
    no_amount("B204", "0", "0", "金额为 0，请填写实际金额", "zero"),
    no_amount("B204", "-0", "-0", "不填负数", "minus zero"),
    no_amount("B205", "0.005", "0.005", "多于两位小数，请填到分", "0.005"),
    no_amount("B205", "625.001", "625.001", "多于两位小数，请填到分", "625.001"),
    amount("B205", 625.1000000000001, "浮点误差 625.1000000000001", 62510),
    no_amount("B206", "陆佰贰拾伍元整", "陆佰贰拾伍元整", "金额请填阿拉伯数字", "capitals"),
    no_amount("B206", "六百", "六百", "金额请填阿拉伯数字", "numerals"),
    *(no_amount("B207", written, written, "不是金额，请填阿拉伯数字", written) for written in ("1e3", "NaN", "Infinity", "1_000", "0x10")),
    *(account("B209", f"卡号{told}", "A", written, values={"account": CARD}, variant=told) for written, told in (("6217 0000 0000 0000 004", "有空格"), ("6217-0000-0000-0000-004", "有连字符"), ("６２１７000000000000004", "全角"))),
    account("B210", "卡号存在数字单元格里", "R", int(CARD), "card_numeric_cell", "账号被存为数字，前面的零或后几位已丢失"),
    account("B211", "62 开头的卡号校验位不符", "W", CARD[:-1] + "5", "card_check", "银行卡号校验位不符，请核对；存折账号不受此限", why="表中没有“卡或折”一列，一卡通、存折也有 62 开头的，不能一概退回。", variant="card"),
    account("B211", "存折账号不按卡号校验", "A", "990101000123", values={"account": "990101000123"}, variant="passbook"),
    account("B212", "12 位的旧账号", "A", "201012345678", values={"account": "201012345678"}, variant="12"),
    account("B212", "9 位的社会保障卡号", "R", "A12345678", "account_characters", "账号只能是数字", variant="letters"),
    account("B212", "位数不对", "R", "123456789", "account_length", "社会保障卡请填银行账号，不填社会保障号", variant="9"),
    account("B213", "存折账号存成数字，前面的零丢失", "R", 10123456789, "card_numeric_cell", "账号被存为数字，前面的零或后几位已丢失"),
    Case("B214", "户名是祖父母，已填关系", "A", paid(**{HOLDER: "王大山", RELATION: "爷爷", ACCOUNT: CARD}), kind="aid", accepted=3, variant="kin", why="祖父母领取最常见，已填亲属关系的不再提醒；一次性的证明材料在发放时核。"),
    Case("B214", "户名不是学生，没填关系", "W", paid(**{HOLDER: "王大山", ACCOUNT: CARD}), "holder_relation", HOLDER, tells="户名不是学生本人，请在“与学生关系”列填写关系", kind="aid", accepted=3, variant="undeclared"),
    Case("B214", "户名不是学生，关系不是亲属", "W", paid(**{HOLDER: "王大山", RELATION: "班主任", ACCOUNT: CARD}), "holder_relation", HOLDER, tells="关系“班主任”不是亲属，请核对", kind="aid", accepted=3, variant="stranger"),
    Case("B214", "关系填“本人”，户名却是别人", "W", paid(**{HOLDER: "王大山", RELATION: "本人", ACCOUNT: CARD}), "holder_relation", HOLDER, tells="关系填的是“本人”，但户名与学生姓名不同", kind="aid", accepted=3, variant="oneself"),
    Case("B215", "两名学生同一账号", "W", sharing(2), "account_shared", ACCOUNT, tells="与第 3 行是同一账号，请确认是同一家庭", kind="aid", accepted=2, variant="family"),
    Case("B215", "全班同一账号", "R", sharing(5), "account_crowded", ACCOUNT, tells="同一账号有 5 名学生（第 3 行、第 4 行、第 5 行、第 6 行），超过 4 名", kind="aid", accepted=0, variant="class"),
    Case("B218", "合计金额不符", "W", total("合计", *[None] * 7, 1300), "total_mismatch", AMOUNT, row=4, tells="合计行的“金额（元）”写的是 1300，各行相加是 1,250.00 元", kind="aid", accepted=2, variant="amount"),
    Case("B218", "合计人数不符", "W", total("合计：3人"), "total_mismatch", row=4, tells="合计行写的是 3 人，实际是 2 人", kind="aid", accepted=2, variant="people"),
    Case("B218", "大写与各行不符", "W", total("合计人民币（大写）：壹仟叁佰元整"), "total_mismatch", AMOUNT, row=4, tells="写的是 壹仟叁佰元整，各行相加是 1,250.00 元", kind="aid", accepted=2, variant="capitals"),
    Case("B218", "合计金额、人数、大写都相符", "A", total("合计 2人", "大写：壹仟贰佰伍拾元整", *[None] * 6, "1,250.00"), "subtotal", row=4, tells="是小计或合计行，已跳过", kind="aid", accepted=2, variant="true"),
]  # fmt: skip

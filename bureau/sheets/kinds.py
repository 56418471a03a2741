"""How the cells of a column are read: a text, number, date or truth value in, a parsed value out, or a Fault."""

import re
from datetime import date, datetime
from typing import Any, NamedTuple

from bureau.identity import (
    DOCUMENT_KINDS,
    Fault,
    clean_name,
    is_sound_id,
    parse_account,
    parse_certificate,
    parse_citizen_id,
    parse_document,
    parse_document_kind,
    parse_phone,
    parse_student_number,
)
from bureau.identity.names import NOTES as NAME_NOTES

from .cells import INVALID, INVISIBLE, compact, shown, tidy

MAX_CELL = 4000  # longer than any field of any list


class Noted(NamedTuple):
    """A value that is taken, with something to tell."""

    value: Any
    code: str
    message: str


class Moment(NamedTuple):
    """What a cell's reading may depend on beside the cell."""

    today: date
    from_1904: bool = False


class Kind:
    """Base of all kinds. `repeats`: the same texts come again and again, so results are remembered."""

    repeats = True
    options: tuple[str, ...] = ()  # what the template offers
    identifying = False  # a faulty text is kept under `<attr>_damaged`, for linkage
    as_text = False  # the template formats the column as text, so that digits survive
    max_length = 200

    def read(self, text: str, moment: Moment) -> Any:
        """A non-blank text. Raises Fault."""
        raise NotImplementedError

    def show(self, value: Any) -> Any:
        """The cell to write for a value, such that reading it gives the value again."""
        return value

    def number(self, number: float | int, moment: Moment) -> Any:
        return self.read(shown(number), moment)

    def day(self, day: date, moment: Moment) -> Any:
        return self.read(shown(day), moment)

    def flag(self, flag: bool, moment: Moment) -> Any:
        raise Fault("cell_type", "单元格是逻辑值（TRUE/FALSE），请改为文本。")

    def cell(self, cell: Any, moment: Moment) -> Any:
        """Any cell but None; a blank text gives None."""
        kind = type(cell)
        if kind is str:
            if not cell or cell.isspace():
                return None
            if not cell.isprintable() and not INVISIBLE.sub("", cell).strip():
                return None
            if INVALID.search(cell):
                raise Fault("invalid_characters", "含有控制字符或无效字符，请删除后重新录入。")
            if len(cell) > min(MAX_CELL, self.max_length) and len(tidy(cell)) > self.max_length:
                raise Fault("too_long", f"内容有 {len(cell)} 个字，最多 {self.max_length} 个字。")
            return self.read(cell, moment)
        if kind is tuple:
            raise Fault(cell[0], BAD_CELLS[cell[0]].format(cell[1]))
        if kind is float or kind is int:
            return self.number(cell, moment)
        if kind is bool:
            return self.flag(cell, moment)
        if kind is datetime:
            return self.day(cell.date(), moment)
        if kind is date:
            return self.day(cell, moment)
        return self.read(shown(cell), moment)


BAD_CELLS = {
    "cell_error": "单元格是错误值 {}，请修正公式或直接填写内容。",
    "formula_without_value": "公式没有保存结果，请用 Excel 或 WPS 打开并保存后再上传，或直接填写内容。",
}


class Text(Kind):
    """Free text on one line. `digits` marks codes that must keep their leading zeros."""

    def __init__(self, max_length: int = 200, *, digits: bool = False):
        self.max_length, self.as_text = max_length, digits

    def read(self, text, moment):
        return text if text.isalnum() else tidy(text) or None

    def number(self, number, moment):
        return self.read(shown(whole(number)), moment)


def whole(number: float | int) -> float | int:
    """A number that may stand for a text; a fraction or percentage is what a spreadsheet made of one. Raises Fault."""
    if isinstance(number, float) and not number.is_integer():
        raise Fault(
            "cell_type", f"单元格是小数 {shown(number)}（可能是分数或百分比），请设为文本格式后重新填写。"
        )
    return number


class Code(Kind):
    """An opaque number of another system, compared without blanks; too long for a numeric cell to hold."""

    identifying, as_text, repeats = True, True, False
    max_length = 64

    def read(self, text, moment):
        return text if text.isascii() and text.isalnum() else compact(text).lstrip("'’‘`") or None

    def number(self, number, moment):
        if abs(number) >= 1e15:
            raise Fault("id_numeric_cell", "编号被存为数字，后几位已丢失，请改为文本格式重新录入。")
        return shown(number)


class PersonName(Kind):
    """A name as on the certificate; the notes of normalisation are passed on."""

    max_length = 100
    identifying = True
    _plain = re.compile("[一-鿿]{2,4}").fullmatch

    def read(self, text, moment):
        if self._plain(text):
            return text
        name = clean_name(text)
        if name.notes:
            return Noted(name.value, name.notes[0], NAME_NOTES[name.notes[0]])
        return name.value

    def day(self, day, moment):
        raise Fault("name_characters", "姓名列是一个日期，请填写姓名。")

    def number(self, number, moment):
        raise Fault("name_characters", "姓名列是一个数字，请填写姓名。")


_CERTIFICATE_SHAPE = re.compile(r"[0-9]{17}[0-9Xx][0-9]{2}(B[0-9]?)?").fullmatch


# In this program's templates and in GB 11643: whoever leaves them has left the example row.
SAMPLES = frozenset({"990101201205030011", "11010519491231002X", "440524188001010014"})


class CitizenNumber(Kind):
    """公民身份号码. `minor`: nobody of that age holds fifteen digits. `certificates`: the number of a disability
    certificate may stand here, as poverty lists have it for disabled members."""

    identifying, as_text, repeats = True, True, False
    max_length = 60

    def __init__(self, *, minor: bool = False, certificates: bool = False):
        self.minor, self.certificates = minor, certificates

    def read(self, text, moment):
        if is_sound_id(text, today=moment.today) and text not in SAMPLES:
            return text
        if self.certificates and _CERTIFICATE_SHAPE(compact(text)):
            holder = parse_certificate(text, today=moment.today).holder_id
            return Noted(
                holder, "certificate_as_id", "身份证号列填的是残疾人证号，已取前 18 位作为身份证号。"
            )
        found = parse_citizen_id(text, today=moment.today, minor=self.minor)
        if found.value in SAMPLES:
            raise Fault("id_placeholder", "这是举例用的身份证号，请删除举例行，或改为本人的号码。")
        if found.legacy:
            return Noted(found.value, "id_legacy", "15 位旧身份证号，已按 18 位识别，请核对。")
        if found.tail_000:
            return Noted(
                found.value, "id_tail_000", "身份证号末三位为 000，疑似被表格软件截断，请对照证件核对。"
            )
        return found.value

    def number(self, number, moment):
        raise Fault("id_numeric_cell", "身份证号被存为数字，后三位已丢失，请改为文本格式重新录入。")

    def day(self, day, moment):
        raise Fault("id_characters", "身份证号列是一个日期，请填写身份证号。")


class StudentNumber(Kind):
    """全国学籍号."""

    identifying, as_text, repeats = True, True, False
    max_length = 60

    _plain = re.compile("[GJL][0-9]{17}[0-9X]").fullmatch

    def read(self, text, moment):
        if self._plain(text):
            return text
        return parse_student_number(text, today=moment.today).value

    def number(self, number, moment):
        raise Fault("id_numeric_cell", "学籍号被存为数字，后三位已丢失，请改为文本格式重新录入。")


class DisabilityCertificate(Kind):
    """残疾人证号."""

    identifying, as_text, repeats = True, True, False
    max_length = 60

    def read(self, text, moment):
        return parse_certificate(text, today=moment.today).value

    def number(self, number, moment):
        raise Fault("id_numeric_cell", "残疾人证号被存为数字，后几位已丢失，请改为文本格式重新录入。")


class Account(Kind):
    """Bank card or passbook. A failing check digit is only worth a warning: passbooks have none."""

    identifying, as_text, repeats = True, True, False
    max_length = 60

    def read(self, text, moment):
        if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+", compact(text)):
            raise Fault("card_numeric_cell", "账号被存为数字，后几位已丢失，请改为文本格式重新录入。")
        account = parse_account(text)
        if not account.luhn and account.value.startswith("62") and 16 <= len(account.value) <= 19:
            return Noted(account.value, "card_check", "银行卡号校验位不符，请核对；存折账号不受此限。")
        return account.value

    def number(self, number, moment):
        raise Fault("card_numeric_cell", "账号被存为数字，前面的零或后几位已丢失，请改为文本格式重新录入。")


class Phone(Kind):
    """One mobile or land line. Eleven digits in a numeric cell are lossless."""

    as_text, repeats = True, False
    max_length = 60
    _mobile = re.compile("1[3-9][0-9]{9}").fullmatch

    def read(self, text, moment):
        if self._mobile(text):
            return text
        return parse_phone(text)


class DocumentKind(Kind):
    """身份证件类型: a code or its words, "1-居民身份证" too. Gives the code of DOCUMENT_KINDS."""

    options = ("居民身份证", "户口簿", "港澳台居民居住证", "护照", "其他")

    def show(self, value):
        return DOCUMENT_KINDS[value]

    def read(self, text, moment):
        if code := parse_document_kind(text):
            return code
        raise Fault("unknown_value", f"不认识的证件类型“{tidy(text)[:20]}”，请从下拉选项中选择。")


def read_document(kind_code: str, cell: Any, moment: Moment) -> str:
    """A number that is not a citizen ID, by the row's document type. Raises Fault."""
    if isinstance(cell, float | int) and abs(cell) >= 1e15:
        raise Fault("id_numeric_cell", "证件号码被存为数字，后几位已丢失，请改为文本格式重新录入。")
    return parse_document(kind_code, shown(cell), today=moment.today).value

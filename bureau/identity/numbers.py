"""学籍号, 残疾人证号, bank accounts and telephones: text in, normalised value out, or a Fault."""

import re
from datetime import date
from typing import NamedTuple

from stdnum import luhn

from bureau.identity.characters import plain_number
from bureau.identity.citizen import parse_citizen_id
from bureau.identity.faults import Fault

_STUDENT = re.compile(r"[GJL][0-9]*X?").fullmatch
_CERTIFICATE = re.compile(r"[0-9]{17}[0-9X][0-9]{2}(B[0-9]{0,2})?").fullmatch
_CERTIFICATE_CHARACTERS = re.compile(r"[0-9]*X?[0-9]*(B[0-9]*)?").fullmatch
_ACCOUNT_BREAKS = re.compile(r"[-‐-―−]")
_ACCOUNT = re.compile(r"[0-9]+").fullmatch
ACCOUNT_LENGTHS = range(10, 31)  # from old passbooks to long corporate accounts; a card has 16 to 19
_PHONE_BREAKS = re.compile(r"[-‐-―−()]")
_COUNTRY = re.compile(r"^(\+|00)?86(?=1[3-9][0-9]{9}$|0)")
_MOBILE = re.compile(r"1[3-9][0-9]{9}").fullmatch
_LANDLINE = re.compile(r"0(10|2[0-9]|[3-9][0-9]{2})[2-8][0-9]{6,7}").fullmatch


class StudentNumber(NamedTuple):
    """`kind`: G formal, J formal without an ID number, L temporary.

    `embedded_id` is a hint, not proof: the ID may have been corrected while the G number stayed.
    """

    value: str
    kind: str
    embedded_id: str | None


class Certificate(NamedTuple):
    """`category` 1 视力 2 听力 3 言语 4 肢体 5 智力 6 精神 7 多重; `level` 1 (most severe) to 4; `suffix` of a reissue."""

    value: str
    holder_id: str
    category: str
    level: str
    suffix: str


class Account(NamedTuple):
    """`luhn` false is a warning at most: passbooks (存折, 一折通) and rural-credit accounts do not follow it."""

    value: str
    luhn: bool


def parse_student_number(text: str, *, today: date | None = None) -> StudentNumber:
    """Read a national 学籍号: G, J or L and eighteen characters. Raises number_characters or number_length.

    Only a G number embeds an ID, and only where its check is right: J and L look alike and are not IDs.
    """
    value = plain_number(text)
    if not _STUDENT(value):
        raise Fault("number_characters", "学籍号应以字母G、J或L开头，其后为数字，末位可为X。")
    if len(value) != 19:
        raise Fault("number_length", f"学籍号应为19位，现为{len(value)}位。")
    embedded_id = None
    if value[0] == "G":
        try:
            embedded_id = parse_citizen_id(value[1:], today=today).value
        except Fault:
            pass  # formal numbers without a valid ID exist; the number itself is still right
    return StudentNumber(value, value[0], embedded_id)


def parse_certificate(text: str, *, today: date | None = None) -> Certificate:
    """Read a disability certificate: the holder's ID, category, level, and B1, B2… after a reissue.

    Raises certificate_characters, certificate_length, certificate_holder or certificate_class. Whether the holder is
    the child of the row is the caller's question: a parent's certificate on a child's row is a usual error.
    """
    value = plain_number(text)
    if not _CERTIFICATE(value):
        if _CERTIFICATE_CHARACTERS(value):
            raise Fault("certificate_length", "残疾人证号应为20位，补换证的在其后加B和次数。")
        raise Fault("certificate_characters", "残疾人证号只能是身份证号加两位数字，补换证的在其后加B和次数。")
    try:
        holder_id = parse_citizen_id(value[:18], today=today).value
    except Fault as fault:
        raise Fault("certificate_holder", f"残疾人证号前18位应为持证人身份证号：{fault.message}") from fault
    category, level = value[18], value[19]
    if category not in "1234567" or level not in "1234":
        raise Fault("certificate_class", "残疾人证号第19位应为类别1至7，第20位应为等级1至4。")
    return Certificate(value, holder_id, category, level, value[20:])


def parse_account(text: str) -> Account:
    """Read a bank card or passbook account, blanks and dashes removed. Raises account_characters, account_length."""
    value = _ACCOUNT_BREAKS.sub("", plain_number(text))
    if not _ACCOUNT(value):
        raise Fault("account_characters", "账号只能是数字。")
    if len(value) not in ACCOUNT_LENGTHS:
        raise Fault(
            "account_length", f"账号位数不对，现为{len(value)}位；社会保障卡请填银行账号，不填社会保障号。"
        )
    if len(set(value)) == 1:
        raise Fault("account_characters", "不能使用占位账号。")
    return Account(value, luhn.is_valid(value))


def parse_phone(text: str) -> str:
    """One mobile number (eleven digits) or one land line with its area code, digits only. Raises phone_format."""
    value = _COUNTRY.sub("", _PHONE_BREAKS.sub("", plain_number(text)))
    if _MOBILE(value) or _LANDLINE(value):
        return value
    if sum(c in "0123456789" for c in value) > 15:
        raise Fault("phone_format", "一格只填一个电话号码。")
    raise Fault("phone_format", "应为11位手机号，或带区号的固定电话。")

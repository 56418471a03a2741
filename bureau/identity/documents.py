"""Papers of people who hold no citizen ID, each with the shape its issuer gives it."""

import re
from datetime import date
from typing import NamedTuple

from bureau.identity.characters import plain_number
from bureau.identity.citizen import parse_citizen_id
from bureau.identity.codes import DOCUMENT_KINDS
from bureau.identity.faults import Fault

HELD_AS_CITIZEN_ID = frozenset({"1", "2", "RP"})
MAX_OTHER = 40

# No check digits are known for these. Foreign passports vary, so any six to twelve letters and digits pass.
_SHAPES = {
    "6": (r"[A-Z0-9()]{6,12}", "香港特区护照或身份证明号码"),
    "7": (r"[A-Z0-9()/]{6,12}", "澳门特区护照或身份证明号码"),
    "8": (r"[0-9]{8}", "台湾居民来往大陆通行证号码应为8位数字"),
    "9": (r"[A-Z0-9]{6,18}", "境外永久居住证号码"),
    "A": (r"(?=.*[0-9]{4})[A-Z0-9]{6,12}", "护照号码应为字母和数字，6至12位"),
    "BC": (r"[A-Z][0-9]{9}", "出生医学证明编号应为1位字母加9位数字"),
    "FP": (
        r"9[0-9]{16}[0-9X]|[A-Z]{3}[0-9]{12}",
        "外国人永久居留身份证号码应为9开头的18位，或3位字母加12位数字",
    ),
    "HM": (r"[HM][0-9]{8}([0-9]{2})?", "港澳居民来往内地通行证号码应为H或M加8位数字"),
}
_FULL = {kind: (re.compile(shape).fullmatch, hint) for kind, (shape, hint) in _SHAPES.items()}


class Document(NamedTuple):
    """`born_on` and `sex` are known only where the number carries them."""

    kind: str
    value: str
    born_on: date | None = None
    sex: str | None = None


def parse_document(kind_code: str, text: str, *, today: date | None = None) -> Document:
    """Read the number of a paper of this kind (a code of DOCUMENT_KINDS).

    Papers that carry the citizen ID raise its faults; the others document_format. Kind Z takes any short text, and
    none at all: the school keeps a stamped proof. Raises KeyError for an unknown kind.
    """
    if kind_code not in DOCUMENT_KINDS:
        raise KeyError(kind_code)
    if kind_code in HELD_AS_CITIZEN_ID:
        citizen = parse_citizen_id(text, today=today, minor=True)
        return Document(kind_code, citizen.value, citizen.born_on, citizen.sex)
    value = plain_number(text)
    if kind_code == "Z":
        if len(value) > MAX_OTHER or not value.isprintable():
            raise Fault("document_format", f"证件号码不能超过{MAX_OTHER}个字，也不能含控制字符。")
        return Document(kind_code, value)
    shape, hint = _FULL[kind_code]
    if not shape(value):
        raise Fault("document_format", f"证件号码格式不对：{hint}。")
    return Document(kind_code, value)

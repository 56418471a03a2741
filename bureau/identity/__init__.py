"""Identifiers and names: text in, a normalised value or a coded Fault out. Pure functions, no database."""

from bureau.identity.citizen import CitizenID, check_digit, is_placeholder_id, is_sound_id, parse_citizen_id
from bureau.identity.codes import (
    DOCUMENT_KINDS,
    ETHNIC,
    KINSHIP,
    SEX,
    parse_document_kind,
    parse_ethnicity,
    parse_kinship,
    parse_sex,
    parse_yes_no,
)
from bureau.identity.documents import Document, parse_document
from bureau.identity.faults import Fault
from bureau.identity.names import Name, clean_name, initials, name_key, names_agree, pinyin_key
from bureau.identity.numbers import (
    Account,
    Certificate,
    StudentNumber,
    parse_account,
    parse_certificate,
    parse_phone,
    parse_student_number,
)

__all__ = [
    "DOCUMENT_KINDS",
    "ETHNIC",
    "KINSHIP",
    "SEX",
    "Account",
    "Certificate",
    "CitizenID",
    "Document",
    "Fault",
    "Name",
    "StudentNumber",
    "check_digit",
    "clean_name",
    "initials",
    "is_placeholder_id",
    "is_sound_id",
    "name_key",
    "names_agree",
    "parse_account",
    "parse_certificate",
    "parse_citizen_id",
    "parse_document",
    "parse_document_kind",
    "parse_ethnicity",
    "parse_kinship",
    "parse_phone",
    "parse_sex",
    "parse_student_number",
    "parse_yes_no",
    "pinyin_key",
]

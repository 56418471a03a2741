"""What an account may be called."""

import re

_ALLOWED = re.compile(r"[\w.@+-]{1,60}")
_CITIZEN_OR_STUDENT_NUMBER = re.compile(r"[GJLgjl]?\d{15}(\d{2}[\dXx])?")


def username_fault(username: str) -> str:
    """Why a username is not allowed; empty when it is. Numbers that identify a person never are (they get printed)."""
    if not _ALLOWED.fullmatch(username):
        return "账号须为 1–60 个字母、数字或汉字，可含 . @ + - _，不含空格。"
    if _CITIZEN_OR_STUDENT_NUMBER.fullmatch(username):
        return "不能用身份证号或学籍号作账号。"
    return ""

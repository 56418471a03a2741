"""Passwords nobody chose: handed out once on paper and changed at the first log-in; and the rule for chosen ones."""

import secrets

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.exceptions import ValidationError

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no i, l, o, 0, 1: people copy it from paper
_GROUPS, _LENGTH = 3, 4
_ROUNDS = 10_000


def one_time_password() -> str:
    """Twelve random letters and digits in groups of four, 59 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_GROUPS))


def one_time_hash(password: str) -> str:
    """The stored form of a one-time password, made in milliseconds.

    A slow hash protects what people choose; 59 random bits need no such help, and 400 schools at a tenth of a second
    each would keep a clerk waiting. The first log-in replaces it by the preferred hash anyway.
    """
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(password, hasher.salt(), iterations=_ROUNDS)


class KindsOfCharacters:
    """A chosen password mixes three of: capitals, small letters, digits, others (等保三级，身份鉴别)."""

    needed = 3

    def validate(self, password: str, user=None) -> None:
        kinds = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
        if sum(any(map(kind, password)) for kind in kinds) < self.needed:
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self) -> str:
        return "密码须包含大写字母、小写字母、数字、符号中的三类。"

"""The second factor (等保三级，身份鉴别): six digits of an authenticator app (RFC 6238), or a recovery code from paper.

Who needs one is a setting, BUREAU_SECOND_FACTOR: `off` (whoever wants one), `bureau` (everybody but school clerks, and
whoever may see full numbers), `everyone`. No code is accepted twice, five wrong ones lock for a quarter of an hour.
Source: docs/rules/access.md.
"""

import secrets
import time
from datetime import timedelta
from uuid import UUID

import pyotp
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bureau import audit, secrecy
from bureau.access.models import Account, SecondFactor
from bureau.access.roles import Role

FIELD = "second_factor"
PASSED = "second_factor_at"  # key of the session
STEP_SECONDS = 30
DRIFT = (-1, 0, 1)  # steps a telephone's clock may be off
MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
RECOVERY_CODES = 8
FRESH_SECONDS = 300  # how long a code counts for what asks for one again
SPARED = {Role.SCHOOL_CLERK, Role.DISTRICT_SCHOOL}  # by `bureau`, unless they may see full numbers
FULL_NUMBERS = "students.reveal"


class WrongCode(Exception):
    """The code was not accepted; `message` tells the person why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def is_required(account: Account) -> bool:
    """Whether the setting makes this account use a second factor, by what it holds today."""
    match settings.SECOND_FACTOR:
        case "everyone":
            return True
        case "bureau":
            return bool(account.scope.roles - SPARED) or account.may(FULL_NUMBERS)
    return False


def confirmed(account: Account) -> SecondFactor | None:
    """The factor this account is asked for at log-in; none while it is only being set up."""
    return SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).first()


@transaction.atomic
def begin(*, account: Account) -> SecondFactor:
    """A new secret, not asked for until its first code is confirmed. One that is already in use stays."""
    factor = SecondFactor.objects.select_for_update().filter(account=account).first()
    if factor and factor.confirmed_at:
        return factor
    factor = factor or SecondFactor(account=account)
    factor.secret = secrecy.seal(pyotp.random_base32(), field=FIELD, value_id=factor.value_id)
    factor.save()
    return factor


def address(factor: SecondFactor) -> str:
    """What the QR code tells the app; it holds the secret."""
    issuer = factor.account.county.name if factor.account.county_id else "教育局"
    return _totp(factor).provisioning_uri(name=factor.account.username, issuer_name=issuer)


def secret(factor: SecondFactor) -> str:
    """The secret in base32, for typing into an app that cannot scan."""
    return secrecy.open_sealed(factor.secret, field=FIELD, value_id=factor.value_id)


def confirm(*, account: Account, code: str) -> list[str]:
    """The app shows the right code: from now on it is asked for. Returns the recovery codes. Raises WrongCode."""
    verify(account=account, code=code)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(account=account)
        factor.confirmed_at = factor.confirmed_at or timezone.now()
        codes = _new_recovery(factor)
        factor.save(update_fields=["confirmed_at", "recovery"])
        audit.record(by=account, verb="access.factor_set", subject=account)
    return codes


def verify(*, account: Account, code: str) -> None:
    """Accept a code of the app or a recovery code, once. Raises WrongCode; failures are counted and lock for a while."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(account=account).first()
        if factor is None:
            raise WrongCode("还没有设置二次验证。")
        now = timezone.now()
        if factor.locked_until and factor.locked_until > now:
            raise WrongCode("连续输错次数过多，请 15 分钟后再试。")
        if accepted := _accept(factor, code.replace(" ", "").replace("-", "")):
            factor.failures, factor.locked_until = 0, None
        else:
            factor.failures += 1
            if factor.failures >= MOST_FAILURES:
                factor.failures, factor.locked_until = 0, now + LOCKED_FOR
                audit.record(by=account, verb="access.factor_locked", subject=account)
        factor.save(update_fields=["failures", "locked_until", "last_step", "recovery"])
    if not accepted:
        raise WrongCode("验证码不对，或者已经用过。请等下一个验证码再试。")


@transaction.atomic
def renew_recovery(*, account: Account) -> list[str]:
    """New recovery codes; the old ones end."""
    factor = SecondFactor.objects.select_for_update().get(account=account, confirmed_at__isnull=False)
    codes = _new_recovery(factor)
    factor.save(update_fields=["recovery"])
    audit.record(by=account, verb="access.factor_recovery_renewed", subject=account)
    return codes


@transaction.atomic
def remove(*, account: Account, by: Account) -> bool:
    """Take the factor away, when the telephone is lost or it is no longer wanted; whether there was one."""
    gone, _ = SecondFactor.objects.filter(account=account).delete()
    if gone:
        audit.record(by=by, verb="access.factor_removed", subject=account)
    return bool(gone)


def mark(session) -> None:
    """A code was given in this session just now."""
    session[PASSED] = int(time.time())


def is_fresh(session) -> bool:
    """Whether a code was given in this session within FRESH_SECONDS."""
    return time.time() - session.get(PASSED, 0) <= FRESH_SECONDS


def _accept(factor: SecondFactor, code: str) -> bool:
    if code.isdecimal() and code.isascii() and len(code) == 6:
        totp, current = _totp(factor), int(time.time()) // STEP_SECONDS
        for step in (current + drift for drift in DRIFT):
            if step > factor.last_step and secrets.compare_digest(totp.at(step * STEP_SECONDS), code):
                factor.last_step = step
                return True
        return False
    index = _index(code, factor.value_id)
    if index not in factor.recovery:
        return False
    factor.recovery.remove(index)
    audit.record(by=factor.account, verb="access.factor_recovery_used", subject=factor.account)
    return True


def _new_recovery(factor: SecondFactor) -> list[str]:
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    codes = ["".join(secrets.choice(alphabet) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    factor.recovery = [_index(code, factor.value_id) for code in codes]
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _index(code: str, value_id: UUID) -> str:
    return secrecy.blind(f"{value_id}:{code.lower()}", field=FIELD).hex()


def _totp(factor: SecondFactor) -> pyotp.TOTP:
    return pyotp.TOTP(secret(factor))

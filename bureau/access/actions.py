"""What is done to accounts: opened, assigned, disabled, their passwords set, and the rights of the roles changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from axes.utils import reset as forget_failures
from django.db import IntegrityError, transaction
from django.utils import timezone

from bureau import audit
from bureau.access.models import Account, Assignment, RoleRights
from bureau.access.passwords import one_time_hash, one_time_password
from bureau.access.roles import ALWAYS, NEVER, RIGHTS, Role
from bureau.organisation.models import County, School, Township

OPERATOR = "operator"


class UsernameTaken(ValueError):
    """Somebody else opened an account of this name first."""


@dataclass(frozen=True)
class Slip:
    """One printed first-log-in slip. The password exists here and on paper only."""

    account: Account
    assignment: Assignment | None
    password: str


@transaction.atomic
def create_account(
    *,
    county: County,
    username: str,
    display_name: str,
    role: str,
    by: Account | None,
    school: School | None = None,
    township: Township | None = None,
    post: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Slip:
    """Open an account with one assignment and a one-time password. Raises UsernameTaken.

    The caller has judged that `by` may give this role here (`Account.grants`).
    """
    password = one_time_password()
    account = Account(
        county=county,
        username=username,
        display_name=display_name,
        post=post,
        password=one_time_hash(password),
        must_change_password=True,
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        raise UsernameTaken(username) from error
    audit.record(by=by, verb="access.account_created", subject=account, detail={"role": str(role)})
    held = assign(
        account=account,
        role=role,
        school=school,
        township=township,
        valid_from=valid_from,
        valid_to=valid_to,
        by=by,
    )
    return Slip(account, held, password)


@transaction.atomic
def edit_account(*, account: Account, display_name: str, post: str, by: Account) -> None:
    account.display_name, account.post = display_name, post
    account.save(update_fields=["display_name", "post"])
    audit.record(by=by, verb="access.account_edited", subject=account)


@transaction.atomic
def assign(
    *,
    account: Account,
    role: str,
    by: Account | None,
    school: School | None = None,
    township: Township | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    deputy_for: Account | None = None,
) -> Assignment:
    """Give a role at a place (neither school nor township: the county). From today when no date is given."""
    held = account.assignments.create(
        county_id=account.county_id,
        role=role,
        school=school,
        township=township,
        valid_from=valid_from or timezone.localdate(),
        valid_to=valid_to,
        deputy_for=deputy_for,
    )
    place = school or township
    audit.record(
        by=by,
        verb="access.assigned",
        subject=account,
        detail={
            "role": str(role),
            "place": place.code if place else "",
            "from": held.valid_from,
            "to": valid_to,
        },
    )
    return held


@transaction.atomic
def end_assignment(*, assignment: Assignment, ended_on: date, by: Account) -> None:
    """`ended_on` is the last day the role is held; before the first day, the assignment never begins."""
    assignment.valid_to = ended_on
    assignment.save(update_fields=["valid_to"])
    audit.record(
        by=by,
        verb="access.assignment_ended",
        subject=assignment.account,
        detail={"role": str(assignment.role), "to": ended_on},
    )


@transaction.atomic
def switch_account(*, account: Account, active: bool, by: Account) -> None:
    """Disable an account, from its next request on, or enable it again."""
    account.is_active = active
    account.save(update_fields=["is_active"])
    audit.record(
        by=by, verb="access.account_enabled" if active else "access.account_disabled", subject=account
    )


@transaction.atomic
def reset_passwords(*, accounts: Iterable[Account], by: Account) -> list[Slip]:
    """New one-time passwords; open sessions end with the next request, and a lock after wrong attempts is lifted."""
    today = timezone.localdate()
    slips = []
    for account in accounts:
        password = one_time_password()
        account.password, account.must_change_password = one_time_hash(password), True
        account.save(update_fields=["password", "must_change_password"])
        forget_failures(username=account.username)
        audit.record(by=by, verb="access.password_reset", subject=account)
        running = account.assignments.not_ended(today).select_related("school", "township", "county")
        slips.append(Slip(account, running.order_by("valid_from").first(), password))
    return slips


@transaction.atomic
def change_password(*, account: Account, password: str) -> None:
    """The person himself chose `password`, already validated."""
    account.set_password(password)
    account.must_change_password = False
    account.save(update_fields=["password", "must_change_password"])
    audit.record(by=account, verb="access.password_changed", subject=account)


@transaction.atomic
def set_role_rights(*, county: County, role: str, rights: set[str], by: Account) -> frozenset[str]:
    """Change what a role may do in this county; what roles.py fixes (ALWAYS, NEVER) stays fixed. Returns the rights."""
    before = RoleRights.objects.by_role(county.pk)[role]
    after = frozenset(((rights & RIGHTS.keys()) | ALWAYS.get(role, frozenset())) - NEVER[role])
    if after != before:
        RoleRights.objects.update_or_create(county=county, role=role, defaults={"rights": sorted(after)})
        audit.record(
            by=by,
            verb="access.rights_changed",
            subject=county,
            detail={"role": str(role), "given": sorted(after - before), "taken": sorted(before - after)},
        )
    return after


@transaction.atomic
def operator_of(county: County) -> Account:
    """The account in whose name commands run when nobody is named; it cannot log in."""
    account, created = Account.objects.get_or_create(
        username=OPERATOR, defaults={"county": county, "display_name": "命令行操作员", "password": "!"}
    )
    if created:
        audit.record(
            by=None, verb="access.account_created", subject=account, detail={"role": str(Role.OPERATOR)}
        )
        assign(account=account, role=Role.OPERATOR, by=None)
    return account

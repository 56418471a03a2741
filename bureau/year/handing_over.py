"""换人交接: everything that lies on one desk, told once, and the post given to somebody else in one step.

What names an account as the one to act is handed on by followers, which rooms plug in. Source: docs/rules/school-year.md.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from bureau import audit, desk
from bureau.access import actions as access
from bureau.access.actions import Slip
from bureau.access.models import Account, Assignment
from bureau.year.actions import days_of
from bureau.year.models import Handover, WorkDate

_followers: list[Callable[[Account, Account], int]] = []


class NotHandedOver(Exception):
    """It cannot be done so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def register(follower: Callable[[Account, Account], int]) -> None:
    """`follower(leaving, coming)` gives what was one person's to do to the other; how many."""
    if follower not in _followers:
        _followers.append(follower)


def items_of(account: Account) -> list[dict[str, Any]]:
    """What waits on this account's desk: title, how many, by when, how many late. No child is named."""
    return [
        {
            "title": todo.title, "count": todo.count, "unit": todo.unit, "late": todo.late,
            "due_on": todo.due_on.isoformat() if todo.due_on else None,
        }
        for todo in desk.todos(account)
    ]  # fmt: skip


def year_of(account: Account, today: date) -> list[dict[str, Any]]:
    """What this post does in a year: the bureau's dates for its roles, from the school year `today` lies in."""
    first, last = days_of(today.year if today.month >= 8 else today.year - 1)
    rows = WorkDate.objects.filter(county=account.county).within(first, last)
    roles = account.scope.roles
    return [
        {
            "title": row.title,
            "kind": row.get_kind_display(),
            "first": row.starts_on.isoformat(),
            "last": row.due_on.isoformat(),
        }
        for row in rows
        if row.concerns(roles)
    ]


@transaction.atomic
def hand_over(
    *, leaving: Account, username: str, display_name: str, post: str, note: str, today: date, by: Account
) -> tuple[Handover, Slip]:
    """Close one account and open another with the same roles at the same places, today. Raises NotHandedOver,
    UsernameTaken.

    The caller has judged that `by` may edit the account, so that he may give each of its places.
    """
    leaving = Account.objects.select_for_update().get(pk=leaving.pk)
    running = list(
        leaving.assignments.not_ended(today).select_related("school", "township").order_by("valid_from", "pk")
    )
    if not leaving.is_active or leaving.handovers_given.exists():
        raise NotHandedOver("closed", "这个账号已停用或已交接，请刷新后查看。")
    if not running:
        raise NotHandedOver("no_post", "这个账号没有任职，没有可以交接的岗位，直接停用即可。")
    items, dates = items_of(leaving), year_of(leaving, today)
    first, *more = running
    slip = access.create_account(
        county=leaving.county,
        username=username,
        display_name=display_name,
        post=post,
        by=by,
        **_place(first, today),
    )
    for held in more:
        access.assign(account=slip.account, by=by, **_place(held, today))
    for held in running:
        access.end_assignment(assignment=held, ended_on=today - timedelta(days=1), by=by)
    access.switch_account(account=leaving, active=False, by=by)
    handed = sum(follower(leaving, slip.account) for follower in _followers)
    try:
        with transaction.atomic():
            done = Handover.objects.create(
                county=leaving.county, leaving=leaving, coming=slip.account, items=items, dates=dates, note=note,
                posts=[f"{held.get_role_display()}（{held.place.name}）" for held in running], handed_on=today, done_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise NotHandedOver("closed", "这个账号刚由他人办理了交接。") from error
    detail = {"count": handed, "rows": len(items)}
    audit.record(by=by, verb="year.handed_over", subject=leaving, county=leaving.county, detail=detail)
    return done, slip


def _place(held: Assignment, today: date) -> dict[str, Any]:
    return {
        "role": held.role, "school": held.school, "township": held.township, "valid_from": max(held.valid_from, today),
        "valid_to": held.valid_to,
    }  # fmt: skip

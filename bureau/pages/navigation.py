"""The entries of the side bar; rooms plug theirs in from `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from bureau.access.models import Account


@dataclass(frozen=True)
class NavItem:
    """A page of the side bar for those who have `right`. `page` is its URL name.

    `waiting` gives the rows whose number the badge shows, `overdue` those the bell in the top bar counts.
    """

    title: str
    icon: str
    page: str
    right: str
    position: int
    waiting: Callable[[Account], QuerySet] | None = None
    overdue: Callable[[Account], QuerySet] | None = None


_items: dict[str, NavItem] = {}


def register(*items: NavItem) -> None:
    """Add entries; a second one for the same page takes its place (ready() may run twice in tests)."""
    _items.update({item.page: item for item in items})


def items_for(account: Account) -> list[NavItem]:
    return sorted(
        (item for item in _items.values() if account.may(item.right)), key=lambda item: item.position
    )


register(
    NavItem("我的工作台", "layout-dashboard", "bureau:desk", "desk", 0),
    NavItem("综合看板", "chart-column", "bureau:dashboard", "dashboard", 10),
    NavItem("后台任务", "activity", "bureau:jobs", "jobs.view", 80),
    NavItem("学校与机构", "building-2", "bureau:organisation", "organisation.view", 85),
    NavItem("账号与权限", "users", "bureau:accounts", "accounts.view", 90),
    NavItem("审计日志", "scroll-text", "bureau:audit", "audit.view", 95),
)

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


# Where a part of the side bar begins, by position, and its caption; rooms choose positions inside their part.
SECTIONS = ((20, "学生与学籍"), (40, "名单与比对"), (60, "学生资助"), (70, "控辍保学"), (75, "督导检查"), (80, "系统与机构"))


def section_of(position: int) -> str:
    """The caption of the part a position lies in; none for what stands on top."""
    return next((caption for start, caption in reversed(SECTIONS) if position >= start), "")


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

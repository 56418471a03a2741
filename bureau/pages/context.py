"""`frame`: what the frame of every page says. Asked lazily, so a fragment pays only for what it shows."""

from functools import cached_property

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.lists import count_up_to
from bureau.organisation.models import Term
from bureau.organisation.terms import term_on
from bureau.pages.freshness import Freshness, Source, freshness
from bureau.pages.navigation import NavItem, items_for, section_of

PRODUCT = "县域教育资助与控辍保学平台"
MOST_WAITING = 999
SEARCH_PAGE = ("students:students", "students.view")


class Entry:
    """A navigation entry as drawn for one account."""

    def __init__(self, item: NavItem, account: Account, *, counted: bool = True):
        self.position, self.caption = item.position, ""
        self.title, self.icon, self.url, self.here = item.title, item.icon, reverse(item.page), False
        self.count = count_up_to(item.waiting(account), MOST_WAITING) if counted and item.waiting else 0
        self.late = count_up_to(item.overdue(account), MOST_WAITING) if counted and item.overdue else 0

    @property
    def count_text(self) -> str:
        return _up_to(self.count)


class Frame:
    product = PRODUCT
    counts = True

    def __init__(self, request):
        self._request = request

    @cached_property
    def calm(self) -> "Frame":
        """The same frame without counting anything, for pages that only say no: they come by the thousand, too."""
        return CalmFrame(self._request)

    @cached_property
    def account(self) -> Account | None:
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def _member(self) -> Account:
        """The account, for what the templates show only to somebody who is logged in."""
        assert self.account is not None
        return self.account

    @cached_property
    def bureau_name(self) -> str:
        county = self.account and self.account.county
        return f"{county.name}教育局" if county else "县教育局"

    @cached_property
    def term(self) -> Term | None:
        return self.account and self.account.county and term_on(self.account.county, timezone.localdate())

    @cached_property
    def roles(self) -> str:
        return "、".join(label for role, label in Role.choices if role in self._member.scope.roles)

    @cached_property
    def post(self) -> str:
        return self._member.post or self.roles

    @property
    def initial(self) -> str:
        return str(self.account)[:1].upper()

    @cached_property
    def place(self) -> str:
        """Where this account works today, in words."""
        return "、".join(self._member.workplaces) or "尚未分配工作地点"

    @cached_property
    def nav(self) -> list[Entry]:
        if self._member.must_change_password:
            return []  # until then every page leads to the password page
        entries = [Entry(item, self._member, counted=self.counts) for item in items_for(self._member)]
        path = self._request.path
        begun = ""
        for entry in entries:
            if (section := section_of(entry.position)) != begun:
                entry.caption = begun = section
        here = [e for e in entries if path == e.url or (e.url != "/" and path.startswith(e.url))]
        if here:
            max(here, key=lambda entry: len(entry.url)).here = True
        return entries

    @cached_property
    def overdue(self) -> int:
        return sum(entry.late for entry in self.nav)

    @property
    def overdue_text(self) -> str:
        return _up_to(self.overdue)

    @cached_property
    def search_url(self) -> str | None:
        page, right = SEARCH_PAGE
        if not self._member.may(right):
            return None
        try:
            return reverse(page)
        except NoReverseMatch:  # the ground floor also stands without the students' pages
            return None

    @cached_property
    def fresh(self) -> Freshness:
        return freshness(self.account) if self.account and self.counts else Freshness(None, [])

    @property
    def fresh_line(self) -> str:
        moment = self.fresh.changed_at
        return f"数据截至 {timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""

    @property
    def newest(self) -> list[Source]:
        """The lists at the foot of the side bar."""
        return sorted(self.fresh.sources, key=lambda source: source.as_of, reverse=True)[:3]


class CalmFrame(Frame):
    counts = False


def frame(request) -> dict[str, Frame]:
    return {"frame": Frame(request)}


def _up_to(number: int) -> str:
    return f"{MOST_WAITING}+" if number > MOST_WAITING else str(number)

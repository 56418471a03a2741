"""What a list page hands to its template."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from bureau.lists.filters import Field
from bureau.lists.orders import Order

MOST_COUNTED = 10_000


@dataclass
class Page:
    """One page of rows with everything the frame of a list needs to say and link."""

    rows: list[Any]
    total: int
    unit: str
    fields: list[Field]
    orders: list[Order]
    order: Order
    backwards: bool
    params: QueryDict
    previous: str | None
    next: str | None

    @property
    def total_text(self) -> str:
        """`1,204`, or `10,000+` where counting on would cost more than it tells."""
        return f"{MOST_COUNTED:,}+" if self.total > MOST_COUNTED else f"{self.total:,}"

    @property
    def description(self) -> str:
        """What is counted and why, for the page head: `应助未助 · 城关镇 · 共 34 人`."""
        return " · ".join([*(f.told for f in self.fields if f.told), f"共 {self.total_text} {self.unit}"])

    @property
    def is_filtered(self) -> bool:
        return any(f.text for f in self.fields)

    @property
    def refused(self) -> list[Field]:
        return [f for f in self.fields if f.refused]

    @property
    def previous_url(self) -> str | None:
        return self.previous and self._url(before=self.previous)

    @property
    def next_url(self) -> str | None:
        return self.next and self._url(after=self.next)

    @property
    def plain_query(self) -> str:
        """Filters and order without a place in the list: for exports and for “all rows that match”."""
        return self._url()

    @property
    def sort_text(self) -> str:
        return ("-" if self.backwards else "") + self.order.key

    def sort_url(self, order: Order) -> str:
        """The same rows in `order`; clicked twice, the other way round."""
        backwards = not self.backwards if order == self.order else order.descending
        return self._url(sort=("-" if backwards else "") + order.key)

    def without_url(self, key: str) -> str:
        """The list with one filter taken off."""
        return self._url(**{key: ""})

    def direction_of(self, order: Order) -> str | None:
        """For aria-sort."""
        if order != self.order:
            return None
        return "descending" if self.backwards else "ascending"

    def _url(self, **changes: str) -> str:
        query = self.params.copy()
        for word in ("before", "after"):
            query.pop(word, None)
        for word, value in changes.items():
            query[word] = value
            if not value:
                del query[word]
        return f"?{query.urlencode()}"

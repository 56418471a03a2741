"""The list of a page: what may be sorted and filtered is declared; the address only chooses among it."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import QuerySet
from django.http import QueryDict

from bureau.lists.filters import Field, Filter, Refused
from bureau.lists.orders import Order
from bureau.lists.page import MOST_COUNTED, Page


def count_up_to(queryset: QuerySet, most: int) -> int:
    """How many rows, counted no further than one past `most`."""
    return queryset.order_by()[: most + 1].count()


class Listing:
    """Rows of `queryset` (already `visible_to` somebody) as the address `params` asks for them.

    The cursor in the address is the key of the last row seen, never its name or birth date (addresses end in logs);
    where that row stands is read again, so a page follows it even when it moved. An unknown cursor, order or key is
    the first page in the first order; a filter value that is not offered shows no rows and says so, because showing
    all of them would answer another question.
    """

    unit: ClassVar[str] = "条"
    size: ClassVar[int] = 50
    orders: ClassVar[list[Order]] = [Order("id", "先后", "pk")]
    filters: ClassVar[list[Filter]] = []

    def __init_subclass__(cls) -> None:
        if not 1 <= len(cls.orders) <= 3:
            raise ImproperlyConfigured(f"{cls.__name__}: one to three orders, each on an index")

    def __init__(self, queryset: QuerySet, params: QueryDict, *, account=None):
        self.all, self.params, self.account = queryset, params, account

    def decorate(self, queryset: QuerySet) -> QuerySet:
        """Related rows and annotations that only the shown rows need."""
        return queryset

    @cached_property
    def order(self) -> tuple[Order, bool]:
        """The order asked for and whether it runs backwards."""
        word = self.params.get("sort", "")
        for order in self.orders:
            if word.removeprefix("-") == order.key:
                return order, word.startswith("-")
        return self.orders[0], self.orders[0].descending

    @cached_property
    def fields(self) -> list[Field]:
        return [self._read(filter) for filter in self.filters]

    @cached_property
    def queryset(self) -> QuerySet:
        """All rows the filters leave, unsorted: what is counted, exported and acted on in bulk."""
        rows = self.all
        for field in self.fields:
            if field.refused:
                return rows.none()
            if field.text:
                rows = field.filter.apply(rows, self._values[field.key])
        return rows

    @property
    def sorted(self) -> QuerySet:
        order, backwards = self.order
        return order.sort(self.decorate(self.queryset), backwards=backwards)

    def page(self, *, total: int | None = None) -> Page:
        """The page of rows; `total` when a summary already knows it."""
        order, backwards = self.order
        order.check(self.all)
        asked = "before" if "before" in self.params else "after"
        position = self._position(order, self.params.get(asked, ""))
        returning = asked == "before" and position is not None
        found = self._rows(position, backwards=backwards != returning)
        if (
            not found and position is not None
        ):  # all beyond it are gone: better the first page than an empty one
            position, returning = None, False
            found = self._rows(None, backwards=backwards)
        more, found = len(found) > self.size, found[: self.size]
        if returning:
            found.reverse()
        has_previous = more if returning else position is not None
        has_next = returning or more
        return Page(
            rows=found,
            total=self.total() if total is None else total,
            unit=self.unit,
            fields=self.fields,
            orders=self.orders,
            order=order,
            backwards=backwards,
            params=self.params,
            previous=str(found[0].pk) if found and has_previous else None,
            next=str(found[-1].pk) if found and has_next else None,
        )

    def _rows(self, position: tuple | None, *, backwards: bool) -> list[Any]:
        """One page and one row more, beyond `position`."""
        order, _ = self.order
        rows = self.decorate(self.queryset)
        if position is not None:
            rows = order.beyond(rows, position, backwards=backwards)
        return list(order.sort(rows, backwards=backwards)[: self.size + 1])

    def total(self) -> int:
        return count_up_to(self.queryset, MOST_COUNTED)

    def export_rows(self, *, most: int) -> Iterator[Any]:
        """The rows in their order, read in chunks, for a workbook."""
        return self.sorted[:most].iterator(chunk_size=2000)

    @cached_property
    def _values(self) -> dict[str, Any]:
        return {}

    def _read(self, filter: Filter) -> Field:
        text = self.params.get(filter.key, "").strip()
        options = filter.offered(self)
        if not text:
            return Field(filter, options=options)
        try:
            self._values[filter.key], told = filter.read(text, self)
        except Refused:
            return Field(filter, text=text, refused=True, options=options)
        return Field(filter, text=text, told=told, options=options)

    def _position(self, order: Order, cursor: str) -> tuple | None:
        if not cursor or len(cursor) > 60:
            return None
        try:
            key = self.all.model._meta.pk.to_python(cursor)
        except ValidationError:
            return None
        try:
            return order.position(self.all, key)
        except (OverflowError, ValueError):
            return None

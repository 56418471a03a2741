"""Sort orders: each stands on an index (scope, field, key) and is walked in both directions."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Field, Q, QuerySet


@dataclass(frozen=True)
class Order:
    """One way to sort. `key` is its word in the address, `-key` its reverse; `field` may cross relations.

    `field` is never null (a null would be skipped between two pages). Rows that share a value are told apart by `tie`.
    """

    key: str
    label: str
    field: str
    descending: bool = False
    tie: str = "pk"

    def check(self, queryset: QuerySet) -> None:
        """Raises ImproperlyConfigured for a column that may be null; annotations are the page's own promise."""
        column = _column(queryset, self.field)
        if column is not None and column.null:
            raise ImproperlyConfigured(f"order {self.key!r}: {self.field} may be null")

    def sort(self, queryset: QuerySet, *, backwards: bool) -> QuerySet:
        names = dict.fromkeys((self.field, self.tie))
        return queryset.order_by(*(F(name).desc() if backwards else F(name).asc() for name in names))

    def beyond(self, queryset: QuerySet, position: tuple, *, backwards: bool) -> QuerySet:
        """Rows behind `position` (value, tie) in that direction; the first condition lets the index find its start."""
        value, tie = position
        word = "lt" if backwards else "gt"
        if self.field == self.tie:
            return queryset.filter(**{f"{self.tie}__{word}": tie})
        return queryset.filter(
            Q(**{f"{self.field}__{word}": value}) | Q(**{f"{self.tie}__{word}": tie}),
            **{f"{self.field}__{word}e": value},
        )

    def position(self, queryset: QuerySet, row_key) -> tuple | None:
        """Where a row stands in this order now; None when it is not there or not visible."""
        return queryset.order_by().filter(pk=row_key).values_list(self.field, self.tie).first()


def _column(queryset: QuerySet, path: str) -> Field | None:
    if path.split("__")[0] in queryset.query.annotations:
        return None
    model, column = queryset.model, None
    for name in path.split("__"):
        column = model._meta.pk if name == "pk" else model._meta.get_field(name)
        if column.is_relation:
            model = column.related_model
    return column

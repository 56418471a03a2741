"""From a number to its rows: a list page with a FigureFilter shows exactly what a figure counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from bureau.figures.figure import NO_PART, Asked, Figure, find
from bureau.lists import Filter, Refused
from bureau.organisation.models import School, Township

UNSTATED = "未注明"
PLACES: dict[str, Any] = {"township": Township, "school": School}


def _only(queryset, value):
    figure, asked = value
    return queryset.filter(pk__in=figure.queryset(asked).order_by().values("pk"))


@dataclass(frozen=True)
class FigureFilter(Filter):
    """`?figure=S01~stage:primary` for the list whose URL name is `page`; the listing must be given its `account`.

    `words` says the values of a part: {"stage": {"primary": "小学"}}. Townships and schools are known here.
    """

    key: str = "figure"
    label: str = "指标"
    apply: Callable[[QuerySet, Any], QuerySet] = _only
    hidden: bool = field(default=True, kw_only=True)
    page: str = field(kw_only=True)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict, kw_only=True)

    def read(self, text: str, listing) -> tuple[tuple[Figure, Asked], str]:
        code, *parts = text.split("~")
        asked = Asked.by(listing.account, on=timezone.localdate())
        try:
            figure = find(code)
        except KeyError:
            raise Refused from None
        if asked is None or figure.page != self.page:
            raise Refused
        told = [str(asked.term), figure.name]
        for word in parts:
            part, _, value = word.partition(":")
            if part not in figure.parts:
                raise Refused
            told.append(UNSTATED if value == NO_PART else self._told(asked, part, value))
            asked = asked.of(**{part: value})
        return (figure, asked), " · ".join(told)

    def _told(self, asked: Asked, part: str, value: str) -> str:
        if part in PLACES:
            try:
                return PLACES[part].objects.get(county=asked.county, pk=UUID(value)).name
            except (ValueError, PLACES[part].DoesNotExist):
                raise Refused from None
        try:
            return str(self.words[part][value])
        except KeyError:
            raise Refused from None

"""Filters of a list page. Only declared keys and offered values reach a queryset."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet

Options = Iterable[tuple[str, str]]
MOST_CHARACTERS = 60


class Refused(ValueError):
    """A value that the filter does not offer."""


@dataclass(frozen=True)
class Filter:
    """One filter: its word in the address, its label, and what it does to the rows.

    `apply(queryset, value)`; a `hidden` filter has no field of its own but is kept, told and can be taken off.
    """

    key: str
    label: str
    apply: Callable[[QuerySet, Any], QuerySet]
    hidden: bool = field(default=False, kw_only=True)
    kind = "text"

    def offered(self, listing) -> list[tuple[str, str]]:
        """What a drop-down shows."""
        return []

    def read(self, text: str, listing) -> tuple[Any, str]:
        """The value given to `apply`, and how the page tells it; raises Refused."""
        raise NotImplementedError


@dataclass(frozen=True)
class Search(Filter):
    """Free words."""

    hint: str = ""

    def read(self, text, listing):
        if len(text) > MOST_CHARACTERS or "\x00" in text:
            raise Refused
        return text, f"“{text}”"


@dataclass(frozen=True)
class Choice(Filter):
    """One of the offered values. `options` is a list of (value, label) or a function of the listing that gives it."""

    options: Options | Callable[[Any], Options] = ()
    kind = "select"

    def offered(self, listing):
        return list(self.options(listing) if callable(self.options) else self.options)

    def read(self, text, listing):
        for value, label in self.offered(listing):
            if str(value) == text:
                return value, str(label)
        raise Refused


@dataclass(frozen=True)
class Day(Filter):
    """A date, written 2026-09-01."""

    kind = "date"

    def read(self, text, listing):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise Refused from None
        return day, f"{self.label} {day.year}年{day.month}月{day.day}日"


@dataclass
class Field:
    """A filter as the page draws it."""

    filter: Filter
    text: str = ""
    told: str = ""
    refused: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.filter.key

    @property
    def label(self) -> str:
        return self.filter.label

    @property
    def kind(self) -> str:
        return "hidden" if self.filter.hidden else self.filter.kind

    @property
    def hint(self) -> str:
        return getattr(self.filter, "hint", "")

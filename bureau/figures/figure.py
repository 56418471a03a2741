"""Figures and the question they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse

from bureau.access.models import Account
from bureau.organisation.models import County, Term
from bureau.organisation.terms import term_on

NO_PART = "none"  # the part of the rows that have no value to be divided by


class Unit(StrEnum):
    """What one row counts as; the words of the `figures` command."""

    PERSON = "person"
    PERSON_TIMES = "person_times"
    HOUSEHOLD = "household"
    ITEM = "item"

    @property
    def label(self) -> str:
        return {"person": "人", "person_times": "人次", "household": "户", "item": "件"}[self.value]


class Base(StrEnum):
    """Whom a figure counts. Every figure carries its base (docs/rules: 户籍 and 就读 are never mixed)."""

    HUKOU = "户籍口径"
    STUDYING = "就读口径"
    ALL = "全部"


@dataclass(frozen=True)
class Asked:
    """Who asks, about which county, term and day, and about which part of a figure ({"township": key of one}).

    The day comes from the page, never from the clock in a figure.
    """

    account: Account
    county: County
    term: Term
    on: date
    parts: Mapping[str, str] = field(default_factory=dict)
    counted: dict = field(
        default_factory=dict, compare=False, repr=False
    )  # what this question was told already

    @classmethod
    def by(cls, account: Account, *, on: date, term: Term | None = None) -> "Asked | None":
        """The question of `account` about its county; None where there is no county or term to ask about.

        `term` defaults to the one under way on `on`, else the last before, else the first there is. Inside a term
        the day is `on`; before or after it, the term's first or last day.
        """
        if account.county is None:
            return None
        term = term or term_on(account.county, on)
        if term is None:
            return None
        return cls(account, account.county, term, min(max(on, term.starts_on), term.ends_on))

    def of(self, **parts: str) -> "Asked":
        return replace(self, parts={**self.parts, **parts})

    def once(self, key: tuple, count: Callable[[], Any]) -> Any:
        """`count()`, asked of the database once for this question and all parts of it."""
        if self.known(key) is None:
            self.counted[(key, *sorted(self.parts.items()))] = count()
        return self.known(key)

    def known(self, key: tuple) -> Any:
        """What `once` was told under this key, or None."""
        return self.counted.get((key, *sorted(self.parts.items())))


@dataclass(frozen=True)
class Figure:
    """A named count. `rows(asked)` gives the visible rows themselves; the number, list and export come from them.

    `page` is the list that shows such rows (its Listing has a FigureFilter), `right` what one needs to open it.
    `parts` names the ways it can be divided: the column of `rows` behind each, null where there is no value. `rows`
    holds nobody twice, so the parts sum to the whole.
    """

    code: str
    name: str
    unit: Unit
    base: Base
    definition: str
    rows: Callable[[Asked], QuerySet]
    page: str
    right: str
    parts: Mapping[str, str] = field(default_factory=dict)

    def queryset(self, asked: Asked) -> QuerySet:
        rows = self.rows(asked)
        for part, value in asked.parts.items():
            column = self.parts[part]
            rows = rows.filter(**({f"{column}__isnull": True} if value == NO_PART else {column: value}))
        return rows

    def value(self, asked: Asked) -> int:
        for part in self.parts:
            if parts := asked.known((self.code, part)):
                return sum(parts.values())
        return asked.once((self.code,), lambda: self.queryset(asked).count())

    def counts(self, asked: Asked, part: str) -> dict:
        """The figure divided: {value of the part, or NO_PART: number}. The numbers sum to `value(asked)`."""
        column = self.parts[part]

        def divide() -> dict:
            divided = self.queryset(asked).order_by().values_list(column).annotate(Count("pk"))
            return {NO_PART if value is None else value: number for value, number in divided}

        return asked.once((self.code, part), divide)

    def url(self, asked: Asked) -> str | None:
        """The list of exactly these rows; None for somebody who may see the number but not the rows."""
        if not asked.account.may(self.right):
            return None
        return f"{reverse(self.page)}?{urlencode({'figure': spell(self, asked)})}"


def spell(figure: Figure, asked: Asked) -> str:
    """The figure and its part as one word of an address: `S01`, `S01~rule:R01~township:none`."""
    return "~".join([figure.code, *(f"{part}:{value}" for part, value in sorted(asked.parts.items()))])


_figures: dict[str, Figure] = {}


def register(figure: Figure) -> Figure:
    """Add a figure once; a second declaration of the code takes its place (ready() may run twice in tests)."""
    _figures[figure.code] = figure
    return figure


def find(code: str) -> Figure:
    """Raises KeyError for a code nobody declared."""
    return _figures[code]


def figures() -> list[Figure]:
    return sorted(_figures.values(), key=lambda figure: figure.code)

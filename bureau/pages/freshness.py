"""How fresh the figures are: which list of which date each verdict rests on. Rooms plug in what they know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from bureau.access.models import Account


@dataclass(frozen=True)
class Source:
    """One list a figure rests on: `period` as the office names it (10月期名单), the day it describes, how much it covers."""

    title: str
    period: str
    as_of: date
    covers: str = ""

    @property
    def short(self) -> str:
        """For the narrow side bar, before the period: 脱贫人口."""
        return self.title.removesuffix("名单")


@dataclass(frozen=True)
class Freshness:
    """`changed_at` is the moment of the last change that was applied; None before the first."""

    changed_at: datetime | None
    sources: list[Source]


_providers: list[Callable[[Account], Freshness]] = []


def register(provider: Callable[[Account], Freshness]) -> None:
    if provider not in _providers:
        _providers.append(provider)


def freshness(account: Account) -> Freshness:
    known = [provider(account) for provider in _providers]
    moments = [one.changed_at for one in known if one.changed_at]
    return Freshness(max(moments, default=None), [source for one in known for source in one.sources])

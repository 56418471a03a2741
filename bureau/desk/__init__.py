"""The start page of each user: what waits for him, by when; plugged in by the rooms from `AppConfig.ready()`.

desk.register(provider)            provider(account) -> list of ToDo
desk.register_recent(provider, *rights)   provider(account) -> list of Recent: what he uploaded last, and how it ended;
                                   any of `rights` lets a person upload
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from bureau.access.models import Account

MOST_RECENT = 6
URGENCY = {"red": 0, "amber": 1, "blue": 2, "grey": 3}


@dataclass(frozen=True)
class ToDo:
    """One line of my desk. `url` opens exactly the `count` rows, of which `late` are past their date.

    `due_on` is the nearest date; `tone` red needs somebody today, amber soon.
    """

    title: str
    count: int
    url: str
    due_on: date | None = None
    tone: str = "blue"
    late: int = 0
    detail: str = ""
    unit: str = "件"
    icon: str = "clipboard-list"


@dataclass(frozen=True)
class Recent:
    """Something this person handed in: `state` chooses the dot, `label` says it in words."""

    title: str
    at: datetime
    url: str
    state: str
    label: str
    detail: str = ""


_todos: list[Callable[[Account], Iterable[ToDo]]] = []
_recents: list[Callable[[Account], Iterable[Recent]]] = []
_uploading: set[str] = set()


def register(provider: Callable[[Account], Iterable[ToDo]]) -> None:
    if provider not in _todos:
        _todos.append(provider)


def register_recent(provider: Callable[[Account], Iterable[Recent]], *rights: str) -> None:
    _uploading.update(rights)
    if provider not in _recents:
        _recents.append(provider)


def todos(account: Account) -> list[ToDo]:
    """Everything that waits for this account, urgent first, then by date; lines that count nothing are left out."""
    waiting = [todo for provider in _todos for todo in provider(account) if todo.count]
    return sorted(waiting, key=lambda todo: (URGENCY[todo.tone], todo.due_on or date.max))


def recents(account: Account) -> list[Recent]:
    found = [recent for provider in _recents for recent in provider(account)]
    return sorted(found, key=lambda recent: recent.at, reverse=True)[:MOST_RECENT]


def may_upload(account: Account) -> bool:
    """Whether this person can ever have something among `recents`."""
    return any(account.may(right) for right in _uploading)

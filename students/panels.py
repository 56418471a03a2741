"""What other rooms add to a child's page; each plugs in from its `AppConfig.ready()`.

    panels.register(Panel("payments", "资助发放", "subsidies/_panel.html", panel_of_payments, events_of_payments))

A panel shows what the room knows now; its events join the child's one timeline.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from bureau.access.models import Account
from students.models import Student


@dataclass(frozen=True)
class Event:
    """One dated fact about a child. `kind` is what the reader filters by, `until` the last day of a span if it ended."""

    on: date
    kind: str
    title: str
    detail: str = ""
    until: date | None = None
    tone: str = "blue"
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """`context` gives the fragment's variables, or None when the account may not see it or there is nothing to show."""

    code: str
    title: str
    template: str
    context: Callable[[Student, Account], dict[str, Any] | None]
    events: Callable[[Student, Account], Iterable[Event]] | None = None


PANELS: list[Panel] = []


def register(panel: Panel) -> None:
    """Add a panel once; a second one of the same code takes its place (ready() may run twice in tests)."""
    PANELS[:] = [known for known in PANELS if known.code != panel.code] + [panel]


def panels_of(student: Student, account: Account) -> list[tuple[Panel, dict[str, Any]]]:
    """The panels with something to say, each with its fragment's variables."""
    found = ((panel, panel.context(student, account)) for panel in PANELS)
    return [(panel, context) for panel, context in found if context is not None]

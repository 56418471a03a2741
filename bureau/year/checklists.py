"""What opens and what closes a term, as ticks computed from the data; nothing is ticked by hand."""

from collections.abc import Callable
from dataclasses import dataclass

from bureau.access.models import Account
from bureau.organisation.models import Term

OPENING, CLOSING = "opening", "closing"


@dataclass(frozen=True)
class Tick:
    """How one item stands: done or not, told in words, and the page where it is done."""

    done: bool
    told: str
    url: str = ""


@dataclass(frozen=True)
class Check:
    """One item of a list. `look(term, account)` says how it stands, or None where the term does not ask for it.

    A term is not closed while a `required` item of its closing is open.
    """

    code: str
    phase: str
    title: str
    look: Callable[[Term, Account], Tick | None]
    required: bool = False


_checks: dict[str, Check] = {}


def register(*checks: Check) -> None:
    """Add items; a second one of the same code takes its place (ready() may run twice in tests)."""
    _checks.update({check.code: check for check in checks})


def ticks(phase: str, term: Term, account: Account) -> list[tuple[Check, Tick]]:
    found = [(check, check.look(term, account)) for check in _checks.values() if check.phase == phase]
    return [(check, tick) for check, tick in found if tick is not None]

"""A row of the log as the office reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.apps import apps

from bureau.access.roles import RIGHTS, Role
from bureau.audit.checking import FAULTS
from bureau.audit.models import AccessLog, AccessLogChild, AuditEvent
from bureau.audit.verbs import DETAILS, OTHER_PAGE, OTHER_VERB, PAGES, VERBS
from bureau.templatetags.bureau import date_cn, thousands

# Subjects an auditor may see by name. Children are not among them, nor what names them.
NAMED = (
    "bureau.account",
    "bureau.county",
    "bureau.school",
    "bureau.term",
    "bureau.township",
    "bureau.village",
)
DATES = {"date", "from", "to", "starts_on", "ends_on"}

_codes: dict[str, Mapping[str, str]] = {
    "role": dict(Role.choices),
    "given": RIGHTS,
    "taken": RIGHTS,
    "fault": FAULTS,
}


def register_codes(key: str, words: Mapping[str, str]) -> None:
    """What the codes under `key` of a detail are called; the app that writes them plugs in."""
    _codes[key] = words


@dataclass(frozen=True)
class ToldEvent:
    event: AuditEvent
    subject_name: str

    @property
    def what(self) -> str:
        return VERBS.get(self.event.verb, OTHER_VERB)

    @property
    def subject(self) -> str:
        return kind_in_words(self.event.subject_kind)

    @property
    def about(self) -> str:
        """The value of the filter that lists all that was done to the same thing."""
        return f"{self.event.subject_kind}:{self.event.subject_id}"

    @property
    def details(self) -> list[tuple[str, str]]:
        """Label and value; the code of something whose name is told is not repeated."""
        told = self.event.detail
        keys = [key for key in DETAILS if not (key == "code" and self.subject_name)]
        return [(DETAILS[key], value) for key in keys if (value := in_words(key, told.get(key)))]


@dataclass(frozen=True)
class ToldLook:
    log: AccessLog
    child: UUID | None

    @property
    def page(self) -> str:
        return PAGES.get(self.log.view, OTHER_PAGE)


def tell_events(events: Sequence[AuditEvent]) -> list[ToldEvent]:
    names = _names_of(events)
    return [ToldEvent(event, names.get((event.subject_kind, event.subject_id), "")) for event in events]


def tell_looks(logs: Sequence[AccessLog]) -> list[ToldLook]:
    """`child` is told where a request showed one child alone."""
    single = AccessLogChild.objects.filter(log__in=[log.pk for log in logs if log.count == 1])
    child_of = dict(single.values_list("log", "student_id"))
    return [ToldLook(log, child_of.get(log.pk)) for log in logs]


def kind_in_words(label: str) -> str:
    """`students.roster` is 花名册; nothing for a kind whose code is gone."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return ""


def in_words(key: str, value: Any) -> str:
    """One value of a detail; empty when there is nothing to tell."""
    match value:
        case None | "":
            return ""
        case bool():
            return "是" if value else "否"
        case int():
            return thousands(value)
        case list():
            return "、".join(in_words(key, item) for item in value)
        case str() if key in DATES and (day := _day(value)):
            return date_cn(day)
    return str(_codes.get(key, {}).get(str(value), value))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _names_of(events: Sequence[AuditEvent]) -> dict[tuple[str, str], str]:
    """Names of the subjects as they are called now, one query for each kind."""
    names: dict[tuple[str, str], str] = {}
    for label in NAMED:
        if keys := {event.subject_id for event in events if event.subject_kind == label}:
            found = apps.get_model(label)._default_manager.in_bulk(list(keys))
            names |= {(label, str(key)): str(row) for key, row in found.items()}
    return names

"""When two files of one child become one, their two cases do: nothing that happened is lost, and the livelier one goes on.

Plugged into `students.linkage.files`. Source: docs/rules/dropout.md, “立案”.
"""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from bureau.states import Transition
from bureau.states.models import key_text
from dropout.models import Case, Episode
from students.linkage import files
from students.models import MergeEffect

GOING_ON = ("state", "due_on", "school_id", "township_id", "government_lead_id", "education_lead_id")
FILLED = ("left_on", "school_id", "grade", "confirmed_on", "returned_on", "placement", "placed_at", "evidence")


def one_case(case: Case, other: Case) -> dict[str, Any]:
    """An open case goes on where the kept one has ended; else the kept one stays as it is."""
    told: dict[str, Any] = {"opened_on": min(case.opened_on, other.opened_on)}
    told |= {name: getattr(case, name) or getattr(other, name) for name in ("reason", "plan", "school_id", "township_id")}
    if other.is_open and not case.is_open:
        told |= {name: getattr(other, name) for name in GOING_ON}
    return told


def one_episode(episode: Episode, other: Episode) -> dict[str, Any]:
    """Two leavings under way are one: since the earlier day, and each fact from the one that knows it."""
    told = {name: getattr(episode, name) or getattr(other, name) for name in FILLED}
    known = episode.kind if episode.kind != Episode.Kind.UNKNOWN else other.kind
    return told | {"opened_on": min(episode.opened_on, other.opened_on), "kind": known}


def steps_of(case: Case) -> QuerySet[Transition]:
    """Its own steps and those of a case that was merged into it."""
    gone = MergeEffect.objects.filter(
        table=Case._meta.db_table, after__isnull=True, merge__undone_at=None, merge__kept=case.student_id
    )
    keys = [key_text(UUID(key)) for key in gone.values_list("key", flat=True)]
    return Transition.objects.filter(object_kind=Case.STATES.kind, object_id__in=[key_text(case.pk), *keys]).order_by("id")


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    files.COMBINED.update({Case: one_case, Episode: one_episode})

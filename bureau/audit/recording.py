"""Writing an audit event inside the transaction of the action it tells of."""

import json
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from bureau.audit import macs
from bureau.audit.models import AuditEvent
from bureau.keys import uuid7

LONGEST_TEXT = 200


def record(
    *,
    by,
    verb: str,
    subject: models.Model | None = None,
    county=None,
    detail: Mapping[str, Any] | None = None,
    batch: UUID | None = None,
) -> AuditEvent:
    """Note that `by` did `verb` to `subject`. Call it inside the action's transaction.

    A bulk action is one event that names its `batch`. `detail` holds counts, codes, keys and dates: never a name or a
    number of a person. Raises TypeError for anything that is not plain (floats too: money is in fen, counts are whole).
    `county` defaults to the subject's, else to that of `by`; `by=None` is the system itself.
    """
    event = AuditEvent(
        at=timezone.now(),
        by=by,
        county_id=county.pk if county else _county_of(subject) or (by.county_id if by else None),
        verb=verb,
        subject_kind=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        detail=_plain(detail or {}),
        batch=batch,
        nonce=uuid7(),
    )
    event.mac = macs.mac(canonical(event))
    event.save(force_insert=True)
    return event


def canonical(event: AuditEvent) -> str:
    """The row as text, the same on every database: what its `mac` covers."""
    return json.dumps(
        [
            event.at.astimezone(UTC).isoformat(),
            event.by_id and event.by_id.hex,
            event.county_id and event.county_id.hex,
            event.verb,
            event.subject_kind,
            event.subject_id,
            event.detail,
            event.batch and event.batch.hex,
            event.nonce.hex,
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def _county_of(subject: models.Model | None) -> UUID | None:
    if subject is None:
        return None
    return subject.pk if subject._meta.label_lower == "bureau.county" else getattr(subject, "county_id", None)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str() if len(value) <= LONGEST_TEXT:
            return value
        case date() | UUID():  # moments too
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in (value if isinstance(value, list | tuple) else sorted(value))]
    raise TypeError(f"not for an audit detail: {type(value).__name__}")

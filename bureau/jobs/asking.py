"""Asking for a job and calling it off."""

import json
from datetime import datetime
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from bureau import audit
from bureau.jobs import bell, registry
from bureau.jobs.errors import IdemConflict
from bureau.jobs.models import Job


class _ParamsEncoder(DjangoJSONEncoder):
    """Rows become their keys: a job reads them again when it runs, as they are then."""

    def default(self, value: object) -> Any:
        return super().default(value.pk if isinstance(value, models.Model) else value)


def enqueue(
    kind: str, *, by, county=None, idem_key: str | None = None, run_at: datetime | None = None, **params: Any
) -> Job:
    """Write the job with the caller's change; a worker hears of it after the commit.

    `params` are keys, dates and codes. The same `idem_key` again returns the first job, and raises IdemConflict when
    kind or parameters differ. `county` defaults to that of `by`.
    """
    job = new_job(kind, by=by, county=county, params=params)
    job.idem_key, job.run_at = idem_key, run_at
    job.rung_at = None if run_at else timezone.now()
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        first = Job.objects.filter(idem_key=idem_key).first() if idem_key else None
        if first is None:
            raise
        if (first.kind, first.params) != (job.kind, job.params):
            raise IdemConflict(idem_key) from None
        return first
    if run_at is None:
        transaction.on_commit(partial(bell.ring, job.pk))
    return job


def new_job(kind: str, *, by, county, params: dict[str, Any]) -> Job:
    """An unsaved job; raises UnknownKind, and TypeError for parameters that are no plain values."""
    county_id = county.pk if county else by.county_id if by else None
    plain = json.loads(json.dumps(params, cls=_ParamsEncoder))
    key = registry.find(kind).exclusive_key(county_id, plain)
    return Job(kind=kind, by=by, county_id=county_id, params=plain, exclusive_key=key)


@transaction.atomic
def cancel(job: Job, *, by) -> bool:
    """Stop a waiting job at once, ask a running one to stop; False when it is finished or was asked before."""
    asked = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, cancel_asked_at=Now(), finished_at=Now()
    ) or Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, cancel_asked_at=None).update(
        cancel_asked_at=Now()
    )
    if asked:
        audit.record(by=by, verb="jobs.cancelled", subject=job, county=job.county)
    job.refresh_from_db()
    return bool(asked)

"""Claiming a job, doing it once, and finding those whose process died.

Source of the limits: lease 45 s, heartbeat 15 s, sweep every 15 s, five attempts (docs/architecture.md, jobs).
"""

import logging
import random
import time
import traceback
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from bureau.jobs import bell, registry
from bureau.jobs.asking import new_job
from bureau.jobs.errors import Busy, Cancelled, JobError, LeaseLost
from bureau.jobs.leases import Lease, lease_type
from bureau.jobs.models import Job

MAX_ATTEMPTS = 5
RING_AGAIN_AFTER = timedelta(seconds=30)
RINGS_PER_SWEEP = 100
SECONDS_BETWEEN_CLAIMS = 0.3
TRANSIENT = (
    OperationalError,
    InterfaceError,
    SoftTimeLimitExceeded,
)  # deadlock, lost connection, time slice used up

log = logging.getLogger(__name__)


def run(job_id: UUID) -> bool:
    """Answer one ring: do the job if it is waiting, or if the process that had it is dead.

    False when there was nothing to do (finished, not due, running elsewhere, its exclusive key taken). Failures end
    on the row, never in an exception, so that no message of theirs reaches the broker or its logs.
    """
    claim = _claim(job_id)
    if claim is None:
        return False
    job, lease = claim
    try:
        _carry_out(job)
    except TRANSIENT as error:
        _try_later(job, error)
    except Exception as error:
        _settle(job, error)
    except BaseException:  # the worker is told to stop: hand the job back and let it stop
        _set(job, state=Job.State.QUEUED, lease_token=None, rung_at=None)
        raise
    finally:
        lease.release()
    _ring_next(job.exclusive_key)
    return True


def run_now(kind: str, *, by, county=None, wait_seconds: float = 600, **params: Any) -> Job:
    """Do a job in this process, as commands do; what it raises is raised here, after the row says so.

    Waits for a running job with the same exclusive key; raises Busy when that takes longer than `wait_seconds`.
    """
    job = new_job(kind, by=by, county=county, params=params)
    job.rung_at = timezone.now() + timedelta(seconds=wait_seconds)  # ours: nobody rings for it while we wait
    job.save(force_insert=True)
    try:
        job, lease = _claim_waiting(job, time.monotonic() + wait_seconds)
    except BaseException:
        Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
            state=Job.State.CANCELLED, finished_at=Now()
        )
        raise
    try:
        _carry_out(job)
    except Exception as error:
        _settle(job, error)
        raise
    except BaseException:
        _set(job, state=Job.State.CANCELLED, finished_at=Now())
        raise
    finally:
        lease.release()
    _ring_next(job.exclusive_key)
    job.refresh_from_db()
    return job


def sweep() -> dict[str, int]:
    """Put jobs of dead processes back into the queue and ring for everything that waits unheard."""
    released = _release_dead(Job.objects.all())
    same_key_running = Job.objects.filter(state=Job.State.RUNNING, exclusive_key=OuterRef("exclusive_key"))
    unheard = Job.objects.due().filter(Q(rung_at=None) | Q(rung_at__lt=Now() - RING_AGAIN_AFTER))
    waiting = unheard.exclude(Exists(same_key_running)).order_by("id").values_list("pk", flat=True)
    rung = 0
    for job_id in list(waiting[:RINGS_PER_SWEEP]):
        if unheard.filter(pk=job_id).update(rung_at=Now()):  # two sweepers ring once
            bell.ring(job_id)
            rung += 1
    return {"released": released, "rung": rung}


def _claim(job_id: UUID) -> tuple[Job, Lease] | None:
    """Take the job with a fresh token, or None: the one place that lets a job run."""
    _release_dead(Job.objects.filter(pk=job_id))
    lease = lease_type().take(job_id)
    if lease is None:
        return None
    job = None
    try:
        with transaction.atomic():
            if (
                Job.objects.due()
                .filter(pk=job_id)
                .update(
                    state=Job.State.RUNNING,
                    attempt=F("attempt") + 1,
                    lease_token=uuid4(),
                    lease_until=lease.until,
                    started_at=Coalesce("started_at", Now()),
                )
            ):
                job = Job.objects.select_related("by", "county").get(pk=job_id)
    except IntegrityError:
        log.info("job %s waits for another one with its exclusive key", job_id)
    finally:
        if job is None:
            lease.release()
    if job is None:
        return None
    lease.keep(job)
    return job, lease


def _claim_waiting(job: Job, deadline: float) -> tuple[Job, Lease]:
    while not (claim := _claim(job.pk)):
        job.refresh_from_db(fields=["state"])
        if job.state == Job.State.CANCELLED:
            raise Cancelled
        if time.monotonic() > deadline:
            raise Busy(job.exclusive_key)
        _release_dead(Job.objects.filter(exclusive_key=job.exclusive_key))
        time.sleep(SECONDS_BETWEEN_CLAIMS)
    return claim


def _carry_out(job: Job) -> None:
    if job.cancel_asked_at:
        raise Cancelled
    outcome = registry.find(job.kind).function(job, **job.params)
    if job.state == Job.State.RUNNING:
        with job.finishing(outcome or {}):
            pass


def _settle(job: Job, error: Exception) -> None:
    """Write on the row how the run ended. An exception's own words may quote a person, so they are never kept."""
    match error:
        case Cancelled():
            _set(job, state=Job.State.CANCELLED, finished_at=Now())
        case LeaseLost():
            log.warning("job %s: lease lost, nothing committed", job.pk)
        case JobError():
            _set(
                job,
                state=Job.State.FAILED,
                finished_at=Now(),
                error_code=error.code,
                error_text=error.message[:300],
            )
        case _:
            name = type(error).__name__
            log.error("job %s (%s) failed: %s\n%s", job.pk, job.kind, name, _frames(error))
            text = f"程序出错（{name}），请重试；仍出现时请联系系统管理员。"
            _set(job, state=Job.State.FAILED, finished_at=Now(), error_code=name[:80], error_text=text)


def _try_later(job: Job, error: Exception) -> None:
    if job.attempt >= MAX_ATTEMPTS:
        return _settle(job, error)
    log.warning("job %s: %s, attempt %s, will be tried again", job.pk, type(error).__name__, job.attempt)
    pause = timedelta(seconds=job.attempt * random.uniform(2, 5))
    _set(job, state=Job.State.QUEUED, lease_token=None, run_at=Now() + pause, rung_at=None)


def _set(job: Job, **values: Any) -> None:
    """Write the end of a run if it still holds the job; where the database is gone, the sweeper will find it."""
    held = Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=Job.State.RUNNING)
    try:
        held.update(done=job.done, total=job.total, message=job.message, lease_until=None, **values)
    except (OperationalError, InterfaceError) as error:
        log.error("job %s: could not write its end: %s", job.pk, type(error).__name__)


def _release_dead(jobs: QuerySet[Job]) -> int:
    """Back into the queue with running jobs whose process is gone; after five attempts they are failed."""
    released = 0
    kind = lease_type()
    for job in jobs.filter(kind.run_out, state=Job.State.RUNNING):
        lease = kind.take(job.pk)
        if lease is None:
            continue
        try:
            values: dict[str, Any] = {"state": Job.State.QUEUED, "run_at": None, "rung_at": None}
            if job.attempt >= MAX_ATTEMPTS:
                values = {"state": Job.State.FAILED, "finished_at": Now(), "error_code": "crashed"}
                values["error_text"] = f"运行程序连续{job.attempt}次意外中断，请联系系统管理员。"
            elif job.cancel_asked_at:
                values = {"state": Job.State.CANCELLED, "finished_at": Now()}
            held = Job.objects.filter(
                kind.run_out, pk=job.pk, lease_token=job.lease_token, state=Job.State.RUNNING
            )
            with transaction.atomic():
                # A paused process may hold the row; the sweeper must not wait for it.
                if held.select_for_update(skip_locked=True).first():
                    released += held.update(lease_token=None, lease_until=None, **values)
        finally:
            lease.release()
    return released


def _ring_next(exclusive_key: str | None) -> None:
    """The job that waited for this key need not wait for the sweeper too."""
    if exclusive_key:
        waiting = Job.objects.due().filter(
            Q(rung_at=None) | Q(rung_at__lte=Now()), exclusive_key=exclusive_key
        )
        if job_id := waiting.order_by("id").values_list("pk", flat=True).first():
            bell.ring(job_id)


def _frames(error: BaseException) -> str:
    """Where it happened: files, lines and our source text, without messages and without values."""
    return "".join(traceback.format_tb(error.__traceback__))

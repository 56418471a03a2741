"""The doorbell: tells a worker that a job is waiting. Missed rings cost time, never a job."""

import logging
from uuid import UUID

from bureau.celery import app

RING = "bureau.jobs.ring"

log = logging.getLogger(__name__)


def ring(job_id: UUID) -> None:
    """Put the job's id, and nothing else, on the broker. A broker that is down is the sweeper's business."""
    try:
        app.send_task(RING, args=[str(job_id)], retry=False, ignore_result=True)
    except Exception as error:  # every broker has its own exceptions
        log.warning("could not ring for job %s: %s", job_id, type(error).__name__)

"""What the broker delivers: an id to look at, and the sweeper's round."""

from uuid import UUID

from celery import shared_task

from bureau.jobs import running
from bureau.jobs.bell import RING


@shared_task(name=RING, ignore_result=True)
def ring(job_id: str) -> None:
    running.run(UUID(job_id))


@shared_task(name="bureau.jobs.sweep", ignore_result=True)
def sweep() -> None:
    running.sweep()

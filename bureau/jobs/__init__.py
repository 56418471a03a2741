"""Long work: the database is the queue of record, Celery is the doorbell.

@job("students.reconcile", title="比对", exclusive="students.reconcile:{county}")
def reconcile(run: Job, term: str) -> None: ...

jobs.enqueue("students.reconcile", term=term, by=by)      # a worker does it after the commit
jobs.run_now("students.reconcile", term=term, by=by)      # this process does it now
"""

from bureau.jobs.asking import cancel, enqueue
from bureau.jobs.errors import Busy, Cancelled, IdemConflict, JobError, LeaseLost, UnknownKind
from bureau.jobs.models import Job
from bureau.jobs.registry import job
from bureau.jobs.running import run, run_now, sweep

__all__ = [
    "Busy",
    "Cancelled",
    "IdemConflict",
    "Job",
    "JobError",
    "LeaseLost",
    "UnknownKind",
    "cancel",
    "enqueue",
    "job",
    "run",
    "run_now",
    "sweep",
]

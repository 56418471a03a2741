"""How others know that the process running a job is alive.

PostgreSQL: a thread with a connection of its own pushes `lease_until` forward. SQLite has one writer, so a heartbeat
could wait behind the very job it speaks for; there the process holds an operating-system lock on a file, which the
kernel drops the moment the process dies.
"""

import contextlib
import fcntl
import logging
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now

from bureau.jobs.models import Job

LEASE = timedelta(seconds=45)
HEARTBEAT_SECONDS = 15.0

log = logging.getLogger(__name__)


class ClockLease:
    """A lease that runs out by the database's clock unless the heartbeat renews it."""

    until = Now() + LEASE
    run_out = Q(lease_until__lt=Now())

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def take(cls, job_id: UUID) -> "ClockLease | None":
        return cls()

    def keep(self, job: Job) -> None:
        self._thread = threading.Thread(target=self._beat, args=(job.pk, job.lease_token), daemon=True)
        self._thread.start()

    def release(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)

    def _beat(self, job_id: UUID, token: UUID) -> None:
        held = Job.objects.filter(pk=job_id, lease_token=token, state=Job.State.RUNNING)
        try:
            while not self._stop.wait(HEARTBEAT_SECONDS):
                try:
                    held.update(lease_until=self.until)
                except DatabaseError as error:
                    log.warning("heartbeat of job %s failed: %s", job_id, type(error).__name__)
                    connection.close()
        finally:
            connection.close()


_open_locks: set[IO] = set()


def _drop_inherited_locks() -> None:
    # A forked child would keep its dead parent's lock alive; closing its copy leaves the parent's lock in place.
    for handle in _open_locks:
        with contextlib.suppress(OSError):
            os.close(handle.fileno())
    _open_locks.clear()


os.register_at_fork(after_in_child=_drop_inherited_locks)


class FileLease:
    """An exclusive lock on `BUREAU_HOME/locks/<job id>` for as long as this process lives and wants it."""

    until = None
    run_out = Q()  # whoever can take the lock knows that the holder is dead

    def __init__(self, path: Path, handle: IO) -> None:
        self._path, self._handle = path, handle

    @classmethod
    def take(cls, job_id: UUID) -> "FileLease | None":
        """The lock, or None when another run has it."""
        folder = Path(settings.BUREAU_HOME) / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / str(job_id)
        while True:
            handle = path.open("ab")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                still_there = os.fstat(handle.fileno()).st_ino == path.stat().st_ino
            except BlockingIOError:
                handle.close()
                return None
            except FileNotFoundError:
                still_there = False
            if still_there:
                _open_locks.add(handle)
                return cls(path, handle)
            handle.close()  # the last holder removed the file between our open and our lock: once more

    def keep(self, job: Job) -> None:
        """Nothing to do: the kernel keeps the lock."""

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        _open_locks.discard(self._handle)
        self._handle.close()


Lease = ClockLease | FileLease


def lease_type() -> type[Lease]:
    return ClockLease if connection.vendor == "postgresql" else FileLease

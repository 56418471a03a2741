"""The job row: the queue of record. Celery only rings the bell for it (docs/architecture.md, jobs)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from bureau.access.roles import Role
from bureau.jobs.errors import Cancelled, LeaseLost
from bureau.keys import uuid7

SECONDS_BETWEEN_WRITES = 0.5


class JobQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """A person's own jobs; an administrator sees those of his county."""
        own = Q(by=account)
        if Role.ADMINISTRATOR in account.scope.roles:
            own |= Q(county__in=account.scope.counties)
        return self.filter(own)

    def unfinished(self) -> Self:
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])

    def due(self) -> Self:
        """Waiting, and its time has come by the database's clock (no `run_at` means at once)."""
        return self.filter(Q(run_at=None) | Q(run_at__lte=Now()), state=Job.State.QUEUED)


class Job(models.Model):
    """One piece of long work. `params` and `cursor` hold keys, dates and counts, never a person's data.

    Whoever runs it holds `lease_token`; every write of a run names the token, so a run that lost its lease
    (paused, cut off) can neither report nor finish. A job function receives the row and uses `progress`,
    `checkpoint`, `finishing` and `cancelled`.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未完成（出错）"
        CANCELLED = "cancelled", "已取消"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, null=True, related_name="+")
    kind = models.CharField("任务", max_length=60)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="jobs",
        db_index=False,
        verbose_name="发起人",
    )
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.QUEUED)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    idem_key = models.CharField(max_length=120, null=True, unique=True)
    exclusive_key = models.CharField(max_length=120, null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    cursor = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField("进度", max_length=200, blank=True, default="")
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_text = models.CharField("出错原因", max_length=300, blank=True, default="")
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    cancel_asked_at = models.DateTimeField(null=True)
    run_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField("发起时间", default=timezone.now)
    started_at = models.DateTimeField(null=True)
    counting_since = models.DateTimeField(null=True)  # when `done` last began at nothing: the speed is that of one step
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive_key"], condition=Q(state="running"), name="job_exclusive_one_running"
            ),
        ]
        indexes = [
            models.Index(fields=["by", "-id"], name="job_by_newest"),
            models.Index(
                fields=["state", "id"], condition=Q(state__in=["queued", "running"]), name="job_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.state not in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0

    # What a running job function calls.

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Tell the waiting person how far we are; written at most twice a second.

        Inside a transaction nothing is written (it would be invisible, and would hold the row): the figures are
        kept and go out with the next call outside one, or at the end. Raises LeaseLost when another run has taken
        the job over.
        """
        if message[:200] != self.message or done < self.done:
            self.counting_since = timezone.now()
        self.done, self.total, self.message = done, total, message[:200]
        self._look_at_the_row()

    def advance(self, done: int, total: int, message: str = "") -> None:
        """`progress` for work that can be stopped at any moment: raises Cancelled when somebody asked to stop."""
        self.progress(done, total, message)
        if self.cancelled():
            raise Cancelled

    def cancelled(self) -> bool:
        """Whether somebody asked to stop; the job function then raises `Cancelled` at a convenient place."""
        self._look_at_the_row()
        return self.cancel_asked_at is not None

    def checkpoint(self, cursor: Any) -> None:
        """Store how far the effects of this transaction reach. Call it last in the chunk's transaction.

        Raises LeaseLost, and so rolls the chunk back, when the lease is another's. Heartbeats wait while the row
        is held, so a chunk should commit within a few seconds of this call.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError(
                "checkpoint() belongs inside the transaction of its chunk"
            )
        self._fenced_update(cursor=cursor, done=self.done, total=self.total, message=self.message)
        self.cursor = cursor

    @contextmanager
    def finishing(self, result: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The last transaction of the job: its effects and `done` are committed together or not at all.

        Yields the result, which may be filled inside. Raises LeaseLost at the end, rolling everything back, when
        this run no longer holds the job.
        """
        outcome = {} if result is None else result
        with transaction.atomic():
            yield outcome
            if self.total:
                self.done = self.total
            self._fenced_update(
                state=self.State.DONE,
                result=outcome,
                done=self.done,
                total=self.total,
                message=self.message,
                finished_at=Now(),
                lease_until=None,
            )
        self.state, self.result = self.State.DONE, outcome

    def _look_at_the_row(self) -> None:
        if connection.in_atomic_block or time.monotonic() < getattr(self, "_next_look", 0.0):
            return
        self._next_look = time.monotonic() + SECONDS_BETWEEN_WRITES
        self._fenced_update(
            done=self.done, total=self.total, message=self.message, counting_since=self.counting_since
        )
        self.cancel_asked_at = type(self).objects.values_list("cancel_asked_at", flat=True).get(pk=self.pk)

    def _fenced_update(self, **values: Any) -> None:
        held = type(self).objects.filter(pk=self.pk, lease_token=self.lease_token, state=self.State.RUNNING)
        if not held.update(**values):
            raise LeaseLost(f"job {self.pk} is no longer held by this run")

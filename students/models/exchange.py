"""Lists that come by themselves: pushed by another office's system, dropped into a folder, or fetched.

However a list comes, it becomes a file and then a `Snapshot`, read as one that somebody uploads.
Source: docs/guide/exchange.md.
"""

import ipaddress
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from bureau.jobs import Job
from bureau.keys import uuid7
from students.models.registers import Snapshot


class Agency(models.Model):
    """Another office whose system talks to ours; what it pushed is seen by its own tokens and by no other's."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    name = models.CharField("单位", max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = "交换单位"
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="agency_once")]

    def __str__(self) -> str:
        return self.name


class CountyQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """What concerns the whole county is seen by those who work for the whole county."""
        scope = account.scope
        return self.filter(county__in=scope.counties) if scope.whole_county else self.none()


class TokenQuerySet(CountyQuerySet):
    def valid(self, day: date) -> Self:
        """Tokens that open the door on `day`; the last day counts."""
        return self.filter(revoked_at=None, expires_on__gte=day)


class ExchangeToken(models.Model):
    """What a system shows instead of a password. Only its keyed hash is kept; `hint` is its beginning."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=12)
    registers = models.JSONField("可推送的名单", default=list)  # codes
    networks = models.JSONField("允许的地址", default=list)  # empty: from anywhere
    per_minute = models.PositiveSmallIntegerField("每分钟请求数")
    expires_on = models.DateField("有效期至")
    created_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    minute = models.BigIntegerField(default=0)  # the minute since 1970 in which `requests` were made
    requests = models.PositiveIntegerField(default=0)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "交换令牌"

    def __str__(self) -> str:
        return f"{self.agency} {self.hint}…"

    def allows_address(self, address: str) -> bool:
        """Whether a request may come from there; an address that is none is allowed only from anywhere."""
        if not self.networks:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in ipaddress.ip_network(network) for network in self.networks)


class ExchangeRequest(models.Model):
    """One request of another system: who, when, what, how it ended. Never what was sent."""

    county = models.ForeignKey("bureau.County", models.PROTECT, null=True)
    token = models.ForeignKey(ExchangeToken, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("时间", auto_now_add=True)
    address = models.CharField("来自", max_length=45, blank=True)
    method = models.CharField("方法", max_length=7)
    path = models.CharField("路径", max_length=120)
    status = models.PositiveSmallIntegerField("结果")
    code = models.CharField("原因", max_length=40, blank=True)
    rows = models.PositiveIntegerField("行数", default=0)

    objects = CountyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "接口请求"
        indexes = [
            models.Index(fields=["county", "at", "id"], name="exchange_request_newest"),
            models.Index(fields=["address", "at"], condition=Q(token=None), name="exchange_request_unknown"),
        ]


class DeliveryQuerySet(models.QuerySet):
    def of(self, token: ExchangeToken) -> Self:
        """What the token's office pushed to the lists the token is for."""
        return self.filter(agency=token.agency_id, register__in=token.registers)


class Delivery(models.Model):
    """A list on its way in through the API: opened, filled in chunks, closed; then it is a `Snapshot`.

    `register` is a code. `headers` are those of all chunks so far; `size` is about that of the file they will make.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="deliveries")
    token = models.ForeignKey(ExchangeToken, models.PROTECT, related_name="+")
    register = models.CharField("名单", max_length=30)
    as_of = models.DateField("名单日期")
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, verbose_name="范围")
    partial = models.BooleanField("部分名单", default=False)
    headers = models.JSONField(default=list)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)  # the last chunk, or the opening
    closed_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)  # nobody closed it, its rows are gone
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="deliveries")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "接口推送"
        indexes = [models.Index(fields=["touched_at"], condition=Q(snapshot=None, purged_at=None), name="delivery_waiting")]

    @property
    def working(self) -> Job | None:
        """The job that is at it: first the gathering of the chunks, then the reading of the list."""
        return self.snapshot.job if self.snapshot else self.job

    @property
    def is_stuck(self) -> bool:
        """Closed and not read, and nobody is at it any more: its job failed or was called off."""
        if self.closed_at is None or self.purged_at or (self.snapshot and self.snapshot.state != Snapshot.State.READING):
            return False
        return self.working is None or self.working.is_finished


class DeliveryChunk(models.Model):
    """Some rows of a delivery, sealed; gone as soon as the list is a kept file, or nobody closes it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="chunks", db_index=False)
    sequence = models.PositiveIntegerField()
    rows = models.PositiveSmallIntegerField()
    digest = models.BinaryField(max_length=32)  # keyed, of the rows: the same again is the same
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "sequence"], name="chunk_once")]


class ArrivalQuerySet(CountyQuerySet):
    def waiting(self) -> Self:
        return self.filter(settled_at=None)


class Arrival(models.Model):
    """A file found in the drop folder, from the first look at it until it was moved away.

    `size` and `changed_ns` are what was seen last; a file that keeps both for a minute is complete.
    """

    county = models.ForeignKey("bureau.County", models.PROTECT)
    folder = models.CharField("名单", max_length=60)
    file_name = models.CharField("文件", max_length=200)
    size = models.PositiveBigIntegerField()
    changed_ns = models.BigIntegerField()
    seen_at = models.DateTimeField()  # since when it has looked like this
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    fault = models.CharField("未导入原因", max_length=300, blank=True)

    objects = ArrivalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "自动取件"
        constraints = [
            models.UniqueConstraint(
                fields=["county", "folder", "file_name"], condition=Q(settled_at=None), name="arrival_waiting_once"
            )
        ]

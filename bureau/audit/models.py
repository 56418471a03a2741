"""Who did what (AuditEvent) and who looked at which child (AccessLog). Rows are added, never changed."""

from typing import Self
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from bureau.keys import uuid7


class AuditEventQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The events of an auditor's counties; his right to the page is the URL's business."""
        return self.filter(county__in=account.scope.counties) if account.may("audit.view") else self.none()

    def sealed(self) -> Self:
        return self.filter(seal_no__isnull=False).order_by("seal_no")

    def unsealed(self) -> Self:
        return self.filter(seal_no=None).order_by("id")

    def about(self, subject: models.Model) -> Self:
        """Events whose subject is this object, newest first."""
        return self.filter(subject_kind=subject._meta.label_lower, subject_id=str(subject.pk)).order_by("-id")


class AuditEvent(models.Model):
    """One action. `detail` holds counts, codes and dates, never a person's name or number.

    `mac` authenticates the row from the moment it is written (`nonce` makes a copied row stand out); the sealer
    later gives committed rows a gap-free `seal_no` and a `seal` that covers the row and the seal before it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="操作人"
    )
    county = models.ForeignKey("bureau.County", models.PROTECT, null=True, related_name="+", db_index=False)
    verb = models.CharField("操作", max_length=80)
    subject_kind = models.CharField(max_length=60, blank=True, default="")
    subject_id = models.CharField(max_length=64, blank=True, default="")
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    batch = models.UUIDField(null=True)
    nonce = models.UUIDField(default=uuid7, unique=True)
    mac = models.BinaryField(max_length=64)
    seal_no = models.BigIntegerField(null=True, unique=True)
    seal = models.BinaryField(max_length=64, null=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "操作日志"
        indexes = [
            models.Index(fields=["county", "-at", "-id"], name="audit_county_newest"),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_subject"),
            models.Index(fields=["id"], condition=Q(seal_no=None), name="audit_unsealed"),
        ]


class AccessLogQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The look-ups inside an auditor's counties."""
        return self.filter(county__in=account.scope.counties) if account.may("audit.view") else self.none()

    def of_child(self, *student_ids: UUID) -> Self:
        """Every request that showed this child, or one of these, newest first."""
        shown = AccessLogChild.objects.filter(student_id__in=student_ids)
        return self.filter(pk__in=shown.values("log")).order_by("-id")


class AccessLog(models.Model):
    """One request that showed children: the path without its query, and how many."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name="查看人",
    )
    county = models.ForeignKey("bureau.County", models.PROTECT, null=True, related_name="+", db_index=False)
    method = models.CharField(max_length=8)
    view = models.CharField(max_length=100)
    path = models.CharField(max_length=200)
    reason = models.CharField("事由", max_length=200, blank=True, default="")
    count = models.PositiveIntegerField()

    objects = AccessLogQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "查看记录"
        indexes = [
            models.Index(fields=["county", "-at", "-id"], name="access_county_newest"),
            models.Index(fields=["by", "-at", "-id"], name="access_by_newest"),
        ]


class AccessLogChild(models.Model):
    """One child shown by a request. No foreign key: the record outlives the child's row."""

    id = models.BigAutoField(primary_key=True)
    log = models.ForeignKey(AccessLog, models.PROTECT, related_name="children", db_index=False)
    student_id = models.UUIDField()

    class Meta:
        app_label = "bureau"
        constraints = [models.UniqueConstraint(fields=["log", "student_id"], name="access_child_once")]
        indexes = [models.Index(fields=["student_id", "log"], name="access_of_child")]

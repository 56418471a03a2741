"""What people say about a 待核实问题 and the proof they hang on it; both stay with the round (`occurrence`) they belong to."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from bureau.keys import uuid7
from students.models.differences import Discrepancy


class RemarkQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Whoever sees the question reads what was said about it."""
        return self.filter(discrepancy__in=Discrepancy.objects.visible_to(account))


class Comment(models.Model):
    """One line of the conversation about a difference. Never changed, never removed."""

    id = models.BigAutoField(primary_key=True)
    discrepancy = models.ForeignKey(Discrepancy, models.CASCADE, related_name="comments")
    occurrence = models.PositiveSmallIntegerField("第几次")
    text = models.CharField("留言", max_length=500)
    by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = RemarkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "疑点留言"


class Attachment(models.Model):
    """A scan or photograph that proves something; the file is kept sealed under the row's own key.

    One that was hung on the wrong question is withdrawn: the row stays, the file goes.
    """

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        JPEG = "jpg", "照片（JPG）"
        PNG = "png", "图片（PNG）"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    discrepancy = models.ForeignKey(Discrepancy, models.CASCADE, related_name="attachments")
    occurrence = models.PositiveSmallIntegerField("第几次")
    file_name = models.CharField("文件名", max_length=200)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    size = models.PositiveIntegerField("字节")
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = RemarkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "疑点附件"
        constraints = [
            models.UniqueConstraint(
                fields=["discrepancy", "sha256"], condition=Q(withdrawn_at=None), name="attachment_once"
            )
        ]

    def get_absolute_url(self) -> str:
        return reverse("students:attachment", args=[self.pk])

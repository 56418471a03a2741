"""What changed its state, when and by whom: one append-only row per object and move."""

from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import models


def key_text(pk: object) -> str:
    """The text under which a transition knows its object: UUIDs as 32 hex digits on every database."""
    return pk.hex if isinstance(pk, UUID) else str(pk)


class TransitionQuerySet(models.QuerySet):
    def of(self, subject: models.Model) -> Self:
        """The history of one object, oldest first."""
        kind = type(subject).STATES.kind
        return self.filter(object_kind=kind, object_id=key_text(subject.pk)).order_by("id")


class Transition(models.Model):
    """One object went from one state to another. `batch` is the move that carried it, alone or with 20,000 others."""

    id = models.BigAutoField(primary_key=True)
    county = models.ForeignKey("bureau.County", models.PROTECT, null=True, related_name="+")
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    from_state = models.CharField(max_length=40)
    to_state = models.CharField(max_length=40)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True, default="")
    effective_on = models.DateField(null=True)
    at = models.DateTimeField()
    batch = models.UUIDField()

    objects = TransitionQuerySet.as_manager()

    class Meta:
        app_label = "bureau"
        verbose_name = verbose_name_plural = "状态变更"
        indexes = [
            models.Index(fields=["object_kind", "object_id", "id"], name="transition_of_object"),
            models.Index(fields=["batch", "from_state"], name="transition_batch"),
        ]

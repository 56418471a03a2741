"""Moving objects from state to state: four statements, for one object or 20,000."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.db import connection, models, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Cast, Replace
from django.utils import timezone

from bureau.keys import uuid7
from bureau.states.machine import Move
from bureau.states.models import Transition


class IllegalMove(Exception):
    """Some objects are in a state this move does not start from, or somebody else moved them meanwhile."""

    code = "illegal_move"

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


@transaction.atomic
def move(
    queryset: QuerySet,
    *,
    to: str,
    by,
    reason: str = "",
    effective_on: date | None = None,
    also: Mapping[str, Any] | None = None,
    batch: UUID | None = None,
) -> int:
    """Bring every object of the queryset to the state `to`, or none; the number moved.

    `also` sets further columns in the same UPDATE (`paid_on` beside `paid`); `batch` ties the transitions to an
    audit line. Raises IllegalMove when any object may not go there, when a reason is missing, or when an object
    changed its state while we looked; PermissionDenied when `by` lacks the right of a move that was needed.
    `by=None` is the system itself.
    """
    model = queryset.model
    machine = model.STATES
    allowed = machine.moves_to(to)
    if not allowed:
        raise IllegalMove(f"没有进入“{to}”的办理步骤。")
    batch = batch or uuid7()
    noted = _note(queryset, to=to, by=by, reason=reason, effective_on=effective_on, batch=batch)
    moved = 0
    for step in allowed:
        keys = Transition.objects.filter(
            batch=batch, object_kind=machine.kind, from_state=step.source, to_state=to
        )
        rows = model._base_manager.filter(
            **{machine.field: step.source}, pk__in=keys.values_list(_key_of(model))
        )
        if count := rows.update(**{machine.field: to}, **(also or {})):
            _check(step, by=by, reason=reason)
            moved += count
    if moved != noted:
        raise IllegalMove(f"有{noted - moved}条的状态不允许此操作，或刚被他人办理，请刷新后重试。")
    return moved


def _check(step: Move, *, by, reason: str) -> None:
    if step.needs_reason and not reason.strip():
        raise IllegalMove("此操作须填写理由。")
    if step.right and by is not None and not by.may(step.right):
        raise PermissionDenied(step.right)


def _note(queryset: QuerySet, *, to: str, by, reason: str, effective_on: date | None, batch: UUID) -> int:
    """INSERT … SELECT one transition per object, with the state it is in at this moment; how many."""
    model = queryset.model
    machine = model.STATES
    columns: dict[str, Any] = {
        "county": F(machine.county) if machine.county else Value(None, models.UUIDField()),
        "object_kind": Value(machine.kind, models.CharField()),
        "object_id": _key_text(),
        "from_state": F(machine.field),
        "to_state": Value(to, models.CharField()),
        "by": Value(by.pk if by else None, models.UUIDField()),
        "reason": Value(reason, models.TextField()),
        "effective_on": Value(effective_on, models.DateField()),
        "at": Value(timezone.now(), models.DateTimeField()),
        "batch": Value(batch, models.UUIDField()),
    }
    rows = model._base_manager.filter(pk__in=queryset.values("pk")).order_by()
    annotated = rows.annotate(**{f"note_{name}": value for name, value in columns.items()})
    try:
        select, params = annotated.values_list(*(f"note_{name}" for name in columns)).query.sql_with_params()
    except EmptyResultSet:
        return 0
    quote = connection.ops.quote_name
    into = ", ".join(quote(Transition._meta.get_field(name).column) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(Transition._meta.db_table)} ({into}) {select}", params)
        return cursor.rowcount


def _key_text() -> Replace:
    text = models.TextField()
    return Replace(Cast("pk", text), Value("-", text), Value("", text), output_field=text)


def _key_of(model: type[models.Model]) -> Cast:
    """A transition's `object_id` as the key type of the model, so that the model's own index is used."""
    field = model._meta.pk
    while field.remote_field:
        field = field.target_field
    if isinstance(field, models.UUIDField):
        return Cast("object_id", models.UUIDField())
    if isinstance(field, models.IntegerField):
        return Cast("object_id", models.BigIntegerField())
    return Cast("object_id", models.TextField())

"""Changes to single rows, written down as they are made, so that they can be given back exactly.

Values are kept as Django writes them into text (`Field.value_to_string`); sealed ones stay sealed.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models

from bureau.bulk import insert_rows
from students.models import Merge, MergeEffect


class Ledger:
    """Every change of one merge or split goes through here. `counts` says how many rows of each table it touched."""

    def __init__(self, merge: Merge) -> None:
        self.merge = merge
        self.counts: Counter[str] = Counter()
        self._effects: list[MergeEffect] = []

    def change(self, row: models.Model, **columns: Any) -> None:
        """Set these columns (attribute names) of a stored row."""
        fields = [row._meta.get_field(name) for name in columns]
        before = {field.attname: written(field, row) for field in fields}
        for field, value in zip(fields, columns.values(), strict=True):
            setattr(row, field.attname, value)
        after = {field.attname: written(field, row) for field in fields}
        changed = {name for name in before if before[name] != after[name]}
        if not changed:
            return
        every(type(row)).filter(pk=row.pk).update(**{name: getattr(row, name) for name in changed})
        self._note(row, {name: before[name] for name in changed}, {name: after[name] for name in changed})

    def create(self, row: models.Model) -> None:
        row.save(force_insert=True)
        self._note(row, None, {})

    def delete(self, row: models.Model) -> None:
        """Take one row out; whatever referred to it has been moved, or the database refuses."""
        self._note(row, {field.attname: written(field, row) for field in row._meta.concrete_fields}, None)
        remove(row)

    def close(self) -> None:
        MergeEffect.objects.bulk_create(self._effects, batch_size=500)
        self.merge.counts = dict(self.counts)
        self.merge.save(update_fields=["counts"])

    def _note(self, row: models.Model, before: dict | None, after: dict | None) -> None:
        table = row._meta.db_table
        if not any(effect.table == table and effect.key == str(row.pk) for effect in self._effects):
            self.counts[table] += 1
        self._effects.append(MergeEffect(merge=self.merge, table=table, key=str(row.pk), before=before, after=after))


def give_back(merge: Merge) -> None:
    """Undo the effects, the last first. A column changed again since keeps its newer value; a row gone since stays gone."""
    tables = {model._meta.db_table: model for model in apps.get_models()}
    for effect in merge.effects.order_by("-pk"):
        model = tables[effect.table]
        row = every(model).filter(pk=model._meta.pk.to_python(effect.key)).first()
        if effect.after is None:
            if row is None:
                _restore(model, effect.before)
        elif row is None:
            continue
        elif effect.before is None:
            remove(row)
        else:
            _give_back_columns(row, effect)


def every(model: type[models.Model]) -> models.QuerySet:
    return model._base_manager.all()


def remove(row: models.Model) -> None:
    """Without the collector: nothing goes along, and the database has the last word on what still refers to it."""
    query = every(type(row)).filter(pk=row.pk)
    query._raw_delete(query.db)


def written(field: models.Field, row: models.Model) -> Any:
    """The value of a column of a row as an effect keeps it."""
    value = field.value_from_object(row)
    if value is None or isinstance(field, models.JSONField):
        return value
    return field.value_to_string(row)


def clashes(field_values: dict[str, Any], model: type[models.Model], *, but: Any) -> models.Model | None:
    """The stored row, other than the one with key `but`, that a row with these values could not stand beside."""
    for names, condition in _unique(model):
        if not set(names) <= set(field_values) or any(field_values[name] is None for name in names):
            continue
        if condition is not None and not _holds(condition, field_values, model):
            continue
        found = every(model).filter(**{name: field_values[name] for name in names}).exclude(pk=but)
        if condition is not None:
            found = found.filter(condition)
        if twin := found.first():
            return twin
    return None


def values_of(row: models.Model) -> dict[str, Any]:
    return {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}


def _unique(model: type[models.Model]) -> Iterable[tuple[list[str], models.Q | None]]:
    for field in model._meta.concrete_fields:
        if field.unique:
            yield [field.attname], None
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            yield [model._meta.get_field(name).attname for name in constraint.fields], constraint.condition


def _holds(condition: models.Q, values: dict[str, Any], model: type[models.Model]) -> bool:
    """Whether a row with these values is one the constraint speaks of."""
    typed = {
        field.name: models.Value(values.get(field.attname), output_field=getattr(field, "target_field", field))
        for field in model._meta.concrete_fields
    }
    return condition.check(typed)


def _restore(model: type[models.Model], image: dict[str, Any]) -> None:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    kept = {name: value for name, value in image.items() if name in fields}
    values = {name: _read(fields[name], value) for name, value in kept.items()}
    if clashes(values, model, but=None) is None:
        insert_rows(model, list(values), [list(values.values())])


def _give_back_columns(row: models.Model, effect: MergeEffect) -> None:
    fields = {field.attname: field for field in row._meta.concrete_fields}
    back = {
        name: _read(fields[name], value)
        for name, value in effect.before.items()
        if written(fields[name], row) == effect.after[name]
    }
    if back:
        every(type(row)).filter(pk=row.pk).update(**back)


def _read(field: models.Field, value: Any) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    if isinstance(field, models.ForeignKey):
        return field.target_field.to_python(value)
    found = field.to_python(value)
    return bytes(found) if isinstance(found, memoryview) else found

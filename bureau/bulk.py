"""Rows by the thousand, by the quickest road each database has: COPY on PostgreSQL, executemany on SQLite.

Per-row ORM work costs 75 times as much on an import. Values are given as Python objects in `columns` order.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, connections, models
from django.db.models import Func, Q

CHUNK = 5_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows into the model's table and return how many; `columns` are attribute names (`school_id`).

    Database defaults do not apply: every column without one in the database must be given.
    """
    fields = [model._meta.get_field(name) for name in columns]
    names = ", ".join(f'"{field.column}"' for field in fields)
    table = model._meta.db_table
    insert = _copy if connection.vendor == "postgresql" else _executemany
    return sum(insert(table, names, fields, chunk) for chunk in chunks(rows, CHUNK))


def fill(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows into a temporary table, which has no model; values of the plain types only."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        for chunk in chunks(rows):
            if connection.vendor == "postgresql":
                written = "".join("\t".join(_COPIED[type(v)](v) for v in row) + "\n" for row in chunk)
                cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', _Stream(written))
            else:
                places = ", ".join(["%s"] * len(columns))
                ready = [[connection.ops.adapt_datefield_value(v) if isinstance(v, date) else v for v in row] for row in chunk]
                cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', ready)


def chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """The rows in lists of at most `size`."""
    source = iter(rows)
    while chunk := list(islice(source, size)):
        yield chunk


def _copy(table: str, names: str, fields: list[models.Field], rows: list[Sequence[Any]]) -> int:
    columns = [
        [_json_text(value) for value in values]
        if isinstance(field, models.JSONField)
        else [_COPIED.get(type(value), _plain_text)(value) for value in values]
        for field, values in zip(fields, zip(*rows, strict=True), strict=True)
    ]
    lines = "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True))
    with connection.cursor() as cursor:
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', _Stream(lines))
    return len(rows)


def _json_text(value: Any) -> str:
    return "\\N" if value is None else json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def _plain_text(value: str) -> str:
    return value.translate(_ESCAPES) if _to_escape(value) else value


_to_escape = re.compile(r"[\\\t\n\r]").search  # rare: looking is quicker than translating every text
_COPIED = {
    type(None): lambda value: "\\N",
    str: _plain_text,
    bytes: lambda value: "\\\\x" + value.hex(),
    bool: lambda value: "t" if value else "f",
    int: str,
    UUID: lambda value: value.hex,
    date: date.isoformat,
    datetime: datetime.isoformat,
}  # any other type is a kind of text, or a TypeError


class _Stream:
    """A reader over one text for psycopg2, which asks for a few thousand bytes at a time."""

    def __init__(self, text: str) -> None:
        self._data = memoryview(text.encode())
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        end = len(self._data) if size < 0 else self._at + size
        piece = self._data[self._at : end].tobytes()
        self._at += len(piece)
        return piece


def _executemany(table: str, names: str, fields: list[models.Field], rows: list[Sequence[Any]]) -> int:
    ready = [field.get_db_prep_save for field in fields]
    plain = [type(field) in _PLAIN for field in fields]
    here = connections[connection.alias]  # not the proxy, which is looked up anew for every value
    with here.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(fields))})',
            [
                [
                    value if easy or value is None else prepare(value, here)
                    for easy, prepare, value in zip(plain, ready, row, strict=True)
                ]
                for row in rows
            ],
        )
    return len(rows)


_PLAIN = {models.CharField, models.TextField, models.PositiveIntegerField, models.PositiveSmallIntegerField}
_PLAIN |= {models.BooleanField, models.BigAutoField}


def refresh_statistics(*loaded: type[models.Model]) -> None:
    """Tables that doubled since the planner last looked at them are looked at now (PostgreSQL).

    A first list meets empty-table statistics and then joins every row with every row: 88 s instead of 2.5 s for 20,000.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[])
               AND pg_relation_size(oid) > 2 * relpages::bigint * current_setting('block_size')::bigint""",
            [[model._meta.db_table for model in loaded]],
        )
        grown = {table for (table,) in cursor.fetchall()}
        for model in loaded:
            if model._meta.db_table in grown:  # nobody joins by a sealed value, and they are most of the bytes
                columns = [f'"{f.column}"' for f in model._meta.concrete_fields if not f.column.endswith(("sealed", "digest"))]
                cursor.execute(f'ANALYZE "{model._meta.db_table}" ({", ".join(columns)})')


def by_key(queryset: models.QuerySet, key: str, values: Iterable[Any], *fields: str) -> Iterator[tuple]:
    """`values_list(*fields)` of the rows whose `key` is among `values`: in arrays, on SQLite 900 at a time."""
    if connection.vendor == "postgresql":
        for chunk in chunks(values):
            yield from queryset.filter(_among(key, chunk)).values_list(*fields)
        return
    for chunk in chunks(values, 900):
        among = Q(_in_json(key, chunk)) if isinstance(chunk[0], UUID) else Q(**{f"{key}__in": chunk})
        yield from queryset.filter(among).values_list(*fields)


def _in_json(key: str, values: list[UUID]) -> Func:
    """The values as one parameter, too: the ORM looks at each of a list's several times."""
    listed = models.Value(json.dumps([value.hex for value in values]))
    joiner = " IN (SELECT value FROM json_each("
    return Func(models.F(key), listed, template="%(expressions)s))", arg_joiner=joiner, output_field=models.BooleanField())


def _among(key: str, values: list[Any]) -> Func:
    """The values as one parameter: a list of thousands is slow to write and to parse.

    "= ANY", not a join with an array: the planner, whose statistics lag behind an import, would turn a join around.
    """
    kind, write = _ARRAYS[type(values[0])]
    written: Any = [write(value) for value in values]
    if kind != "text":
        written = "{" + ",".join(written) + "}"
    array = models.Value(written)
    template = f"%(expressions)s::{kind}[])"
    return Func(models.F(key), array, template=template, arg_joiner=" = ANY(", output_field=models.BooleanField())


_ARRAYS = {
    UUID: ("uuid", lambda value: value.hex),
    bytes: ("bytea", lambda value: f'"\\\\x{value.hex()}"'),
    int: ("bigint", str),
    date: ("date", date.isoformat),
    str: ("text", str),
}

"""Citizen IDs read out of a linked row's 学籍号 or disability certificate, kept as hints where they are not the child's own.

Source: docs/rules/registers.md, “embedded numbers”.
"""

import json
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import connection

from bureau import secrecy
from bureau.bulk import by_key, insert_rows
from bureau.identity import Fault, parse_certificate, parse_student_number
from bureau.keys import uuid7
from bureau.organisation.models import County
from students.models import Entry, Identifier

COLUMNS = ("id", "county_id", "person_id", "kind", "sealed", "index", "derived", "still_used")


def remember_embedded(county: County) -> None:
    """A derived citizen ID for every linked row in force that holds one the child does not have."""
    unknown = """SELECT e.id FROM students_entry e WHERE e.county_id = %(county)s AND e.person_id IS NOT NULL
        AND e.omitted_on IS NULL AND e.holder_index IS NOT NULL
        AND (e.citizen_index IS NULL OR e.citizen_index <> e.holder_index)
        AND NOT EXISTS (SELECT 1 FROM students_identifier i
            WHERE i.person_id = e.person_id AND i.kind = 'citizen_id' AND i."index" = e.holder_index)"""
    with connection.cursor() as cursor:
        cursor.execute(unknown, {"county": County._meta.pk.get_db_prep_value(county.pk, connection)})
        keys = [key for (key,) in cursor.fetchall()]
    if keys:
        insert_rows(Identifier, COLUMNS, _hints(county, keys))


def _hints(county: County, keys: Iterable[int]) -> Iterator[tuple]:
    seal, seen = secrecy.sealer("citizen_id"), set()
    open_number, open_row = secrecy.opener("student_number"), secrecy.opener("payload")
    columns = ("person_id", "holder_index", "number_uuid", "number_sealed", "row_uuid", "payload_sealed")
    rows = sorted(by_key(Entry.objects, "pk", keys, "pk", *columns))
    for _, person, index, number_uuid, number, row_uuid, payload in rows:
        index = bytes(index)
        if (person, index) in seen:
            continue
        seen.add((person, index))
        texts = {"student_number": open_number(bytes(number), number_uuid)} if number else {}
        if not texts and payload:
            texts = json.loads(open_row(bytes(payload), row_uuid))
        if value := holder_in(texts):
            yield hint(county.pk, person, value, index, seal)


def hint(county: UUID, person: UUID, value: str, index: bytes, seal) -> tuple:
    pk = uuid7()
    return pk, county, person, "citizen_id", seal(value, pk), index, True, False


def holder_in(values: dict) -> str | None:
    """The citizen ID inside the row's 学籍号 or disability certificate; a hint, never an identity."""
    try:
        if number := values.get("student_number"):
            return parse_student_number(number).embedded_id
        if certificate := values.get("certificate"):
            return parse_certificate(certificate).holder_id
    except Fault:
        return None
    return None

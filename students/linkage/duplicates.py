"""Files that may be of one person: found by what two files of one child have in common, and asked of a human.

Source: docs/rules/registers.md, “merging and splitting”.
"""

from collections.abc import Iterable
from itertools import chain
from uuid import UUID

from django.db import connection
from rapidfuzz.distance import OSA

from bureau import secrecy
from bureau.bulk import by_key, chunks
from bureau.identity.names import keys_agree
from bureau.organisation.models import County
from students.models import Duplicate, Enrolment, Identifier, Person

Why = Duplicate.Why
STRENGTH = list(Why)  # the strongest reason first
Pair = tuple[UUID, UUID]
BOTH_STUDENTS = """a.county_id = %(county)s AND b.county_id = a.county_id AND a.id < b.id
    AND EXISTS (SELECT 1 FROM students_student s WHERE s.person_id = a.id)
    AND EXISTS (SELECT 1 FROM students_student s WHERE s.person_id = b.id)"""
NAMESAKES = f"""SELECT a.id, b.id FROM students_person a JOIN students_person b
    ON b.name_key = a.name_key AND b.birth_on = a.birth_on WHERE {BOTH_STUDENTS}"""
CLASSMATES = """SELECT DISTINCT a.id, b.id FROM students_student s JOIN students_person a ON a.id = s.person_id
    JOIN students_enrolment e ON e.student_id = a.id AND e.ended_on IS NULL
    JOIN students_enrolment f ON f.school_id = e.school_id AND f.stage = e.stage AND f.entered_in = e.entered_in
        AND f.class_name = e.class_name AND f.ended_on IS NULL AND f.student_id <> a.id
    JOIN students_person b ON b.id = f.student_id AND b.name_key = a.name_key
    WHERE s.county_id = %(county)s AND (a.birth_on IS NULL OR b.birth_on IS NULL OR a.birth_on = b.birth_on)
    AND NOT EXISTS (SELECT 1 FROM students_identifier i WHERE i.person_id = a.id
        AND i.kind IN ('citizen_id', 'document') AND i.valid_to IS NULL AND NOT i.derived)"""  # a has no number
DERIVED = """SELECT d.person_id, o.person_id FROM students_identifier d JOIN students_identifier o
    ON o.county_id = d.county_id AND o.kind = d.kind AND o."index" = d."index" AND o.person_id <> d.person_id
    WHERE d.county_id = %(county)s AND d.kind = 'citizen_id' AND d.derived AND d.valid_to IS NULL
    AND NOT o.derived AND o.valid_to IS NULL"""


def seek(county: County) -> int:
    """Bring the proposals of the county in line with the files as they are; how many wait. Call inside a transaction."""
    found = _found(county)
    known = {(d.first, d.second): d for d in Duplicate.objects.filter(county=county)}
    waiting = {pair for pair, d in known.items() if d.state == Duplicate.State.PROPOSED}
    for chunk in chunks([known[pair].pk for pair in waiting - set(found)], 900):
        Duplicate.objects.filter(pk__in=chunk).delete()
    asked_anew = []
    for pair, why in found.items():
        if (before := known.get(pair)) and STRENGTH.index(why) < STRENGTH.index(Why(before.why)):
            before.why, before.state, before.reason = why, Duplicate.State.PROPOSED, ""
            before.decided_by = before.decided_at = None
            asked_anew.append(before)
    Duplicate.objects.bulk_update(asked_anew, ["why", "state", "reason", "decided_by", "decided_at"], batch_size=300)
    Duplicate.objects.bulk_create(
        [
            Duplicate(county=county, first=first, second=second, why=why)
            for (first, second), why in sorted(found.items())
            if (first, second) not in known
        ],
        batch_size=500,
    )
    return Duplicate.objects.filter(county=county).waiting().count()


def _found(county: County) -> dict[Pair, Why]:
    params = {"county": County._meta.pk.get_db_prep_value(county.pk, connection)}
    namesakes, classmates = _pairs(NAMESAKES, params), _pairs(CLASSMATES, params)
    derived = _pairs(DERIVED, params)
    files = set(chain.from_iterable(namesakes | classmates | derived))
    numbers = _numbers(files)
    schools = _schools(files)
    names = dict(by_key(Person.objects, "pk", set(chain.from_iterable(derived)), "pk", "name_key"))
    found: dict[Pair, Why] = {}
    for pair in namesakes:
        first, second = pair
        if schools.get(first, set()) & schools.get(second, set()):
            found[pair] = Why.SCHOOLMATE
    found |= dict.fromkeys(classmates, Why.CLASSMATE)
    for first, second in namesakes:
        if any(_near(one, other) for one in numbers.get(first, []) for other in numbers.get(second, [])):
            found[first, second] = Why.NEAR_NUMBER
    for first, second in derived:
        if keys_agree(names[first], names[second]) != "different":
            found[first, second] = Why.DERIVED
    return found


def _pairs(query: str, params: dict) -> set[Pair]:
    read = Person._meta.pk.to_python
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        pairs = [(read(first), read(second)) for first, second in cursor.fetchall()]
    return {(min(pair), max(pair)) for pair in pairs}


def _numbers(files: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Citizen IDs of each file, opened."""
    open_id = secrecy.opener("citizen_id")
    held = Identifier.objects.filter(kind="citizen_id", derived=False, valid_to=None)
    numbers: dict[UUID, list[str]] = {}
    for person, value_id, sealed in by_key(held, "person", files, "person_id", "id", "sealed"):
        numbers.setdefault(person, []).append(open_id(bytes(sealed), value_id))
    return numbers


def _schools(files: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    stays = Enrolment.objects.filter(ended_on=None, school__isnull=False)
    for student, school in by_key(stays, "student", files, "student_id", "school_id"):
        found.setdefault(student, set()).add(school)
    return found


def _near(one: str, other: str) -> bool:
    """One digit or one swap apart before the check character, which follows from the others."""
    return one != other and OSA.distance(one[:17], other[:17], score_cutoff=1) <= 1

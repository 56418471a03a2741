"""Steps 1–6 of the matching ladder: links a namesake, a twin or a parent's certificate cannot have.

Identifier steps are joins on blind indexes. A person's number always wins over a guess: an entry whose own citizen ID
belongs to somebody is never linked to somebody else. Source: docs/rules/registers.md, “matching ladder”.
"""

from collections.abc import Iterable

from django.db import connection

from bureau.bulk import by_key, chunks, refresh_statistics
from bureau.identity.names import LOST_CLASS, names_agree
from bureau.organisation.models import County
from students.models import Entry, Identifier, Person

LEADS = "(i.valid_to IS NULL OR i.still_used)"  # his number in force, or a second one found to be his
OWN_NUMBER = f"i.kind = 'citizen_id' AND {LEADS}"
NOT_REFUSED = """NOT EXISTS (SELECT 1 FROM students_link l
    WHERE l.entry_id = e.id AND l.person_id = p.id AND l.status = 'rejected'
    AND l.digest = COALESCE(e.identity, e.digest))"""
ID_IS_FREE = """NOT EXISTS (SELECT 1 FROM students_identifier o
    WHERE o.county_id = e.county_id AND o.kind = 'citizen_id' AND (o.valid_to IS NULL OR o.still_used) AND NOT o.derived
    AND o."index" = e.citizen_index AND o.person_id <> p.id)"""
SAME_PERSON_WORDS = "p.name_key = e.name_key AND p.birth_on = e.birth_on"


def link_by_number(county: County) -> list[tuple[int, object]]:
    """Steps 1–3: equal citizen ID and names that agree. Returns (entry, person) of equal IDs under another name."""
    refresh_statistics(Entry, Identifier, Person)
    _update(
        county,
        f"""i."index" = e.citizen_index AND {OWN_NUMBER} AND (p.name_key = e.name_key OR e.name_key = '')
            AND {NOT_REFUSED}""",
        method="citizen_id",
    )
    agreeing, conflicting = [], []
    for entry, person, listed, known, former in _same_number_other_name(county):
        names = [known, *former]
        alike = any(names_agree(listed, name) in ("same", "damaged") for name in names)
        (agreeing if alike else conflicting).append((entry, person))
    assign(agreeing, method="citizen_id")
    return conflicting


def link_by_hints(county: County) -> None:
    """Steps 4 and 5: a 学籍号, or the citizen ID inside a 学籍号 or certificate, and name and birth date agree."""
    for column, kind, method in (
        ("number_index", "student_number", "student_number"),
        ("holder_index", "citizen_id", "embedded_id"),
    ):
        _update(
            county,
            f"""i."index" = e.{column} AND i.kind = '{kind}' AND {LEADS}
                AND {SAME_PERSON_WORDS} AND {_whole_name()} AND {NOT_REFUSED} AND {ID_IS_FREE}""",
            method=method,
        )


def link_by_family(county: County) -> None:
    """Step 6: name, birth date, and the guardian's ID or the household number; only where neither side has a second."""
    candidates = f"""
        SELECT e.id AS entry_id, p.id AS person_id
        FROM students_entry e CROSS JOIN students_person p
        WHERE e.county_id = %(county)s AND e.person_id IS NULL AND e.name_key <> '' AND e.birth_on IS NOT NULL
        AND p.county_id = e.county_id AND {SAME_PERSON_WORDS} AND {_whole_name()}
        AND {NOT_REFUSED} AND {ID_IS_FREE} AND (
            (e.household_key IS NOT NULL AND EXISTS (SELECT 1 FROM students_entry h
                WHERE h.household_key = e.household_key AND h.person_id = p.id))
            OR (e.guardian_index IS NOT NULL AND EXISTS (SELECT 1 FROM students_guardianship g
                WHERE g.number_index = e.guardian_index AND g.student_id = p.id)))"""
    with connection.cursor() as cursor:
        cursor.execute(candidates, {"county": _key(county)})
        pairs = [(entry, _uuid(person)) for entry, person in cursor.fetchall()]
    persons_of, entries_of = {}, {}
    registers = dict(by_key(Entry.objects, "pk", {entry for entry, _ in pairs}, "pk", "register_id"))
    for entry, person in pairs:
        persons_of.setdefault(entry, set()).add(person)
        entries_of.setdefault((registers[entry], person), set()).add(entry)
    single = [
        (entry, person)
        for entry, person in pairs
        if len(persons_of[entry]) == 1 and len(entries_of[registers[entry], person]) == 1
    ]
    assign(single, method="family")


def assign(pairs: Iterable[tuple[int, object]], *, method: str) -> None:
    """Link entries to persons as decided."""
    key = "column2::uuid" if connection.vendor == "postgresql" else "column2"
    write = Entry._meta.get_field("person").target_field.get_db_prep_value
    for chunk in chunks(pairs, 300):
        values = [value for entry, person in chunk for value in (entry, write(person, connection))]
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE students_entry AS t SET person_id = {key}, link_state = 'linked', link_method = %s
                    FROM (VALUES {", ".join(["(%s, %s)"] * len(chunk))}) AS m WHERE t.id = m.column1""",
                [method, *values],
            )


def _same_number_other_name(county: County) -> list[tuple]:
    """Waiting entries whose citizen ID is a person's, with both names and that person's former names."""
    query = f"""
        SELECT e.id, p.id, e.name, p.name
        FROM students_entry e CROSS JOIN students_identifier i CROSS JOIN students_person p
        WHERE e.county_id = %(county)s AND e.person_id IS NULL AND i.county_id = e.county_id
        AND i."index" = e.citizen_index AND {OWN_NUMBER} AND NOT i.derived AND p.id = i.person_id AND {NOT_REFUSED}"""
    with connection.cursor() as cursor:
        cursor.execute(query, {"county": _key(county)})
        rows = [(entry, _uuid(person), listed, known) for entry, person, listed, known in cursor.fetchall()]
    former = _former_names({person for _, person, _, _ in rows})
    return [(entry, person, listed, known, former.get(person, [])) for entry, person, listed, known in rows]


def _former_names(persons: set) -> dict:
    return dict(by_key(Person.objects.exclude(former_names=[]), "pk", persons, "pk", "former_names"))


def _update(county: County, condition: str, *, method: str) -> int:
    """Link waiting entries (e) to persons (p) through an identifier (i) of theirs.

    CROSS JOIN keeps SQLite, which has no statistics, from walking all identifiers once per entry.
    """
    statement = f"""
        UPDATE students_entry AS t SET person_id = m.person_id, link_state = 'linked', link_method = %(method)s
        FROM (SELECT e.id AS entry_id, p.id AS person_id
              FROM students_entry e CROSS JOIN students_identifier i CROSS JOIN students_person p
              WHERE e.county_id = %(county)s AND e.person_id IS NULL AND i.county_id = e.county_id
              AND NOT i.derived AND p.id = i.person_id AND {condition}) m
        WHERE t.id = m.entry_id"""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"county": _key(county), "method": method})
        return cursor.rowcount


def _whole_name() -> str:
    """No character of the row's name was lost: two names damaged at the same place need not be one (twins, 伟 and 强)."""
    if connection.vendor == "postgresql":
        return f"e.name_key !~ '{LOST_CLASS}'"
    return f"e.name_key NOT GLOB '*{LOST_CLASS}*'"


def _key(county: County):
    return county._meta.pk.get_db_prep_value(county.pk, connection)


def _uuid(value):
    return Entry._meta.get_field("person").target_field.to_python(value)

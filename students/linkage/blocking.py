"""Who may be meant by a row that exact steps left over: pairs found by what damage leaves intact, in a few joins.

Blocks: the name; its sound; the birth date, also with day and month swapped, where a character of the name is shared;
the citizen IDs one slip away from the one written; the guardian's ID; the household; a citizen ID inside a 学籍号 or
certificate. Source: docs/rules/registers.md, “proposals”.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from uuid import UUID

from django.db import connection

from bureau import secrecy
from bureau.bulk import fill
from bureau.identity import citizen
from bureau.identity.names import pinyin_key
from bureau.organisation.models import County

FIRST_CHARACTERS = 4  # of the person's name, looked for in the row's: all of them for nearly everybody


TABLES = {
    "postgresql": (
        "CREATE TEMPORARY TABLE sought_persons (entry bigint, name_key text, pinyin text, day date) ON COMMIT DROP",
        "CREATE TEMPORARY TABLE sought_numbers (entry bigint, number bytea) ON COMMIT DROP",
    ),
    "sqlite": (
        "CREATE TEMPORARY TABLE sought_persons (entry, name_key, pinyin, day)",
        "CREATE TEMPORARY TABLE sought_numbers (entry, number)",
    ),
}


@dataclass(slots=True)
class Waiting:
    """What is compared of a waiting row. `number_text`: the citizen ID as it stands there, right or damaged."""

    pk: int
    county_id: UUID
    link_state: str
    name: str
    name_key: str
    birth_on: date | None
    sex: str
    village_id: UUID | None
    township_id: UUID | None
    head_name: str
    citizen_index: bytes | None
    citizen_uuid: UUID | None
    citizen_sealed: bytes | None
    row_uuid: UUID
    payload_sealed: bytes | None
    identity: bytes | None
    digest: bytes
    number_text: str = ""


WAITING = tuple(one.name for one in fields(Waiting) if one.name != "number_text")


@dataclass
class Pairs:
    """Persons a row may be about, by row; and the pairs whose household, guardian or embedded number is the same."""

    of_entry: dict[int, set[UUID]] = field(default_factory=dict)
    households: set[tuple[int, UUID]] = field(default_factory=set)
    guardians: set[tuple[int, UUID]] = field(default_factory=set)
    embedded: set[tuple[int, UUID]] = field(default_factory=set)

    def add(self, entry: int, person: UUID) -> None:
        self.of_entry.setdefault(entry, set()).add(person)

    @property
    def persons(self) -> set[UUID]:
        return set().union(*self.of_entry.values()) if self.of_entry else set()


def pairs_of(county: County, entries: list[Waiting]) -> Pairs:
    """The pairs worth comparing; `entries` carry their `number_text`. Call inside a transaction."""
    found = Pairs()
    with connection.cursor() as cursor:
        for table in ("sought_persons", "sought_numbers"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in TABLES[connection.vendor]:
            cursor.execute(statement)
        fill("sought_persons", ("entry", "name_key", "pinyin", "day"), _sought(entries))
        fill("sought_numbers", ("entry", "number"), _numbers(entries))
        params = {"county": County._meta.pk.get_db_prep_value(county.pk, connection)}
        for statement, marked in _statements(found):
            cursor.execute(statement, params)
            for entry, person in cursor.fetchall():
                person = person if isinstance(person, UUID) else UUID(person)
                found.add(entry, person)
                if marked is not None:
                    marked.add((entry, person))
    return found


def _sought(entries: Iterable[Waiting]) -> Iterator[tuple]:
    for entry in entries:
        yield entry.pk, entry.name_key, pinyin_key(entry.name), entry.birth_on
        for day in days_like(entry.birth_on):
            yield entry.pk, entry.name_key, "", day


def _numbers(entries: Iterable[Waiting]) -> Iterator[tuple]:
    blind = secrecy.blinder("citizen_id")
    for entry in entries:
        if entry.citizen_index is None and entry.number_text:
            yield from ((entry.pk, blind(number)) for number in citizen.one_slip_away(entry.number_text))


def days_like(day: date | None) -> Iterator[date]:
    """The other day a slip may have made this one of: day and month swapped."""
    if day and day.day <= 12 and day.day != day.month:
        yield date(day.year, day.day, day.month)


def _statements(found: Pairs) -> Iterator[tuple[str, set | None]]:
    yield (
        """SELECT s.entry, p.id FROM sought_persons s JOIN students_person p
           ON p.county_id = %(county)s AND p.name_key = s.name_key WHERE s.pinyin <> ''""",
        None,
    )
    yield (
        """SELECT s.entry, p.id FROM sought_persons s JOIN students_person p
           ON p.county_id = %(county)s AND p.pinyin = s.pinyin AND p.name_key <> s.name_key WHERE s.pinyin <> ''""",
        None,
    )
    yield (
        f"""SELECT s.entry, p.id FROM sought_persons s JOIN students_person p
            ON p.county_id = %(county)s AND p.birth_on = s.day AND p.name_key <> s.name_key
            WHERE {_share("s.name_key", "p.name_key")}""",
        None,
    )
    yield (
        """SELECT s.entry, i.person_id FROM sought_numbers s JOIN students_identifier i
           ON i.county_id = %(county)s AND i.kind = 'citizen_id' AND i."index" = s.number
           WHERE i.valid_to IS NULL OR i.still_used""",
        None,
    )
    waiting = "(SELECT DISTINCT entry FROM sought_persons) s JOIN students_entry e ON e.id = s.entry"
    yield (
        f"""SELECT e.id, g.student_id FROM {waiting} JOIN students_guardianship g ON g.number_index = e.guardian_index
            JOIN students_student t ON t.person_id = g.student_id AND t.county_id = %(county)s""",
        found.guardians,
    )
    yield (
        f"""SELECT DISTINCT e.id, h.person_id FROM {waiting} JOIN students_entry h ON h.household_key = e.household_key
            WHERE h.person_id IS NOT NULL AND h.county_id = %(county)s""",
        found.households,
    )
    yield (
        f"""SELECT e.id, i.person_id FROM {waiting} JOIN students_identifier i ON i.county_id = %(county)s
            AND i.kind = 'citizen_id' AND i."index" = e.holder_index WHERE i.valid_to IS NULL OR i.still_used""",
        found.embedded,
    )
    yield (
        f"""SELECT e.id, i.person_id FROM {waiting} JOIN students_identifier i ON i.county_id = %(county)s
            AND i.kind = 'citizen_id' AND i."index" = e.citizen_index AND i.derived WHERE i.valid_to IS NULL""",
        found.embedded,
    )


def _share(one: str, other: str) -> str:
    """Names with a character in common, or with one that was lost or spelt out: what is left is judged in memory."""
    find = "strpos" if connection.vendor == "postgresql" else "instr"
    places = range(1, FIRST_CHARACTERS + 1)
    met = " OR ".join(f"(substr({other}, {n}, 1) <> '' AND {find}({one}, substr({other}, {n}, 1)) > 0)" for n in places)
    return f"({met})"

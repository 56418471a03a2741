"""What applying a roster replaces, written down as it was, so that it can be given back exactly.

Set-based like applying: an image of the columns is JSON that the database itself makes and reads. Only columns that
applying changed are looked at and given back; work done on the others since then stands. What applying created is known
by the keys fixed at staging, and by these effects where it has none.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Max, QuerySet

from bureau.bulk import by_key, chunks
from students.models import (
    Absence,
    Enrolment,
    Entry,
    Guardianship,
    Household,
    Identifier,
    Membership,
    Movement,
    Person,
    Roster,
    RosterEffect,
    RosterRow,
    RosterSchool,
    Student,
    Whereabouts,
)

IDENTITY = {"id", "county_id", "student_id", "school_id"}
KEPT: dict[type[models.Model], tuple[str, ...]] = {
    Person: ("name", "name_key", "pinyin", "former_names", "ethnicity"),
    Student: ("hukou_township_id", "hukou_village_id", "hukou_outside", "hukou_text", "number_due_on"),
    Identifier: ("valid_to",),
    Guardianship: ("name", "relation", "legal", "valid_to"),
    Enrolment: tuple(field.attname for field in Enrolment._meta.concrete_fields if field.attname not in IDENTITY),
    RosterSchool: ("latest",),
    Absence: ("state",),
    Whereabouts: ("withdrawn_at",),
    Movement: ("state", "to_school_id"),
}
COUNTED = (Guardianship, Household, Membership)  # rows with a counted key: created are those above the last one before
NUMBERS = ("citizen_uuid", "number_uuid", "holder_uuid", "phone_uuid", "address_uuid")


class Book:
    """The effects of one roster while it is applied. Open it with the county held: counted keys are then ours alone."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.key = Roster._meta.pk.get_db_prep_value(roster.pk, connection)
        self._last = {model: model._base_manager.aggregate(last=Max("pk"))["last"] or 0 for model in COUNTED}
        self._linked: set[int] = set()

    def keep(self, model: type[models.Model], chosen: str, params: dict[str, Any]) -> None:
        """Write down the rows whose keys the query `chosen` gives, before they are changed."""
        self._keep(model, chosen, params | {"effects_of": self.key})

    def keep_rows(self, model: type[models.Model], keys: Iterable[Any]) -> None:
        """The same for rows known by their keys."""
        for chunk in chunks(keys, 900):
            names = {f"key_{n}": model._meta.pk.get_db_prep_value(key, connection) for n, key in enumerate(chunk)}
            chosen = ", ".join(f"%({name})s" for name in names)
            self._keep(model, chosen, names | {"effects_of": self.key})

    def keep_new(self, model: type[models.Model], chosen: str, params: dict[str, Any]) -> None:
        """Write down the keys of rows about to be created, where the staged rows do not know them."""
        statement = f"""INSERT INTO students_rostereffect (roster_id, "table", "key")
            SELECT %(effects_of)s, '{model._meta.db_table}', {_as_text("n.new_key")} FROM ({chosen}) n"""
        with connection.cursor() as cursor:
            cursor.execute(statement, params | {"effects_of": self.key})

    def before_linking(self) -> None:
        """Which list rows the children already had whom this roster changes."""
        self._linked = set(self._links())

    def close(self) -> None:
        """Write down how the kept rows are now, and what came to be; rows that were not changed are forgotten."""
        new_links = set(self._links()) - self._linked
        table = Entry._meta.db_table
        RosterEffect.objects.bulk_create(
            (RosterEffect(roster=self.roster, table=table, key=str(key)) for key in sorted(new_links)), batch_size=1_000
        )
        params = {
            "effects_of": self.key,
            "county": Roster._meta.pk.get_db_prep_value(self.roster.county_id, connection),
        }
        for model, last in self._last.items():
            self.keep_new(model, CREATED[model], params | {"last": last})
        with connection.cursor() as cursor:
            for model in KEPT:
                cursor.execute(
                    f"""UPDATE students_rostereffect AS x SET after = {_image(model, "t")}
                        FROM {model._meta.db_table} t WHERE {_effect_of(model)}""",
                    params,
                )
            cursor.execute(
                "DELETE FROM students_rostereffect WHERE roster_id = %(effects_of)s AND before = after", params
            )

    def _keep(self, model: type[models.Model], chosen: str, params: dict[str, Any]) -> None:
        table, key = model._meta.db_table, model._meta.pk.column
        statement = f"""INSERT INTO students_rostereffect (roster_id, "table", "key", before)
            SELECT %(effects_of)s, '{table}', {_as_text(f't."{key}"')}, {_image(model, "t")}
            FROM {table} t WHERE t."{key}" IN ({chosen})"""
        with connection.cursor() as cursor:
            cursor.execute(statement, params)

    def _links(self) -> Iterable[int]:
        rows = RosterRow.objects.filter(roster=self.roster, status="accepted", person_is_new=False)
        persons = rows.exclude(verdict="unchanged").order_by().values_list("person_id", flat=True).distinct()
        return (pk for (pk,) in by_key(Entry.objects, "person", list(persons), "pk"))


CREATED = {
    Guardianship: """SELECT g.id AS new_key FROM students_guardianship g
        JOIN students_student s ON s.person_id = g.student_id WHERE g.id > %(last)s AND s.county_id = %(county)s""",
    Household: "SELECT h.id AS new_key FROM students_household h WHERE h.id > %(last)s AND h.county_id = %(county)s",
    Membership: """SELECT m.id AS new_key FROM students_membership m
        JOIN students_household h ON h.id = m.household_id WHERE m.id > %(last)s AND h.county_id = %(county)s""",
}


class Made:
    """The keys of what one applied roster made."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.people: set[UUID] = set()
        self.enrolments: list[UUID] = []
        numbers: list[UUID] = []
        columns = ("person_id", "person_is_new", "enrolment_id", "enrolment_is_new", *NUMBERS)
        rows = RosterRow.objects.filter(roster=roster, status="accepted").values_list(*columns)
        for person, is_new, enrolment, came, *uuids in rows.iterator(5_000):
            if is_new:
                self.people.add(person)
            if came:
                self.enrolments.append(enrolment)
            numbers += filter(None, uuids)
        self.students = self.people | set(self.keys(Student))
        self.guardianships = set(self.keys(Guardianship))
        # whose each number is, with its index; a number that was there already came in with no row
        self.numbers = {
            pk: (person, bytes(index)) for pk, person, index in by_key(Identifier.objects, "pk", numbers, *NUMBER)
        }

    def keys(self, model: type[models.Model]) -> list[Any]:
        """Keys of the rows of this kind that only the effects know."""
        made = RosterEffect.objects.filter(roster=self.roster, table=model._meta.db_table, before__isnull=True)
        return [model._meta.pk.to_python(key) for key in made.values_list("key", flat=True)]


NUMBER = ("pk", "person_id", "index")


def replaced(roster: Roster, model: type[models.Model]) -> QuerySet[RosterEffect]:
    """Effects on rows of this kind that were there before."""
    return RosterEffect.objects.filter(roster=roster, table=model._meta.db_table, before__isnull=False)


def changed_since(roster: Roster, model: type[models.Model], *, but: tuple[str, ...] = ()) -> list[Any]:
    """Keys of rows in which a column the roster changed has been changed again, to something else than it was before."""
    other = " OR ".join(
        f"({_was(field)} IS DISTINCT FROM {_became(field)} AND {now} IS DISTINCT FROM {_became(field)}"
        f" AND {now} IS DISTINCT FROM {_was(field)})"
        for field in _kept(model)
        if field.attname not in but
        for now in [_now(field, "t")]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT x."key" FROM students_rostereffect x, {model._meta.db_table} t
                WHERE {_effect_of(model)} AND ({other})""",
            {"effects_of": Roster._meta.pk.get_db_prep_value(roster.pk, connection)},
        )
        return [model._meta.pk.to_python(key) for (key,) in cursor.fetchall()]


def give_back(roster: Roster, model: type[models.Model]) -> None:
    """Every column of this kind that the roster changed is what it was before."""
    columns = ", ".join(
        f'"{field.column}" = CASE WHEN {_was(field)} IS DISTINCT FROM {_became(field)} THEN {_was(field)}'
        f' ELSE t."{field.column}" END'
        for field in _kept(model)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {model._meta.db_table} AS t SET {columns} FROM students_rostereffect x
                WHERE {_effect_of(model)}""",
            {"effects_of": Roster._meta.pk.get_db_prep_value(roster.pk, connection)},
        )


def _kept(model: type[models.Model]) -> list[models.Field]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return [fields[name] for name in KEPT[model]]


def _effect_of(model: type[models.Model]) -> str:
    """Joins an effect (x) to the row (t) it tells of."""
    key = model._meta.pk
    while key.remote_field:
        key = key.target_field
    if connection.vendor == "postgresql":
        told = f'x."key"::{"uuid" if isinstance(key, models.UUIDField) else "bigint"}'
    else:
        told = 'x."key"' if isinstance(key, models.UUIDField) else 'CAST(x."key" AS integer)'
    return f"""x.roster_id = %(effects_of)s AND x."table" = '{model._meta.db_table}' AND x.before IS NOT NULL
        AND t."{model._meta.pk.column}" = {told}"""


def _as_text(key: str) -> str:
    return f"REPLACE(CAST({key} AS text), '-', '')"


def _image(model: type[models.Model], alias: str) -> str:
    make = "jsonb_build_object" if connection.vendor == "postgresql" else "json_object"
    pairs = ", ".join(f"'{field.attname}', {_now(field, alias)}" for field in _kept(model))
    return f"{make}({pairs})"


def _now(field: models.Field, alias: str) -> str:
    column = f'{alias}."{field.column}"'
    if connection.vendor == "sqlite" and isinstance(field, models.JSONField):
        return f"json({column})"
    return column


def _was(field: models.Field) -> str:
    return _told(field, "x.before")


def _became(field: models.Field) -> str:
    return _told(field, "x.after")


def _told(field: models.Field, image: str) -> str:
    """A column out of an image, as the type it has."""
    if connection.vendor == "sqlite":
        return f"json_extract({image}, '$.{field.attname}')"
    if isinstance(field, models.JSONField):
        return f"({image}->'{field.attname}')"
    return f"({image}->>'{field.attname}')::{field.db_type(connection)}"

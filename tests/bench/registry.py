"""A registry of a million children filled by SQL, the same on both databases: every child enrolled, on the police and
on the poverty list, and recorded as poor, but for the planted differences.
"""

from datetime import date

from django.db import connection, models

from bureau.organisation.models import County, School
from students.intake.known import register_named
from students.models import Enrolment, Entry, Hardship, Person, Snapshot, Student

AS_OF = date(2026, 9, 30)
EVERY = 200  # one child in so many differs, for each rule: 0.5 %
BLANKS = {"CharField": "''", "TextField": "''", "BooleanField": "{no}", "JSONField": "'[]'"}


def fill(county: County, school: School, by, *, rows: int) -> None:
    """`rows` children; entry k of each list speaks of a child far from k, as lists are in another order."""
    registers = {name: register_named(county, name) for name in ("population", "poverty")}
    for register in registers.values():
        Snapshot.objects.create(
            county=county, register=register, as_of=AS_OF, state=Snapshot.State.CLOSED, file_name="b", received_by=by
        )
    step = next(n for n in range(rows * 5 // 8, rows * 2) if _coprime(n, rows))
    child = f"CAST((CAST(i AS bigint) * {step}) % {rows} + 1 AS integer)"
    enrolled, recorded, listed = f"i % {EVERY} <> 1", f"i % {EVERY} <> 2", f"{child} % {EVERY} <> 3"
    county_id, born_on = _literal(county), _day("2011-01-01", "i % 3000")
    with _quick_loading(Person, Student, Enrolment, Hardship, Entry):
        _insert(Person, rows, id=_key("a", "i"), county=county_id, name="'学生' || i", name_key="'学生' || i",
                pinyin="'xue sheng'", sex="'1'", birth_on=born_on, created_at="CURRENT_TIMESTAMP")  # fmt: skip
        _insert(Student, rows, person=_key("a", "i"), county=county_id)
        _insert(Enrolment, rows, where=enrolled, id=_key("b", "i"), county=county_id, student=_key("a", "i"),
                school=_literal(school), is_registered=_TRUE(), is_present=_TRUE(), started_on="'2025-09-01'",
                stage="'primary'", entered_in="2022")  # fmt: skip
        _insert(Hardship, rows, where=recorded, county=county_id, student=_key("a", "i"), category="'lifted_poor'",
                valid_from="'2025-09-01'", register=str(registers["poverty"].pk), recorded_by=_literal(by),
                recorded_at="CURRENT_TIMESTAMP")  # fmt: skip
        for number, (name, category, where) in enumerate(
            (("population", "''", ""), ("poverty", "'lifted_poor'", listed)), start=1
        ):
            _insert(Entry, rows, where=where, county=county_id, register=str(registers[name].pk),
                    recognised_by=_digest(f"i + {number} * 100000000"), citizen_index=_digest(child),
                    name=f"'学生' || {child}", name_key=f"'学生' || {child}", birth_on=_day("2011-01-01", f"{child} % 3000"),
                    category=category, row_uuid=_key(f"c{number}", "i"), digest=_digest("i"), listed_from="'2026-09-30'",
                    person=_key("a", child), link_state="'linked'", link_method="'citizen_id'")  # fmt: skip


def _insert(model: type[models.Model], rows: int, *, where: str = "", **given: str) -> None:
    columns, values = [], []
    for field in model._meta.concrete_fields:
        blank = "NULL" if field.null else BLANKS.get(field.get_internal_type(), "0").format(no=_FALSE())
        if field.get_internal_type() == "BigAutoField":
            continue
        columns.append(f'"{field.column}"')
        values.append(_typed(given.get(field.name, blank), field))
    series = f"generate_series(1, {rows}) AS s(i)"
    if connection.vendor == "sqlite":
        series = f"(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) SELECT i FROM s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {series}"
            + (f" WHERE {where}" if where else "")
        )


def _typed(value: str, field: models.Field) -> str:
    if connection.vendor == "postgresql" and field.get_internal_type() in ("DateField", "JSONField"):
        return f"({value})::{field.db_type(connection)}"
    return value


class _quick_loading:
    """PostgreSQL: secondary indexes are built after the rows, foreign keys not checked row by row; then statistics."""

    def __init__(self, *loaded: type[models.Model]) -> None:
        self.tables = [model._meta.db_table for model in loaded]

    def __enter__(self) -> None:
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(
                """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)
                   AND indexname NOT IN (SELECT conname FROM pg_constraint)""",
                [self.tables],
            )
            self.indexes = cursor.fetchall()
            for name, _ in self.indexes:
                cursor.execute(f'DROP INDEX "{name}"')

    def __exit__(self, *failure) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                for _, definition in self.indexes:
                    cursor.execute(definition)
                cursor.execute("SET session_replication_role = DEFAULT")
                for table in self.tables:
                    cursor.execute(f"VACUUM ANALYZE {table}")
            else:
                cursor.execute("ANALYZE")


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1


def _key(family: str, number: str) -> str:
    """UUIDs in the order of their numbers, as uuid7 gives them."""
    if connection.vendor == "postgresql":
        return f"('{family:0>8}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"
    return f"'{family:0>8}00007000' || '8000' || printf('%012x', {number})"


def _digest(number: str) -> str:
    if connection.vendor == "postgresql":
        return f"lpad(({number})::text, 32, '0')::bytea"
    return f"CAST(printf('%032d', {number}) AS BLOB)"


def _day(first: str, days: str) -> str:
    if connection.vendor == "postgresql":
        return f"date '{first}' + ({days})"
    return f"date('{first}', '+' || ({days}) || ' days')"


def _literal(row: models.Model) -> str:
    key = row._meta.pk.get_db_prep_value(row.pk, connection)
    return f"'{key}'::uuid" if connection.vendor == "postgresql" else f"'{key}'"


def _TRUE() -> str:
    return "true" if connection.vendor == "postgresql" else "1"


def _FALSE() -> str:
    return "false" if connection.vendor == "postgresql" else "0"

"""Children the county did not know: rows of the school-age population and of 学籍 exports make persons who are students."""

from datetime import date

from django.db import connection

from bureau.organisation.models import County

CREATING = """e.county_id = %(county)s AND e.person_id IS NULL AND e.link_state <> 'proposed' AND e.name <> ''
    AND e.omitted_on IS NULL AND r.creates_students
    AND NOT EXISTS (SELECT 1 FROM students_link l WHERE l.entry_id = e.id AND l.status = 'undecided'
        AND l.digest = COALESCE(e.identity, e.digest))
    AND (r.name <> 'population' OR e.birth_on BETWEEN %(born_from)s AND %(born_to)s)"""


def create_students(county: County, *, births: tuple[date, date]) -> int:
    """Make a person and student of every waiting row that may: one per citizen ID, keyed by the row's own UUID.

    A population row counts when it is of school age; a row with proposals, or with one
    put off, waits for the human answer. The sealed
    numbers move as they are. Returns how many students came to be.
    """
    params = {
        "county": County._meta.pk.get_db_prep_value(county.pk, connection),
        "born_from": connection.ops.adapt_datefield_value(births[0]),
        "born_to": connection.ops.adapt_datefield_value(births[1]),
        "no": False,
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS becoming")
        _gather(cursor, params)
        cursor.execute("CREATE INDEX becoming_entry ON becoming (id)")
        cursor.execute(
            """INSERT INTO students_person (id, county_id, name, name_key, pinyin, former_names, sex, birth_on,
                   ethnicity, created_at)
               SELECT e.row_uuid, e.county_id, e.name, e.name_key, e.pinyin, '[]', e.sex, e.birth_on, e.ethnicity,
                   CURRENT_TIMESTAMP
               FROM students_entry e WHERE e.id IN (SELECT id FROM becoming)"""
        )
        created = cursor.rowcount
        cursor.execute(
            """INSERT INTO students_student (person_id, county_id, hukou_township_id, hukou_village_id, hukou_outside,
                   hukou_text)
               SELECT e.row_uuid, e.county_id, e.township_id, e.village_id, %(no)s, ''
               FROM students_entry e WHERE e.id IN (SELECT id FROM becoming)""",
            params,
        )
        for kind, prefix in (("citizen_id", "citizen"), ("student_number", "number")):
            cursor.execute(
                f"""INSERT INTO students_identifier (id, county_id, person_id, kind, sealed, "index", derived)
                    SELECT e.{prefix}_uuid, e.county_id, e.row_uuid, '{kind}', e.{prefix}_sealed, e.{prefix}_index,
                        %(no)s
                    FROM students_entry e WHERE e.id IN (SELECT id FROM becoming) AND e.{prefix}_index IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM students_identifier o WHERE o.county_id = e.county_id
                        AND o.kind = '{kind}' AND o."index" = e.{prefix}_index AND (o.valid_to IS NULL OR o.still_used)
                        AND NOT o.derived)
                    ON CONFLICT DO NOTHING""",
                params,
            )
        cursor.execute(
            """UPDATE students_entry SET person_id = row_uuid, link_state = 'linked', link_method = 'created'
               WHERE id IN (SELECT id FROM becoming)"""
        )
    return created


def _gather(cursor, params: dict) -> None:
    """The rows that become persons: the first of each citizen ID, and each row without one."""
    chosen = f"""
        SELECT MIN(e.id) AS id FROM students_entry e JOIN students_register r ON r.id = e.register_id
        WHERE {CREATING} AND e.citizen_index IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM students_identifier i WHERE i.county_id = e.county_id AND i.kind = 'citizen_id'
            AND (i.valid_to IS NULL OR i.still_used) AND NOT i.derived AND i."index" = e.citizen_index)
        GROUP BY e.citizen_index
        UNION ALL
        SELECT e.id FROM students_entry e JOIN students_register r ON r.id = e.register_id
        WHERE {CREATING} AND e.citizen_index IS NULL"""
    if connection.vendor == "postgresql":
        cursor.execute(f"CREATE TEMPORARY TABLE becoming ON COMMIT DROP AS {chosen}", params)
    else:
        cursor.execute("CREATE TEMPORARY TABLE becoming (id)")
        cursor.execute(f"INSERT INTO becoming (id) {chosen}", params)

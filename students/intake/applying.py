"""The accepted rows of a roster move into the registry: set-based, sealed numbers as they are, one short transaction."""

from datetime import date, timedelta
from typing import Any

from django.db import connection

from bureau.bulk import chunks
from students.intake import families
from students.intake.preview import Preview, is_present
from students.intake.undoing import Book
from students.models import (
    Enrolment,
    Entry,
    Guardianship,
    Identifier,
    Person,
    Roster,
    RosterRow,
    RosterSchool,
    Student,
)

KINDS = (("citizen", None), ("number", "student_number"), ("phone", "phone"), ("address", "address"))
ROWS = "students_rosterrow r WHERE r.roster_id = %(roster)s AND r.status = 'accepted'"
# Asked for each row by index: as a join the planner, whose statistics lag behind an import, compares all with all.
EACH = "LIMIT 1 OFFSET 0"
MOVED = "(r.verdict = 'changed' OR r.enrolment_is_new)"  # something else was seen, or the child came to this school


def move_rows(roster: Roster, outcome: Preview, book: Book, *, on: date) -> None:
    """New people, students, numbers, guardians and enrolments; changed facts; and what the roster leaves out.

    What is replaced goes into the book first. `on` is the day it is applied, from which the time for a missing number runs.

    Numbers a row states otherwise than before close the older one and stand beside it. Only a class roll says who is
    at school. Source: docs/rules/students.md, “registered and present”.
    """
    params = {
        "roster": Roster._meta.pk.get_db_prep_value(roster.pk, connection),
        "county": Roster._meta.pk.get_db_prep_value(roster.county_id, connection),
        "since": connection.ops.adapt_datefield_value(roster.term.starts_on),
        "number_due": connection.ops.adapt_datefield_value(on + timedelta(days=roster.county.number_days)),
        "kind": roster.kind,
        "no": False,
        "yes": True,
    }
    with connection.cursor() as cursor:
        _gather_known(cursor, params)
        if roster.kind == Roster.Kind.GUARDIANS:  # of the children themselves such a list says nothing
            replaced, statements = {Guardianship: families.REPLACED}, families.KNOWN
        else:
            replaced, statements = REPLACED, (*NEW_PEOPLE, *KNOWN_PEOPLE, *_number_statements(), *MISSING_NUMBERS)
        for model, chosen in replaced.items():
            book.keep(model, chosen, params)
        book.keep_new(Student, UNKNOWN_STUDENTS, params)
        for statement in statements:
            cursor.execute(statement, params)
    _rename(roster)
    if roster.kind == Roster.Kind.ROLL:
        book.keep(Enrolment, ENROLMENTS_REPLACED, params)
        book.keep(Enrolment, ENROLMENTS_SETTLED, params)
    _become_latest(roster, book)
    if roster.kind == Roster.Kind.ROLL:
        _enrol(roster, params)
        _leave_out(roster, outcome, book)


# New people are inserted without a look at what is there: their keys were made for them. Joins are for those known,
# whose rows stand in a table of their own with fresh statistics: the planner knows nothing of rows staged just now.

NEW_PEOPLE = (
    f"""INSERT INTO students_person (id, county_id, name, name_key, pinyin, former_names, sex, birth_on, ethnicity,
            created_at)
        SELECT r.person_id, %(county)s, r.name, r.name_key, r.pinyin, '[]', r.sex, r.birth_on, r.ethnicity,
            CURRENT_TIMESTAMP
        FROM {ROWS} AND r.person_is_new""",
    f"""INSERT INTO students_student (person_id, county_id, hukou_township_id, hukou_village_id, hukou_outside, hukou_text)
        SELECT r.person_id, %(county)s, r.hukou_township_id, r.hukou_village_id, r.hukou_outside, r.hukou_text
        FROM {ROWS} AND r.person_is_new""",
    families.NEW,
)
KNOWN_PEOPLE = (
    """INSERT INTO students_student (person_id, county_id, hukou_township_id, hukou_village_id, hukou_outside, hukou_text)
        SELECT r.person_id, %(county)s, r.hukou_township_id, r.hukou_village_id, r.hukou_outside, r.hukou_text
        FROM known_people r WHERE NOT EXISTS (SELECT 1 FROM students_student s WHERE s.person_id = r.person_id)""",
    f"""UPDATE students_student AS s SET hukou_text = r.hukou_text,
            hukou_township_id = COALESCE(s.hukou_township_id, r.hukou_township_id),
            hukou_village_id = COALESCE(s.hukou_village_id, r.hukou_village_id),
            hukou_outside = CASE WHEN s.hukou_township_id IS NULL THEN r.hukou_outside ELSE s.hukou_outside END
        FROM known_people r
        WHERE {MOVED} AND r.person_id = s.person_id AND r.hukou_text <> '' AND r.hukou_text <> s.hukou_text""",
    """UPDATE students_person AS p SET ethnicity = r.ethnicity FROM known_people r
        WHERE r.person_id = p.id AND r.ethnicity <> '' AND r.ethnicity <> p.ethnicity""",
    *families.KNOWN,
)


def _gather_known(cursor, params: dict[str, Any]) -> None:
    rows = f"SELECT r.* FROM {ROWS} AND NOT r.person_is_new AND NOT r.settled"
    cursor.execute("DROP TABLE IF EXISTS known_people")
    if connection.vendor == "postgresql":
        cursor.execute(f"CREATE TEMPORARY TABLE known_people ON COMMIT DROP AS {rows}", params)
    else:
        cursor.execute("CREATE TEMPORARY TABLE known_people AS SELECT * FROM students_rosterrow WHERE 1 = 0")
        cursor.execute(f"INSERT INTO known_people {rows}", params)
    cursor.execute("CREATE INDEX known_person ON known_people (person_id)")
    if connection.vendor == "postgresql":
        cursor.execute("ANALYZE known_people (person_id, enrolment_id, school_id, verdict, enrolment_is_new)")


CLOSED = f"""{MOVED} AND i.person_id = r.person_id AND i.valid_to IS NULL AND i.derived = %(no)s
    AND i."index" <> CASE i.kind WHEN r.citizen_kind THEN r.citizen_index
        WHEN 'student_number' THEN r.number_index WHEN 'phone' THEN r.phone_index
        WHEN 'address' THEN r.address_index END"""

# What the statements replace: the same conditions, as keys for the book.

REPLACED = {
    Person: f"""SELECT r.person_id FROM known_people r CROSS JOIN students_person p
        WHERE p.id = r.person_id AND {MOVED} AND (r.name_key <> p.name_key OR (r.ethnicity <> '' AND r.ethnicity <> p.ethnicity))""",
    Student: f"""SELECT r.person_id FROM known_people r CROSS JOIN students_student s
        WHERE s.person_id = r.person_id AND (s.number_due_on IS NOT NULL OR r.admitted OR ({MOVED}
            AND (s.hukou_township_id IS NULL OR (r.hukou_text <> '' AND r.hukou_text <> s.hukou_text))))""",
    Identifier: f"SELECT i.id FROM known_people r CROSS JOIN students_identifier i WHERE {CLOSED}",
    Guardianship: families.REPLACED,
}
UNKNOWN_STUDENTS = """SELECT DISTINCT r.person_id AS new_key FROM known_people r
    WHERE NOT EXISTS (SELECT 1 FROM students_student s WHERE s.person_id = r.person_id)"""
ENROLMENTS_SETTLED = f"SELECT r.enrolment_id FROM {ROWS} AND r.settled"  # only the roll they are on is another one
ENROLMENTS_REPLACED = """SELECT r.enrolment_id FROM known_people r CROSS JOIN students_enrolment e
    LEFT JOIN students_rosterschool q ON q.school_id = r.school_id AND q.kind = %(kind)s AND q.latest
    WHERE e.id = r.enrolment_id AND NOT r.enrolment_is_new AND (r.verdict = 'changed' OR e.roll_id IS DISTINCT FROM q.id)"""


EMBEDDED = f"""INSERT INTO students_identifier (id, county_id, person_id, kind, sealed, "index", derived, valid_from)
    SELECT r.holder_uuid, %(county)s, r.person_id, 'citizen_id', r.holder_sealed, r.holder_index, %(yes)s, %(since)s
    FROM {ROWS} AND NOT r.settled AND r.holder_index IS NOT NULL AND NOT EXISTS (SELECT 1 FROM students_identifier i
        WHERE i.person_id = r.person_id AND i.kind = 'citizen_id' AND i."index" = r.holder_index)
    ON CONFLICT DO NOTHING"""  # the ID inside a 学籍号, where it is another one: a hint


def _number_statements() -> list[str]:
    statements = [f"UPDATE students_identifier AS i SET valid_to = %(since)s FROM known_people r WHERE {CLOSED}"]
    for prefix, kind in KINDS:
        own = "r.citizen_kind" if kind is None else f"'{kind}'"
        insert = f"""INSERT INTO students_identifier (id, county_id, person_id, kind, sealed, "index", derived, valid_from)
            SELECT r.{prefix}_uuid, %(county)s, r.person_id, {own}, r.{prefix}_sealed, r.{prefix}_index, %(no)s, %(since)s"""
        statements += [
            f"""{insert} FROM {ROWS} AND r.person_is_new AND r.{prefix}_index IS NOT NULL ON CONFLICT DO NOTHING""",
            f"""{insert} FROM known_people r WHERE {MOVED} AND r.{prefix}_index IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM students_identifier i WHERE i.person_id = r.person_id AND i.kind = {own}
                AND i.valid_to IS NULL AND i."index" = r.{prefix}_index {EACH})
            ON CONFLICT DO NOTHING""",
        ]
    return [*statements, EMBEDDED]


OWN_NUMBER = """EXISTS (SELECT 1 FROM students_identifier i WHERE i.person_id = s.person_id AND i.valid_to IS NULL
    AND NOT i.derived AND i.kind IN ('citizen_id', 'document') LIMIT 1 OFFSET 0)"""
MISSING_NUMBERS = (  # 先入册、证件待补: the first date stands until a number comes
    f"""UPDATE students_student AS s SET number_due_on = %(number_due)s
        WHERE s.number_due_on IS NULL AND NOT {OWN_NUMBER}
        AND s.person_id IN (SELECT r.person_id FROM {ROWS} AND r.admitted)""",
    f"""UPDATE students_student AS s SET number_due_on = NULL
        WHERE s.number_due_on IS NOT NULL AND {OWN_NUMBER}
        AND s.person_id IN (SELECT r.person_id FROM known_people r)""",
)


def _rename(roster: Roster) -> None:
    """A school that corrects a name of its own child renames him; the older name stays as a former one."""
    rows = RosterRow.objects.filter(roster=roster, status="accepted", verdict="changed", enrolment_is_new=False)
    new_names = {row.person_id: row for row in rows if any(change[0] == "name" for change in row.changes)}
    for chunk in chunks(new_names, 500):
        loaded = list(Person.objects.filter(pk__in=chunk))
        for person in loaded:
            row = new_names[person.pk]
            person.former_names = [*person.former_names, person.name]
            person.name, person.name_key, person.pinyin = row.name, row.name_key, row.pinyin
        Person.objects.bulk_update(loaded, ["name", "name_key", "pinyin", "former_names"], batch_size=300)


def _become_latest(roster: Roster, book: Book) -> None:
    """This roster is now the latest of its kind at each school it speaks of."""
    rows = RosterRow.objects.filter(roster=roster, status="accepted")
    schools = set(rows.order_by().values_list("school_id", flat=True).distinct())
    before = RosterSchool.objects.filter(school__in=schools, kind=roster.kind, latest=True)
    book.keep_rows(RosterSchool, list(before.values_list("pk", flat=True)))
    before.update(latest=False)
    RosterSchool.objects.bulk_create(RosterSchool(roster=roster, school_id=school, kind=roster.kind) for school in schools)


def _enrol(roster: Roster, params: dict[str, Any]) -> None:
    """New enrolments; what the roll states of children who were here before, who also learn which roll saw them last.

    Of registration the roll speaks only where it tells a state, and at schools without a 学籍 export.
    """
    states = set(RosterRow.objects.filter(roster=roster).order_by().values_list("state", flat=True).distinct())
    schools = [Roster._meta.pk.get_db_prep_value(school, connection) for school in _schools_with_xueji(roster)]
    params = dict(params)
    present = _one_of("r.state", [state for state in states if is_present(state)], params)
    words = {
        "present": present,
        "registered": f"({present} OR r.state LIKE '%%休学%%')",
        "tells": f"(r.state <> '' AND NOT {_one_of('r.school_id', schools, params)})",
    }
    with connection.cursor() as cursor:
        for statement in ENROLMENTS:
            cursor.execute(statement.format(**words), params)


def _one_of(column: str, values: list[Any], params: dict[str, Any]) -> str:
    """The condition as SQL; its values join `params`."""
    names = [f"value_{len(params) + number}" for number in range(len(values))]
    params.update(zip(names, values, strict=True))
    return f"({column} IN ({', '.join(f'%({name})s' for name in names)}))" if names else "(1 = 0)"


PART = """students_rosterschool part ON part.roster_id = r.roster_id AND part.school_id = r.school_id"""
ENROLMENTS = (
    f"""INSERT INTO students_enrolment (id, county_id, student_id, school_id, outside_school, stage, entered_in,
            repeat_offset, class_name, boarding, state, major,
            agricultural, programme_years, internship, is_registered, is_present, registered_by_xueji, started_on,
            exit_kind, destination, roll_id)
        SELECT r.enrolment_id, %(county)s, r.person_id, r.school_id, '', r.stage, r.entered_in, 0, r.class_name,
            r.boarding, r.state, r.major, r.agricultural, r.programme_years, r.internship, {{tells}} AND {{registered}}, {{present}}, %(no)s, %(since)s, '', '', part.id
        FROM students_rosterrow r JOIN {PART}
        WHERE r.roster_id = %(roster)s AND r.status = 'accepted' AND r.enrolment_is_new""",
    f"""UPDATE students_enrolment AS e SET roll_id = part.id FROM students_rosterrow r JOIN {PART}
        WHERE r.roster_id = %(roster)s AND r.status = 'accepted' AND r.settled AND e.id = r.enrolment_id""",
    f"""UPDATE students_enrolment AS e SET roll_id = part.id FROM known_people r JOIN {PART}
        WHERE e.id = r.enrolment_id AND NOT r.enrolment_is_new""",
    """UPDATE students_enrolment AS e SET is_present = {present},
            is_registered = CASE WHEN {tells} THEN {registered} ELSE e.is_registered END,
            stage = COALESCE(NULLIF(r.stage, ''), e.stage), entered_in = COALESCE(r.entered_in - e.repeat_offset, e.entered_in),
            class_name = COALESCE(NULLIF(r.class_name, ''), e.class_name),
            boarding = COALESCE(r.boarding, e.boarding), state = COALESCE(NULLIF(r.state, ''), e.state),
            major = COALESCE(NULLIF(r.major, ''), e.major), agricultural = COALESCE(r.agricultural, e.agricultural),
            programme_years = COALESCE(r.programme_years, e.programme_years),
            internship = COALESCE(NULLIF(r.internship, ''), e.internship)
        FROM known_people r WHERE e.id = r.enrolment_id AND NOT r.enrolment_is_new AND r.verdict = 'changed'""",
)


def _schools_with_xueji(roster: Roster) -> set:
    """Schools whose registration is told by a 学籍 export, not by their rolls."""
    listed = Entry.objects.on("xueji").filter(county=roster.county, omitted_on=None, school__isnull=False)
    return set(listed.order_by().values_list("school_id", flat=True).distinct())


def _leave_out(roster: Roster, outcome: Preview, book: Book) -> None:
    """Absent children are no longer 在校; what only a roll had said about 在籍 goes with it. Finished cohorts leave."""
    covered = _schools_with_xueji(roster)
    book.keep_rows(Enrolment, [*outcome.absent, *outcome.leavers])
    for chunk in chunks(outcome.absent, 900):
        gone = Enrolment.objects.filter(pk__in=chunk)
        gone.update(is_present=False)
        gone.exclude(school__in=covered).update(is_registered=False)
    for chunk in chunks(outcome.leavers, 900):
        Enrolment.objects.filter(pk__in=chunk).update(
            is_present=False, is_registered=False, ended_on=roster.term.starts_on, exit_kind="毕业"
        )

"""学年升级 of a whole county: preview, apply and undo, against one hand-written UPDATE of the same leavers."""

from datetime import date

from tests.bench import measure, scratch

ROWS = 100_000
SCHOOLS = 120


def main(*, rows: int | None, database: str | None) -> None:
    on_sqlite = database == scratch.SQLITE
    with scratch.installed(database):
        _measure(rows or ROWS, where="SQLite" if on_sqlite else "PostgreSQL")


def _measure(rows: int, *, where: str) -> None:
    from django.db import transaction

    from bureau.access.models import Account, Assignment
    from bureau.access.roles import Role
    from students.actions import promoting
    from students.models import Leaver
    from tests.bench.organisation import found_county

    county, term, schools, _ = found_county(schools=SCHOOLS)
    officer = Account.objects.create(county=county, username="officer", display_name="基教股")
    Assignment.objects.create(
        county=county, account=officer, role=Role.BASIC_EDUCATION_OFFICER, valid_from=date(2020, 1, 1)
    )
    measure.say(
        f"filling {rows:,} children took {measure.seconds_of(lambda: _fill(county, schools, rows)):.1f} s"
    )
    found: dict[str, object] = {}

    def preview() -> None:
        asked = promoting.start_promotion(school_year=term.school_year, school=None, by=officer)
        found["promotion"] = promoting.stage_promotion(promotion=asked)

    def apply() -> None:
        found["promotion"] = promoting.apply_promotion(promotion=found["promotion"], by=officer)

    def undo() -> None:
        promoting.undo_promotion(promotion=found["promotion"], by=officer, reason="measured")

    def raw() -> None:
        with transaction.atomic():
            _raw_update(county)
            transaction.set_rollback(True)

    seconds = {
        name: measure.seconds_of(work)
        for name, work in (("raw", raw), ("preview", preview), ("apply", apply))
    }
    leavers = Leaver.objects.count()
    seconds["undo"] = measure.seconds_of(undo)
    measure.table(
        f"promotion of {rows:,} pupils at {SCHOOLS} schools on {where}",
        [
            ("one raw UPDATE of the leavers", f"{seconds['raw']:.2f} s", ""),
            ("preview", f"{seconds['preview']:.2f} s", ""),
            ("apply (computed once more, written)", f"{seconds['apply']:.2f} s", ""),
            ("preview and apply", f"{seconds['preview'] + seconds['apply']:.2f} s", "≤ 20 s"),
            ("apply : raw", f"{seconds['apply'] / seconds['raw']:.1f}", ""),
            ("undo", f"{seconds['undo']:.2f} s", ""),
            ("leavers", f"{leavers:,}", f"{rows // 6:,}"),
        ],
    )


def _fill(county, schools: list, rows: int) -> None:
    """Six cohorts of primary school, a sixth of which leaves."""
    from django.utils import timezone

    from bureau.bulk import insert_rows
    from bureau.keys import uuid7
    from bureau.organisation.models import School
    from students.models import Enrolment, Person, Schooling, Student

    keys, now = [uuid7() for _ in range(rows)], timezone.now()
    insert_rows(
        Person,
        (
            "id",
            "county_id",
            "name",
            "name_key",
            "pinyin",
            "former_names",
            "sex",
            "birth_on",
            "ethnicity",
            "created_at",
        ),
        (
            (key, county.pk, f"学生{n}", f"学生{n}", "xs", [], "1", date(2014, 1, 1), "", now)
            for n, key in enumerate(keys)
        ),
    )
    insert_rows(
        Student,
        ("person_id", "county_id", "hukou_outside", "hukou_text"),
        ((key, county.pk, False, "") for key in keys),
    )
    insert_rows(
        Enrolment,
        (
            "id", "county_id", "student_id", "school_id", "outside_school", "stage", "entered_in", "repeat_offset", "class_name",
            "state", "major", "internship", "is_registered", "is_present", "registered_by_xueji", "started_on", "exit_kind",
            "destination",
        ),
        (
            (uuid7(), county.pk, key, schools[n % len(schools)].pk, "", "primary", 2020 + n % 6, 0, f"{n % 4 + 1}班", "在籍", "", "",
             True, True, False, date(2020 + n % 6, 9, 1), "", "")
            for n, key in enumerate(keys)
        ),
    )  # fmt: skip
    points = schools[:: len(schools) // 10]
    School.objects.filter(pk__in=[school.pk for school in points[1:]]).update(managed_by=points[0])
    Schooling.objects.bulk_create(
        Schooling(county=county, school=school, kind="taught", stage="primary", years=2, from_year=2020)
        for school in points[1:]
    )


def _raw_update(county) -> None:
    """What a developer would type."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE students_enrolment SET ended_on = %s, exit_kind = '毕业', is_present = %s, is_registered = %s
               WHERE county_id = %s AND stage = 'primary' AND ended_on IS NULL AND 2026 - entered_in - repeat_offset >= 6""",
            [date(2026, 7, 10), False, False, county._meta.pk.get_db_prep_value(county.pk, connection)],
        )

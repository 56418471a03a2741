"""Reconciliation against one hand-written join on the same tables: one exact rule, each rule, all of them together.

And kept: a first run of all rules, one child in a thousand changed, a second run.
"""

import subprocess
import sys
from collections.abc import Callable

from tests.bench import measure, scratch

EXACT = "R25"
ROWS = 1_000_000
ROWS_SQLITE = 100_000


def main(*, rows: int | None, database: str | None) -> None:
    on_sqlite = database == scratch.SQLITE
    with scratch.installed(database):
        _measure(rows or (ROWS_SQLITE if on_sqlite else ROWS), on_sqlite=on_sqlite)
    if not database:
        few = str(min(rows or ROWS_SQLITE, ROWS_SQLITE))
        subprocess.run(
            [sys.executable, "-m", "tests.bench", "reconcile", "--database", scratch.SQLITE, "--rows", few], check=True
        )


def _measure(rows: int, *, on_sqlite: bool) -> None:
    from students.engine import apply_rule
    from students.rules import RULES, Matter
    from tests.bench.organisation import found_county
    from tests.bench.registry import AS_OF, fill

    county, term, schools, operator = found_county(schools=1)
    measure.say(f"filling {rows:,} children on two lists took {measure.seconds_of(lambda: fill(county, schools[0], operator, rows=rows)):.1f} s")
    matter = Matter(county, term, AS_OF)
    found: dict[str, object] = {}

    def run(*codes: str) -> Callable[[], None]:
        def work() -> None:
            for code in codes:
                found[code] = apply_rule(RULES[code], matter, today=AS_OF)

        return _undone(work)

    works = {"raw": _undone(lambda: _raw_join(county, AS_OF)), EXACT: run(EXACT)}
    times = 3
    exact = measure.side_by_side(works, times=times)
    single = {code: measure.seconds_of(run(code)) for code in RULES if code != EXACT}
    together = measure.seconds_of(run(*RULES))
    first, second = _twice(county, matter, rows)
    peak = measure.peak_megabytes()
    where = "SQLite" if on_sqlite else "PostgreSQL"
    measure.table(
        f"reconcile {rows:,} × {rows:,} on {where}",
        [
            ("one raw INSERT … SELECT, both directions", f"{exact['raw']:.2f} s", ""),
            (f"{EXACT} through the engine", f"{exact[EXACT]:.2f} s", ""),
            (f"{EXACT} : raw", f"{exact[EXACT] / exact['raw']:.2f}", "≤ 1.3"),
            *((f"{code} alone : raw", f"{seconds / exact['raw']:.2f}", "") for code, seconds in single.items()),
            ("all rules together", f"{together:.2f} s", ""),
            ("all rules together : raw", f"{together / exact['raw']:.2f}", "≤ 14"),
            ("all rules, kept", f"{first:.2f} s", ""),
            ("the second run, 0.1 % changed : the first", f"{second / first:.2f}", "≤ 0.5"),
            ("differences found", " ".join(str(found[code].opened) for code in RULES), " ".join(RULES)),
            ("peak memory of Python", f"{peak:.0f} MB", "< 150 MB"),
        ],
    )


def _twice(county, matter, rows: int) -> tuple[float, float]:
    """Seconds of a first run, and of a second after half a thousandth left school and as many hardships ended."""
    from django.db import transaction

    from students.engine import apply_rule
    from students.models import Enrolment, Hardship
    from students.rules import RULES

    def work() -> None:
        with transaction.atomic():
            for rule in RULES.values():
                apply_rule(rule, matter, today=matter.as_of)

    first = measure.seconds_of(work)
    few = max(rows // 2000, 1)
    left = Enrolment.objects.filter(county=county).order_by("pk").values("pk")[few : 2 * few]
    Enrolment.objects.filter(pk__in=list(left.values_list("pk", flat=True))).update(is_present=False, is_registered=False)
    ended = Hardship.objects.filter(county=county).order_by("pk").values_list("pk", flat=True)[few : 2 * few]
    Hardship.objects.filter(pk__in=list(ended)).update(valid_to=matter.as_of.replace(day=1))
    return first, measure.seconds_of(work)


def _undone(work: Callable[[], None]) -> Callable[[], None]:
    """The work inside a transaction that is rolled back, so that each turn finds the same tables."""
    from django.db import transaction

    def turn() -> None:
        with transaction.atomic():
            work()
            transaction.set_rollback(True)

    return turn


def _raw_join(county, as_of) -> None:
    """What a developer would type: stays against hardships, both kinds of difference in one statement, stored."""
    from django.db import connection

    key = county._meta.pk.get_db_prep_value(county.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE raw_differences (student_id text, category text, entry_id bigint, hardship_id bigint)"
        )
        select = ANTI_JOINS if connection.vendor == "sqlite" else FULL_JOIN  # SQLite's full join is quadratic here
        cursor.execute(f"INSERT INTO raw_differences {select}", {"county": key, "day": as_of.isoformat()})
        cursor.execute("DROP TABLE raw_differences")


STAYS = """county_id = %(county)s AND person_id IS NOT NULL AND category <> ''
    AND listed_from <= %(day)s AND (listed_to IS NULL OR listed_to >= %(day)s)"""
HARDSHIPS = "county_id = %(county)s AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to >= %(day)s)"
FULL_JOIN = f"""
    SELECT coalesce(e.person_id, h.student_id), coalesce(e.category, h.category), e.id, h.id
    FROM (SELECT id, person_id, category FROM students_entry WHERE {STAYS}) e
    FULL JOIN (SELECT id, student_id, category FROM students_hardship WHERE {HARDSHIPS}) h
    ON e.person_id = h.student_id AND e.category = h.category
    WHERE e.id IS NULL OR h.id IS NULL"""
ANTI_JOINS = f"""
    SELECT person_id, category, id, NULL FROM students_entry WHERE {STAYS} AND NOT EXISTS (
        SELECT 1 FROM students_hardship h WHERE {HARDSHIPS} AND h.student_id = person_id
        AND h.category = students_entry.category)
    UNION ALL
    SELECT student_id, category, NULL, id FROM students_hardship WHERE {HARDSHIPS} AND NOT EXISTS (
        SELECT 1 FROM students_entry e WHERE {STAYS} AND e.person_id = student_id
        AND e.category = students_hardship.category)"""

"""A class roll from file to registry, against the least that any program would have to do with the same rows.

The floor: calamine reads the file, the checks run, each number is sealed and indexed, and ready-made lines are copied
into the registry's own tables, indexes and foreign keys included. No preview, no staging, no comparison, no audit.
"""

import io
import os
import statistics
from pathlib import Path

from tests.bench import measure, scratch
from tests.bench.people import children, roll_row, write_roll

ROWS = 10_000
SCHOOLS = 10  # per file
TIMES = 3


def main(*, rows: int | None, database: str | None) -> None:
    with scratch.installed(database) as home:
        _measure(rows or ROWS, home)


def _measure(rows: int, home: Path) -> None:
    from django.db import connection

    from tests.bench.organisation import found_county

    county, term, schools, operator = found_county(schools=SCHOOLS * (2 * TIMES + 1))
    names = [(school.name, school.code) for school in schools]
    at = Importing(county, term, operator)
    at.load(_file(home / "warm.xlsx", names[-SCHOOLS:], 1_900_000, 1_900_200))
    steps: dict[str, list[float]] = {}
    taken: dict[str, list[float]] = {"new": [], "half": [], "floor": []}
    parts: dict[str, list[float]] = {}
    for turn in range(TIMES):
        here = names[SCHOOLS * 2 * turn : SCHOOLS * (2 * turn + 1)]
        fresh = _file(home / f"new{turn}.xlsx", here, turn * 2 * rows, (turn * 2 + 1) * rows)
        roster, seconds = at.load(fresh)
        taken["new"].append(seconds)
        for step, value in roster.seconds.items():
            steps.setdefault(step, []).append(value)
        if connection.vendor == "postgresql":
            for part, value in (floor := _floor(fresh, roster)).items():
                parts.setdefault(part, []).append(value)
            taken["floor"].append(sum(floor.values()))
        there = names[SCHOOLS * (2 * turn + 1) : SCHOOLS * (2 * turn + 2)]
        start = (turn * 2 + 1) * rows
        at.load(_file(home / "first.xlsx", there, start, start + rows // 2))
        roster, seconds = at.load(_file(home / f"half{turn}.xlsx", there, start, start + rows, moved_class=True))
        assert roster.new == rows - rows // 2 and roster.changed, (roster.new, roster.changed, roster.unchanged)
        taken["half"].append(seconds)
    median = {name: statistics.median(values) for name, values in taken.items() if values}
    lines = [
        (f"{rows:,} new children, 20 columns, checked and applied", f"{median['new']:.2f} s", ""),
        *((f"  of these: {step}", f"{statistics.median(values):.2f} s", "") for step, values in steps.items()),
    ]
    if parts:
        lines += [
            ("floor", f"{median['floor']:.2f} s", ""),
            *((f"  of these: {part}", f"{statistics.median(values):.2f} s", "") for part, values in parts.items()),
            ("all new : floor", f"{median['new'] / median['floor']:.2f}", "≤ 3"),
        ]
    lines.append(("half existing : all new", f"{median['half'] / median['new']:.2f}", "≤ 1.3"))
    lines.append(("peak memory of the worker", f"{measure.peak_megabytes():.0f} MB", ""))
    measure.table(f"import a roll of {rows:,} rows on {connection.vendor}", lines)


def _file(path: Path, schools: list[tuple[str, str]], start: int, stop: int, *, moved_class: bool = False) -> Path:
    """With `moved_class` every twentieth child changed class since he was listed before."""
    rows = [
        roll_row(child, schools[child.number % len(schools)], moved_class=moved_class and child.number % 20 == 0)
        for child in children(start, stop)
    ]
    return write_roll(path, rows)


class Importing:
    """The way of a file through the actions a page calls."""

    def __init__(self, county, term, operator) -> None:
        self.facts = {"county": county, "term": term, "school": None, "kind": "roll"}
        self.by = operator

    def load(self, path: Path):
        from bureau import jobs
        from students.actions import rosters

        kept = {}

        def work() -> None:
            roster, _ = rosters.new_roster(path=path, file_name=path.name, by=self.by, **self.facts)
            jobs.run_now("students.read_roster", by=self.by, county=roster.county, roster=roster.pk)
            roster.refresh_from_db()
            kept["roster"] = rosters.apply_roster(roster=roster, by=self.by, accept_good=True)

        seconds = measure.seconds_of(work)
        roster = kept["roster"]
        assert roster.status == "applied" and roster.rejected == 0, (roster.status, roster.problems[:3])
        return roster, seconds


def _floor(path: Path, roster) -> dict[str, float]:
    import python_calamine

    from bureau.sheets import read
    from students.sheets import ROSTERS

    def calamine() -> None:
        python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()

    reading = read(path, ROSTERS["roll"], today=roster.term.starts_on, in_process=True)
    return {
        "calamine": measure.seconds_of(calamine),
        "the checks": reading.seconds["check"],
        "sealing and indexing": measure.seconds_of(lambda: _crypto(reading)),
        "COPY into the registry": _copy(roster),
    }


def _crypto(reading) -> None:
    """Four numbers of each row through AES-GCM and HMAC-SHA256, and nothing around it."""
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    encrypt, mac = AESGCM(os.urandom(32)).encrypt, hmac.HMAC(os.urandom(32), hashes.SHA256())
    place = os.urandom(16)
    for row in reading.rows:
        for attr in ("citizen_id", "student_number", "phone", "home"):
            text = row.get(attr).encode()
            encrypt(os.urandom(12), text, place)
            digest = mac.copy()
            digest.update(text)
            digest.finalize()


def _copy(roster) -> float:
    """Seconds to bring exactly the rows this roster made back by COPY, after they were taken out; undone at the end."""
    from django.db import connection, transaction

    children_of = f"SELECT person_id FROM students_rosterrow WHERE roster_id = '{roster.pk}'"
    tables = {
        "students_person": f"id IN ({children_of})",
        "students_student": f"person_id IN ({children_of})",
        "students_identifier": f"person_id IN ({children_of})",
        "students_guardianship": f"student_id IN ({children_of})",
        "students_enrolment": f"student_id IN ({children_of})",
    }
    with transaction.atomic(), connection.cursor() as cursor:
        kept = {}
        for table, which in tables.items():
            kept[table] = io.StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT", kept[table])
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {table} WHERE {tables[table]}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        def copy() -> None:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for table, lines in kept.items():
                lines.seek(0)
                cursor.copy_expert(f"COPY {table} FROM STDIN", lines)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        seconds = measure.seconds_of(copy)
        transaction.set_rollback(True)
    return seconds

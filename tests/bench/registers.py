"""A list of another office from file to linked stays, and the same list a month later, against the least any program does.

The floor: calamine reads the file, each number and row is sealed and indexed, and ready-made lines are copied into the
register's own tables, indexes and foreign keys included. No check, no comparison, no linking, no audit.
"""

import io
import os
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from tests.bench import measure, scratch
from tests.bench.people import Child, children

ROWS = 100_000
FIRST, SECOND, THIRD = date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 30)
HEADERS = (
    "序号", "县(市、区、旗)", "乡(镇)", "行政村", "户编号", "人编号", "姓名", "证件号码", "人数", "与户主关系", "民族", "在校生状况",
    "人均纯收入", "户联系电话", "人员识别时间", "户类型", "风险是否消除",
)  # fmt: skip


def main(*, rows: int | None, database: str | None) -> None:
    with scratch.installed(database) as home:
        _measure(rows or ROWS, home)


def _measure(rows: int, home: Path) -> None:
    from django.db import connection

    from tests.bench.linkage import know
    from tests.bench.organisation import found_county

    county, _, _, operator = found_county(schools=1)
    known = list(children(0, rows))
    know(county, known)
    told = [_row(child) for child in known]
    first = _write(home / "first.xlsx", told)
    later = _write(home / "later.xlsx", [(*row[:12], "9200" if n % 1000 == 0 else row[12], *row[13:]) for n, row in enumerate(told)])
    seconds, snapshots = {}, {}
    for name, path, day in (("first", first, FIRST), ("unchanged", first, SECOND), ("0.1 % changed", later, THIRD)):
        seconds[name], snapshots[name] = _import(county, operator, path, day)
    peak = measure.peak_megabytes()
    assert [snapshots[name].added for name in seconds] == [rows, 0, 0], [snapshots[name].added for name in seconds]
    assert snapshots["0.1 % changed"].changed == len(range(0, rows, 1000))
    floor = _floor(first, known, snapshots["first"]) if connection.vendor == "postgresql" else {}
    lines = [(f"{rows:,} rows of {len(HEADERS)} columns, all known and linked", f"{seconds['first']:.1f} s", "")]
    lines += [(f"  of these: {step}", f"{value:.1f} s", "") for step, value in snapshots["first"].seconds.items()]
    if floor:
        total = sum(floor.values())
        lines += [("floor", f"{total:.1f} s", ""), *((f"  of these: {part}", f"{value:.1f} s", "") for part, value in floor.items())]
        lines.append(("import : floor", f"{seconds['first'] / total:.2f}", "≤ 3"))
    for name in ("unchanged", "0.1 % changed"):
        lines.append((f"the next list, {name}", f"{seconds[name]:.1f} s", ""))
        lines += [(f"  of these: {step}", f"{value:.1f} s", "") for step, value in snapshots[name].seconds.items()]
        lines.append((f"{name} : first", f"{seconds[name] / seconds['first']:.2f}", "≤ 0.5" if name == "unchanged" else ""))
    lines.append(("peak memory of the worker", f"{peak:.0f} MB", ""))
    measure.table(f"import a list of {rows:,} rows on {connection.vendor}", lines)


def _row(child: Child) -> tuple[str, ...]:
    house = child.number // 2
    town = f"第{house % 10}镇"
    return (
        str(child.number), "云岭县", town, f"{town[1]}{house % 12}村", child.household, f"M{child.number:08}", child.name,
        child.id, "4", "之子" if child.sex == "男" else "之女", "汉族", "小学", "9000", f"13{child.number % 10}{child.number:08}",
        "2019-12-01", "脱贫户", "",
    )  # fmt: skip


def _write(path: Path, rows: Iterable[Sequence[str]]) -> Path:
    """An xlsx of text cells, written by hand: a million rows take openpyxl minutes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for row in (HEADERS, *rows):
                cells = "".join(f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>' for text in row)
                sheet.write(f"<row>{cells}</row>".encode())
            sheet.write(b"</sheetData></worksheet>")
    return path


HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MAIN, OPEN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
RELATIONS = f"{OPEN}/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": f'{HEAD}<Types xmlns="{OPEN}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'{HEAD}<Relationships xmlns="{OPEN}/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
    '<sheets><sheet name="人员信息" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{OPEN}/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def _import(county, operator, path: Path, day: date) -> tuple[float, object]:
    from bureau import jobs
    from students.actions import registers
    from students.intake.known import register_named

    kept = {}

    def work() -> None:
        snapshot, _ = registers.new_snapshot(
            path=path, file_name=path.name, register=register_named(county, "poverty"), as_of=day, county=county,
            township=None, partial=False, by=operator,
        )  # fmt: skip
        jobs.run_now("students.read_register", by=operator, county=county, snapshot=snapshot.pk, register="poverty")
        kept["snapshot"] = snapshot

    seconds = measure.seconds_of(work)
    snapshot = kept["snapshot"]
    snapshot.refresh_from_db()
    assert snapshot.state == "closed" and not snapshot.rejected, (snapshot.state, snapshot.file_error, snapshot.problems[:3])
    return seconds, snapshot


def _floor(path: Path, known: Sequence[Child], snapshot) -> dict[str, float]:
    import python_calamine

    def calamine() -> None:
        python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()

    return {
        "calamine": measure.seconds_of(calamine),
        "sealing and indexing": measure.seconds_of(lambda: _crypto(known)),
        "COPY into the register": _copy(snapshot),
    }


def _crypto(known: Sequence[Child]) -> None:
    """The citizen ID and the whole row sealed; ID, 人编号, household, family, whole row and identity indexed; no more."""
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    encrypt, mac = AESGCM(os.urandom(32)).encrypt, hmac.HMAC(os.urandom(32), hashes.SHA256())
    place = os.urandom(16)
    for child in known:
        row = "".join(_row(child)).encode()
        for text in (child.id.encode(), row):
            encrypt(os.urandom(12), text, place)
        for text in (child.id.encode(), b"person" + row[:12], b"household" + row[:9], b"family" + row[:20], row, row):
            digest = mac.copy()
            digest.update(text)
            digest.finalize()


def _copy(snapshot) -> float:
    """Seconds to bring the rows this list made back by COPY, after they were taken out; undone at the end.

    Households and their members, which a list makes known as well, are copied too.
    """
    from django.db import connection, transaction

    listed = f"SELECT entry_id FROM students_sighting WHERE snapshot_id = '{snapshot.pk}'"
    tables = {"students_entry": f"id IN ({listed})", "students_sighting": "true"}
    tables |= {"students_household": "true", "students_membership": "true", "students_headship": "true"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM students_formerhousehold")
        cursor.execute("DELETE FROM students_sighting WHERE snapshot_id <> %s", [snapshot.pk])
        kept = {}
        for table, which in tables.items():
            kept[table] = io.StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT", kept[table])
        cursor.execute("TRUNCATE students_entry, students_sighting, students_household CASCADE")

        def copy() -> None:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for table, lines in kept.items():
                lines.seek(0)
                cursor.copy_expert(f"COPY {table} FROM STDIN", lines)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        seconds = measure.seconds_of(copy)
        transaction.set_rollback(True)
    return seconds

"""Reading and checking a sheet of twenty columns, against calamine alone, which checks nothing and sees nothing hidden."""

import multiprocessing
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from tests.bench import measure, scratch
from tests.bench.people import children, roll_row, write_roll

ROWS = (1_000, 10_000, 100_000)
TODAY = date(2026, 9, 30)


def main(*, rows: int | None, database: str | None) -> None:
    if not rows:  # each size in a process of its own, as a worker would meet it: memory is measured per process
        for count in ROWS:
            subprocess.run([sys.executable, "-m", "tests.bench", "read", "--rows", str(count)], check=True)
        return
    with scratch.installed(scratch.SQLITE), tempfile.TemporaryDirectory() as folder:
        _measure(rows, Path(folder) / f"{rows}.xlsx")


def _write(path: Path, rows: int) -> None:
    schools = [(f"云岭县第{n}小学", f"35990{n + 10001:05}") for n in range(60)]
    write_roll(path, [roll_row(child, schools[child.number % 60]) for child in children(0, rows)])


def _measure(rows: int, path: Path) -> None:
    import python_calamine

    from bureau.sheets import read
    from students.sheets import SHEETS

    writer = multiprocessing.get_context("spawn").Process(target=_write, args=(path, rows))
    writer.start()  # elsewhere: a process that once was large starts large children
    writer.join()
    before = measure.peak_megabytes()
    kept = {}

    def calamine() -> None:
        python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()

    def checked() -> None:
        kept["reading"] = read(path, SHEETS["xueji"], today=TODAY)

    checked()
    after = measure.peak_megabytes()
    median = measure.side_by_side({"calamine": calamine, "checked": checked}, times=5)
    reading = kept["reading"]
    assert len(reading.rows) == reading.accepted == rows, reading.counts
    measure.table(
        f"read and check {rows:,} rows of 20 columns",
        [
            ("calamine alone, no check", f"{median['calamine']:.2f} s", ""),
            ("read and checked", f"{median['checked']:.2f} s", ""),
            ("of these: waiting for the child that reads", f"{reading.seconds['read']:.2f} s", ""),
            ("of these: checking", f"{reading.seconds['check']:.2f} s", ""),
            ("checked : calamine", f"{median['checked'] / median['calamine']:.2f}", "≤ 2.5 from 10,000 rows"),
            ("per thousand rows", f"{median['checked'] * 1e6 / rows:.1f} ms", "flat"),
            ("peak memory of the worker, before and after", f"{before:.0f} → {after:.0f} MB", "≤ 300 MB"),
        ],
    )

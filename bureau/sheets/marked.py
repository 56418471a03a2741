"""The clerk's own file back: problem cells coloured and commented, and a 问题 column at the end of each row.

An .xlsx keeps its layout, other sheets and widths. Everything else comes back as .xlsx with the same rows at the same
numbers, and so does a workbook that only our reader understands. A child with limits does it (`marking`): the file is
a stranger's.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .declare import PROBLEM_HEADER, Sheet
from .process import wait_for
from .reading import Problem

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1536 * 1024 * 1024
SECONDS = 120
Tell = Callable[[int, int, str], None]


class NotMarked(Exception):
    """Neither the workbook itself nor its values could be written within the limits."""


def write_marked(
    source: str | Path,
    target: str | Path,
    *,
    sheet: type[Sheet],
    tables: Sequence[dict[str, Any]],
    problems: Sequence[Problem],
    name: str | None = None,
    header: str = PROBLEM_HEADER,
    tell: Tell = lambda done, total, words: None,
) -> None:
    """Save the marked workbook at `target`. Raises NotMarked.

    `tables` say per header its `sheet`, `header_row` and `columns` as (index, header text). `tell` is called at least
    twice a second; what it raises ends the child.
    """
    request = {
        "path": str(Path(source).resolve()),
        "target": str(Path(target).resolve()),
        "name": name or Path(source).name,
        "limits": vars(sheet.limits()),
        "memory": MEMORY,
        "seconds": SECONDS,
        "header": header,
        "tables": [{key: table[key] for key in ("sheet", "header_row", "columns")} for table in tables],
        "problems": [
            (problem.sheet, problem.row, problem.column, problem.level, problem.message)
            for problem in problems
            if problem.row
        ],
    }
    if not any(in_child(request | {"rebuild": rebuild}, tell) for rebuild in (False, True)):
        raise NotMarked


def in_child(request: dict[str, Any], tell: Tell) -> bool:
    """Whether the child wrote the file."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bureau.sheets.marking"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin and child.stdout  # both are pipes
    watch = threading.Timer(2 * SECONDS, child.kill)
    watch.daemon = True
    watch.start()
    told: tuple[int, int, str] = (0, 0, "正在打开原文件")
    try:
        with contextlib.suppress(BrokenPipeError):  # a child that died at once is told by its status
            child.stdin.write(json.dumps(request).encode())
            child.stdin.close()
        while True:
            tell(*told)
            wait_for(child.stdout, partial(tell, *told))
            words = child.stdout.readline()
            if not words:
                return child.wait() == 0
            done, total, step = json.loads(words)
            told = int(done), int(total), str(step)
    finally:
        watch.cancel()
        child.kill()
        child.stdout.close()
        child.wait()

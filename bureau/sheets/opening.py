"""A workbook with an opening password becomes one without, in a child with limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .declare import Sheet
from .intake.faults import FileFault
from .process import HERE

SECONDS = 20  # of processor time: the person waits for it, and a file may ask for any number of rounds


def open_protected(source: Path, target: Path, *, sheet: type[Sheet], name: str, password: str) -> None:
    """Write the opened workbook at `target`. Raises FileFault: `encrypted` for a password that does not fit."""
    request = {
        "path": str(source.resolve()),
        "target": str(target.resolve()),
        "name": name,
        "password": password,
        "limits": vars(sheet.limits()),
        "memory": sheet.max_memory,
        "seconds": SECONDS,
    }
    try:
        child = subprocess.run(
            [sys.executable, "-m", "intake.unlock"],
            cwd=HERE,
            env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        message = "打开文件占用的内存或时间超过上限，已停止。请取消密码后重新上传。"
        raise FileFault("too_large", message) from error
    if fault := json.loads(child.stdout):
        raise FileFault(*fault)

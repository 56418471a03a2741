"""Start the child that parses, and listen to it. A bomb costs this process nothing but a message."""

import contextlib
import json
import os
import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from .declare import Sheet
from .intake.faults import FileFault
from .intake.source import messages

HERE = Path(__file__).resolve().parent
SECONDS_OF_SILENCE = 0.5
_ALLOWED = {("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"), ("datetime", "timedelta")}


class _Plain(pickle.Unpickler):
    """Accepts nothing but plain values and dates: the child has read a stranger's file."""

    def find_class(self, module: str, name: str):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")
        return super().find_class(module, name)


def listen(
    path: Path, *, name: str, sheet: type[Sheet], password: str | None, meanwhile: Callable[[], None] | None = None
) -> Iterator[tuple]:
    """Messages of `intake.source` from a child with limits on memory and processor time. Raises FileFault.

    `meanwhile` is called twice a second while the child is silent; what it raises ends the child.
    """
    request = {
        "path": str(path.resolve()),
        "name": name,
        "password": password,
        "limits": vars(sheet.limits()),
        "memory": sheet.max_memory,
        "seconds": sheet.max_seconds,
    }
    return talk("intake.child", request, meanwhile)


def talk(module: str, request: dict[str, Any], meanwhile: Callable[[], None] | None = None) -> Iterator[tuple]:
    """Messages of a module of ours that runs as a child; `request` holds its limits. Raises FileFault."""
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=HERE,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin and child.stdout  # both are pipes
    watch = threading.Timer(4 * request["seconds"], child.kill)
    watch.daemon = True
    watch.start()
    try:
        with contextlib.suppress(BrokenPipeError):  # a child that died at once is told by its status
            child.stdin.write(json.dumps(request).encode())
            child.stdin.close()
        yield from _until_end(child, child.stdout, meanwhile)
    finally:
        watch.cancel()
        child.kill()
        child.stdout.close()
        child.wait()


def wait_for(pipe: Any, meanwhile: Callable[[], None]) -> None:
    """Return when something, or the end, can be read from the buffered pipe; call `meanwhile` until then."""
    os.set_blocking(pipe.fileno(), False)
    try:
        while not pipe.peek(1):
            ready, _, _ = select.select([pipe], [], [], SECONDS_OF_SILENCE)
            if not ready:
                meanwhile()
            elif not pipe.peek(1):
                return  # closed at the other end
    finally:
        os.set_blocking(pipe.fileno(), True)


def _until_end(
    child: subprocess.Popen, pipe: IO[bytes], meanwhile: Callable[[], None] | None
) -> Iterator[tuple]:
    while True:
        if meanwhile is not None:
            wait_for(pipe, meanwhile)
        try:
            message = _Plain(pipe).load()
        except (EOFError, pickle.UnpicklingError) as error:
            raise _ended_early(child.wait()) from error
        if message[0] == "end":
            return
        if message[0] == "fault":
            _, code, text, where, row = message
            raise FileFault(code, text, sheet=where, row=row)
        yield message


def _ended_early(status: int) -> FileFault:
    """A signal means a limit; any other end means that no parser understood the file."""
    if status < 0:
        return FileFault(
            "too_large", "读取文件占用的内存或时间超过上限，已停止。请只保留需要上报的工作表，或拆分后上传。"
        )
    return FileFault(
        "truncated", "文件内容无法解析，可能已损坏。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"
    )


def here(
    path: Path, *, name: str, sheet: type[Sheet], password: str | None, meanwhile: Callable[[], None] | None = None
) -> Iterator[tuple]:
    """The same messages without a child, for tests of what they mean."""
    with open(path, "rb") as file:
        yield from messages(file, name=name, limits=sheet.limits(), password=password)

"""An auditor checks the log, and that he did is in the log."""

from collections.abc import Callable
from typing import Any

from bureau.audit import sealing
from bureau.audit.recording import record

FAULTS = {
    "missing": "记录缺失",
    "changed": "记录被改动",
    "out_of_chain": "顺序被改动",
    "rewritten": "截断后重写",
    "cut_off": "末尾被删除",
}


def check(
    *, by, paper: sealing.Head | None = None, progress: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """What `sealing.verify` found; `progress(done)` is called now and then and may raise to stop."""
    found = sealing.verify(paper, progress=progress)
    fault = found["first_fault"]
    detail = {"checked": found["checked"]} | ({"fault": fault["code"]} if fault else {})
    record(by=by, verb="audit.checked", detail=detail)
    return found
